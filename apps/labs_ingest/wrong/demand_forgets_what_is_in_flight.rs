//! Asks for the whole demand each time, whatever is in flight.
//!
//! test: laws::room_is_never_more_than_what_is_free
//! verdict: in flight
//>> room
        self.most
//<<
