//! A shelf that holds so many things, and no more.

/// It holds as many as it may.
#[derive(Debug, PartialEq, Eq)]
pub struct Full;

/// The last thing put is the first to be taken.
#[derive(Debug)]
pub struct Shelf {
    most: usize,
    things: Vec<String>,
}

impl Shelf {
    /// Empty.
    #[must_use]
    pub fn new(most: usize) -> Self {
        Self { most, things: Vec::new() }
    }

    /// Adds one.
    ///
    /// # Errors
    ///
    /// At the bound.
    pub fn put(&mut self, thing: &str) -> Result<(), Full> {
        //>> put
        //? What do you answer at the bound?
        if self.things.len() >= self.most {
            return Err(Full);
        }
        self.things.push(thing.to_owned());
        Ok(())
        //<<
    }

    /// Takes one.
    pub fn take(&mut self) -> Option<String> {
        //>> take
        //? Which one?
        self.things.pop()
        //<<
    }

    /// The length of the longest name.
    #[must_use]
    pub fn longest(&self) -> usize {
        //>> longest
        self.things.iter().map(String::len).max().unwrap_or(0)
        //<<
    }
}
