//! A view's life: mounting, events, addresses, messages, tasks.

use live::testing::{Browser, Departure};
use serde_json::json;

use crate::app::{Bus, keys, live, live_with};

#[tokio::test]
async fn the_first_answer_is_whole_without_a_script() {
    let live = live();
    let answer = Browser::new(&live).get("/?page=3").await;
    assert_eq!(answer.status, 200);
    assert!(answer.html.contains("<p id=\"count\">0</p>") && answer.html.contains("<i id=\"page\">3</i>"));
    assert!(answer.html.contains("<title>Home</title>"));
    assert_eq!((live.stats().dead_renders, live.stats().mounts), (1, 0));
}

#[tokio::test]
async fn clicks_change_what_is_shown() {
    let live = live();
    let mut page = Browser::new(&live).open("/").await;
    assert_eq!(page.title(), Some("Home"));
    page.click("#add").await;
    assert!(!page.has("#big"));
    page.click("#add").await;
    assert_eq!((page.text("#count"), page.text("#big")), ("4".into(), "4 is big".into()));
    page.click("#rev").await;
    assert_eq!(page.texts("li"), ["3", "2", "1"]);
    page.click("li:nth-child(2) a").await;
    assert_eq!(page.texts("li"), ["3", "1"]);
    assert_eq!((live.stats().events, live.stats().diffs, live.stats().connected), (4, 4, 1));
    drop(page);
    assert_eq!(live.stats().connected, 0);
}

#[tokio::test]
async fn a_form_keeps_what_was_typed_and_shows_errors_where_somebody_was() {
    let mut page = Browser::new(&live()).open("/").await;
    page.change("#order", &[("order[note]", "as a gift")]).await;
    assert_eq!(page.text("#qty-errors"), "", "nobody was in that field yet");
    page.change("#order", &[("order[qty]", "many")]).await;
    assert!(page.text("#qty-errors").contains("whole number"), "{}", page.html());
    assert_eq!(page.attr("[name='order[qty]']", "value").as_deref(), Some("many"));
    assert_eq!(page.text("textarea"), "as a gift");
    page.submit("#order", &[("order[qty]", "12")]).await;
    assert_eq!(page.text("#qty-errors"), "is too many");
    page.submit("#order", &[("order[qty]", "3")]).await;
    assert_eq!((page.text("#note"), page.text("#flash")), ("3 as a gift".into(), "Saved.".into()));
    assert_eq!((page.path(), page.text("#page")), ("/?page=7", "7".into()));
}

#[tokio::test]
async fn a_patch_takes_the_address_and_an_old_flash_away() {
    let mut page = Browser::new(&live()).open("/").await;
    page.submit("#order", &[("order[qty]", "3")]).await;
    assert!(page.has("#flash"));
    page.patch("/?page=8").await;
    assert_eq!((page.text("#page"), page.has("#flash")), ("8".into(), false));
    page.forge("page", json!({ "to": "9" })).await;
    assert_eq!((page.path(), page.text("#page")), ("/?page=9", "9".into()));
    page.patch("/about/x").await;
    assert_eq!(page.departure(), Some(&Departure::Navigate("/about/x".into())));
}

#[tokio::test]
async fn a_flash_is_cleared_by_the_client_s_own_event() {
    let mut page = Browser::new(&live()).open("/").await;
    page.submit("#order", &[("order[qty]", "3")]).await;
    page.click("#flash").await;
    assert!(!page.has("#flash"));
}

#[tokio::test]
async fn parameters_decide_over_what_is_found() {
    let live = live();
    let browser = Browser::new(&live);
    for (path, status) in [("/?page=0", 404), ("/?page=x", 404), ("/nowhere", 404), ("/about/secret", 403)] {
        let answer = browser.clone().get(path).await;
        assert_eq!(answer.status, status, "{path}");
    }
    let mut page = browser.clone().open("/").await;
    page.forge("page", json!({ "to": 0 })).await;
    assert_eq!(page.departure(), Some(&Departure::Redirect("/?page=0".into())));
    let mut visitor = browser;
    let answer = visitor.get("/?page=99").await;
    assert_eq!((answer.status.as_u16(), answer.location.as_deref()), (302, Some("/?page=1")));
    let page = visitor.open("/?page=1").await;
    assert_eq!(page.text("#flash"), "No such page.");
    let page = page.reconnect().await;
    assert!(!page.has("#flash"), "a flash is shown by the first join only");
}

#[tokio::test]
async fn navigation_takes_the_flash_along_and_segments_are_decoded() {
    let mut page = Browser::new(&live()).open("/").await;
    page.forge("leave", json!({ "flash": "Bye & back" })).await;
    assert_eq!(page.departure(), Some(&Departure::Navigate("/about/a%2Fb".into())));
    let page = page.follow().await;
    assert_eq!((page.text("h1"), page.text("#flash")), ("a/b".into(), "Bye & back".into()));
}

#[tokio::test]
async fn a_redirect_leaves_the_page() {
    let mut page = Browser::new(&live()).open("/").await;
    page.forge("away", json!({})).await;
    assert_eq!(page.departure(), Some(&Departure::Redirect("/plain".into())));
}

#[tokio::test]
async fn title_events_and_hooks_answers_travel_beside_the_markup() {
    let mut page = Browser::new(&live()).open("/").await;
    page.forge("title", json!({})).await;
    assert_eq!(page.title(), Some("Another & more"));
    assert_eq!(page.events(), [("greet".to_owned(), json!({ "name": "Bo" }))]);
    let answer = page.hook("#hook", "ask", json!({ "question": "why?" })).await;
    assert_eq!(answer, Some(json!({ "answer": 4 })));
}

#[tokio::test]
async fn an_event_that_is_not_understood_changes_nothing_and_is_counted() {
    let live = live();
    let mut page = Browser::new(&live).open("/").await;
    page.click("#add").await;
    page.forge("drop_table", json!({})).await;
    page.forge("add", json!({ "by": "many" })).await;
    page.forge("add", json!([])).await;
    assert_eq!(page.text("#count"), "2");
    assert_eq!((live.stats().events, live.stats().refused_events), (1, 3));
}

#[tokio::test]
async fn every_open_page_hears_the_bus() {
    let bus = Bus::new();
    let live = live_with(keys(&[1]), &bus);
    let mut one = Browser::new(&live).open("/").await;
    let mut two = Browser::new(&live).open("/").await;
    assert_eq!(bus.publish("stock", 17).delivered, 2, "dead renders do not subscribe");
    one.settle().await;
    two.settle().await;
    assert_eq!((one.text("#count"), two.text("#count")), ("17".into(), "17".into()));
    drop(one);
    assert_eq!(bus.publish("stock", 18).delivered, 1);
}

#[tokio::test(start_paused = true)]
async fn a_task_s_result_and_its_crash_are_messages() {
    let live = live();
    let mut page = Browser::new(&live).open("/").await;
    page.forge("work", json!({ "panic": false })).await;
    assert_eq!(page.text("#note"), "");
    page.next_message().await;
    assert_eq!(page.text("#note"), "42");
    page.forge("work", json!({ "panic": true })).await;
    page.next_message().await;
    assert_eq!((page.text("#note"), live.stats().async_crashes), ("the task crashed".into(), 1));
    page.forge("later", json!({})).await;
    page.next_message().await;
    assert_eq!(page.text("#note"), "late");
}

#[tokio::test(start_paused = true)]
async fn a_cancelled_task_says_nothing() {
    let live = live();
    let mut page = Browser::new(&live).open("/").await;
    page.forge("work", json!({ "panic": false })).await;
    page.forge("cancel_work", json!({})).await;
    tokio::time::sleep(std::time::Duration::from_mins(1)).await;
    page.settle().await;
    assert_eq!((page.text("#note"), live.stats().infos), (String::new(), 0));
    page.forge("work", json!({ "panic": false })).await;
    page.forge("work", json!({ "panic": false })).await;
    tokio::time::sleep(std::time::Duration::from_mins(1)).await;
    page.settle().await;
    assert_eq!((page.text("#note"), live.stats().infos), ("42".into(), 1), "one task of a name at a time");
}

#[tokio::test]
async fn patching_in_a_circle_ends() {
    let mut page = Browser::new(&live()).open("/").await;
    page.forge("circle", json!({})).await;
    assert!(matches!(page.departure(), Some(Departure::Redirect(_))));
}

#[tokio::test]
async fn a_view_that_crashes_in_its_first_render_is_a_500() {
    let live = live();
    let answer = Browser::new(&live).get("/about/crash").await;
    assert_eq!((answer.status.as_u16(), live.stats().crashes), (500, 1));
}

#[tokio::test]
#[should_panic(expected = "nothing on the page matches")]
async fn clicking_what_is_not_there_fails_the_test() {
    Browser::new(&live()).open("/").await.click("#missing").await;
}

#[tokio::test]
#[should_panic(expected = "is disabled")]
async fn clicking_what_is_disabled_fails_the_test() {
    Browser::new(&live()).open("/").await.click("#dead").await;
}

#[tokio::test]
#[should_panic(expected = "has no field")]
async fn typing_into_a_field_that_is_not_there_fails_the_test() {
    Browser::new(&live()).open("/").await.change("#order", &[("order[price]", "1")]).await;
}
