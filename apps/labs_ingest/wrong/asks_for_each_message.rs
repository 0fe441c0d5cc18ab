//! Asks as soon as one message is settled: a call of the source for every message.
//!
//! test: budget::a_source_is_asked_when_it_is_worth_a_call
//! verdict: calls for 10000 messages with a demand of 400
//>> room
        self.most - self.in_flight
//<<
