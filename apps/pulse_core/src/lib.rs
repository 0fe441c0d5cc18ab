//! The shop's pure domain and the ports it needs.
