//! The `html!` macro of the crate `live`; its guide is `live::html::guide`.
//!
//! Invariant: what the macro writes for one call site is one `static` template and, in order, one value for
//! each of its gaps.

mod attribute;
mod component;
mod markup;
mod names;
mod space;
mod value;

use proc_macro2::TokenStream;
use quote::quote;
use rstml::{Parser, ParserConfig};

/// Markup as a `live::Rendered`: constant strings in a `static`, and the values between them.
#[proc_macro]
pub fn html(input: proc_macro::TokenStream) -> proc_macro::TokenStream {
    expand(input.into()).into()
}

fn expand(input: TokenStream) -> TokenStream {
    let config = ParserConfig::new()
        .recover_block(true)
        .always_self_closed_elements(names::VOID.into_iter().collect())
        .raw_text_elements(["script", "style"].into_iter().collect());
    let (nodes, mistakes) = Parser::new(config).parse_recoverable(input).split_vec();
    let mut markup = markup::Markup::default();
    markup.nodes(&nodes, None, None);
    let (markup, own_mistakes) = markup.finish(names::is_one_element(&nodes));
    let mut all = Vec::new();
    for mistake in mistakes {
        all.push(mistake.emit_as_expr_tokens());
    }
    all.extend(own_mistakes.iter().map(syn::Error::to_compile_error));
    quote! {{
        #(#all)*
        #markup
    }}
}
