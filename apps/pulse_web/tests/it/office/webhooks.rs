//! Webhook endpoints in the office: made, changed, switched, and sent to again.

use pulse_core::Role;
use pulse_data::db_test;
use pulse_data::webhooks::{DeliveryState, EndpointId};

use crate::stage::{SYSTEM, Shop};

db_test!(an_endpoint_is_made_and_its_secret_shown_once, |repo| async move {
    let shop = Shop::open(repo).await;
    let admin = shop.browser_of(Role::Admin).await;
    let mut page = admin.clone().open("/office/webhooks").await;
    page.submit("#new-webhook", &[("webhook[url]", "ftp://example.com")]).await;
    assert!(page.text("#webhook_url_error").contains("http"), "{}", page.html());
    assert!(page.text("#events-error").contains("at least one"));
    let fields = [("webhook[url]", "https://example.com/hooks"), ("webhook[order_paid]", "true")];
    page.submit("#new-webhook", &fields).await;
    assert!(page.text("#secret").starts_with("whsec_"), "{}", page.html());
    assert_eq!(page.texts("#endpoints td:nth-child(3)"), ["order.paid"]);
    let again = admin.open("/office/webhooks").await;
    assert!(!again.html().contains("whsec_") && again.text("#endpoints .tag") == "Well");
});

db_test!(an_endpoint_is_changed_switched_and_sent_to_again, |repo| async move {
    let shop = Shop::open(repo).await;
    let new = pulse_data::webhooks::NewEndpoint {
        url: "https://example.com/hooks".to_owned(),
        events: pulse_data::webhooks::EventKind::choices().collect(),
        description: String::new(),
    };
    shop.rooms.webhooks.create(&SYSTEM, new).await.unwrap();
    let endpoint = async || shop.rooms.webhooks.get(&SYSTEM, EndpointId(1)).await.unwrap();
    let mut page = shop.browser_of(Role::Admin).await.open("/office/webhooks/1").await;
    let fields = [("webhook[url]", "https://example.com/other"), ("webhook[description]", "The warehouse")];
    page.submit("#settings", &fields).await;
    assert_eq!(endpoint().await.url, "https://example.com/other");
    page.click("[phx-click=rotate]").await;
    assert!(page.text("#secret").starts_with("whsec_") && page.text("#health").contains("signs too"));
    page.click("[phx-click=test]").await;
    assert_eq!(page.texts("#deliveries td:nth-child(1)"), ["webhook.test"]);
    page.click("[phx-click=switch]").await;
    assert_eq!(
        (endpoint().await.enabled, page.texts("#deliveries .tag")),
        (false, vec!["Failed".to_owned()])
    );
    page.click("[phx-click=redeliver]").await;
    assert_eq!(page.texts("#deliveries .tag"), ["Failed"], "it is switched off");
    page.click("[phx-click=switch]").await;
    page.click("[phx-click=redeliver]").await;
    assert_eq!(page.texts("#deliveries .tag"), ["Under way"]);
    page.click("[phx-click=open]").await;
    assert!(page.text("#opened pre").contains("webhook.test"), "{}", page.html());
    let query = pulse_data::webhooks::DeliveryQuery { limit: 10, ..Default::default() };
    let deliveries = shop.rooms.webhooks.deliveries(&SYSTEM, &query).await.unwrap().items;
    assert_eq!(deliveries.iter().map(|one| one.state).collect::<Vec<_>>(), [DeliveryState::Pending]);
    page.click("[phx-click=delete]").await;
    assert_eq!(shop.rooms.webhooks.list(&SYSTEM).await.unwrap(), []);
});
