//! Tests of pulse_fleet from outside.
