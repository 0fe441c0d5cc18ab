//! Tests of pulse_ingest from outside.
