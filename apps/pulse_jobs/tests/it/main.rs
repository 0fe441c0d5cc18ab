//! Tests of pulse_jobs from outside.
