//! Laws of money: a checked commutative group for each currency, and never a silent wrap.

use proptest::prelude::*;
use pulse_core::{Currency, Money, MoneyError, Quantity};

use crate::strategies::{currency, quantity};

fn money() -> impl Strategy<Value = Money> {
    let pence = prop_oneof![8 => -1_000_000..1_000_000_i64, 1 => any::<i64>()];
    (pence, currency()).prop_map(|(pence, currency)| Money { pence, currency })
}

proptest! {
    #[test]
    fn addition_is_what_wide_integers_say_or_an_error(a in money(), b in money()) {
        let wide = i128::from(a.pence) + i128::from(b.pence);
        let expected = if a.currency == b.currency {
            i64::try_from(wide).map(|pence| Money { pence, ..a }).map_err(|_| MoneyError::Overflow)
        } else {
            Err(MoneyError::Mixed(a.currency, b.currency))
        };
        prop_assert_eq!(a.plus(b), expected);
    }

    #[test]
    fn addition_is_associative_and_commutative_where_it_fits(
        a in -1_000_000..1_000_000_i64, b in -1_000_000..1_000_000_i64, c in -1_000_000..1_000_000_i64,
        currency in currency(),
    ) {
        let [a, b, c] = [a, b, c].map(|pence| Money { pence, currency });
        prop_assert_eq!(a.plus(b)?.plus(c)?, a.plus(b.plus(c)?)?);
        prop_assert_eq!(a.plus(b)?, b.plus(a)?);
        prop_assert_eq!(a.plus(Money::zero(currency))?, a);
        prop_assert_eq!(a.plus(b)?.minus(b)?, a);
    }

    #[test]
    fn times_is_repeated_addition(pence in -10_000..10_000_i64, n in 1..40_i64) {
        let amount = Money::gbp(pence);
        let sum = Money::sum(Currency::Gbp, (0..n).map(|_| amount))?;
        prop_assert_eq!(amount.times(Quantity::new(n)?)?, sum);
    }

    #[test]
    fn times_is_what_wide_integers_say_or_an_error(a in money(), n in quantity(i64::MAX)) {
        let wide = i128::from(a.pence) * i128::from(n.get());
        let expected = i64::try_from(wide).map(|pence| Money { pence, ..a }).map_err(|_| MoneyError::Overflow);
        prop_assert_eq!(a.times(n), expected);
    }

    #[test]
    fn a_sum_with_another_currency_in_it_is_refused(amounts in proptest::collection::vec(-99..99_i64, 1..5), at in 0..5_usize) {
        let mut all: Vec<Money> = amounts.into_iter().map(Money::gbp).collect();
        all.insert(at.min(all.len()), Money::zero(Currency::Eur));
        prop_assert_eq!(
            Money::sum(Currency::Gbp, all), Err(MoneyError::Mixed(Currency::Gbp, Currency::Eur)));
    }
}

#[test]
fn amounts_are_shown_with_two_decimals_and_their_currency() {
    for (pence, shown) in [(0, "0.00 GBP"), (5, "0.05 GBP"), (-5, "-0.05 GBP"), (-123, "-1.23 GBP")] {
        assert_eq!(Money::gbp(pence).to_string(), shown);
    }
    assert_eq!(Money::gbp(i64::MIN).to_string(), "-92233720368547758.08 GBP");
}
