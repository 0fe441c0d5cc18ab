//! The strings and values of a call site, in the order of the page.

use proc_macro2::{LineColumn, Span, TokenStream};
use quote::{ToTokens, quote};
use rstml::node::{Node, NodeBlock, NodeElement};
use syn::{LitStr, Stmt};

use crate::{attribute, component, names, space, value};

/// The strings so far, the values between them, and the mistakes that were found.
#[derive(Default)]
pub(crate) struct Markup {
    statics: Vec<String>,
    /// The string after the last value.
    tail: String,
    values: Vec<TokenStream>,
    pub(crate) mistakes: Vec<syn::Error>,
}

impl Markup {
    /// Appends constant markup.
    pub(crate) fn constant(&mut self, markup: &str) {
        self.tail.push_str(markup);
    }

    /// Appends a value: an expression of type `live::Dyn`.
    pub(crate) fn value(&mut self, value: TokenStream) {
        self.statics.push(std::mem::take(&mut self.tail));
        self.values.push(value);
    }

    pub(crate) fn mistake(&mut self, span: Span, message: &str) {
        self.mistakes.push(syn::Error::new(span, message));
    }

    /// The expression of type `live::Rendered`, and the mistakes.
    pub(crate) fn finish(self, root: bool) -> (TokenStream, Vec<syn::Error>) {
        let Self { mut statics, tail, values, mistakes } = self;
        statics.push(tail);
        let rendered = quote! {{
            static __LIVE_TEMPLATE: ::live::Template = ::live::Template::new(&[#(#statics),*], #root);
            ::live::Rendered::new(&__LIVE_TEMPLATE, ::live::html::rt::vec![#(#values),*])
        }};
        (rendered, mistakes)
    }

    /// Appends neighbours. `before` and `after` are where the tag around them opens and closes.
    pub(crate) fn nodes(&mut self, nodes: &[Node], before: Option<LineColumn>, after: Option<LineColumn>) {
        let mut last = before;
        for node in nodes {
            if matches!(node, Node::Comment(_)) {
                continue;
            }
            let place = space::place(node);
            self.space(last, place.map(|place| place.start));
            self.node(node);
            last = place.map(|place| place.end).or(last);
        }
        if !nodes.is_empty() {
            self.space(last, after);
        }
    }

    fn space(&mut self, end: Option<LineColumn>, start: Option<LineColumn>) {
        if end.zip(start).is_some_and(|(end, start)| space::gap(end, start)) {
            self.constant(" ");
        }
    }

    fn node(&mut self, node: &Node) {
        match node {
            Node::Text(text) => self.constant(&escape(&text.value_string())),
            Node::RawText(text) => self.constant(&escape(&space::text(text.to_token_stream()))),
            Node::Doctype(_) => self.constant("<!DOCTYPE html>"),
            Node::Fragment(fragment) => self.nodes(&fragment.children, None, None),
            Node::Element(element) if names::is_component(element) => component::write(self, element),
            Node::Element(element) => self.element(element),
            Node::Block(block) => self.block(block),
            // The parser makes none of its own kinds of node.
            Node::Comment(_) | Node::Custom(_) => {}
        }
    }

    fn block(&mut self, block: &NodeBlock) {
        // A block that is broken Rust was reported by the parser.
        let Some(block) = block.try_block() else { return };
        if let [Stmt::Expr(syn::Expr::Lit(syn::ExprLit { lit: syn::Lit::Str(text), .. }), None)] =
            block.stmts.as_slice()
        {
            self.constant(&escape(&text.value()));
            return;
        }
        let value = value::block(block, &mut self.mistakes);
        self.value(value);
    }

    fn element(&mut self, element: &NodeElement<rstml::Infallible>) {
        let name = element.name().to_string();
        if names::slot(element).is_some() {
            let message =
                "a slot stands directly within a component: `<Card><slot:header>…</slot:header></Card>`";
            self.mistakes.push(syn::Error::new_spanned(element.name(), message));
            return;
        }
        self.constant("<");
        self.constant(&name);
        attribute::write(self, element.attributes());
        self.constant(">");
        if names::VOID.contains(&&*name) {
            return;
        }
        if matches!(&*name, "script" | "style") {
            self.verbatim(element);
        } else {
            let open = space::place(&element.open_tag).map(|place| place.end);
            let close = element.close_tag.as_ref().and_then(space::place).map(|place| place.start);
            self.nodes(&element.children, open, close);
        }
        self.constant(&format!("</{name}>"));
    }

    /// The content of a script or style: no entities, no values.
    fn verbatim(&mut self, element: &NodeElement<rstml::Infallible>) {
        for child in &element.children {
            match child {
                Node::Text(text) => self.constant(&text.value_string()),
                Node::RawText(text) => {
                    // Quoted, it is all one literal: what is in the quotes.
                    let quoted = syn::parse2::<LitStr>(text.to_token_stream()).map(|text| text.value());
                    let verbatim = quoted.unwrap_or_else(|_| space::text(text.to_token_stream()));
                    self.constant(&verbatim);
                }
                other => {
                    let message =
                        "scripts and styles take no values: give data to a script by a `data-` attribute";
                    self.mistakes.push(syn::Error::new_spanned(other, message));
                }
            }
        }
    }
}

/// Constant text as markup, at compile time.
pub(crate) fn escape(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\'' => out.push_str("&#39;"),
            c => out.push(c),
        }
    }
    out
}

/// A literal, if that is all the expression is.
pub(crate) fn literal(expression: &syn::Expr) -> Option<LitStr> {
    match expression {
        syn::Expr::Lit(syn::ExprLit { lit: syn::Lit::Str(text), .. }) => Some(text.clone()),
        _ => None,
    }
}
