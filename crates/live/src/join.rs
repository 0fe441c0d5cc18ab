//! A browser's join: which view it may have, decided from signed tokens alone.
//!
//! Invariant: nothing that the client says is believed unless a token says the same: the view, the live session, the
//! session data and the flash. The address is routed anew.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::connected::CrashCount;
use crate::csrf::BrowserId;
use crate::ctx::Mailbox;
use crate::departure::refusal;
use crate::flash::Flash;
use crate::live::Inner;
use crate::mounted::Arrival;
use crate::path::LocalPath;
use crate::route::{Session, Welcome};
use crate::stats::Count;
use crate::token::{Purpose, TokenError, unix_now};

/// What `data-phx-session` holds.
#[derive(Serialize, Deserialize)]
pub(crate) struct SessionToken {
    pub(crate) id: String,
    pub(crate) view: String,
    pub(crate) live_session: String,
    pub(crate) session: Session,
}

/// What `data-phx-static` holds.
#[derive(Serialize, Deserialize)]
pub(crate) struct StaticToken {
    pub(crate) id: String,
    pub(crate) flash: Flash,
}

/// What the client sends to join.
#[derive(Deserialize)]
pub(crate) struct JoinPayload<'a> {
    #[serde(borrow, default)]
    url: Option<std::borrow::Cow<'a, str>>,
    #[serde(borrow, default)]
    redirect: Option<std::borrow::Cow<'a, str>>,
    #[serde(borrow, default)]
    session: Option<std::borrow::Cow<'a, str>>,
    #[serde(borrow, default, rename = "static")]
    fixed: Option<std::borrow::Cow<'a, str>>,
    #[serde(borrow, default)]
    flash: Option<std::borrow::Cow<'a, str>>,
    #[serde(default)]
    params: JoinParams,
}

#[derive(Deserialize, Default)]
struct JoinParams {
    #[serde(default, rename = "_mounts")]
    mounts: u64,
}

/// Makes the client load the page again, once.
const STALE: &str = r#"{"reason":"stale"}"#;
/// The same, for a view of another live session.
const UNAUTHORIZED: &str = r#"{"reason":"unauthorized"}"#;

/// Mounts the view that a join may have; otherwise the error that the client is told.
///
/// `browser` is absent where the socket came without a good CSRF proof. `id` is the topic's part behind `lv:`.
pub(crate) async fn join(
    live: &Arc<Inner>,
    browser: Option<&BrowserId>,
    id: &str,
    payload: &JoinPayload<'_>,
    mailbox: Mailbox,
) -> Result<Welcome, String> {
    let counters = &live.counters;
    let stale = |why: &'static str, count: &Count| {
        counters.stale_joins.one();
        count.one();
        tracing::info!(why, "join refused as stale");
        STALE.to_owned()
    };
    let Some(browser) = browser else { return Err(stale("no CSRF proof", &counters.unproven_joins)) };
    let now = unix_now();
    let bound = browser.as_bytes();
    let token = payload.session.as_deref().unwrap_or_default();
    let opened = live.keys.open::<SessionToken>(Purpose::Session, bound, token, live.token_age, now);
    let token = match opened {
        Ok(token) if token.id == id => token,
        Ok(_) => return Err(stale("the session token is of another page", &counters.misplaced_tokens)),
        Err(TokenError::Expired) => {
            return Err(stale("the session token has expired", &counters.expired_tokens));
        }
        Err(TokenError::Forged | TokenError::Malformed) => {
            return Err(stale("the session token is not believed", &counters.forged_tokens));
        }
    };
    let (url, navigated) = match (&payload.redirect, &payload.url) {
        (Some(url), _) => (url, true),
        (None, Some(url)) => (url, false),
        (None, None) => return Err(stale("no address", &counters.malformed_joins)),
    };
    let Ok(uri) = LocalPath::of_url(url) else {
        return Err(stale("the address is none", &counters.malformed_joins));
    };
    let Some((route, Ok(params))) = live.route(&uri) else {
        return Err(stale("the address has no view", &counters.malformed_joins));
    };
    if route.group() != token.live_session {
        live.counters.refused_joins.one();
        return Err(UNAUTHORIZED.to_owned());
    }
    if !navigated && route.view() != token.view {
        return Err(stale("the address is of another view", &counters.misplaced_tokens));
    }
    let flash = match (&payload.flash, &payload.fixed) {
        (Some(flash), _) => Flash::open(&live.keys, flash, now),
        // The first join of a page shows what its dead render has shown.
        (None, Some(fixed)) if !navigated && payload.params.mounts == 0 => {
            let opened = live.keys.open::<StaticToken>(Purpose::Static, bound, fixed, live.token_age, now);
            opened.ok().filter(|fixed| fixed.id == id).map(|fixed| fixed.flash).unwrap_or_default()
        }
        _ => Flash::default(),
    };
    let _count = CrashCount(live.clone());
    let arrival = Arrival::new(live.clone(), true, uri.clone(), flash);
    let connecting = route.connect(arrival, &token.session, params, mailbox);
    connecting.await.map_err(|halt| {
        live.counters.refused_joins.one();
        refusal(live, halt, &uri)
    })
}
