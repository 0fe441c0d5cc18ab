//! How a browser is told to go elsewhere.
//!
//! Invariant: whoever is sent away is told where to, with the flash that goes along.

use axum::http::StatusCode;
use serde_json::json;

use crate::flash::Flash;
use crate::live::Inner;
use crate::path::LocalPath;
use crate::token::unix_now;
use crate::view::Halt;

/// The push that sends the browser elsewhere.
pub(crate) fn departure(live: &Inner, halt: Halt, here: &LocalPath) -> (&'static str, String) {
    let signed = |flash: &Flash| flash.sign(&live.keys, unix_now());
    match halt {
        Halt::Redirect { to, flash } => {
            ("redirect", json!({ "to": to.as_str(), "flash": signed(&flash) }).to_string())
        }
        Halt::Navigate { to, flash } => {
            let payload = json!({ "to": to.as_str(), "kind": "push", "flash": signed(&flash) });
            ("live_redirect", payload.to_string())
        }
        // The page is loaded again, and the first answer has the status.
        Halt::Status(_) => ("redirect", json!({ "to": here.as_str() }).to_string()),
    }
}

/// The answer to a join that was not let in.
pub(crate) fn refusal(live: &Inner, halt: Halt, here: &LocalPath) -> String {
    if let Halt::Status(status) = halt {
        return reload(status);
    }
    let (event, payload) = departure(live, halt, here);
    format!("{{\"{event}\":{payload}}}")
}

fn reload(status: StatusCode) -> String {
    // Without a token: the page that is loaded finds the same status by itself.
    json!({ "reason": "reload", "status": status.as_u16() }).to_string()
}
