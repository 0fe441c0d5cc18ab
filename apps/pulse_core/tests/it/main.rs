//! Laws of the domain, checked from outside.
