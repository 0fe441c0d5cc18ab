//! Tests of pulse_web from outside.
