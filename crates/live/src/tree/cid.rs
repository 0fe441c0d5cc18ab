//! The number of a live component within one view.

use std::fmt;
use std::num::NonZeroU32;

/// The number by which client and server name a live component of one view.
///
/// Numbers start at 1: on the wire a negative number means "as the component that the client has", so
/// there is no component 0.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Cid(NonZeroU32);

impl Cid {
    /// The first number of a view.
    pub const FIRST: Self = Self(NonZeroU32::MIN);

    /// The component of this number; `None` for 0.
    pub fn new(number: u32) -> Option<Self> {
        NonZeroU32::new(number).map(Self)
    }

    /// The number itself, 1 or more.
    pub fn get(self) -> u32 {
        self.0.get()
    }

    /// The number after this one; `None` when four thousand million were used.
    pub fn next(self) -> Option<Self> {
        self.0.checked_add(1).map(Self)
    }
}

impl fmt::Display for Cid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}
