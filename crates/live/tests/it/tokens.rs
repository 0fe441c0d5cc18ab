//! Tokens, CSRF proofs and local paths: what must be believed, and what must not.

use std::time::Duration;

use live::token::{KeyError, Keys, Purpose, TokenError};
use live::{Flash, LocalPath, NotLocal, csrf};
use proptest::prelude::*;

const HOUR: Duration = Duration::from_hours(1);

fn keys(first: u8) -> Keys {
    Keys::new([[first; 32]]).unwrap()
}

#[test]
fn secrets_must_be_there_and_long() {
    assert_eq!(Keys::new(Vec::<Vec<u8>>::new()).unwrap_err(), KeyError::None);
    assert_eq!(Keys::new([b"short"]).unwrap_err(), KeyError::TooShort(5));
}

#[test]
fn a_token_is_good_for_its_purpose_and_browser_only() {
    let keys = keys(1);
    let token = keys.sign(Purpose::Session, b"browser", &7_u32, 100);
    assert_eq!(keys.open::<u32>(Purpose::Session, b"browser", &token, HOUR, 100), Ok(7));
    assert_eq!(keys.open::<u32>(Purpose::Static, b"browser", &token, HOUR, 100), Err(TokenError::Forged));
    assert_eq!(keys.open::<u32>(Purpose::Session, b"another", &token, HOUR, 100), Err(TokenError::Forged));
}

#[test]
fn a_token_expires_and_its_key_can_be_rotated() {
    let old = keys(1);
    let token = old.sign(Purpose::Session, b"", &7_u32, 100);
    let both = Keys::new([[2; 32], [1; 32]]).unwrap();
    assert_eq!(both.open::<u32>(Purpose::Session, b"", &token, HOUR, 100 + 3600), Ok(7));
    assert_eq!(both.open::<u32>(Purpose::Session, b"", &token, HOUR, 101 + 3600), Err(TokenError::Expired));
    assert_eq!(keys(2).open::<u32>(Purpose::Session, b"", &token, HOUR, 100), Err(TokenError::Forged));
    let newer = both.sign(Purpose::Session, b"", &7_u32, 100);
    assert_eq!(old.open::<u32>(Purpose::Session, b"", &newer, HOUR, 100), Err(TokenError::Forged));
}

proptest! {
    #[test]
    fn no_changed_token_is_believed(payload in "\\PC{0,40}", at in any::<prop::sample::Index>(), flip in 1_u8..=255) {
        use base64::Engine as _;
        use base64::engine::general_purpose::URL_SAFE_NO_PAD as B64;
        let keys = keys(9);
        let token = keys.sign(Purpose::Flash, b"b", &payload, 50);
        let mut bytes = B64.decode(&token).unwrap();
        let place = at.index(bytes.len());
        bytes[place] ^= flip;
        let opened = keys.open::<String>(Purpose::Flash, b"b", &B64.encode(bytes), HOUR, 50);
        prop_assert!(opened.is_err());
        prop_assert_eq!(keys.open::<String>(Purpose::Flash, b"b", &token, HOUR, 50), Ok(payload));
    }

    #[test]
    fn any_text_is_refused_and_never_panics(text in "\\PC{0,200}") {
        prop_assert!(keys(1).open::<()>(Purpose::Csrf, b"", &text, HOUR, 1).is_err());
    }

    #[test]
    fn what_parses_as_local_stays_on_this_host(text in "[/\\\\a-z?#:@. \t%]{0,12}") {
        if let Ok(path) = LocalPath::parse(&text) {
            let path = path.as_str();
            prop_assert!(path.starts_with('/') && !path.starts_with("//") && !path.contains('\\'));
            prop_assert!(!path.contains(char::is_whitespace));
        }
    }
}

#[test]
fn a_csrf_token_needs_its_cookie() {
    let keys = keys(3);
    let browser = csrf::BrowserId::random();
    let mut headers = axum::http::HeaderMap::new();
    let set = browser.set_cookie(false);
    let pair = set.split(';').next().unwrap();
    headers.insert("cookie", format!("a=b; {pair}; c=d").parse().unwrap());
    let back = csrf::BrowserId::from_headers(&headers, false).unwrap();
    assert!(csrf::verify(&keys, &back, &csrf::token(&keys, &browser)));
    assert_eq!(
        csrf::BrowserId::from_headers(&headers, true),
        None,
        "a site on https takes its own cookie only"
    );
    headers.insert("cookie", "live=short".parse().unwrap());
    assert_eq!(csrf::BrowserId::from_headers(&headers, false), None);
}

#[test]
fn a_flash_travels_signed() {
    let (ours, theirs) = (keys(4), keys(5));
    let mut flash = Flash::default();
    assert_eq!(flash.sign(&ours, 10), None);
    flash.put("info", "Saved.");
    flash.put("info", "Saved again.");
    let token = flash.sign(&ours, 10).unwrap();
    assert_eq!(Flash::open(&ours, &token, 20).get("info"), Some("Saved again."));
    assert!(Flash::open(&theirs, &token, 20).is_empty());
    assert!(
        Flash::open(&ours, &token, 1_000).is_empty(),
        "a flash is for the next page, not for the next hour"
    );
}

#[test]
fn a_client_s_url_is_read_as_a_path_here() {
    let of = |url| LocalPath::of_url(url).map(|path| path.to_string());
    assert_eq!(of("http://shop.example:4000/orders/7?page=2#top").unwrap(), "/orders/7?page=2");
    assert_eq!(of("https://shop.example").unwrap(), "/");
    assert_eq!(of("https://shop.example?x=1").unwrap(), "/?x=1");
    assert_eq!(of("/plain?to=http://x/y").unwrap(), "/plain?to=http://x/y");
    assert_eq!(of("javascript:alert(1)"), Err(NotLocal::NoSlash));
    assert_eq!(of("http://shop.example//evil.example/"), Err(NotLocal::OtherHost));
}
