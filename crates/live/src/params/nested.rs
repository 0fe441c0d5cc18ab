//! Nested names of forms: `order[lines][0][qty]=3`, `tags[]=a`.
//!
//! Invariant: each pair costs O(depth x siblings) at most, and a form larger than the bounds is refused as a whole.

use super::{MAX_DEPTH, MAX_FIELDS, Params, ParamsError};

/// Reads an urlencoded string. Of a name that comes twice, the last value counts, so that a hidden `false` before
/// a checkbox is its "off".
pub(super) fn parse(encoded: &str) -> Result<Params, ParamsError> {
    let mut root = Params::empty();
    for (count, (name, value)) in form_urlencoded::parse(encoded.as_bytes()).enumerate() {
        if count >= MAX_FIELDS {
            return Err(ParamsError::TooMany);
        }
        insert(&mut root, &name, value.into_owned())?;
    }
    Ok(root)
}

fn insert(root: &mut Params, name: &str, value: String) -> Result<(), ParamsError> {
    let conflict = || ParamsError::Conflict(name.to_owned());
    let mut at = root;
    for (depth, key) in keys(name).enumerate() {
        if depth >= MAX_DEPTH {
            return Err(ParamsError::TooDeep);
        }
        if matches!(at, Params::Null) {
            *at = if key.is_empty() { Params::List(Vec::new()) } else { Params::empty() };
        }
        at = match at {
            Params::List(items) if key.is_empty() => {
                items.push(Params::Null);
                items.last_mut().ok_or_else(conflict)?
            }
            Params::Group(fields) if !key.is_empty() => {
                let place = fields.iter().position(|(known, _)| known == key).unwrap_or_else(|| {
                    fields.push((key.to_owned(), Params::Null));
                    fields.len() - 1
                });
                &mut fields[place].1
            }
            _ => return Err(conflict()),
        };
    }
    match at {
        Params::Null | Params::Text(_) => *at = Params::Text(value),
        _ => return Err(conflict()),
    }
    Ok(())
}

/// The keys of a name; an empty one asks for a new item of a list. A name with unbalanced brackets is one key.
fn keys(name: &str) -> impl Iterator<Item = &str> {
    let balanced = name.ends_with(']') && name.find('[').is_some_and(|at| at > 0);
    let (head, rest) = match name.find('[') {
        Some(at) if balanced => (&name[..at], &name[at + 1..name.len() - 1]),
        _ => (name, "\0"),
    };
    std::iter::once(head).chain(rest.split("][").filter(|part| *part != "\0"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_split_into_keys() {
        let split = |name: &'static str| keys(name).collect::<Vec<_>>();
        assert_eq!(split("a"), ["a"]);
        assert_eq!(split("a[b][0][c]"), ["a", "b", "0", "c"]);
        assert_eq!(split("tags[]"), ["tags", ""]);
        assert_eq!(split("odd["), ["odd["]);
        assert_eq!(split("[x]"), ["[x]"]);
    }
}
