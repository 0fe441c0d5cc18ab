//! Pieces of markup that many pages share.
//!
//! **Invariant.** A piece has its accessible form built in: a field its label and its errors, a picture its silence.

use std::borrow::Cow;

use live::Field;
use live::html::Component;
use live::{Rendered, each, html};
use pulse_core::order::Status;
use pulse_core::{Currency, Money, Sku, Timestamp};

/// An amount for people: `£1,234.50`, `-€0.99`.
pub(crate) fn money(amount: Money) -> String {
    let sign = match amount.currency {
        Currency::Gbp => '£',
        Currency::Eur => '€',
        Currency::Usd => '$',
    };
    let minus = if amount.pence < 0 { "-" } else { "" };
    let pence = amount.pence.unsigned_abs();
    format!("{minus}{sign}{}.{:02}", grouped(pence / 100), pence % 100)
}

/// A number with its thousands apart: `1,234,567`.
pub(crate) fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let mut text = String::with_capacity(digits.len() + digits.len() / 3);
    for (n, digit) in digits.chars().enumerate() {
        if n > 0 && (digits.len() - n).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// What stands in for a product's picture: its first letter on a colour of its own.
pub(crate) struct Tile<'a> {
    pub(crate) sku: Sku,
    pub(crate) name: &'a str,
    pub(crate) big: bool,
}

impl Component for Tile<'_> {
    fn render(self) -> Rendered {
        const HUES: u32 = 12;
        let hue =
            self.sku.as_str().bytes().fold(7_u32, |sum, byte| sum.wrapping_mul(31) + u32::from(byte)) % HUES;
        let letter = self.name.chars().find(|letter| letter.is_alphanumeric()).unwrap_or('·');
        let letter: String = letter.to_uppercase().collect();
        html! { <div class={("tile", format!("h{hue}"), self.big.then_some("big"))} aria-hidden="true">{letter}</div> }
    }
}

/// How much there is of a product, in words.
pub(crate) struct Stock(pub(crate) i64);

impl Component for Stock {
    fn render(self) -> Rendered {
        match self.0 {
            ..=0 => html! { <span class="tag bad">Sold out</span> },
            left @ 1..=9 => html! { <span class="tag warn">{left} left</span> },
            _ => html! { <span class="tag good">In stock</span> },
        }
    }
}

/// Where an order stands.
pub(crate) struct StatusTag(pub(crate) Status);

impl Component for StatusTag {
    fn render(self) -> Rendered {
        let (word, kind) = status(self.0);
        html! { <span class={("tag", kind)}>{word}</span> }
    }
}

/// A status in words, and the kind of its tag.
pub(crate) const fn status(status: Status) -> (&'static str, &'static str) {
    match status {
        Status::Placed => ("Placed", ""),
        Status::Paid => ("Paid", "good"),
        Status::Packed => ("Packed", "good"),
        Status::Shipped => ("On its way", "good"),
        Status::Delivered => ("Delivered", "good"),
        Status::Cancelled => ("Cancelled", "bad"),
        Status::Returned => ("Returned", "warn"),
    }
}

/// An instant: written in UTC by the server, in the reader's own time zone by the page's script.
pub(crate) struct Time<'a> {
    /// Unique on the page.
    pub(crate) id: Cow<'a, str>,
    pub(crate) at: Timestamp,
}

impl Component for Time<'_> {
    fn render(self) -> Rendered {
        let utc = self.at.to_string();
        html! { <time id={self.id} phx-hook="LocalTime" data-at={self.at.0} datetime={utc.as_str()}>{utc.as_str()}</time> }
    }
}

/// A labelled input with its errors.
pub(crate) struct TextField<'a> {
    pub(crate) field: Field<'a>,
    pub(crate) label: &'a str,
    /// The input's type: `text`, `email`, `password`, `number`.
    pub(crate) kind: &'static str,
    pub(crate) autocomplete: Option<&'static str>,
    pub(crate) hint: Option<&'a str>,
    pub(crate) required: bool,
}

impl Component for TextField<'_> {
    fn render(self) -> Rendered {
        let Self { field, label, kind, autocomplete, hint, required } = self;
        let wrong = !field.errors.is_empty();
        let (hint_id, error_id) = (format!("{}_hint", field.id), format!("{}_error", field.id));
        let described = match (hint.is_some(), wrong) {
            (true, true) => Some(format!("{hint_id} {error_id}")),
            (true, false) => Some(hint_id.clone()),
            (false, true) => Some(error_id.clone()),
            (false, false) => None,
        };
        // A password is never sent back into a page.
        let value = (kind != "password").then_some(field.value.as_ref());
        let whole = (kind == "number").then_some("numeric");
        html! {
            <div class="field">
                <label for={field.id.as_str()}>{label}</label>
                {hint.map(|hint| html! { <span class="hint" id={hint_id.as_str()}>{hint}</span> })}
                <input id={field.id.as_str()} name={field.name.as_str()} type={kind} value={value} inputmode={whole}
                    autocomplete={autocomplete} required={required} phx-debounce="300"
                    aria-invalid={wrong.then_some("true")} aria-describedby={described} data-sent={sent(&field)}/>
                {wrong.then(|| html! { <p class="error" id={error_id.as_str()}>{field.errors.join("; ")}</p> })}
            </div>
        }
    }
}

/// What makes the answer to a submit carry a field again: see [`Field::sent`].
pub(crate) fn sent(field: &Field<'_>) -> Option<u32> {
    (field.sent > 0).then_some(field.sent)
}

/// A field of a filter: it holds what the address says, and nothing is ever wrong with it.
pub(crate) fn filter<'f>(name: &str, value: &'f str) -> Field<'f> {
    Field { id: name.to_owned(), name: name.to_owned(), value: value.into(), errors: &[], sent: 0 }
}

/// A labelled choice of one.
pub(crate) struct Choice<'a> {
    pub(crate) field: Field<'a>,
    pub(crate) label: &'a str,
    /// Value and text of each.
    pub(crate) options: &'a [(&'a str, &'a str)],
}

impl Component for Choice<'_> {
    fn render(self) -> Rendered {
        let Self { field, label, options } = self;
        let chosen = field.value.as_ref();
        let wrong = !field.errors.is_empty();
        let error_id = format!("{}_error", field.id);
        html! {
            <div class="field">
                <label for={field.id.as_str()}>{label}</label>
                <select id={field.id.as_str()} name={field.name.as_str()} aria-invalid={wrong.then_some("true")}
                    aria-describedby={wrong.then_some(error_id.as_str())}>
                    {each(options, |(value, _)| value.to_string(), |(value, text)| html! {
                        <option value={*value} selected={*value == chosen}>{*text}</option>
                    })}
                </select>
                {wrong.then(|| html! { <p class="error" id={error_id.as_str()}>{field.errors.join("; ")}</p> })}
            </div>
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn amounts_are_written_as_people_do() {
        assert_eq!(money(Money::gbp(464_588_346)), "£4,645,883.46");
        assert_eq!(money(Money::gbp(-5)), "-£0.05");
        assert_eq!(money(Money::gbp(100_000)), "£1,000.00");
        assert_eq!((grouped(0), grouped(999), grouped(1_000)), ("0".into(), "999".into(), "1,000".into()));
    }

    #[test]
    fn a_field_says_what_is_wrong_with_it_to_those_who_hear_it() {
        let mut form = live::Form::new("a").submitted(&live::Params::from_form("a[email]=%22x").unwrap());
        form.errors.add("email", "is no address");
        let field = TextField {
            field: form.field("email"),
            label: "E-mail",
            kind: "email",
            autocomplete: Some("email"),
            hint: None,
            required: true,
        };
        let markup = field.render().to_html();
        assert!(markup.contains("aria-invalid=\"true\" aria-describedby=\"a_email_error\""), "{markup}");
        assert!(markup.contains("value=\"&quot;x\"") && markup.contains("is no address"), "{markup}");
    }
}
