//! Tests of pulse_obs from outside.
