//! The files that pages load: style, scripts, icon; embedded in the binary.
//!
//! **Invariant.** A file's address holds the hash of its content, so whoever has it may keep it for ever, and a page
//! never loads another version than the one it was written for. An address of another version is answered 404.

use std::io::Write;
use std::sync::LazyLock;

use axum::body::Body;
use axum::extract::Path;
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use flate2::Compression;
use flate2::write::GzEncoder;
use sha2::{Digest, Sha256};

use crate::problem::{Kind, Problem};

/// One embedded file.
#[derive(Debug)]
pub(crate) struct Asset {
    /// Under which address pages load it.
    pub(crate) path: String,
    kind: HeaderValue,
    plain: Bytes,
    /// The same, compressed; sent to those who take it.
    gzip: Bytes,
}

/// All of them.
#[derive(Debug)]
pub(crate) struct Assets {
    pub(crate) style: Asset,
    pub(crate) icon: Asset,
    /// The official Phoenix client: sockets and channels.
    pub(crate) phoenix: Asset,
    /// The official client of live views.
    pub(crate) live_view: Asset,
    /// What starts them.
    pub(crate) start: Asset,
}

/// The files, hashed and compressed when they are first asked for.
pub(crate) static ASSETS: LazyLock<Assets> = LazyLock::new(|| {
    const SCRIPT: &str = "text/javascript; charset=utf-8";
    Assets {
        style: Asset::new("app", "css", "text/css; charset=utf-8", include_bytes!("../assets/app.css")),
        icon: Asset::new("icon", "svg", "image/svg+xml", include_bytes!("../assets/icon.svg")),
        phoenix: Asset::new("phoenix", "js", SCRIPT, include_bytes!("../assets/vendor/phoenix.min.js")),
        live_view: Asset::new(
            "phoenix_live_view",
            "js",
            SCRIPT,
            include_bytes!("../assets/vendor/phoenix_live_view.min.js"),
        ),
        start: Asset::new("app", "js", SCRIPT, include_bytes!("../assets/app.js")),
    }
});

impl Asset {
    fn new(name: &str, extension: &str, kind: &'static str, content: &'static [u8]) -> Self {
        let hash = hash(content);
        Self {
            path: format!("/assets/{name}-{hash}.{extension}"),
            kind: HeaderValue::from_static(kind),
            plain: Bytes::from_static(content),
            gzip: gzip(content),
        }
    }
}

/// Sixty-four bits of the content's SHA-256, in hexadecimal digits: enough to tell versions of one file apart.
fn hash(content: &[u8]) -> String {
    let digest = Sha256::digest(content);
    let bits = digest.iter().take(8).fold(0_u64, |bits, byte| bits << 8 | u64::from(*byte));
    format!("{bits:016x}")
}

/// Compressed; empty where that fails, which means "send it plain".
fn gzip(content: &[u8]) -> Bytes {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
    match encoder.write_all(content).and_then(|()| encoder.finish()) {
        Ok(packed) if packed.len() < content.len() => packed.into(),
        Ok(_) | Err(_) => Bytes::new(),
    }
}

impl Assets {
    fn all(&self) -> [&Asset; 5] {
        [&self.style, &self.icon, &self.phoenix, &self.live_view, &self.start]
    }
}

/// Answers `/assets/{file}`.
pub(crate) async fn serve(Path(file): Path<String>, headers: HeaderMap) -> Response {
    let found = ASSETS.all().into_iter().find(|asset| asset.path.strip_prefix("/assets/") == Some(&file));
    let Some(asset) = found else {
        return Problem::new(Kind::NotFound, "no such file: load the page again for its present files")
            .into_response();
    };
    let takes_gzip = headers
        .get_all(header::ACCEPT_ENCODING)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(','))
        .any(|coding| coding.trim().eq_ignore_ascii_case("gzip"));
    let packed = takes_gzip && !asset.gzip.is_empty();
    let body = if packed { asset.gzip.clone() } else { asset.plain.clone() };
    let mut response = (StatusCode::OK, Body::from(body)).into_response();
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, asset.kind.clone());
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("public, max-age=31536000, immutable"));
    headers.insert(header::VARY, HeaderValue::from_static("accept-encoding"));
    if packed {
        headers.insert(header::CONTENT_ENCODING, HeaderValue::from_static("gzip"));
    }
    response
}

#[cfg(test)]
mod tests {
    use super::*;

    async fn get(path: &str, coding: &str) -> Response {
        let file = path.trim_start_matches("/assets/").to_owned();
        let mut headers = HeaderMap::new();
        headers.insert(header::ACCEPT_ENCODING, HeaderValue::from_str(coding).unwrap());
        serve(Path(file), headers).await
    }

    #[tokio::test]
    async fn a_file_is_kept_for_ever_under_the_hash_of_its_content() {
        for asset in ASSETS.all() {
            let answer = get(&asset.path, "br, gzip").await;
            assert_eq!(answer.status(), 200, "{}", asset.path);
            assert!(answer.headers()[header::CACHE_CONTROL].to_str().unwrap().contains("immutable"));
            let plain = get(&asset.path, "br").await;
            assert!(plain.headers().get(header::CONTENT_ENCODING).is_none());
            let body = axum::body::to_bytes(plain.into_body(), 1 << 20).await.unwrap();
            assert!(asset.path.contains(&hash(&body)));
        }
    }

    #[tokio::test]
    async fn an_older_version_is_not_found() {
        assert_eq!(get("/assets/app-0000000000000000.css", "gzip").await.status(), 404);
    }
}
