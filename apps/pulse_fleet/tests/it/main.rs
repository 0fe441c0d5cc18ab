//! Tests of the fleet and the front door.
