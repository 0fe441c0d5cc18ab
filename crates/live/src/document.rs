//! The document around a view: what a layout gets, and the plain one for those who have none.
//!
//! Invariant: the view's container carries the tokens by which the page joins; a layout can place it but not forget
//! its parts.

use axum::http::StatusCode;

use crate::html::escape;
use crate::path::LocalPath;
use crate::tree::{Dyn, Rendered, Template};

/// What a layout puts together.
#[derive(Debug)]
pub struct Document<'a> {
    /// The page's title, if the view has set one.
    pub title: Option<&'a str>,
    /// For `<meta name="csrf-token" content=…>`, which the client reads, and for hidden fields of plain forms.
    pub csrf_token: &'a str,
    /// The page's address.
    pub uri: &'a LocalPath,
    pub(crate) main: &'a str,
}

impl Document<'_> {
    /// The view in its container, or what an error page says. Markup, to be placed in the body.
    pub fn main(&self) -> Dyn {
        Dyn::text(self.main.to_owned())
    }
}

static PLAIN: Template = Template::new(
    &[
        "<!DOCTYPE html><html lang=\"en\"><head><meta charset=\"utf-8\"><meta name=\"viewport\" \
         content=\"width=device-width, initial-scale=1\"><meta name=\"csrf-token\" content=\"",
        "\"><title>",
        "</title></head><body>",
        "</body></html>",
    ],
    false,
);

/// A document without style or script.
pub(crate) fn default_layout(document: &Document<'_>) -> Rendered {
    let title = escape(document.title.unwrap_or_default()).into_owned();
    Rendered::new(&PLAIN, vec![Dyn::text(document.csrf_token.to_owned()), Dyn::text(title), document.main()])
}

/// A document that says the status.
pub(crate) fn default_error_page(status: StatusCode, document: &Document<'_>) -> Rendered {
    let reason = status.canonical_reason().unwrap_or("Error");
    let main = format!("<main><h1>{}</h1><p>{reason}</p></main>", status.as_u16());
    default_layout(&Document { title: Some(reason), main: &main, ..*document })
}
