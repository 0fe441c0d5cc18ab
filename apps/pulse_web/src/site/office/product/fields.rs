//! A product's form: what was typed, what it means, and how it meets another's changes.
//!
//! **Invariant.** What was typed is never dropped by somebody else's change: where both have changed a field, both values
//! are told and the typed one stays until its author decides.

use live::{FieldErrors, Params};
use pulse_core::pricing::VatRate;
use pulse_core::{Currency, Money, Sku};
use pulse_data::catalog::{NewProduct, Product, ProductEdit};

/// The fields that are edited, in the order of the form.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Input {
    Name,
    Category,
    Description,
    Price,
    Vat,
}

impl Input {
    pub(crate) const ALL: [Self; 5] = [Self::Name, Self::Category, Self::Description, Self::Price, Self::Vat];

    /// As the form and the catalogue's errors spell it.
    pub(crate) const fn key(self) -> &'static str {
        match self {
            Self::Name => "name",
            Self::Category => "category",
            Self::Description => "description",
            Self::Price => "price",
            Self::Vat => "vat",
        }
    }

    pub(crate) const fn label(self) -> &'static str {
        match self {
            Self::Name => "Name",
            Self::Category => "Shelf",
            Self::Description => "Description",
            Self::Price => "Price",
            Self::Vat => "VAT",
        }
    }
}

/// What the fields hold, as text.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct Fields([String; 5]);

/// A field that two people have changed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Clash {
    pub(crate) field: Input,
    /// What is stored now.
    pub(crate) theirs: String,
}

/// The rates by which VAT is included, by their names in the form.
pub(crate) const RATES: [(VatRate, &str, &str); 3] = [
    (VatRate::Standard, "standard", "Standard, 20 %"),
    (VatRate::Reduced, "reduced", "Reduced, 5 %"),
    (VatRate::Zero, "zero", "None"),
];

impl Fields {
    pub(crate) fn of(product: &Product) -> Self {
        let rate =
            RATES.iter().find(|(rate, ..)| *rate == product.vat).map_or("standard", |(_, name, _)| name);
        Self([
            product.name.clone(),
            product.category.clone().unwrap_or_default(),
            product.description.clone(),
            amount(product.price.pence),
            rate.to_owned(),
        ])
    }

    /// What a form's group holds.
    pub(crate) fn typed(group: &Params) -> Self {
        Self(Input::ALL.map(|name| group.at(name.key()).text().replace("\r\n", "\n")))
    }

    pub(crate) fn get(&self, name: Input) -> &str {
        &self.0[name as usize]
    }

    pub(crate) fn set(&mut self, name: Input, value: String) {
        self.0[name as usize] = value;
    }

    /// What is wrong with the fields, in words that stand behind the field's name.
    pub(crate) fn check(&self, errors: &mut FieldErrors) {
        let mut length = |name: Input, least: usize, most: usize| {
            let count = self.get(name).trim().chars().count();
            if count < least {
                errors.add(name.key(), "must not be empty");
            } else if count > most {
                errors.add(name.key(), format!("has {count} characters, {most} at most"));
            }
        };
        length(Input::Name, 1, 200);
        length(Input::Category, 0, 60);
        length(Input::Description, 0, 4_000);
        if pence(self.get(Input::Price)).is_none() {
            errors.add(Input::Price.key(), "must be an amount like 12.50");
        }
        if self.vat().is_none() {
            errors.add(Input::Vat.key(), "is no rate of the shop");
        }
    }

    fn vat(&self) -> Option<VatRate> {
        RATES.iter().find(|(_, name, _)| *name == self.get(Input::Vat)).map(|(rate, ..)| *rate)
    }

    fn category(&self) -> Option<String> {
        let category = self.get(Input::Category).trim();
        (!category.is_empty()).then(|| category.to_owned())
    }

    /// A product of these fields; none where [`check`](Self::check) finds faults.
    pub(crate) fn new_product(&self, sku: Sku, active: bool) -> Option<NewProduct> {
        Some(NewProduct {
            sku,
            name: self.get(Input::Name).trim().to_owned(),
            category: self.category(),
            description: self.get(Input::Description).to_owned(),
            price: Money { pence: pence(self.get(Input::Price))?, currency: Currency::default() },
            vat: self.vat()?,
            active,
        })
    }

    /// What is to change of a product that holds `base`; what was left as it was is not touched.
    pub(crate) fn edit(&self, base: &Self, currency: Currency) -> Option<ProductEdit> {
        let changed = |name: Input| self.get(name) != base.get(name);
        let price = pence(self.get(Input::Price))?;
        let vat = self.vat()?;
        Some(ProductEdit {
            name: changed(Input::Name).then(|| self.get(Input::Name).to_owned()),
            category: changed(Input::Category).then(|| self.category()),
            description: changed(Input::Description).then(|| self.get(Input::Description).to_owned()),
            price: changed(Input::Price).then_some(Money { pence: price, currency }),
            vat: changed(Input::Vat).then_some(vat),
            active: None,
        })
    }
}

/// Brings what was typed over `base` together with what is stored now: what one of both has changed is taken, and where
/// both have, the typed value stays and the clash is told. Without a base (it was typed over an unknown version) every
/// difference is a clash.
pub(crate) fn merge(base: Option<&Fields>, mine: &Fields, theirs: &Fields) -> (Fields, Vec<Clash>) {
    let mut merged = mine.clone();
    let mut clashes = Vec::new();
    for name in Input::ALL {
        let (my, their) = (mine.get(name), theirs.get(name));
        if my == their || base.is_some_and(|base| base.get(name) == their) {
            continue;
        }
        if base.is_some_and(|base| base.get(name) == my) {
            merged.set(name, their.to_owned());
        } else {
            clashes.push(Clash { field: name, theirs: their.to_owned() });
        }
    }
    (merged, clashes)
}

/// Pence as one types them: `12.50`.
pub(crate) fn amount(pence: i64) -> String {
    format!("{}.{:02}", pence / 100, (pence % 100).abs())
}

/// An amount as it was typed, in pence: up to nine digits, and two behind the point.
pub(crate) fn pence(typed: &str) -> Option<i64> {
    let (whole, part) = match typed.trim().split_once('.') {
        Some((whole, part)) if (1..=2).contains(&part.len()) => (whole, part),
        Some(_) => return None,
        None => (typed.trim(), "0"),
    };
    let digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
    if !(1..=9).contains(&whole.len()) || !digits(whole) || !digits(part) {
        return None;
    }
    let (whole, pence): (i64, i64) = (whole.parse().ok()?, part.parse().ok()?);
    Some(whole * 100 + if part.len() == 1 { pence * 10 } else { pence })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fields(name: &str, shelf: &str, price: &str) -> Fields {
        Fields([name.into(), shelf.into(), String::new(), price.into(), "standard".into()])
    }

    #[test]
    fn amounts_are_read_as_people_type_them() {
        let read = ["12", "12.5", "12.50", " 0.07 ", "999999999.99"].map(pence);
        assert_eq!(read, [1_200, 1_250, 1_250, 7, 99_999_999_999].map(Some));
        for wrong in ["", ".", "1.", ".5", "-1", "1,50", "1.234", "1e3", "£5", "1234567890", "１"] {
            assert_eq!(pence(wrong), None, "{wrong}");
        }
        for some in [0, 7, 1_250, 99_999_999_999] {
            assert_eq!(pence(&amount(some)), Some(some));
        }
    }

    #[test]
    fn changes_of_different_fields_both_stay() {
        let base = fields("Cup", "Kitchen", "1.00");
        let (merged, clashes) =
            merge(Some(&base), &fields("Mug", "Kitchen", "1.00"), &fields("Cup", "Kitchen", "2.00"));
        assert_eq!((merged, clashes), (fields("Mug", "Kitchen", "2.00"), vec![]));
    }

    #[test]
    fn a_field_that_both_have_changed_keeps_what_was_typed_and_tells_the_other() {
        let base = fields("Cup", "Kitchen", "1.00");
        let (merged, clashes) =
            merge(Some(&base), &fields("Mug", "Kitchen", "3.00"), &fields("Cup", "Garden", "2.00"));
        assert_eq!(merged, fields("Mug", "Garden", "3.00"));
        assert_eq!(clashes, [Clash { field: Input::Price, theirs: "2.00".into() }]);
        let same = fields("Cup", "Kitchen", "2.00");
        assert_eq!(merge(Some(&base), &same, &same).1, [], "the same change twice is no clash");
    }

    #[test]
    fn over_an_unknown_version_every_difference_is_told() {
        let (merged, clashes) =
            merge(None, &fields("Mug", "Kitchen", "1.00"), &fields("Cup", "Kitchen", "2.00"));
        assert_eq!((merged, clashes.len()), (fields("Mug", "Kitchen", "1.00"), 2));
    }

    #[test]
    fn only_what_changed_is_sent() {
        let base = fields("Cup", "Kitchen", "1.00");
        let edit = fields("Cup", "", "1.00").edit(&base, Currency::Gbp).unwrap();
        assert_eq!(edit, ProductEdit { category: Some(None), ..ProductEdit::default() });
        assert_eq!(fields("Cup", "", "x").edit(&base, Currency::Gbp), None);
    }
}
