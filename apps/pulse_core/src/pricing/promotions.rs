//! Takes promotions off listed lines, kind by kind.
//!
//! **Invariant.** What is left of a line is never negative and never more than before; quoted lines are left
//! alone. Lines are visited in the order of their keys, not of their places, so their order changes nothing.

use std::collections::BTreeMap;

use super::allocate::{allocate, share};
use super::{Promotion, Rule, VatRate};
use crate::Sku;
use crate::cart::{Basis, Line};

/// What is left to pay.
pub(super) struct Left<'a> {
    /// Of each line, in pence.
    pub(super) pence: Vec<i64>,
    /// What each promotion took off, in the order of application; only those that did.
    pub(super) applied: Vec<(&'a str, i64)>,
}

/// Places of listed lines of one product (or of one rate), in the order of their keys.
type Places = Vec<usize>;

/// Takes promotions off `gross` (pence, one a line). The caller has checked that their sum fits.
pub(super) fn apply<'a>(lines: &[Line], gross: Vec<i64>, promotions: &'a [Promotion]) -> Left<'a> {
    let mut left = Left { pence: gross, applied: Vec::new() };
    if promotions.is_empty() {
        return left;
    }
    // Where two promotions are equally good, the first one here wins.
    let mut promotions: Vec<&Promotion> = promotions.iter().collect();
    promotions.sort_by(|a, b| (&a.code, &a.rule).cmp(&(&b.code, &b.rule)));
    let products = listed_by_product(lines);
    left.buy_n_get_m(lines, &products, &promotions);
    left.percentages(&products, &promotions);
    left.basket_threshold(lines, &products, &promotions);
    left
}

fn listed_by_product(lines: &[Line]) -> BTreeMap<Sku, Places> {
    let mut listed: Vec<(usize, VatRate)> = lines
        .iter()
        .enumerate()
        .filter_map(|(place, line)| match line.price.basis {
            Basis::Listed(rate) => Some((place, rate)),
            Basis::Quoted => None,
        })
        .collect();
    listed.sort_by_key(|(place, rate)| (lines[*place].price.unit.pence, *rate, lines[*place].quantity));
    let mut products: BTreeMap<Sku, Places> = BTreeMap::new();
    for (place, _) in listed {
        products.entry(lines[place].sku).or_default().push(place);
    }
    products
}

impl<'a> Left<'a> {
    fn buy_n_get_m(
        &mut self,
        lines: &[Line],
        products: &BTreeMap<Sku, Places>,
        promotions: &[&'a Promotion],
    ) {
        let mut offers: BTreeMap<Sku, Vec<(&'a str, i128, i128)>> = BTreeMap::new();
        for promotion in promotions {
            if let Rule::BuyNGetM { sku, buy, free } = promotion.rule
                && buy > 0
            {
                offers.entry(sku).or_default().push((&promotion.code, buy.into(), free.into()));
            }
        }
        // A product's discount is settled before the next product's, but the report is by promotion.
        let mut taken: BTreeMap<&'a str, i64> = BTreeMap::new();
        for (sku, offers) in &offers {
            let Some(places) = products.get(sku) else { continue };
            let all =
                offers.iter().map(|(code, buy, free)| (*code, cheapest_free(lines, places, *buy, *free)));
            let Some((code, off)) = best(all, |off| off.iter().sum()) else { continue };
            for (place, off) in places.iter().zip(&off) {
                self.pence[*place] -= off;
            }
            *taken.entry(code).or_default() += off.iter().sum::<i64>();
        }
        self.applied.extend(taken);
    }

    fn percentages(&mut self, products: &BTreeMap<Sku, Places>, promotions: &[&'a Promotion]) {
        let mut offers: Vec<(&'a str, Option<Sku>, i64, Places)> = promotions
            .iter()
            .filter_map(|promotion| match promotion.rule {
                Rule::Percentage { sku, percent: percent @ 1..=100 } => {
                    Some((promotion.code.as_str(), sku, percent.into(), Places::new()))
                }
                _ => None,
            })
            .collect();
        for (sku, places) in products {
            let covering = offers.iter_mut().filter(|(_, scope, ..)| scope.is_none_or(|scope| scope == *sku));
            if let Some((covered, _)) =
                best(covering.map(|(_, _, percent, covered)| (covered, *percent)), |p| *p)
            {
                covered.extend(places);
            }
        }
        for (code, _, percent, covered) in offers {
            let sum = covered.iter().map(|place| self.pence[*place]).sum();
            self.take(code, share(sum, percent, 100), &[covered]);
        }
    }

    fn basket_threshold(
        &mut self,
        lines: &[Line],
        products: &BTreeMap<Sku, Places>,
        promotions: &[&'a Promotion],
    ) {
        let by_rate: Vec<Places> = VatRate::ALL
            .iter()
            .map(|rate| {
                let of_rate = |place: &usize| lines[*place].price.basis == Basis::Listed(*rate);
                products.values().flatten().copied().filter(of_rate).collect()
            })
            .collect();
        let sum: i64 = by_rate.iter().flatten().map(|place| self.pence[*place]).sum();
        let reached = promotions.iter().filter_map(|promotion| match promotion.rule {
            Rule::BasketThreshold { at_least_pence, off_pence } if sum >= at_least_pence => {
                Some((promotion.code.as_str(), off_pence.min(sum)))
            }
            _ => None,
        });
        if let Some((code, off)) = best(reached, |off| *off) {
            self.take(code, off, &by_rate);
        }
    }

    /// Takes `amount` off groups of lines: in proportion over the groups, then over each group's lines.
    fn take(&mut self, code: &'a str, amount: i64, groups: &[Places]) {
        if amount <= 0 {
            return;
        }
        let left = |places: &Places| places.iter().map(|place| self.pence[*place]).collect::<Vec<i64>>();
        let weights: Vec<Vec<i64>> = groups.iter().map(left).collect();
        let sums: Vec<i64> = weights.iter().map(|weights| weights.iter().sum()).collect();
        for ((places, weights), amount) in groups.iter().zip(&weights).zip(allocate(amount, &sums)) {
            for (place, part) in places.iter().zip(allocate(amount, weights)) {
                self.pence[*place] -= part;
            }
        }
        self.applied.push((code, amount));
    }
}

/// The best of several that take something off; the first where they are equally good.
fn best<N, T>(all: impl Iterator<Item = (N, T)>, worth: impl Fn(&T) -> i64) -> Option<(N, T)> {
    all.filter(|(_, off)| worth(off) > 0)
        .reduce(|best, next| if worth(&next.1) > worth(&best.1) { next } else { best })
}

/// What each of a product's lines (cheapest first) loses when `free` pieces come with every `buy`.
fn cheapest_free(lines: &[Line], places: &Places, buy: i128, free: i128) -> Vec<i64> {
    let pieces: i128 = places.iter().map(|place| i128::from(lines[*place].quantity.get())).sum();
    let group = buy + free;
    let mut to_give = pieces / group * free + (pieces % group - buy).max(0);
    let give = |place: &usize| {
        let line = &lines[*place];
        let given = to_give.min(line.quantity.get().into());
        to_give -= given;
        // At most the line's own amount, which fits.
        i64::try_from(given * i128::from(line.price.unit.pence)).unwrap_or(0)
    };
    places.iter().map(give).collect()
}
