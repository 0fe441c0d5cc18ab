//! Tests of pulse_cart from outside.
