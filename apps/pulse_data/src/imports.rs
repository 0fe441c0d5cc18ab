//! What was fed in: files, dead letters.
