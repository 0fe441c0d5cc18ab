//! Tests of pulse_cache from outside.
