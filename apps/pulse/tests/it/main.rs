//! Tests of pulse from outside.
