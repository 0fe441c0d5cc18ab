//! Tests of pulse_data from outside.
