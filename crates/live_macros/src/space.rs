//! White space, read off where things stand in the source.

use proc_macro2::{LineColumn, Span, TokenStream, TokenTree};
use quote::ToTokens;

/// Where something begins and ends in the source.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Place {
    pub(crate) start: LineColumn,
    pub(crate) end: LineColumn,
}

/// Where the node stands; `None` if it is empty.
pub(crate) fn place(node: &impl ToTokens) -> Option<Place> {
    let mut tokens = node.to_token_stream().into_iter();
    let first = tokens.next()?;
    let start = open(&first).start();
    let last = tokens.last().unwrap_or(first);
    Some(Place { start, end: close(&last).end() })
}

/// Whether there is a space between what ends and what begins here: a gap on one line.
pub(crate) fn gap(end: LineColumn, start: LineColumn) -> bool {
    end.line == start.line && end.column < start.column
}

/// Unquoted text: its words as they stand, any white space between them as one space.
pub(crate) fn text(tokens: TokenStream) -> String {
    let mut out = String::new();
    let mut last = None;
    words(tokens, &mut out, &mut last);
    out
}

fn words(tokens: TokenStream, out: &mut String, last: &mut Option<LineColumn>) {
    for token in tokens {
        match token {
            TokenTree::Group(group) => {
                let (open, close) = match group.delimiter() {
                    proc_macro2::Delimiter::Parenthesis => ("(", ")"),
                    proc_macro2::Delimiter::Brace => ("{", "}"),
                    proc_macro2::Delimiter::Bracket => ("[", "]"),
                    proc_macro2::Delimiter::None => ("", ""),
                };
                word(open, group.span_open(), out, last);
                words(group.stream(), out, last);
                word(close, group.span_close(), out, last);
            }
            token => word(&token.to_string(), token.span(), out, last),
        }
    }
}

fn word(word: &str, span: Span, out: &mut String, last: &mut Option<LineColumn>) {
    let start = span.start();
    if last.is_some_and(|end| end.line != start.line || end.column < start.column) {
        out.push(' ');
    }
    out.push_str(word);
    *last = Some(span.end());
}

fn open(token: &TokenTree) -> Span {
    match token {
        TokenTree::Group(group) => group.span_open(),
        token => token.span(),
    }
}

fn close(token: &TokenTree) -> Span {
    match token {
        TokenTree::Group(group) => group.span_close(),
        token => token.span(),
    }
}
