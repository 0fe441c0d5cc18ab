//! Numbers that look drawn, the same for the same seed on every machine and in every version.
//!
//! **Invariant.** The sequence depends on the seed alone. (`SplitMix64`, Steele, Lea and Flood 2014: 64 bits of state,
//! every value once a period. Good for believable data, useless for secrets.)

/// A seeded source of choices.
#[derive(Debug, Clone)]
pub struct Dice(u64);

impl Dice {
    /// The sequence of this seed.
    pub const fn new(seed: u64) -> Self {
        Self(seed)
    }

    /// The next 64 bits.
    pub const fn roll(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// A number in `0..below`, 0 for `below` = 0; the bias is far below what a demo could show.
    pub fn below(&mut self, below: u64) -> u64 {
        ((u128::from(self.roll()) * u128::from(below)) >> 64) as u64
    }

    /// A number in `low..=high`.
    pub fn between(&mut self, low: i64, high: i64) -> i64 {
        low.saturating_add_unsigned(self.below(high.abs_diff(low).saturating_add(1)))
    }

    /// Whether something of this chance in a thousand happens.
    pub fn chance(&mut self, per_mille: u64) -> bool {
        self.below(1000) < per_mille
    }

    /// One of them; small indices more often where `skewed`, as some goods sell better than others.
    ///
    /// # Panics
    ///
    /// If there is nothing to choose from: the lists here are constants.
    #[expect(clippy::cast_possible_truncation, reason = "an index of a slice")]
    pub fn pick<'a, T>(&mut self, from: &'a [T], skewed: bool) -> &'a T {
        let all = from.len() as u64;
        let bound = if skewed { self.below(all) + 1 } else { all };
        &from[self.below(bound) as usize]
    }
}

#[cfg(test)]
mod tests {
    use super::Dice;

    #[test]
    fn a_seed_always_gives_the_published_sequence() {
        let mut dice = Dice::new(1_234_567);
        let rolls: Vec<u64> = (0..3).map(|_| dice.roll()).collect();
        assert_eq!(rolls, [6_457_827_717_110_365_317, 3_203_168_211_198_807_973, 9_817_491_932_198_370_423]);
    }

    #[test]
    fn ranges_hold_their_ends() {
        let mut dice = Dice::new(7);
        let drawn: std::collections::BTreeSet<i64> = (0..1000).map(|_| dice.between(-2, 2)).collect();
        assert_eq!(drawn.into_iter().collect::<Vec<_>>(), [-2, -1, 0, 1, 2]);
    }
}
