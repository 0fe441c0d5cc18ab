//! Joins: what is believed, what is stale, and what a guard refuses.

use live::testing::{Browser, Departure};

use crate::app::{Bus, keys, live, live_with};

#[tokio::test]
async fn a_rotated_key_keeps_pages_and_a_key_that_is_gone_makes_them_stale() {
    let bus = Bus::new();
    let old = live_with(keys(&[1]), &bus);
    let rotated = live_with(keys(&[2, 1]), &bus);
    let after = live_with(keys(&[2]), &bus);
    let page = Browser::new(&old).open("/").await;
    let page = page.before(&rotated).try_reconnect().await.unwrap();
    let refused = page.before(&after).try_reconnect().await.unwrap_err();
    assert!(refused.contains(r#"{"reason":"stale"}"#), "{refused}");
    assert_eq!(after.stats().stale_joins, 1);
}

#[tokio::test]
async fn another_browser_can_t_use_a_page_s_tokens() {
    let live = live();
    let page = Browser::new(&live).open("/").await;
    let mut thief = Browser::new(&live);
    thief.get("/").await;
    let stolen = page.before(&live).given_to(thief).try_reconnect().await.unwrap_err();
    assert!(stolen.contains("stale"), "{stolen}");
}

#[tokio::test]
async fn a_guard_decides_before_each_mount() {
    let live = live();
    let mut stranger = Browser::new(&live);
    let answer = stranger.get("/account").await;
    assert_eq!((answer.status.as_u16(), answer.location.as_deref()), (302, Some("/")));
    assert_eq!(stranger.open("/").await.text("#flash"), "Please log in.");
    let member = Browser::new(&live).header("x-user", "ada");
    assert_eq!(member.open("/account").await.text("h1"), "account");
    let logged_out = Browser::new(&live).header("x-user", "gone").try_open("/account").await.unwrap_err();
    assert!(logged_out.contains(r#""redirect":{"flash":null,"to":"/"}"#), "{logged_out}");
    assert_eq!(live.stats().refused_joins, 1);
}

#[tokio::test]
async fn navigation_into_another_live_session_is_a_page_load() {
    let live = live();
    let mut page = Browser::new(&live).header("x-user", "ada").open("/").await;
    page.patch("/account").await;
    assert_eq!(page.departure(), Some(&Departure::Navigate("/account".into())));
    let page = page.follow().await;
    assert_eq!(page.text("h1"), "account");
    assert_eq!((live.stats().refused_joins, live.stats().dead_renders), (1, 2));
}

#[tokio::test]
async fn a_group_is_left_by_a_page_load_even_where_the_other_guard_would_agree() {
    let live = live();
    let mut page = Browser::new(&live).open("/").await;
    page.patch("/other/x").await;
    assert_eq!(page.follow().await.text("h1"), "x");
    assert_eq!((live.stats().refused_joins, live.stats().dead_renders), (1, 2));
}

#[tokio::test]
async fn a_document_names_the_browser_once() {
    let live = live();
    let mut browser = Browser::new(&live);
    let first = browser.get("/").await.html;
    let second = browser.get("/").await.html;
    let token = |html: &str| html.split("data-phx-session=\"").nth(1).unwrap().to_owned();
    assert_ne!(token(&first), token(&second), "each page has an id of its own");
}
