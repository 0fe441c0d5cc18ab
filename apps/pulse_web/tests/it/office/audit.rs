//! The audit trail: read by admins, filtered, followed and verified.

use futures::FutureExt as _;
use pulse_core::{Role, Sku};
use pulse_data::audit::Sealer;
use pulse_data::{Repo, Sql as _, db_test};

use crate::stage::{SYSTEM, Shop};

async fn seal(repo: &Repo) {
    Sealer::new(repo.clone()).seal().await.unwrap();
}

db_test!(admins_alone_read_it_and_it_is_followed, |repo| async move {
    let shop = Shop::open(repo).await;
    shop.stock(1, 5).await;
    for role in [Role::Support, Role::Manager] {
        let browser = shop.browser_of(role).await;
        assert_eq!(browser.clone().get("/office/audit").await.status, 403, "{role}");
        assert!(!browser.open("/office").await.has("a[href='/office/audit']"), "{role}");
    }
    let mut page = shop.browser_of(Role::Admin).await.open("/office/audit").await;
    let before = page.count("#trail tr");
    assert!(before > 0 && page.has("a[href='/office/audit']"));
    page.change("#look", &[("action", "product.stock")]).await;
    assert_eq!((page.path(), page.count("#trail tr")), ("/office/audit?action=product.stock", 0));
    shop.rooms.catalog.set_stock(&SYSTEM, Sku::new("A1").unwrap(), 7).await.unwrap();
    while page.count("#trail tr") == 0 {
        page.next_message().await;
    }
    assert_eq!(page.texts("#trail td:nth-child(4)"), ["product:A1"]);
});

db_test!(it_is_verified_beside_the_page_and_a_changed_row_is_named, |repo| async move {
    let shop = Shop::open(repo.clone()).await;
    shop.stock(1, 5).await;
    let admin = shop.browser_of(Role::Admin).await;
    seal(&repo).await;
    let mut page = admin.open("/office/audit").await;
    page.click("[phx-click=verify]").await;
    while !page.has("#head") {
        page.next_message().await;
    }
    assert_eq!((page.text("#chain .tag"), page.text("#head").len()), ("Whole".to_owned(), 64));
    let sql = "UPDATE audit_log SET who = 'nobody' WHERE seal_no = 1";
    repo.write_with(sql, |tx, sql| async move { tx.script(sql).await }.boxed()).await.unwrap();
    page.click("[phx-click=verify]").await;
    while page.text("#chain .tag") != "Broken" {
        page.next_message().await;
    }
    assert!(page.text("#findings").contains("row 1"), "{}", page.text("#findings"));
});
