//! A promotion's form: what was typed, and what it means.
//!
//! **Invariant.** A form that is filled in from a stored promotion and read again is that promotion, to the minute of its
//! times.

use live::Form;
use pulse_core::pricing::{Promotion, Rule};
use pulse_core::{Sku, Timestamp};
use pulse_data::catalog::StoredPromotion;

use super::super::product::{amount, pence};

/// What a promotion can do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Percentage,
    BuyNGetM,
    BasketThreshold,
}

/// The kinds by their names in the form and for people.
pub(super) const KINDS: [(Kind, &str, &str); 3] = [
    (Kind::Percentage, "percentage", "So many per cent off"),
    (Kind::BuyNGetM, "buy_n_get_m", "Buy some, get some free"),
    (Kind::BasketThreshold, "basket_threshold", "An amount off a big cart"),
];

impl Kind {
    /// What was chosen; the first where nothing that there is was.
    pub(super) fn typed(form: &Form) -> Self {
        let chosen = form.values().at("kind");
        KINDS.iter().find(|(_, name, _)| *name == chosen.text()).map_or(Self::Percentage, |(kind, ..)| *kind)
    }

    const fn of(rule: &Rule) -> Self {
        match rule {
            Rule::Percentage { .. } => Self::Percentage,
            Rule::BuyNGetM { .. } => Self::BuyNGetM,
            Rule::BasketThreshold { .. } => Self::BasketThreshold,
        }
    }

    fn name(self) -> &'static str {
        KINDS.iter().find(|(kind, ..)| *kind == self).map_or("percentage", |(_, name, _)| name)
    }
}

/// The product that was typed, where the kind has one.
pub(super) fn product_typed(form: &Form) -> Option<Sku> {
    let has_one = Kind::typed(form) != Kind::BasketThreshold;
    Sku::new(&text(form, "sku")).ok().filter(|_| has_one)
}

/// The product that a rule is of, where it is of one.
const fn product(rule: &Rule) -> Option<Sku> {
    match rule {
        Rule::BuyNGetM { sku, .. } => Some(*sku),
        Rule::Percentage { sku, .. } => *sku,
        Rule::BasketThreshold { .. } => None,
    }
}

/// The form of a new promotion.
pub(super) fn empty() -> Form {
    Form::new("promotion").with("kind", Kind::Percentage.name()).with("active", "true")
}

/// The form of one that is stored.
pub(super) fn filled(stored: &StoredPromotion) -> Form {
    let rule = &stored.promotion.rule;
    let form = empty()
        .with("kind", Kind::of(rule).name())
        .with("active", stored.active.to_string())
        .with("starts_at", stored.starts_at.map(minute).unwrap_or_default())
        .with("ends_at", stored.ends_at.map(minute).unwrap_or_default())
        .with("sku", product(rule).map(|sku| sku.to_string()).unwrap_or_default());
    match rule {
        Rule::Percentage { percent, .. } => form.with("percent", percent.to_string()),
        Rule::BuyNGetM { buy, free, .. } => form.with("buy", buy.to_string()).with("free", free.to_string()),
        Rule::BasketThreshold { at_least_pence, off_pence } => {
            form.with("at_least", amount(*at_least_pence)).with("off", amount(*off_pence))
        }
    }
}

/// An instant as the browser's input has it: `2026-12-01T08:26`, in UTC.
fn minute(at: Timestamp) -> String {
    at.to_string().chars().take(16).collect()
}

/// What the fields mean; what is wrong with them stands beside them. `code` is the one of a stored promotion.
pub(super) fn read(form: &mut Form, code: Option<String>) -> Option<StoredPromotion> {
    let code = code.or_else(|| self::code(form));
    let rule = rule(form);
    let (starts_at, ends_at) = (instant(form, "starts_at"), instant(form, "ends_at"));
    if let (Ok(Some(start)), Ok(Some(end))) = (starts_at, ends_at)
        && end <= start
    {
        form.errors.add("ends_at", "must be after its beginning");
    }
    if !form.errors.is_empty() {
        return None;
    }
    let active = form.values().at("active").text() == "true";
    let promotion = Promotion { code: code?, rule: rule? };
    Some(StoredPromotion { promotion, active, starts_at: starts_at.ok()?, ends_at: ends_at.ok()? })
}

fn text(form: &Form, name: &str) -> String {
    form.values().at(name).text().trim().to_owned()
}

/// The code: what the API takes too, so that it can stand in an address.
fn code(form: &mut Form) -> Option<String> {
    let code = text(form, "code");
    let plain = code.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_'));
    if plain && (1..=40).contains(&code.len()) {
        return Some(code);
    }
    form.errors.add("code", "must be 1 to 40 letters, digits, - or _");
    None
}

fn rule(form: &mut Form) -> Option<Rule> {
    match Kind::typed(form) {
        Kind::Percentage => {
            let sku = if text(form, "sku").is_empty() { Some(None) } else { sku(form).map(Some) };
            let percent = whole(form, "percent", 100)?;
            Some(Rule::Percentage { sku: sku?, percent: u8::try_from(percent).ok()? })
        }
        Kind::BuyNGetM => {
            let (sku, buy, free) = (sku(form), whole(form, "buy", 10_000), whole(form, "free", 10_000));
            Some(Rule::BuyNGetM { sku: sku?, buy: buy?, free: free? })
        }
        Kind::BasketThreshold => {
            let (at_least_pence, off_pence) = (money(form, "at_least", 0), money(form, "off", 1));
            Some(Rule::BasketThreshold { at_least_pence: at_least_pence?, off_pence: off_pence? })
        }
    }
}

fn sku(form: &mut Form) -> Option<Sku> {
    let read = Sku::new(&text(form, "sku"));
    read.map_err(|error| form.errors.add("sku", error.to_string())).ok()
}

fn whole(form: &mut Form, name: &str, most: u32) -> Option<u32> {
    let read = text(form, name).parse().ok().filter(|n| (1..=most).contains(n));
    if read.is_none() {
        form.errors.add(name, format!("must be a whole number from 1 to {most}"));
    }
    read
}

/// Pence at most: a million pounds.
const DEAREST: i64 = 100_000_000;

fn money(form: &mut Form, name: &str, least: i64) -> Option<i64> {
    let read = pence(&text(form, name)).filter(|pence| (least..=DEAREST).contains(pence));
    if read.is_none() {
        form.errors.add(name, "must be an amount like 12.50, a million at most");
    }
    read
}

/// What is wrong stands beside the field.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Wrong;

/// An instant that may be left out.
fn instant(form: &mut Form, name: &str) -> Result<Option<Timestamp>, Wrong> {
    let typed = text(form, name);
    if typed.is_empty() {
        return Ok(None);
    }
    // The browser leaves the seconds out where they are 0.
    let full = if typed.len() == 16 { format!("{typed}:00Z") } else { format!("{typed}Z") };
    match full.parse::<Timestamp>() {
        Ok(at) if at.0 >= 0 => Ok(Some(at)),
        _ => {
            form.errors.add(name, "must be a day and a time of day, not before 1970");
            Err(Wrong)
        }
    }
}

#[cfg(test)]
mod tests {
    use live::Params;

    use super::*;

    fn sku(text: &str) -> Sku {
        Sku::new(text).unwrap()
    }

    #[test]
    fn what_is_stored_comes_back_from_its_form() {
        let rules = [
            Rule::Percentage { sku: None, percent: 100 },
            Rule::Percentage { sku: Some(sku("A1")), percent: 1 },
            Rule::BuyNGetM { sku: sku("B2"), buy: 3, free: 2 },
            Rule::BasketThreshold { at_least_pence: 0, off_pence: 1_234 },
        ];
        for rule in rules {
            let stored = StoredPromotion {
                promotion: Promotion { code: "CODE".to_owned(), rule },
                active: false,
                starts_at: Some(Timestamp(1_795_859_160_000)),
                ends_at: None,
            };
            let read = read(&mut filled(&stored), Some("CODE".to_owned()));
            assert_eq!(read, Some(stored));
        }
    }

    #[test]
    fn what_is_wrong_stands_beside_its_field() {
        let cases = [
            ("kind=percentage&percent=0", "percent"),
            ("kind=percentage&percent=5&sku=no+code!", "sku"),
            ("kind=buy_n_get_m&buy=1&free=1", "sku"),
            ("kind=buy_n_get_m&sku=A1&buy=x&free=1", "buy"),
            ("kind=basket_threshold&at_least=10&off=0", "off"),
            ("kind=basket_threshold&at_least=-1&off=1", "at_least"),
            ("kind=percentage&percent=5&starts_at=tomorrow", "starts_at"),
            ("kind=percentage&percent=5&starts_at=2026-02-30T10:00", "starts_at"),
            ("kind=percentage&percent=5&starts_at=2026-03-01T10:00&ends_at=2026-03-01T10:00", "ends_at"),
            ("code=two+words&kind=percentage&percent=5", "code"),
        ];
        for (typed, wrong) in cases {
            let typed = if typed.starts_with("code") { typed.to_owned() } else { format!("code=OK&{typed}") };
            let pair = |pair: &str| format!("promotion[{}", pair.replacen('=', "]=", 1));
            let params = typed.split('&').map(pair).collect::<Vec<_>>().join("&");
            let mut form = empty().submitted(&Params::from_form(&params).unwrap());
            assert_eq!(read(&mut form, None), None, "{typed}");
            assert_eq!(form.errors.fields().collect::<Vec<_>>(), [wrong], "{typed}");
        }
    }
}
