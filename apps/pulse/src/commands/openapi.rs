//! `pulse openapi`: prints the description of the HTTP API.
//!
//! **Invariant.** It is the document that the running shop serves at `/api/openapi.json`.

use crate::config::Config;
use crate::failure::Failure;
use crate::{output, rooms};

pub(super) fn run(config: &Config) -> Result<(), Failure> {
    let here = || format!("http://{}", config.server.listen);
    let public_url = config.server.public_url.clone().unwrap_or_else(here);
    let document = pulse_web::openapi(&rooms::web_config(config, public_url));
    let text = serde_json::to_string_pretty(&document).map_err(|error| Failure::failed(error.to_string()))?;
    output::line(text)
}
