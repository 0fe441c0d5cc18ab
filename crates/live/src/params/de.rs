//! Reading a tree of parameters into a type, tolerant of text where numbers and booleans are meant.
//!
//! Invariant: every refusal says where it happened, in the form's own spelling (`lines[0][qty]`).

use std::fmt;

use serde::Deserializer;
use serde::de::value::StrDeserializer;
use serde::de::{self, DeserializeOwned, DeserializeSeed, IntoDeserializer, Visitor};

use super::{Params, ParamsError};

/// A refusal on its way up: each level puts its name in front.
#[derive(Debug)]
pub(crate) struct Refusal {
    path: Vec<String>,
    reason: String,
}

impl Refusal {
    fn under(mut self, name: &str) -> Self {
        self.path.push(name.to_owned());
        self
    }
}

impl From<Refusal> for ParamsError {
    fn from(refusal: Refusal) -> Self {
        let mut path = String::new();
        for name in refusal.path.iter().rev() {
            if path.is_empty() {
                path.push_str(name);
            } else {
                path.push('[');
                path.push_str(name);
                path.push(']');
            }
        }
        Self::Mismatch { path, reason: refusal.reason }
    }
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.reason)
    }
}

impl std::error::Error for Refusal {}

impl de::Error for Refusal {
    fn custom<T: fmt::Display>(reason: T) -> Self {
        Self { path: Vec::new(), reason: reason.to_string() }
    }
}

pub(super) fn read<T: DeserializeOwned>(params: &Params) -> Result<T, ParamsError> {
    T::deserialize(Lenient(params)).map_err(ParamsError::from)
}

/// A tree as the source of a `Deserialize` type.
#[derive(Clone, Copy)]
pub(crate) struct Lenient<'p>(pub(crate) &'p Params);

fn expected(what: &str, got: &Params) -> Refusal {
    let got = match got {
        Params::Null => "nothing".to_owned(),
        Params::Bool(b) => b.to_string(),
        Params::Number(n) => n.to_string(),
        // A refusal goes into the log: what was typed stays out of it beyond a few characters.
        Params::Text(text) => format!("{:?}", text.chars().take(24).collect::<String>()),
        Params::List(_) => "a list".to_owned(),
        Params::Group(_) => "a group of fields".to_owned(),
    };
    de::Error::custom(format_args!("expected {what}, got {got}"))
}

macro_rules! numbers {
    ($($method:ident $visit:ident $type:ty, $what:literal;)*) => {$(
        fn $method<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Refusal> {
            let parsed = match self.0 {
                Params::Text(text) => text.trim().parse::<$type>().ok(),
                Params::Number(number) => number.to_string().parse::<$type>().ok(),
                _ => None,
            };
            visitor.$visit(parsed.ok_or_else(|| expected($what, self.0))?)
        }
    )*};
}

impl<'de> Deserializer<'de> for Lenient<'_> {
    type Error = Refusal;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Refusal> {
        match self.0 {
            Params::Null => visitor.visit_unit(),
            Params::Bool(b) => visitor.visit_bool(*b),
            Params::Number(n) => n.deserialize_any(visitor).map_err(de::Error::custom),
            Params::Text(text) => visitor.visit_str(text),
            Params::List(_) => self.deserialize_seq(visitor),
            Params::Group(_) => self.deserialize_map(visitor),
        }
    }

    numbers! {
        deserialize_i8 visit_i8 i8, "a whole number";
        deserialize_i16 visit_i16 i16, "a whole number";
        deserialize_i32 visit_i32 i32, "a whole number";
        deserialize_i64 visit_i64 i64, "a whole number";
        deserialize_i128 visit_i128 i128, "a whole number";
        deserialize_u8 visit_u8 u8, "a whole number, not negative";
        deserialize_u16 visit_u16 u16, "a whole number, not negative";
        deserialize_u32 visit_u32 u32, "a whole number, not negative";
        deserialize_u64 visit_u64 u64, "a whole number, not negative";
        deserialize_u128 visit_u128 u128, "a whole number, not negative";
        deserialize_f32 visit_f32 f32, "a number";
        deserialize_f64 visit_f64 f64, "a number";
    }

    fn deserialize_bool<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Refusal> {
        let value = match self.0 {
            Params::Bool(b) => Some(*b),
            // An unchecked box is not sent at all.
            Params::Null => Some(false),
            Params::Text(text) => match text.as_str() {
                "true" | "on" | "1" => Some(true),
                "false" | "off" | "0" | "" => Some(false),
                _ => None,
            },
            _ => None,
        };
        visitor.visit_bool(value.ok_or_else(|| expected("true or false", self.0))?)
    }

    fn deserialize_char<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Refusal> {
        self.deserialize_str(visitor)
    }

    fn deserialize_str<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Refusal> {
        match self.0 {
            Params::Text(text) => visitor.visit_str(text),
            Params::Number(n) => visitor.visit_string(n.to_string()),
            Params::Bool(b) => visitor.visit_str(if *b { "true" } else { "false" }),
            other => Err(expected("a text", other)),
        }
    }

    fn deserialize_string<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Refusal> {
        self.deserialize_str(visitor)
    }

    fn deserialize_bytes<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Refusal> {
        self.deserialize_str(visitor)
    }

    fn deserialize_byte_buf<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Refusal> {
        self.deserialize_str(visitor)
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Refusal> {
        match self.0 {
            Params::Null => visitor.visit_none(),
            Params::Text(text) if text.trim().is_empty() => visitor.visit_none(),
            _ => visitor.visit_some(self),
        }
    }

    fn deserialize_unit<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Refusal> {
        visitor.visit_unit()
    }

    fn deserialize_unit_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        visitor: V,
    ) -> Result<V::Value, Refusal> {
        visitor.visit_unit()
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        visitor: V,
    ) -> Result<V::Value, Refusal> {
        visitor.visit_newtype_struct(self)
    }

    fn deserialize_seq<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Refusal> {
        let items = match self.0 {
            Params::Null => Vec::new(),
            Params::List(items) => {
                items.iter().enumerate().map(|(at, item)| (at.to_string(), item)).collect()
            }
            Params::Group(fields) => {
                let numbered = fields.iter().map(|(name, value)| {
                    let number = name.parse::<u64>().map_err(|_| expected("a list", self.0))?;
                    Ok((number, name.clone(), value))
                });
                let mut numbered = numbered.collect::<Result<Vec<_>, Refusal>>()?;
                numbered.sort_by_key(|(number, ..)| *number);
                numbered.into_iter().map(|(_, name, value)| (name, value)).collect()
            }
            other => return Err(expected("a list", other)),
        };
        visitor.visit_seq(Items { items: items.into_iter() })
    }

    fn deserialize_tuple<V: Visitor<'de>>(self, _: usize, visitor: V) -> Result<V::Value, Refusal> {
        self.deserialize_seq(visitor)
    }

    fn deserialize_tuple_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        _: usize,
        visitor: V,
    ) -> Result<V::Value, Refusal> {
        self.deserialize_seq(visitor)
    }

    fn deserialize_map<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Refusal> {
        let fields: &[(String, Params)] = match self.0 {
            Params::Null => &[],
            Params::Group(fields) => fields,
            Params::List(items) if items.is_empty() => &[],
            other => return Err(expected("a group of fields", other)),
        };
        visitor.visit_map(Fields { fields: fields.iter(), value: None })
    }

    fn deserialize_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        _: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Refusal> {
        self.deserialize_map(visitor)
    }

    fn deserialize_enum<V: Visitor<'de>>(
        self,
        _: &'static str,
        _: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Refusal> {
        match self.0 {
            // The choice of a select box.
            Params::Text(text) => visitor.visit_enum(EventDe { name: text, value: &Params::Null }),
            Params::Group(fields) if fields.len() == 1 => {
                visitor.visit_enum(EventDe { name: &fields[0].0, value: &fields[0].1 })
            }
            other => Err(expected("one of the choices", other)),
        }
    }

    fn deserialize_identifier<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Refusal> {
        self.deserialize_str(visitor)
    }

    fn deserialize_ignored_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Refusal> {
        visitor.visit_unit()
    }
}

struct Items<'p, I: Iterator<Item = (String, &'p Params)>> {
    items: I,
}

impl<'de, 'p, I: Iterator<Item = (String, &'p Params)>> de::SeqAccess<'de> for Items<'p, I> {
    type Error = Refusal;

    fn next_element_seed<T: DeserializeSeed<'de>>(&mut self, seed: T) -> Result<Option<T::Value>, Refusal> {
        let Some((name, item)) = self.items.next() else { return Ok(None) };
        seed.deserialize(Lenient(item)).map(Some).map_err(|refusal| refusal.under(&name))
    }
}

struct Fields<'p> {
    fields: std::slice::Iter<'p, (String, Params)>,
    value: Option<(&'p str, &'p Params)>,
}

impl<'de> de::MapAccess<'de> for Fields<'_> {
    type Error = Refusal;

    fn next_key_seed<K: DeserializeSeed<'de>>(&mut self, seed: K) -> Result<Option<K::Value>, Refusal> {
        let Some((name, value)) = self.fields.next() else { return Ok(None) };
        self.value = Some((name, value));
        let key: StrDeserializer<'_, Refusal> = name.as_str().into_deserializer();
        seed.deserialize(key).map(Some)
    }

    fn next_value_seed<V: DeserializeSeed<'de>>(&mut self, seed: V) -> Result<V::Value, Refusal> {
        let (name, value) = self.value.take().unwrap_or(("", &Params::Null));
        seed.deserialize(Lenient(value)).map_err(|refusal| refusal.under(name))
    }
}

/// An event as the source of an enum: its name is the variant, its value the variant's content.
pub(crate) struct EventDe<'p> {
    pub(crate) name: &'p str,
    pub(crate) value: &'p Params,
}

impl<'de> Deserializer<'de> for EventDe<'_> {
    type Error = Refusal;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Refusal> {
        visitor.visit_enum(self)
    }

    fn deserialize_unit<V: Visitor<'de>>(self, _: V) -> Result<V::Value, Refusal> {
        // A view whose events are `()` takes none.
        Err(de::Error::unknown_variant(self.name, &[]))
    }

    serde::forward_to_deserialize_any! {
        bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char str string bytes byte_buf option
        unit_struct newtype_struct seq tuple tuple_struct map struct enum identifier ignored_any
    }
}

impl<'de, 'p> de::EnumAccess<'de> for EventDe<'p> {
    type Error = Refusal;
    type Variant = Lenient<'p>;

    fn variant_seed<V: DeserializeSeed<'de>>(self, seed: V) -> Result<(V::Value, Lenient<'p>), Refusal> {
        let name: StrDeserializer<'_, Refusal> = self.name.into_deserializer();
        Ok((seed.deserialize(name)?, Lenient(self.value)))
    }
}

impl<'de> de::VariantAccess<'de> for Lenient<'_> {
    type Error = Refusal;

    fn unit_variant(self) -> Result<(), Refusal> {
        Ok(())
    }

    fn newtype_variant_seed<T: DeserializeSeed<'de>>(self, seed: T) -> Result<T::Value, Refusal> {
        seed.deserialize(self)
    }

    fn tuple_variant<V: Visitor<'de>>(self, _: usize, visitor: V) -> Result<V::Value, Refusal> {
        self.deserialize_seq(visitor)
    }

    fn struct_variant<V: Visitor<'de>>(
        self,
        _: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Refusal> {
        self.deserialize_map(visitor)
    }
}

impl<'de> de::Deserialize<'de> for Params {
    fn deserialize<D: Deserializer<'de>>(source: D) -> Result<Self, D::Error> {
        struct Tree;
        impl<'de> Visitor<'de> for Tree {
            type Value = Params;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("parameters")
            }
            fn visit_unit<E>(self) -> Result<Params, E> {
                Ok(Params::Null)
            }
            fn visit_none<E>(self) -> Result<Params, E> {
                Ok(Params::Null)
            }
            fn visit_bool<E>(self, value: bool) -> Result<Params, E> {
                Ok(Params::Bool(value))
            }
            fn visit_i64<E>(self, value: i64) -> Result<Params, E> {
                Ok(Params::Number(value.into()))
            }
            fn visit_u64<E>(self, value: u64) -> Result<Params, E> {
                Ok(Params::Number(value.into()))
            }
            fn visit_f64<E>(self, value: f64) -> Result<Params, E> {
                Ok(serde_json::Number::from_f64(value).map_or(Params::Null, Params::Number))
            }
            fn visit_str<E>(self, value: &str) -> Result<Params, E> {
                Ok(Params::Text(value.to_owned()))
            }
            fn visit_seq<A: de::SeqAccess<'de>>(self, mut items: A) -> Result<Params, A::Error> {
                let mut list = Vec::new();
                while let Some(item) = items.next_element()? {
                    list.push(item);
                }
                Ok(Params::List(list))
            }
            fn visit_map<A: de::MapAccess<'de>>(self, mut fields: A) -> Result<Params, A::Error> {
                let mut group = Vec::new();
                while let Some(field) = fields.next_entry()? {
                    group.push(field);
                }
                Ok(Params::Group(group))
            }
        }
        source.deserialize_any(Tree)
    }
}
