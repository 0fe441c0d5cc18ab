//! Values between tags.

use proc_macro2::TokenStream;
use quote::{quote, quote_spanned};
use syn::spanned::Spanned;
use syn::{Block, Expr, Stmt};

/// The value of a `{…}` as a `live::Dyn`.
///
/// The branches of an `if` or `match` become values each on its own, so that they may differ in type.
pub(crate) fn block(block: &Block, mistakes: &mut Vec<syn::Error>) -> TokenStream {
    if let [Stmt::Expr(only, None)] = block.stmts.as_slice() {
        return expression(only, mistakes);
    }
    let body = body(block, mistakes);
    quote! {{ #body }}
}

fn body(block: &Block, mistakes: &mut Vec<syn::Error>) -> TokenStream {
    match block.stmts.split_last() {
        Some((Stmt::Expr(last, None), before)) => {
            let last = expression(last, mistakes);
            quote! { #(#before)* #last }
        }
        // A macro in braces is a statement to the parser; as the last one it is the block's value.
        Some((Stmt::Macro(last), before)) if last.semi_token.is_none() => {
            quote_spanned! { last.span() => #(#before)* ::live::html::Render::render(#last) }
        }
        _ => {
            let all = &block.stmts;
            quote! { #(#all)* ::live::Dyn::empty() }
        }
    }
}

fn expression(expression: &Expr, mistakes: &mut Vec<syn::Error>) -> TokenStream {
    match expression {
        Expr::If(branch) => {
            let (attrs, condition) = (&branch.attrs, &branch.cond);
            let then = body(&branch.then_branch, mistakes);
            let otherwise = branch.else_branch.as_ref().map_or_else(
                || quote! { ::live::Dyn::empty() },
                |(_, otherwise)| self::expression(otherwise, mistakes),
            );
            quote! { #(#attrs)* if #condition { #then } else { #otherwise } }
        }
        Expr::Match(choice) => {
            let (attrs, subject) = (&choice.attrs, &choice.expr);
            let arms: Vec<_> = choice
                .arms
                .iter()
                .map(|arm| {
                    let (attrs, pattern, body) =
                        (&arm.attrs, &arm.pat, self::expression(&arm.body, mistakes));
                    quote! { #(#attrs)* #pattern => { #body } }
                })
                .collect();
            quote! { #(#attrs)* match #subject { #(#arms)* } }
        }
        Expr::Block(inner) if inner.label.is_none() && inner.attrs.is_empty() => {
            let body = body(&inner.block, mistakes);
            quote! {{ #body }}
        }
        Expr::ForLoop(repeat) => {
            mistakes.push(syn::Error::new(
                repeat.for_token.span,
                "a `for` gives no value: write `each(items, |item| key, |item| html! { … })`",
            ));
            quote! { ::live::Dyn::empty() }
        }
        other => quote_spanned! { other.span() => ::live::html::Render::render(#other) },
    }
}
