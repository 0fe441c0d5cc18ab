//! What is typed into a form, checked by the same kinds of value as what programs send.
//!
//! **Invariant.** A page refuses what the API refuses, in the same words, and keeps what was typed.

use live::html::Component;
use live::{Field, Form, Rendered, html};
use serde::de::DeserializeOwned;
use serde::de::value::{Error, StrDeserializer};

use crate::field;

/// Reads a field, or says beside it what is wrong.
pub(in crate::site) fn read<T: DeserializeOwned>(form: &mut Form, name: &'static str) -> Option<T> {
    read_text(form, name, |text| text)
}

/// Reads a field without the spaces around it.
pub(in crate::site) fn read_trimmed<T: DeserializeOwned>(form: &mut Form, name: &'static str) -> Option<T> {
    read_text(form, name, str::trim)
}

fn read_text<T: DeserializeOwned>(form: &mut Form, name: &'static str, cut: fn(&str) -> &str) -> Option<T> {
    let text = cut(form.values().at(name).text());
    if text.is_empty() {
        form.errors.add(name, "must be filled in");
        return None;
    }
    match T::deserialize(StrDeserializer::<Error>::new(text)) {
        Ok(value) => Some(value),
        Err(error) => {
            let said = error.to_string();
            let message = field::split(&said).map_or(said.as_str(), |(_, message)| message).to_owned();
            form.errors.add(name, message);
            None
        }
    }
}

/// A labelled password. Its input never changes once it is on the page: a password is not sent back into a page, so an
/// input that was rendered again would lose what was typed. What is wrong stands beside it.
pub(in crate::site) struct Secret<'a> {
    pub(in crate::site) field: Field<'a>,
    pub(in crate::site) label: &'a str,
    pub(in crate::site) autocomplete: &'static str,
    pub(in crate::site) hint: Option<String>,
}

impl Component for Secret<'_> {
    fn render(self) -> Rendered {
        let Self { field, label, autocomplete, hint } = self;
        let (hint_id, error_id) = (format!("{}_hint", field.id), format!("{}_error", field.id));
        let described = if hint.is_some() { format!("{hint_id} {error_id}") } else { error_id.clone() };
        html! {
            <div class="field">
                <label for={field.id.as_str()}>{label}</label>
                {hint.map(|hint| html! { <span class="hint" id={hint_id.as_str()}>{hint}</span> })}
                {html! {
                    <input id={field.id.as_str()} name={field.name.as_str()} type="password" autocomplete={autocomplete}
                        required=true aria-describedby={described} phx-debounce="300"/>
                }}
                <p class="error" id={error_id.as_str()} aria-live="polite">{field.errors.join("; ")}</p>
            </div>
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::field::Email;

    #[test]
    fn a_field_is_refused_in_the_words_of_the_api() {
        let typed = live::Params::from_form("a[email]=+ann@shop+&a[other]=").unwrap();
        let mut form = Form::new("a").submitted(&typed);
        assert_eq!(read_trimmed::<Email>(&mut form, "email"), None);
        assert_eq!(form.field("email").errors, ["must be an address like ann@shop.example"]);
        assert_eq!(read::<String>(&mut form, "other"), None);
        assert_eq!(form.field("other").errors, ["must be filled in"]);
        let typed = live::Params::from_form("a[email]=+ann@shop.example+").unwrap();
        let mut form = Form::new("a").submitted(&typed);
        assert_eq!(read_trimmed::<Email>(&mut form, "email"), Some(Email("ann@shop.example".into())));
    }
}
