//! A form as a browser would send it.

use std::collections::BTreeSet;

use scraper::{ElementRef, Selector};

/// The fields of a form with their values, in the order of the page. What is disabled or unchecked is not sent.
fn of(form: ElementRef<'_>) -> Vec<(String, String, bool)> {
    let Ok(inputs) = Selector::parse("input, select, textarea") else { return Vec::new() };
    let mut fields = Vec::new();
    for input in form.select(&inputs) {
        let Some(name) = input.attr("name").filter(|name| !name.is_empty()) else { continue };
        if input.attr("disabled").is_some() {
            continue;
        }
        let kind = input.attr("type").unwrap_or_default();
        let value = match input.value().name() {
            "textarea" => Some(input.text().collect::<String>().trim_start_matches('\n').to_owned()),
            "select" => chosen(input),
            _ if matches!(kind, "checkbox" | "radio") => {
                input.attr("checked").map(|_| input.attr("value").unwrap_or("on").to_owned())
            }
            _ if matches!(kind, "submit" | "button" | "image" | "reset" | "file") => None,
            _ => Some(input.attr("value").unwrap_or_default().to_owned()),
        };
        if let Some(value) = value {
            fields.push((name.to_owned(), value, kind == "hidden"));
        }
    }
    fields
}

fn chosen(select: ElementRef<'_>) -> Option<String> {
    let options = Selector::parse("option").ok()?;
    let options: Vec<_> = select.select(&options).collect();
    let option = options.iter().find(|option| option.attr("selected").is_some()).or(options.first())?;
    Some(option.attr("value").map_or_else(|| option.text().collect(), str::to_owned))
}

/// The form with these values typed into it, urlencoded. Panics if it has no field of a name.
pub(super) fn encoded(
    form: ElementRef<'_>,
    typed: &[(&str, &str)],
    touched: Option<&BTreeSet<String>>,
) -> String {
    let mut fields = of(form);
    for (name, value) in typed {
        let there = Selector::parse(&format!("[name=\"{name}\"]"))
            .is_ok_and(|selector| form.select(&selector).any(|input| input.attr("disabled").is_none()));
        assert!(there, "the form has no field {name:?} that one could type into:\n{}", form.html());
        let Some(place) = fields.iter().rposition(|(known, _, hidden)| known == name && !hidden) else {
            // A box that was not checked.
            fields.push(((*name).to_owned(), (*value).to_owned(), false));
            continue;
        };
        (*value).clone_into(&mut fields[place].1);
    }
    let mut out = form_urlencoded::Serializer::new(String::new());
    for (name, value, hidden) in fields {
        let unused = !hidden && touched.is_some_and(|touched| !touched.contains(&name));
        if unused {
            out.append_pair(&unused_name(&name), "");
        }
        out.append_pair(&name, &value);
    }
    out.finish()
}

/// `user[name]` is marked as `user[_unused_name]`, `tags[]` as `_unused_tags[]`.
fn unused_name(name: &str) -> String {
    let (name, list) = name.strip_suffix("[]").map_or((name, ""), |name| (name, "[]"));
    match name.rfind('[') {
        Some(at) => format!("{}_unused_{}{list}", &name[..=at], &name[at + 1..]),
        None => format!("_unused_{name}{list}"),
    }
}
