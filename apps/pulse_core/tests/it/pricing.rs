//! Laws of pricing, and the order of application by example.

use proptest::prelude::*;
use pulse_core::cart::{Basis, Line, Price};
use pulse_core::pricing::{PricedCart, Promotion, Rule, VatRate, price};
use pulse_core::{Currency, Money, MoneyError, Quantity, Sku};

use crate::strategies::{lines, promotions};

fn line(sku: &str, pieces: i64, pence: i64, basis: Basis) -> Line {
    Line {
        sku: Sku::new(sku).unwrap(),
        quantity: Quantity::new(pieces).unwrap(),
        price: Price { unit: Money::gbp(pence), basis },
    }
}

fn listed(sku: &str, pieces: i64, pence: i64) -> Line {
    line(sku, pieces, pence, Basis::Listed(VatRate::Standard))
}

fn promotion(code: &str, rule: Rule) -> Promotion {
    Promotion { code: code.into(), rule }
}

fn percent(code: &str, sku: Option<&str>, percent: u8) -> Promotion {
    promotion(code, Rule::Percentage { sku: sku.map(|sku| Sku::new(sku).unwrap()), percent })
}

fn free(code: &str, sku: &str, buy: u32, free: u32) -> Promotion {
    promotion(code, Rule::BuyNGetM { sku: Sku::new(sku).unwrap(), buy, free })
}

fn threshold(code: &str, at_least_pence: i64, off_pence: i64) -> Promotion {
    promotion(code, Rule::BasketThreshold { at_least_pence, off_pence })
}

fn applied(priced: &PricedCart) -> Vec<(&str, i64)> {
    priced.applied().iter().map(|applied| (applied.code.as_str(), applied.amount.pence)).collect()
}

fn sum(amounts: impl IntoIterator<Item = Money>) -> Money {
    Money::sum(Currency::Gbp, amounts).unwrap()
}

proptest! {
    #[test]
    fn the_parts_add_up(lines in lines(), promotions in promotions()) {
        let priced = price(&lines, &promotions)?;
        prop_assert_eq!(priced.lines(), &lines);
        prop_assert_eq!(priced.total(), priced.subtotal().minus(priced.discount())?);
        prop_assert_eq!(priced.discount(), sum(priced.line_discounts().iter().copied()));
        prop_assert_eq!(priced.discount(), sum(priced.applied().iter().map(|applied| applied.amount)));
        prop_assert_eq!(priced.vat(), sum(priced.vat_shares().iter().map(|share| share.vat)));
        let quoted = lines.iter().filter(|line| line.price.basis == Basis::Quoted);
        let quoted = sum(quoted.map(|line| line.price.unit.times(line.quantity).unwrap()));
        let listed = sum(priced.vat_shares().iter().map(|share| share.gross));
        prop_assert_eq!(priced.total(), quoted.plus(listed)?);
    }

    #[test]
    fn no_line_is_negative_and_promotions_never_make_a_cart_dearer(lines in lines(), promotions in promotions()) {
        let priced = price(&lines, &promotions)?;
        for (line, off) in lines.iter().zip(priced.line_discounts()) {
            let gross = line.price.unit.times(line.quantity)?;
            prop_assert!((0..=gross.pence).contains(&off.pence), "{line:?} {off:?}");
        }
        prop_assert!(priced.total().pence <= price(&lines, &[])?.total().pence);
        prop_assert!(priced.applied().iter().all(|applied| applied.amount.pence > 0));
    }

    #[test]
    fn quoted_lines_are_taken_as_they_stand_and_move_nothing_else(lines in lines(), promotions in promotions()) {
        let priced = price(&lines, &promotions)?;
        let (quoted, listed): (Vec<_>, Vec<_>) =
            lines.iter().zip(priced.line_discounts()).partition(|(line, _)| line.price.basis == Basis::Quoted);
        prop_assert!(quoted.iter().all(|(_, off)| off.pence == 0));
        let alone: Vec<Line> = listed.iter().map(|(line, _)| **line).collect();
        let alone = price(&alone, &promotions)?;
        prop_assert_eq!(alone.line_discounts(), listed.into_iter().map(|(_, off)| *off).collect::<Vec<_>>());
        prop_assert_eq!((alone.vat(), alone.applied()), (priced.vat(), priced.applied()));
    }

    #[test]
    fn the_order_of_lines_and_of_promotions_changes_nothing(
        (lines, shuffled) in lines().prop_flat_map(|lines| (Just(lines.clone()), Just(lines).prop_shuffle())),
        (promotions, other) in promotions().prop_flat_map(|all| (Just(all.clone()), Just(all).prop_shuffle())),
    ) {
        let (a, b) = (price(&lines, &promotions)?, price(&shuffled, &other)?);
        prop_assert_eq!((a.total(), a.vat(), a.applied()), (b.total(), b.vat(), b.applied()));
        for (line, off) in lines.iter().zip(a.line_discounts()) {
            let at = shuffled.iter().position(|other| other.key() == line.key()).unwrap();
            prop_assert_eq!(*off, b.line_discounts()[at]);
        }
    }

    /// Without a threshold one more piece never makes the cart cheaper; a threshold may pay back what it takes off.
    #[test]
    fn one_more_piece_lowers_the_total_by_no_more_than_a_threshold_pays(
        lines in lines(), promotions in promotions(), at in any::<usize>(),
    ) {
        prop_assume!(!lines.is_empty());
        let mut more = lines.clone();
        let at = at % more.len();
        more[at].quantity = more[at].quantity.plus(Quantity::ONE).unwrap();
        let paid_back = promotions.iter().map(|promotion| match promotion.rule {
            Rule::BasketThreshold { off_pence, .. } => off_pence.max(0),
            _ => 0,
        });
        let least = price(&lines, &promotions)?.total().pence - paid_back.max().unwrap_or(0);
        prop_assert!(price(&more, &promotions)?.total().pence >= least);
    }

    #[test]
    fn vat_is_the_rates_part_of_what_is_paid_to_the_penny(lines in lines(), promotions in promotions()) {
        for share in price(&lines, &promotions)?.vat_shares() {
            let (gross, rate) = (share.gross.pence, share.rate.percent());
            // |vat - gross * r / (100 + r)| <= 1/2
            prop_assert!((share.vat.pence * (100 + rate) * 2 - gross * rate * 2).abs() <= 100 + rate);
        }
    }

    #[test]
    fn a_whole_basket_discount_is_spread_over_rates_in_proportion(
        lines in lines(), off in 0..10_000_i64,
    ) {
        let before = price(&lines, &[])?;
        let after = price(&lines, &[threshold("T", 0, off)])?;
        let listed: i64 = before.vat_shares().iter().map(|share| share.gross.pence).sum();
        prop_assert_eq!(after.discount().pence, off.min(listed));
        for (before, after) in before.vat_shares().iter().zip(after.vat_shares()) {
            let taken = before.gross.pence - after.gross.pence;
            // Within a penny of its exact part.
            prop_assert!((taken * listed - off.min(listed) * before.gross.pence).abs() < listed.max(1));
        }
    }
}

#[test]
fn kinds_are_applied_in_the_order_that_is_written_down() {
    // 3 mugs at 2.00 and a pot at 6.00: 2 + 1 free takes 2.00, 10 % of the 10.00 left takes 1.00, and the
    // threshold sees 9.00.
    let lines = [listed("MUG", 3, 200), listed("POT", 1, 600)];
    let promotions = [threshold("T900", 900, 150), percent("P10", None, 10), free("M3", "MUG", 2, 1)];
    let priced = price(&lines, &promotions).unwrap();
    assert_eq!(applied(&priced), [("M3", 200), ("P10", 100), ("T900", 150)]);
    assert_eq!(priced.total(), Money::gbp(750));
    assert_eq!(priced.vat(), Money::gbp(125));
    let missed =
        price(&lines, &[threshold("T901", 901, 150), promotions[1].clone(), promotions[2].clone()]).unwrap();
    assert_eq!(applied(&missed), [("M3", 200), ("P10", 100)]);
}

#[test]
fn the_cheapest_pieces_of_a_product_are_free_over_all_its_lines() {
    let lines = [listed("MUG", 2, 300), listed("MUG", 2, 100), line("MUG", 9, 1, Basis::Quoted)];
    let priced = price(&lines, &[free("M", "MUG", 1, 1)]).unwrap();
    assert_eq!(priced.line_discounts(), [0, 200, 0].map(Money::gbp));
}

#[test]
fn a_last_group_that_is_not_full_gives_what_is_over_its_paid_pieces() {
    for (pieces, paid) in [(1, 1), (2, 2), (3, 2), (4, 2), (5, 3), (6, 4), (7, 4), (8, 4)] {
        let priced = price(&[listed("MUG", pieces, 100)], &[free("M", "MUG", 2, 2)]).unwrap();
        assert_eq!(priced.total(), Money::gbp(paid * 100), "{pieces} pieces");
    }
}

#[test]
fn of_one_kind_the_better_one_counts_and_the_first_code_where_they_are_equal() {
    let lines = [listed("MUG", 1, 1000), listed("POT", 1, 1000)];
    let promotions = [percent("B", None, 20), percent("A", None, 20), percent("C", Some("POT"), 30)];
    assert_eq!(applied(&price(&lines, &promotions).unwrap()), [("A", 200), ("C", 300)]);
    let thresholds = [threshold("LOW", 100, 50), threshold("HIGH", 1500, 80), threshold("NEVER", 9999, 500)];
    assert_eq!(applied(&price(&lines, &thresholds).unwrap()), [("HIGH", 80)]);
    let frees = [free("ONE", "MUG", 3, 1), free("TWO", "MUG", 2, 1)];
    assert_eq!(applied(&price(&[listed("MUG", 6, 10)], &frees).unwrap()), [("TWO", 20)]);
}

#[test]
fn a_percentage_is_rounded_once_and_half_a_penny_goes_to_the_buyer() {
    // 5 % of 3 x 0.10 is 1.5 pence: 2, not three times 0 or 1.
    let lines = [listed("A", 1, 10), listed("B", 1, 10), listed("C", 1, 10)];
    let priced = price(&lines, &[percent("P", None, 5)]).unwrap();
    assert_eq!(applied(&priced), [("P", 2)]);
    assert_eq!(priced.line_discounts(), [1, 1, 0].map(Money::gbp));
}

#[test]
fn a_threshold_below_its_amount_takes_no_more_than_there_is() {
    let lines = [listed("A", 1, 30), line("B", 1, 500, Basis::Quoted)];
    let priced = price(&lines, &[threshold("T", 10, 100)]).unwrap();
    assert_eq!((priced.discount(), priced.total()), (Money::gbp(30), Money::gbp(500)));
}

#[test]
fn two_currencies_and_sums_that_do_not_fit_are_refused() {
    let mut euro = listed("B", 1, 1);
    euro.price.unit.currency = Currency::Eur;
    assert_eq!(price(&[listed("A", 1, 1), euro], &[]), Err(MoneyError::Mixed(Currency::Gbp, Currency::Eur)));
    assert_eq!(price(&[listed("A", 3, i64::MAX / 2)], &[]), Err(MoneyError::Overflow));
    assert_eq!(price(&[listed("A", 2, i64::MAX / 2), listed("B", 1, 9)], &[]), Err(MoneyError::Overflow));
}

#[test]
fn the_largest_amounts_are_priced_without_a_wrap() {
    let lines = [listed("A", 1, i64::MAX / 2), line("B", 1, i64::MAX / 2, Basis::Listed(VatRate::Reduced))];
    let priced = price(&lines, &[percent("P", None, 50), threshold("T", 1, i64::MAX)]).unwrap();
    assert_eq!(priced.total(), Money::gbp(0));
    assert_eq!(priced.discount(), priced.subtotal());
}

#[test]
fn an_empty_cart_costs_nothing() {
    let priced = price(&[], &[threshold("T", 0, 100)]).unwrap();
    assert_eq!((priced.total(), priced.applied().len()), (Money::gbp(0), 0));
}
