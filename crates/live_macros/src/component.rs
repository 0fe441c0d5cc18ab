//! Components: a struct's fields from attributes, children and slots.

use proc_macro2::TokenStream;
use quote::{format_ident, quote, quote_spanned};
use rstml::node::{KVAttributeValue, Node, NodeAttribute, NodeBlock, NodeElement, NodeName};
use syn::spanned::Spanned;

use crate::attribute::unbraced;
use crate::markup::{Markup, literal};
use crate::names;
use crate::space;

/// Appends a component as one value.
pub(crate) fn write(markup: &mut Markup, element: &NodeElement<rstml::Infallible>) {
    let NodeName::Path(path) = element.name() else { return };
    let mut fields = Vec::new();
    let mut rest = None;
    for attribute in element.attributes() {
        match attribute {
            NodeAttribute::Attribute(attribute) => {
                let Some(field) = field_name(&attribute.key) else {
                    let message = "a component's parameter is a field: a plain name, with `_` for `-`";
                    markup.mistake(attribute.key.span(), message);
                    continue;
                };
                let value = match attribute.possible_value.to_value().map(|value| &value.value) {
                    None => quote! { true },
                    Some(KVAttributeValue::Expr(value)) => argument(unbraced(value)),
                    Some(KVAttributeValue::InvalidBraced(_)) => continue,
                };
                fields.push(named(&field, &value));
            }
            NodeAttribute::Block(NodeBlock::ValidBlock(block)) => match block.stmts.as_slice() {
                // `{..Default::default()}`: the fields that are not named.
                [
                    syn::Stmt::Expr(
                        syn::Expr::Range(syn::ExprRange { start: None, end: Some(end), .. }),
                        None,
                    ),
                ] => {
                    rest = Some(quote! { ..#end });
                }
                _ => markup
                    .mistake(block.span(), "a component's other fields are written `{..Default::default()}`"),
            },
            NodeAttribute::Block(NodeBlock::Invalid(_)) => {}
        }
    }
    children(markup, element, &mut fields);
    let span = path.span();
    let value = quote_spanned! { span => #path { #(#fields,)* #rest } };
    markup.value(quote_spanned! { span => ::live::Dyn::Nested(::live::html::Component::render(#value)) });
}

/// A field with its value, in the short form where both have one name: the long one would be a lint of whoever wrote it.
fn named(field: &syn::Ident, value: &TokenStream) -> TokenStream {
    match syn::parse2::<syn::Ident>(value.clone()) {
        Ok(same) if same == *field => quote! { #same },
        Ok(_) | Err(_) => quote! { #field: #value },
    }
}

/// A literal may become any type that is made from a `&str`; anything else is what it is.
fn argument(value: &syn::Expr) -> TokenStream {
    literal(value).map_or_else(
        || quote! { #value },
        |text| quote_spanned! { text.span() => ::core::convert::Into::into(#text) },
    )
}

/// `children` is what stands within the tags, and each `<slot:name>` is the field of its name.
fn children(markup: &mut Markup, element: &NodeElement<rstml::Infallible>, fields: &mut Vec<TokenStream>) {
    let (slots, rest): (Vec<&Node>, Vec<&Node>) = element
        .children
        .iter()
        .partition(|child| matches!(child, Node::Element(e) if names::slot(e).is_some()));
    for slot in slots {
        let Node::Element(slot) = slot else { continue };
        let name = names::slot(slot).unwrap_or_default();
        if syn::parse_str::<syn::Ident>(&name).is_err() {
            markup.mistake(
                slot.name().span(),
                "a slot is a field of the component: `<slot:header>` fills `header`",
            );
            continue;
        }
        let field = format_ident!("{name}", span = slot.name().span());
        let content = part(markup, slot, &slot.children);
        fields.push(quote! { #field: ::core::convert::Into::into(#content) });
    }
    let rest: Vec<Node> =
        rest.into_iter().filter(|node| !matches!(node, Node::Comment(_))).cloned().collect();
    if !rest.is_empty() {
        let content = part(markup, element, &rest);
        fields.push(quote! { children: ::core::convert::Into::into(#content) });
    }
}

/// Markup of its own: a template apart.
fn part(markup: &mut Markup, around: &NodeElement<rstml::Infallible>, nodes: &[Node]) -> TokenStream {
    let mut inner = Markup::default();
    let open = space::place(&around.open_tag).map(|place| place.end);
    let close = around.close_tag.as_ref().and_then(space::place).map(|place| place.start);
    inner.nodes(nodes, open, close);
    let (content, mistakes) = inner.finish(names::is_one_element(nodes));
    markup.mistakes.extend(mistakes);
    content
}

fn field_name(key: &NodeName) -> Option<syn::Ident> {
    match key {
        NodeName::Path(path) => path.path.get_ident().cloned(),
        _ => None,
    }
}
