//! The pages of one's account, opened in process: each step also checks the diff against a full render.

use live::testing::{Browser, Tab};
use pulse_core::order::Step;
use pulse_core::{OrderId, Role};
use pulse_data::db_test;

use crate::stage::{SYSTEM, Shop};

/// Buys one piece, and stands on the order's page.
async fn buy(browser: &Browser) -> Tab {
    browser.clone().open("/").await.click("[phx-value-sku=A1]").await;
    let mut page = browser.clone().open("/checkout").await;
    page.submit("#checkout", &[("order[country]", "Norway")]).await;
    page.follow().await
}

fn number(order: &Tab) -> OrderId {
    OrderId(order.path().rsplit('/').next().unwrap().parse().unwrap())
}

db_test!(an_order_is_followed_on_its_page_and_in_the_list, |repo| async move {
    let shop = Shop::open(repo).await;
    shop.stock(1, 5).await;
    let browser = shop.browser_of(Role::Buyer).await;
    let mut list = browser.clone().open("/account/orders").await;
    assert!(list.text("main").contains("not ordered anything"));
    let mut order = buy(&browser).await;
    assert!(order.path().starts_with("/account/orders/"), "{}", order.path());
    list.settle().await;
    assert_eq!(list.count("#orders li"), 1, "a new order is on top at once");
    for (step, word) in [(Step::Pay, "Paid"), (Step::Pack, "Packed"), (Step::Ship, "On its way")] {
        shop.rooms.orders.step(&SYSTEM, number(&order), step).await.unwrap();
        order.settle().await;
        list.settle().await;
        assert_eq!(order.text("main h1 + .tag"), word);
        assert_eq!(list.text("#orders .tag"), word);
    }
    let stranger = shop.browser_of(Role::Buyer).await;
    let path = order.path().to_owned();
    assert_eq!(stranger.clone().get(&path).await.status, 404, "another's order is none");
    let nobody = shop.browser().get(&path).await;
    assert_eq!(nobody.status, 302, "who is not signed in signs in first");
});

db_test!(an_order_is_cancelled_while_it_may_be, |repo| async move {
    let shop = Shop::open(repo).await;
    shop.stock(1, 5).await;
    let mut order = buy(&shop.browser_of(Role::Buyer).await).await;
    order.click("[phx-click=cancel]").await;
    assert_eq!(order.text("main h1 + .tag"), "Cancelled");
    assert!(!order.has("[phx-click=cancel]"));
});

db_test!(a_return_is_asked_for_with_what_is_wrong_beside_the_field, |repo| async move {
    let shop = Shop::open(repo).await;
    shop.stock(1, 5).await;
    let browser = shop.browser_of(Role::Buyer).await;
    let mut order = buy(&browser).await;
    assert!(!order.has("#return"), "nothing can go back that was not sent");
    for step in [Step::Pay, Step::Pack, Step::Ship] {
        shop.rooms.orders.step(&SYSTEM, number(&order), step).await.unwrap();
    }
    order.settle().await;
    order.change("#return", &[("return[line_1]", "2")]).await;
    assert!(order.text("#return_line_1_error").contains("1 at most"), "{}", order.html());
    order.submit("#return", &[("return[line_1]", "1"), ("return[reason]", "It is chipped")]).await;
    assert!(!order.has("#return"), "one request at a time: {}", order.html());
    let list = browser.clone().open("/account/returns").await;
    assert!(list.text("main").contains("It is chipped"));
});

db_test!(a_token_is_shown_once_and_opens_the_api, |repo| async move {
    let shop = Shop::open(repo).await;
    let browser = shop.browser_of(Role::Buyer).await;
    let mut account = browser.clone().open("/account").await;
    account.submit("#token", &[("token[name]", "")]).await;
    assert!(account.text("#token_name_error").contains("1 to 80"), "{}", account.html());
    account.submit("#token", &[("token[name]", "my script")]).await;
    let secret = account.text("#made");
    let mut program = shop.client();
    program.bearer = Some(secret);
    assert_eq!(program.get("/api/v1/account").await.status, 200);
    let again = browser.clone().open("/account").await;
    assert!(!again.has("#made") && again.text("main").contains("my script"));
    account.click("[phx-click=revoke]").await;
    assert_eq!(program.get("/api/v1/account").await.status, 401);
});

db_test!(another_password_needs_the_old_one_and_ends_what_runs_elsewhere, |repo| async move {
    let shop = Shop::open(repo).await;
    let (email, old) = ("ann@shop.example", "long enough for a test");
    let accounts = &shop.rooms.accounts;
    accounts.bootstrap(email, old, Role::Buyer).await.unwrap();
    let (here, there) = (
        accounts.sign_in(email, old, "here").await.unwrap(),
        accounts.sign_in(email, old, "there").await.unwrap(),
    );
    let mut page = shop.browser().cookie("pulse-session", here.token.reveal()).open("/account").await;
    let mut other = shop.browser().cookie("pulse-session", there.token.reveal()).open("/account").await;
    page.change("#change-0", &[("change[new_password]", "short")]).await;
    assert_eq!(page.text("#change_new_password_error"), "must have 10 to 256 characters");
    let change = |old, new| [("change[old_password]", old), ("change[new_password]", new)];
    page.submit("#change-0", &change("another password", "a third password")).await;
    assert_eq!(page.text("#change_old_password_error"), "is another one");
    page.submit("#change-0", &change(old, old)).await;
    assert_eq!(page.text("#change_new_password_error"), "is the one you have");
    page.submit("#change-0", &change(old, "a third password")).await;
    assert!(page.has("#change-1"), "what was typed goes with its form: {}", page.html());
    assert!(!page.html().contains("third"), "no password comes back into the page");
    assert_eq!(page.count("[phx-click=sign_out_there]"), 1);
    other.submit("#token", &[("token[name]", "mine")]).await;
    assert_eq!(other.text(".message.error span"), "You are no longer signed in.");
    page.submit("#token", &[("token[name]", "mine")]).await;
    assert!(page.has("#made"), "who has changed it stays: {}", page.html());
    assert!(shop.rooms.accounts.sign_in(email, "a third password", "").await.is_ok());
});

db_test!(guessing_the_old_password_is_slowed_down, |repo| async move {
    let shop = Shop::open(repo).await;
    let mut page = shop.browser_of(Role::Buyer).await.open("/account").await;
    let change = [("change[old_password]", "a wild guess"), ("change[new_password]", "a third password")];
    for _ in 0..5 {
        page.submit("#change-0", &change).await;
        assert_eq!(page.text("#change_old_password_error"), "is another one");
    }
    page.submit("#change-0", &change).await;
    assert!(page.text("#change_old_password_error").contains("too often"), "{}", page.html());
});
