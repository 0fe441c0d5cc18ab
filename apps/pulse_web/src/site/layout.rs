//! The document around every page, and the page of an error.
//!
//! **Invariant.** A document loads the shop's own files and nothing else; the policy that is sent with it says the same.

use axum::http::{HeaderValue, StatusCode};
use live::{Document, Rendered, html};

use crate::assets::ASSETS;

/// The document around a view.
pub(crate) fn document(page: &Document<'_>) -> Rendered {
    let title = page.title.map_or_else(|| "Pulse".to_owned(), |title| format!("{title} · Pulse"));
    html! {
        <!DOCTYPE html>
        <html lang="en">
            <head>
                <meta charset="utf-8"/>
                <meta name="viewport" content="width=device-width, initial-scale=1"/>
                <meta name="csrf-token" content={page.csrf_token}/>
                <meta name="color-scheme" content="light dark"/>
                <title data-suffix=" · Pulse">{title}</title>
                <link rel="icon" href={ASSETS.icon.path.as_str()} type="image/svg+xml"/>
                <link rel="stylesheet" href={ASSETS.style.path.as_str()}/>
                <script defer=true src={ASSETS.phoenix.path.as_str()}></script>
                <script defer=true src={ASSETS.live_view.path.as_str()}></script>
                <script defer=true src={ASSETS.start.path.as_str()}></script>
            </head>
            <body>{page.main()}</body>
        </html>
    }
}

/// The page of a status. It runs no script, so it needs nothing of the document.
pub(crate) fn error(status: StatusCode, _: &Document<'_>) -> Rendered {
    plain(status)
}

/// The page of a status, where there is no view.
pub(crate) fn plain(status: StatusCode) -> Rendered {
    let (title, text) = match status {
        StatusCode::NOT_FOUND => {
            ("Nothing here", "There is no such page. It may have been moved, or never was.")
        }
        StatusCode::FORBIDDEN => {
            ("Not for you", "Your account may not see this. Ask somebody who manages accounts.")
        }
        StatusCode::SERVICE_UNAVAILABLE => {
            ("Not now", "The shop can't answer at the moment. Try again shortly.")
        }
        status if status.is_client_error() => {
            ("That was not understood", "The address is not one that the shop has.")
        }
        _ => {
            ("Something broke", "The shop has noted it. Try again; if it happens again, tell us when it was.")
        }
    };
    let icon = ASSETS.icon.path.as_str();
    html! {
        <!DOCTYPE html>
        <html lang="en">
            <head>
                <meta charset="utf-8"/>
                <meta name="viewport" content="width=device-width, initial-scale=1"/>
                <title>{title} " · Pulse"</title>
                <link rel="icon" href={icon} type="image/svg+xml"/>
                <link rel="stylesheet" href={ASSETS.style.path.as_str()}/>
            </head>
            <body>
                <header class="top"><div><a class="brand" href="/"><img src={icon} alt="" width="28" height="28"/>Pulse</a></div></header>
                <main class="narrow">
                    <p class="soft">{status.as_u16()}</p>
                    <h1>{title}</h1>
                    <p>{text}</p>
                    <p><a class="btn" href="/">To the shop</a></p>
                </main>
            </body>
        </html>
    }
}

/// What a document may load and do: files, sockets and forms of this host. `host` is the request's own, since not every
/// browser takes `'self'` for sockets.
pub(crate) fn policy(host: &str, https: bool) -> HeaderValue {
    let sane =
        !host.is_empty() && host.bytes().all(|byte| byte.is_ascii_alphanumeric() || b".-:[]".contains(&byte));
    let socket = if sane { format!(" {}://{host}", if https { "wss" } else { "ws" }) } else { String::new() };
    let policy = format!(
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'{socket}; \
         form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
    );
    HeaderValue::from_str(&policy).unwrap_or(HeaderValue::from_static("default-src 'none'"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_forged_host_adds_nothing_to_the_policy() {
        let of = |host| policy(host, true).to_str().unwrap().to_owned();
        assert!(of("shop.example:8443").contains("connect-src 'self' wss://shop.example:8443;"));
        for forged in ["", "x; script-src *", "a b", "'self'"] {
            assert!(of(forged).contains("connect-src 'self';"), "{forged}");
        }
    }
}
