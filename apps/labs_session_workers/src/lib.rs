//! Lab M4: one worker a session, started on first use, found by name, none orphaned.
