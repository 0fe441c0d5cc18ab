//! How many different values there are, within about 1.6 %, in four kilobytes.
//!
//! **Invariant.** A value that was seen before changes nothing; so neither order nor repetition nor the way the values were split
//! matters, and merging is the greater of each two registers.
//!
//! Of well-mixed hashes, half begin with a 1, a quarter with 01, one of 2^k with k - 1 zeros: who has seen a rare beginning has
//! probably seen many values. Each of 4,096 registers keeps the rarest beginning among the hashes that fall to it. `HyperLogLog`:
//! Flajolet and others (2007); the estimator, which needs no corrections at either end, is by Ertl (2017, algorithm 6).

/// Bits of the hash that choose the register.
const CHOICE: u32 = 12;

/// The registers.
const REGISTERS: usize = 1 << CHOICE;

/// The greatest place that the first 1 of the other 52 bits can have, counting "nowhere" as one more.
const DEEPEST: usize = 64 - CHOICE as usize + 1;

/// The rarest beginning of a hash that each register has seen.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Distinct {
    registers: Box<[u8; REGISTERS]>,
}

impl Default for Distinct {
    fn default() -> Self {
        Self { registers: Box::new([0; REGISTERS]) }
    }
}

impl Distinct {
    /// The standard error of the estimate: 1.04 / √4096.
    pub const ERROR: f64 = 0.01625;

    /// Takes in the [`hash`](crate::hash) of a value. Constant time.
    #[inline]
    pub fn add(&mut self, hash: u64) {
        //>> distinct_add
        //? The bits that choose the register say nothing about how rare the rest is. What does a register do with a place that it
        //? has seen before, and with a lower one?
        let (chosen, place) = read_hash(hash);
        let register = &mut self.registers[chosen];
        *register = (*register).max(place);
        //<<
    }

    /// Takes in what another has seen.
    pub fn merge(&mut self, other: &Self) {
        for (ours, theirs) in self.registers.iter_mut().zip(other.registers.iter()) {
            *ours = (*ours).max(*theirs);
        }
    }

    /// How many different values there were, about.
    pub fn estimate(&self) -> f64 {
        let mut registers_at = [0.0; DEEPEST + 1];
        for &register in self.registers.iter() {
            registers_at[usize::from(register)] += 1.0;
        }
        #[expect(clippy::cast_precision_loss, reason = "4,096")]
        let all = REGISTERS as f64;
        let mut z = all * tau(1.0 - registers_at[DEEPEST] / all);
        for at in registers_at[1..DEEPEST].iter().rev() {
            z = (z + at) / 2.0;
        }
        z += all * sigma(registers_at[0] / all);
        all * all / (2.0 * std::f64::consts::LN_2 * z)
    }
}

/// The register that a hash falls to, and the place of the first 1 in the bits that did not choose it.
#[inline]
#[expect(clippy::cast_possible_truncation, reason = "12 bits choose, and at most 52 zeros are counted")]
fn read_hash(hash: u64) -> (usize, u8) {
    // The lowest bit set stops the count where the hash ends.
    let rest = (hash << CHOICE) | (1 << (CHOICE - 1));
    ((hash >> (64 - CHOICE)) as usize, rest.leading_zeros() as u8 + 1)
}

/// What the registers that are still empty contribute: x + Σ x^(2^k) 2^(k-1). Infinite if all are.
fn sigma(mut x: f64) -> f64 {
    if x >= 1.0 {
        return f64::INFINITY;
    }
    let (mut weight, mut sum) = (1.0, x);
    loop {
        x *= x;
        let before = sum;
        sum += x * weight;
        weight *= 2.0;
        if sum <= before {
            return sum;
        }
    }
}

/// What the registers that can't count higher contribute.
fn tau(mut x: f64) -> f64 {
    if x <= 0.0 || x >= 1.0 {
        return 0.0;
    }
    let (mut weight, mut sum) = (1.0, 1.0 - x);
    loop {
        x = x.sqrt();
        let before = sum;
        weight /= 2.0;
        sum -= (1.0 - x) * (1.0 - x) * weight;
        if sum >= before {
            return sum / 3.0;
        }
    }
}
