//! How much to ask for.
//!
//! **Invariant.** What is in flight and what is asked for are together never more than the demand.

/// Counts the messages that were taken and are not settled yet.
///
/// ```
/// use labs_ingest::demand::Demand;
/// let mut demand = Demand::new(10);
/// assert_eq!(demand.room(), 10);
/// demand.took(10);
/// demand.settled(2);
/// assert_eq!(demand.room(), 0, "wait until it is worth a call");
/// demand.settled(3);
/// assert_eq!(demand.room(), 5);
/// ```
#[derive(Debug)]
pub struct Demand {
    most: usize,
    in_flight: usize,
}

impl Demand {
    /// At most so many in flight, and at least one.
    pub fn new(most: usize) -> Self {
        Self { most: most.max(1), in_flight: 0 }
    }

    /// How many to ask for now: nothing while more than half of the demand is in flight, then all that is free.
    pub fn room(&self) -> usize {
        //>> room
        //? The slowest stage settles one message. Do you go to the source for one? For how many?
        //? Which number must never be exceeded, whatever you answer?
        if self.in_flight > self.most / 2 {
            return 0;
        }
        self.most - self.in_flight
        //<<
    }

    /// So many came.
    pub fn took(&mut self, messages: usize) {
        self.in_flight += messages;
    }

    /// So many are finished with.
    pub fn settled(&mut self, messages: usize) {
        self.in_flight -= messages;
    }

    /// Taken and not settled yet.
    pub fn in_flight(&self) -> usize {
        self.in_flight
    }
}
