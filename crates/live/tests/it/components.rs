//! Components: their own events, what they are told, and their end.

use live::testing::Browser;
use serde_json::json;

use crate::app::live;

#[tokio::test]
async fn a_component_counts_for_itself() {
    let live = live();
    let mut page = Browser::new(&live).open("/").await;
    page.forge("like", json!({ "shown": true })).await;
    page.click("#like").await;
    page.click("#like").await;
    assert_eq!(page.text("#like"), "2 likes");
    page.forge("tell", json!({ "likes": 40 })).await;
    page.click("#like").await;
    assert_eq!(page.text("#like"), "41 likes");
}

#[tokio::test]
async fn a_component_that_was_hidden_comes_back_as_it_was() {
    let mut page = Browser::new(&live()).open("/").await;
    page.forge("like", json!({ "shown": true })).await;
    page.click("#like").await;
    page.click("#shout").await;
    assert_eq!((page.text("#flash"), page.has("#like")), ("Liked!".into(), false));
    page.click("#flash").await;
    assert_eq!(page.text("#like"), "1 likes");
}

#[tokio::test]
async fn a_component_whose_handle_is_dropped_is_gone() {
    let live = live();
    let mut page = Browser::new(&live).open("/").await;
    page.forge("like", json!({ "shown": true })).await;
    let cid = page.attr("section", "data-phx-component").unwrap();
    page.forge("like", json!({ "shown": false })).await;
    assert!(!page.has("#like"));
    page.forge("like", json!({ "shown": true })).await;
    assert_eq!(page.text("#like"), "0 likes");
    assert_ne!(page.attr("section", "data-phx-component").unwrap(), cid, "numbers are not used again");
    page.forge_for(cid.parse().unwrap(), "like", json!({})).await;
    page.forge_for(-5, "like", json!({})).await;
    assert_eq!((page.text("#like"), live.stats().component_gone), ("0 likes".into(), 2));
}
