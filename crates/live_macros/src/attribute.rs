//! Attributes of elements.

use std::collections::BTreeSet;

use quote::{quote, quote_spanned};
use rstml::node::{KVAttributeValue, KeyedAttribute, NodeAttribute, NodeBlock};
use syn::spanned::Spanned;

use crate::markup::{Markup, escape};
use crate::names;

/// Appends the attributes of one tag.
pub(crate) fn write(markup: &mut Markup, attributes: &[NodeAttribute]) {
    let mut seen = BTreeSet::new();
    for attribute in attributes {
        match attribute {
            NodeAttribute::Attribute(attribute) => {
                let name = attribute.key.to_string();
                if !seen.insert(name.to_ascii_lowercase()) {
                    markup.mistake(
                        attribute.key.span(),
                        "the attribute is there twice: a browser takes the first one",
                    );
                }
                keyed(markup, &name, attribute);
            }
            NodeAttribute::Block(NodeBlock::ValidBlock(block)) => {
                let value = if let [syn::Stmt::Expr(only, None)] = block.stmts.as_slice() {
                    quote! { #only }
                } else {
                    quote! { #block }
                };
                markup.value(quote_spanned! { block.span() => ::live::html::rt::spread(#value) });
            }
            // Broken Rust was reported by the parser.
            NodeAttribute::Block(NodeBlock::Invalid(_)) => {}
        }
    }
}

fn keyed(markup: &mut Markup, name: &str, attribute: &KeyedAttribute) {
    if let Some(text) = attribute.value_literal_string() {
        markup.constant(&format!(" {name}=\"{}\"", escape(&text)));
        return;
    }
    let value = match attribute.possible_value.to_value().map(|value| &value.value) {
        None => {
            markup.constant(&format!(" {name}"));
            return;
        }
        Some(KVAttributeValue::Expr(value)) => unbraced(value),
        // Broken Rust was reported by the parser.
        Some(KVAttributeValue::InvalidBraced(_)) => return,
    };
    let lower = name.to_ascii_lowercase();
    let span = value.span();
    if lower.starts_with("on") || lower == "srcdoc" {
        let message = "no value can be escaped for all that it may mean in a script: use `phx-click` and the like, or a hook";
        markup.mistake(attribute.key.span(), message);
    } else if lower == "class" {
        markup.constant(" class=\"");
        markup.value(quote_spanned! { span => ::live::html::rt::classes(#value) });
        markup.constant("\"");
    } else if names::URL.contains(&&*lower) {
        markup.value(quote_spanned! { span => ::live::html::rt::url(#name, #value) });
    } else {
        markup.value(quote_spanned! { span => ::live::html::rt::dynamic(#name, #value) });
    }
}

/// `{value}` as `value`: rustc then points at the value itself, and warns of no needless braces.
pub(crate) fn unbraced(value: &syn::Expr) -> &syn::Expr {
    match value {
        syn::Expr::Block(block) if block.attrs.is_empty() && block.label.is_none() => {
            match block.block.stmts.as_slice() {
                [syn::Stmt::Expr(only, None)] => only,
                _ => value,
            }
        }
        value => value,
    }
}
