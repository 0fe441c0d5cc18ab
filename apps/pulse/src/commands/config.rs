//! `pulse config`: prints the effective configuration.
//!
//! **Invariant.** What it prints is TOML that can be kept as `pulse.toml`; a hidden secret stays hidden.

use crate::config::Loaded;
use crate::failure::Failure;
use crate::output;

pub(super) fn run(loaded: &Loaded) -> Result<(), Failure> {
    output::line(loaded.describe())
}
