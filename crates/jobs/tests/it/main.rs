//! Tests of jobs from outside.
