//! Rounding, and spreading an amount over several places.
//!
//! **Invariant.** Parts add up to the amount, and no part is more than its weight where the amount is no more than
//! the weights' sum. All amounts are in pence and not negative; products are taken in 128 bits and can't overflow.

/// `amount x numerator / denominator`, rounded half up. The fraction is at most 1, so the result fits.
pub(super) fn share(amount: i64, numerator: i64, denominator: i64) -> i64 {
    let double = 2 * i128::from(amount) * i128::from(numerator) + i128::from(denominator);
    narrow(double / (2 * i128::from(denominator)))
}

/// Spreads `amount` in proportion to `weights` by the largest remainder: each place gets its exact share rounded
/// down, and the pennies that are left go to the largest remainders, earlier places first where those are equal.
/// `amount` is at most the sum of the weights. O(n log n).
pub(super) fn allocate(amount: i64, weights: &[i64]) -> Vec<i64> {
    let sum: i128 = weights.iter().copied().map(i128::from).sum();
    if sum == 0 {
        return vec![0; weights.len()];
    }
    let exact = |weight: i64| i128::from(amount) * i128::from(weight);
    let mut parts: Vec<i64> = weights.iter().map(|weight| narrow(exact(*weight) / sum)).collect();
    let missing = amount - parts.iter().sum::<i64>();
    let mut places: Vec<usize> = (0..weights.len()).collect();
    places.sort_by_key(|place| std::cmp::Reverse(exact(weights[*place]) % sum));
    for place in places.into_iter().take(usize::try_from(missing).unwrap_or(0)) {
        parts[place] += 1;
    }
    parts
}

/// A value that is at most an `i64` it was computed from.
fn narrow(value: i128) -> i64 {
    i64::try_from(value).unwrap_or(i64::MAX)
}

#[cfg(test)]
mod tests {
    use super::{allocate, share};
    use proptest::prelude::*;

    #[test]
    fn half_a_penny_is_rounded_up() {
        assert_eq!(share(5, 50, 100), 3);
        assert_eq!(share(499, 1, 1000), 0);
        assert_eq!(share(i64::MAX, 100, 100), i64::MAX);
    }

    #[test]
    fn the_largest_remainder_gets_the_odd_penny() {
        assert_eq!(allocate(100, &[1, 1, 1].map(|w| w * 100)), [34, 33, 33]);
        assert_eq!(allocate(10, &[10, 25, 15]), [2, 5, 3]);
        assert_eq!(allocate(0, &[0, 0]), [0, 0]);
    }

    proptest! {
        #[test]
        fn parts_add_up_and_none_is_more_than_its_weight(
            weights in proptest::collection::vec(0..1_000_000_000_i64, 1..20), permille in 0..=1000_i64,
        ) {
            let amount = share(weights.iter().sum(), permille, 1000);
            let parts = allocate(amount, &weights);
            prop_assert_eq!(parts.iter().sum::<i64>(), amount);
            for (part, weight) in parts.iter().zip(&weights) {
                prop_assert!((0..=*weight).contains(part));
            }
        }
    }
}
