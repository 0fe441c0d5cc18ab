//! The last commands that a cart accepted, so that a repeat gets the recorded reply and is not done again.
//!
//! **Invariant.** At most [`Recent::KEPT`] entries, oldest dropped first; each id at most once.

use std::collections::VecDeque;

use crate::{CommandId, Version};

/// Ids of accepted commands with the version that each one made.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Recent(VecDeque<(CommandId, Version)>);

impl Recent {
    /// How many commands a cart remembers.
    pub const KEPT: usize = 32;

    /// The version that this command made, if it is remembered. O(32).
    pub fn find(&self, id: CommandId) -> Option<Version> {
        self.0.iter().rev().find(|(known, _)| *known == id).map(|(_, version)| *version)
    }

    /// Remembers a command; forgets the oldest where there are too many. A known id keeps its first reply.
    pub fn remember(&mut self, id: CommandId, version: Version) {
        if self.find(id).is_some() {
            return;
        }
        if self.0.len() == Self::KEPT {
            self.0.pop_front();
        }
        self.0.push_back((id, version));
    }

    /// Oldest first.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = (CommandId, Version)> + '_ {
        self.0.iter().copied()
    }
}

impl FromIterator<(CommandId, Version)> for Recent {
    fn from_iter<I: IntoIterator<Item = (CommandId, Version)>>(entries: I) -> Self {
        let mut recent = Self::default();
        for (id, version) in entries {
            recent.remember(id, version);
        }
        recent
    }
}
