//! Other programs are told: signed, again and again, each thing under its own id.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use jobs::State;
use pulse_core::order::{Status, Step};
use pulse_core::ports::{Mail, MailError, Mailer, PortFuture};
use pulse_core::{Permission, Role};
use pulse_data::audit::AuditQuery;
use pulse_data::webhooks::{
    Delivery, DeliveryQuery, DeliveryState, EndpointChange, EndpointId, EventKind, NewEndpoint,
    SigningSecret, WEBHOOK_ATTEMPTS, WebhookError,
};
use pulse_data::{Sql as _, db_test};
use pulse_jobs::{
    Behaviour, ClientOptions, LONGEST_ASKED, Reach, Runner, RunnerOptions, SimulatedGateway, WEBHOOK_BACKOFF,
};

use crate::outside::Outside;
use crate::shop::{BUYER, PATIENCE, ROOT, Shop};

async fn shop(repo: pulse_data::Repo) -> Shop {
    Shop::new(repo, SimulatedGateway::in_memory()).await
}

/// An endpoint at the receiver that wants everything.
async fn subscribe(shop: &Shop, receiver: &Outside) -> (EndpointId, SigningSecret) {
    let new = NewEndpoint {
        url: format!("http://127.0.0.1:{}/hooks?of=pulse", receiver.port),
        events: EventKind::choices().collect(),
        description: "The warehouse".to_owned(),
    };
    let (endpoint, secret) = shop.webhooks.create(&ROOT, new).await.unwrap();
    std::fs::write(receiver.path("secrets"), secret.reveal()).unwrap();
    (endpoint.id, secret)
}

async fn deliveries(shop: &Shop) -> Vec<Delivery> {
    let query = DeliveryQuery { limit: 200, ..DeliveryQuery::default() };
    shop.webhooks.deliveries(&ROOT, &query).await.unwrap().items
}

async fn audited(shop: &Shop, action: &str) -> usize {
    let query = AuditQuery { action: Some(action.to_owned()), ..AuditQuery::default() };
    pulse_data::audit::list(&shop.repo, &ROOT, &query).await.unwrap().len()
}

fn ids(receiver: &Outside) -> Vec<String> {
    receiver.seen("messages").iter().map(|message| message["id"].as_str().unwrap().to_owned()).collect()
}

db_test!(an_orders_life_is_told_step_by_step_signed_and_once, |repo| async move {
    let (shop, receiver) = (shop(repo).await, Outside::receiver());
    subscribe(&shop, &receiver).await;
    let order = shop.sell(1).await;
    shop.engine().run_due().await.unwrap();
    for step in [Step::Pack, Step::Ship, Step::Deliver, Step::Return] {
        shop.orders.step(&ROOT, order.id, step).await.unwrap();
        shop.engine().run_due().await.unwrap();
    }
    let messages = receiver.seen("messages");
    let told: Vec<_> = messages.iter().map(|message| message["event"]["type"].as_str().unwrap()).collect();
    let life = ["placed", "paid", "shipped", "delivered", "returned", "refunded"]
        .map(|step| format!("order.{step}"));
    assert_eq!(told, life);
    for message in &messages {
        assert_eq!(message["signed"], serde_json::json!([0]), "{message}");
        assert_eq!(message["event"]["id"], message["id"]);
        assert_eq!(message["event"]["data"]["order"], 1);
        assert_eq!(message["path"], "/hooks?of=pulse");
        assert!(!message.to_string().contains("ann@example.com"), "nothing of a person: {message}");
    }
    assert_eq!(messages[5]["event"]["data"]["refund"]["pence"], 510);
    assert_eq!(ids(&receiver).iter().collect::<BTreeSet<_>>().len(), 6);
    assert!(deliveries(&shop).await.iter().all(|delivery| delivery.state == DeliveryState::Delivered));
    let letters: Vec<_> = shop.letters().iter().map(|mail| mail.key.clone()).collect();
    assert_eq!(letters, ["order-paid:1", "order-shipped:1"]);
    assert!(shop.letters()[1].body.contains("2 x Heart (85123A) at 2.55 GBP"), "{}", shop.letters()[1].body);
});

db_test!(an_order_that_is_not_placed_is_not_told_and_one_that_is_given_up_is, |repo| async move {
    let (shop, receiver) = (shop(repo).await, Outside::receiver());
    subscribe(&shop, &receiver).await;
    let mut order = shop.checkout(1).await;
    order.cart_version = pulse_core::Version(9);
    shop.orders.place(&BUYER, order).await.unwrap_err();
    assert_eq!(deliveries(&shop).await.len(), 0, "what was taken back was never told");
    let order = shop.sell(2).await;
    shop.orders.step(&BUYER, order.id, Step::Cancel).await.unwrap();
    shop.engine().run_due().await.unwrap();
    let mut told = ids(&receiver);
    told.sort();
    assert_eq!(told, [format!("order:{}:1", order.id), format!("order:{}:2", order.id)]);
});

db_test!(without_an_endpoint_nothing_is_written, |repo| async move {
    let shop = shop(repo).await;
    let (endpoint, _) = subscribe(&shop, &Outside::receiver()).await;
    let only = EndpointChange { events: Some([EventKind::StockLow].into()), ..EndpointChange::default() };
    shop.webhooks.change(&ROOT, endpoint, only).await.unwrap();
    shop.sell(1).await;
    assert_eq!(shop.engine().run_due().await.unwrap(), 2, "the payment and its letter");
    assert_eq!(deliveries(&shop).await, []);
});

db_test!(an_hour_of_500_is_borne_with_the_promised_pauses_and_everything_arrives, |repo| async move {
    let (shop, receiver) = (shop(repo).await, Outside::receiver());
    let (endpoint, _) = subscribe(&shop, &receiver).await;
    let began = shop.hands.millis();
    for cart in 1..=3 {
        shop.sell(cart).await;
    }
    receiver.mode("500");
    let engine = shop.engine();
    // Three hours, second by second; the endpoint is well again after the first.
    for second in 0..3 * 3600 {
        if second == 3600 {
            receiver.mode("200");
        }
        // Only where something may be due: a look at the table each second would be most of the test's time.
        if shop.is_due().await {
            engine.run_due().await.unwrap();
        }
        shop.hands.turn(Duration::from_secs(1));
    }
    let deliveries = deliveries(&shop).await;
    assert_eq!(deliveries.len(), 6, "three placed, three paid");
    for delivery in &deliveries {
        assert_eq!(delivery.state, DeliveryState::Delivered, "{delivery:?}");
        let (_, attempts) = shop.webhooks.delivery(&ROOT, delivery.id).await.unwrap();
        let (last, failed) = attempts.split_last().unwrap();
        assert!(failed.iter().all(|attempt| attempt.status == Some(500)), "{attempts:?}");
        assert_eq!(last.status, Some(200));
        assert!(last.at.0 >= began + 3_600_000, "not before it was well again");
        for (failures, pair) in (1..).zip(attempts.windows(2)) {
            let pause = Duration::from_millis(u64::try_from(pair[1].at.0 - pair[0].at.0).unwrap());
            let most = WEBHOOK_BACKOFF.delay(failures, 1.0) + Duration::from_secs(2);
            let least = WEBHOOK_BACKOFF.delay(failures, 0.0);
            assert!(
                (least..=most).contains(&pause),
                "pause {failures}: {pause:?}, not {least:?} to {most:?}"
            );
        }
        assert!(failed.len() >= 9, "five seconds, doubled, fill an hour: {}", failed.len());
    }
    let ids = ids(&receiver);
    assert_eq!(ids.iter().collect::<BTreeSet<_>>().len(), 6, "the same ids each time");
    assert_eq!(shop.webhooks.get(&ROOT, endpoint).await.unwrap().failing_since, None);
    assert_eq!(shop.stock().await, 100 - 6, "and the shop has sold on");
});

db_test!(an_endpoint_that_takes_nothing_for_too_long_is_switched_off_and_told, |repo| async move {
    let (shop, receiver) = (shop(repo).await, Outside::receiver());
    let (endpoint, _) = subscribe(&shop, &receiver).await;
    shop.accounts.bootstrap("root@example.com", "a long password", Role::Admin).await.unwrap();
    receiver.mode("503");
    shop.sell(1).await;
    let mut hours = 0;
    while shop.webhooks.get(&ROOT, endpoint).await.unwrap().enabled {
        shop.engine().run_due().await.unwrap();
        shop.hands.turn(Duration::from_hours(1));
        hours += 1;
        assert!(hours < 200, "it is never switched off");
    }
    assert!(Duration::from_hours(hours) > PATIENCE, "not before its time: after {hours} hours");
    let off = shop.webhooks.get(&ROOT, endpoint).await.unwrap();
    assert_eq!(off.disabled_reason.as_deref(), Some("it has taken nothing for too long"));
    assert_eq!(audited(&shop, "webhook.switch_off").await, 1);
    shop.engine().run_due().await.unwrap();
    let letter = shop.letters().into_iter().find(|mail| mail.to == "root@example.com").unwrap();
    assert!(letter.subject.contains("switched off") && letter.body.contains("127.0.0.1"), "{letter:?}");
    assert!(deliveries(&shop).await.iter().all(|delivery| delivery.state == DeliveryState::Failed));

    let sent = receiver.seen("messages").len();
    shop.sell(2).await;
    shop.engine().run_due().await.unwrap();
    assert_eq!(receiver.seen("messages").len(), sent, "nothing more is sent");

    receiver.mode("200");
    let refused = shop.webhooks.redeliver_failed(&ROOT, endpoint).await;
    assert!(matches!(refused, Err(WebhookError::Off(_))), "{refused:?}");
    let on = EndpointChange { enabled: Some(true), ..EndpointChange::default() };
    shop.webhooks.change(&ROOT, endpoint, on).await.unwrap();
    assert_eq!(shop.webhooks.redeliver_failed(&ROOT, endpoint).await.unwrap(), 2);
    shop.engine().run_due().await.unwrap();
    assert!(deliveries(&shop).await.iter().all(|delivery| delivery.state == DeliveryState::Delivered));
});

db_test!(gone_is_gone, |repo| async move {
    let (shop, receiver) = (shop(repo).await, Outside::receiver());
    let (endpoint, _) = subscribe(&shop, &receiver).await;
    receiver.mode("410");
    shop.sell(1).await;
    shop.engine().run_due().await.unwrap();
    let off = shop.webhooks.get(&ROOT, endpoint).await.unwrap();
    assert_eq!((off.enabled, off.disabled_reason.as_deref()), (false, Some("it answered 410 Gone")));
    assert_eq!(receiver.seen("messages").len(), 1, "not even what else there was");
});

db_test!(what_is_no_plain_yes_is_a_no_and_is_read_no_further_than_needed, |repo| async move {
    let (shop, receiver) = (shop(repo).await, Outside::receiver());
    let (endpoint, _) = subscribe(&shop, &receiver).await;
    for (mode, status, state) in [
        ("302", Some(302), DeliveryState::Pending),
        ("endless", Some(200), DeliveryState::Delivered),
        ("cut", Some(200), DeliveryState::Delivered),
        ("204", Some(204), DeliveryState::Delivered),
        ("400", Some(400), DeliveryState::Pending),
    ] {
        receiver.mode(mode);
        let id = shop.webhooks.test(&ROOT, endpoint).await.unwrap();
        shop.engine().run_due().await.unwrap();
        let (delivery, attempts) = shop.webhooks.delivery(&ROOT, id).await.unwrap();
        assert_eq!((delivery.state, delivery.attempts), (state, 1), "{mode}: {attempts:?}");
        assert_eq!(attempts[0].status, status, "{mode}");
        assert!(attempts[0].note.chars().count() <= 500, "{mode}");
    }
    // One that hangs costs the time limit, and is tried again; one that has said yes has said yes.
    let client = ClientOptions { reach: Reach::Anywhere, timeout: Duration::from_secs(1) };
    let engine = Runner::engine(shop.surroundings(), RunnerOptions { client, ..shop.options() });
    for (mode, status, state) in
        [("hang", None, DeliveryState::Pending), ("stall", Some(200), DeliveryState::Delivered)]
    {
        receiver.mode(mode);
        let id = shop.webhooks.test(&ROOT, endpoint).await.unwrap();
        engine.run_due().await.unwrap();
        let (delivery, attempts) = shop.webhooks.delivery(&ROOT, id).await.unwrap();
        assert_eq!((delivery.state, attempts[0].status), (state, status), "{mode}: {attempts:?}");
    }
});

db_test!(addresses_inside_the_shops_own_network_are_not_reached, |repo| async move {
    let (shop, receiver) = (shop(repo).await, Outside::receiver());
    let client = ClientOptions::default();
    let engine = Runner::engine(shop.surroundings(), RunnerOptions { client, ..shop.options() });
    let (endpoint, _) = subscribe(&shop, &receiver).await;
    for host in ["127.0.0.1", "localhost", "[::1]", "[::ffff:127.0.0.1]", "2130706433", "0x7f.1", "0.0.0.0"] {
        let url = Some(format!("http://{host}:{}/", receiver.port));
        shop.webhooks
            .change(&ROOT, endpoint, EndpointChange { url, ..EndpointChange::default() })
            .await
            .unwrap();
        let id = shop.webhooks.test(&ROOT, endpoint).await.unwrap();
        engine.run_due().await.unwrap();
        let (_, attempts) = shop.webhooks.delivery(&ROOT, id).await.unwrap();
        assert!(attempts[0].note.contains("not a public one"), "{host}: {attempts:?}");
    }
    assert_eq!(receiver.seen("messages").len(), 0);
});

db_test!(while_a_secret_changes_both_sign, |repo| async move {
    let (shop, receiver) = (shop(repo).await, Outside::receiver());
    let (endpoint, old) = subscribe(&shop, &receiver).await;
    let new = shop.webhooks.rotate(&ROOT, endpoint, Duration::from_hours(24)).await.unwrap();
    std::fs::write(receiver.path("secrets"), format!("{}\n{}\n", old.reveal(), new.reveal())).unwrap();
    for expected in [serde_json::json!([0, 1]), serde_json::json!([1])] {
        shop.webhooks.test(&ROOT, endpoint).await.unwrap();
        shop.engine().run_due().await.unwrap();
        assert_eq!(receiver.seen("messages").last().unwrap()["signed"], expected);
        shop.hands.turn(Duration::from_hours(24));
    }
    let rows = shop.repo.reader().rows("SELECT details FROM audit_log", vec![]).await.unwrap();
    let trail: String = rows.iter().map(|row| row.try_get::<String>("", "details").unwrap()).collect();
    assert!(!trail.contains("whsec_") && !trail.contains("of=pulse"), "{trail}");
});

/// Lets the endpoint answer in that way once; how long the message then waits. It is not sent before, and is then.
async fn pause_after(shop: &Shop, receiver: &Outside, mode: &str) -> Duration {
    receiver.mode(mode);
    assert_eq!(shop.engine().run_due().await.unwrap(), 1, "{mode}");
    let waiting = jobs::testing::Match::worker("webhook.deliver");
    let due = jobs::testing::assert_enqueued(shop.repo.reader(), &waiting).await.scheduled_at;
    let pause = Duration::from_millis(u64::try_from(due - shop.hands.millis()).unwrap());
    shop.hands.turn(pause.saturating_sub(Duration::from_millis(1)));
    assert_eq!(shop.engine().run_due().await.unwrap(), 0, "{mode}: not a moment earlier");
    shop.hands.turn(Duration::from_millis(1));
    pause
}

db_test!(
    an_endpoint_that_asks_for_a_pause_gets_it_within_bounds_and_none_comes_sooner_for_it,
    |repo| async move {
        let (shop, receiver) = (shop(repo).await, Outside::receiver());
        let (endpoint, _) = subscribe(&shop, &receiver).await;
        shop.webhooks.test(&ROOT, endpoint).await.unwrap();
        assert_eq!(pause_after(&shop, &receiver, "429 120").await, Duration::from_mins(2));
        let until = shop.hands.millis() + 600_000;
        let until = std::time::UNIX_EPOCH + Duration::from_millis(u64::try_from(until).unwrap());
        let pause = pause_after(&shop, &receiver, &format!("503 {}", httpdate::fmt_http_date(until))).await;
        // A date has whole seconds.
        assert!((Duration::from_secs(599)..=Duration::from_mins(10)).contains(&pause), "{pause:?}");
        for (failures, mode) in
            (3..).zip(["429 1", "503 soon", "500 3600", "429 Sun, 06 Nov 1994 08:49:37 GMT"])
        {
            let usual = WEBHOOK_BACKOFF.delay(failures, 0.0)..=WEBHOOK_BACKOFF.delay(failures, 1.0);
            let pause = pause_after(&shop, &receiver, mode).await;
            assert!(usual.contains(&pause), "{mode}: {pause:?}, not within {usual:?}");
        }
        assert_eq!(pause_after(&shop, &receiver, "503 864000").await, LONGEST_ASKED);
        receiver.mode("200");
        shop.engine().run_due().await.unwrap();
        let told = deliveries(&shop).await;
        assert_eq!(told[0].state, DeliveryState::Delivered, "{told:?}");
        let (_, attempts) = shop.webhooks.delivery(&ROOT, told[0].id).await.unwrap();
        assert_eq!(attempts.len(), 8);
    }
);

db_test!(a_kill_between_an_endpoints_yes_and_its_note_sends_the_same_message_again, |repo| async move {
    let (shop, receiver) = (shop(repo).await, Outside::receiver());
    subscribe(&shop, &receiver).await;
    receiver.mode("hang");
    shop.sell(1).await;
    let running = shop.engine().start();
    shop.until("the message is out", async || !receiver.seen("messages").is_empty()).await;
    // No drain: what ran is cut off where it is, as by kill -9.
    running.cut_off().await;
    receiver.mode("200");
    shop.hands.turn(Duration::from_mins(5));
    shop.engine().run_due().await.unwrap();
    let mut told = ids(&receiver);
    assert!(told.len() > 2, "the first one went twice: {told:?}");
    told.sort();
    told.dedup();
    assert_eq!(told, ["order:1:1", "order:1:2"]);
    assert!(deliveries(&shop).await.iter().all(|delivery| delivery.state == DeliveryState::Delivered));
});

db_test!(one_endpoint_that_hangs_does_not_hold_up_the_others, |repo| async move {
    let (shop, slow, quick) = (shop(repo).await, Outside::receiver(), Outside::receiver());
    slow.mode("hang");
    subscribe(&shop, &slow).await;
    for cart in 1..=12 {
        shop.sell(cart).await;
    }
    let (endpoint, _) = subscribe(&shop, &quick).await;
    let running = shop.engine().start();
    shop.until("the slow one has its share", async || slow.seen("messages").len() >= 4).await;
    for _ in 0..3 {
        shop.webhooks.test(&ROOT, endpoint).await.unwrap();
    }
    running.wake().all();
    shop.until("the quick one is told", async || {
        shop.hands.turn(Duration::from_millis(10));
        quick.seen("messages").len() >= 3
    })
    .await;
    assert_eq!(slow.seen("messages").len(), 4, "half of the places");
    drop(running);
});

db_test!(
    a_delivery_that_was_tried_as_often_as_promised_has_failed_and_can_be_sent_again,
    |repo| async move {
        let (shop, receiver) = (shop(repo).await, Outside::receiver());
        let (endpoint, _) = subscribe(&shop, &receiver).await;
        let id = shop.webhooks.test(&ROOT, endpoint).await.unwrap();
        let mut tries = 0;
        while shop.webhooks.delivery(&ROOT, id).await.unwrap().0.state == DeliveryState::Pending {
            receiver.mode("500");
            shop.engine().run_due().await.unwrap();
            tries += 1;
            // Others are taken in between: the endpoint is not ill, this message is.
            receiver.mode("200");
            shop.webhooks.test(&ROOT, endpoint).await.unwrap();
            shop.engine().run_due().await.unwrap();
            shop.hands.turn(Duration::from_hours(6));
            assert!(tries <= WEBHOOK_ATTEMPTS, "tried more often than promised");
        }
        assert_eq!(tries, WEBHOOK_ATTEMPTS);
        let failed = shop.webhooks.delivery(&ROOT, id).await.unwrap();
        assert_eq!((failed.0.state, failed.1.len()), (DeliveryState::Failed, WEBHOOK_ATTEMPTS as usize));
        shop.webhooks.redeliver(&ROOT, id).await.unwrap();
        shop.webhooks.redeliver(&ROOT, id).await.unwrap();
        assert_eq!(shop.engine().run_due().await.unwrap(), 1, "two clicks are one message");
        let (delivery, attempts) = shop.webhooks.delivery(&ROOT, id).await.unwrap();
        assert_eq!(
            (delivery.state, attempts.len()),
            (DeliveryState::Delivered, WEBHOOK_ATTEMPTS as usize + 1)
        );
        assert_eq!(audited(&shop, "webhook.redeliver").await, 1);
        let discarded = jobs::counts(shop.repo.reader()).await.unwrap();
        assert!(discarded.iter().any(|count| count.state == State::Discarded), "{discarded:?}");
    }
);

db_test!(what_nobody_may_do_nobody_does, |repo| async move {
    let shop = shop(repo).await;
    let (endpoint, _) = subscribe(&shop, &Outside::receiver()).await;
    let id = shop.webhooks.test(&ROOT, endpoint).await.unwrap();
    let of = |role| pulse_core::Principal::User { id: pulse_core::UserId(9), role };
    let forbidden = |result: Result<(), WebhookError>| match result {
        Err(WebhookError::Forbidden(no)) => assert_eq!(no.permission, Permission::ManageWebhooks),
        other => panic!("{other:?}"),
    };
    let new = || NewEndpoint {
        url: "https://example.com".to_owned(),
        events: [EventKind::StockLow].into(),
        description: String::new(),
    };
    for who in [pulse_core::Principal::Guest, of(Role::Buyer), of(Role::Support), of(Role::Manager)] {
        let hooks = &shop.webhooks;
        forbidden(hooks.list(&who).await.map(drop));
        forbidden(hooks.get(&who, endpoint).await.map(drop));
        forbidden(hooks.create(&who, new()).await.map(drop));
        forbidden(hooks.change(&who, endpoint, EndpointChange::default()).await.map(drop));
        forbidden(hooks.rotate(&who, endpoint, Duration::ZERO).await.map(drop));
        forbidden(hooks.delete(&who, endpoint).await);
        forbidden(hooks.test(&who, endpoint).await.map(drop));
        forbidden(hooks.deliveries(&who, &DeliveryQuery::default()).await.map(drop));
        forbidden(hooks.delivery(&who, id).await.map(drop));
        forbidden(hooks.redeliver(&who, id).await.map(drop));
        forbidden(hooks.redeliver_failed(&who, endpoint).await.map(drop));
        forbidden(hooks.due(&who, id).await.map(drop));
        forbidden(hooks.prune(&who, Duration::ZERO).await.map(drop));
    }
    forbidden(shop.webhooks.due(&of(Role::Admin), id).await.map(drop));
    shop.webhooks.create(&of(Role::Admin), new()).await.unwrap();
});

db_test!(old_deliveries_are_forgotten_and_an_endpoint_takes_its_log_along, |repo| async move {
    let (shop, receiver) = (shop(repo).await, Outside::receiver());
    let (endpoint, _) = subscribe(&shop, &receiver).await;
    shop.webhooks.test(&ROOT, endpoint).await.unwrap();
    shop.engine().run_due().await.unwrap();
    shop.hands.turn(Duration::from_hours(48));
    let young = shop.webhooks.test(&ROOT, endpoint).await.unwrap();
    assert_eq!(shop.webhooks.prune(&ROOT, Duration::from_hours(24)).await.unwrap(), 1);
    assert_eq!(deliveries(&shop).await.iter().map(|delivery| delivery.id).collect::<Vec<_>>(), [young]);
    shop.webhooks.delete(&ROOT, endpoint).await.unwrap();
    assert_eq!(deliveries(&shop).await, []);
    shop.engine().run_due().await.unwrap();
    assert_eq!(receiver.seen("messages").len(), 1, "a deleted endpoint is not told");
    assert!(matches!(shop.webhooks.get(&ROOT, endpoint).await, Err(WebhookError::NotFound(_))));
    assert_eq!(shop.status(shop.sell(1).await.id).await, Status::Placed);
});

/// A mailer that never comes back.
struct Abyss;

impl Mailer for Abyss {
    fn send(&self, _: Mail) -> PortFuture<'_, Result<(), MailError>> {
        Box::pin(std::future::pending())
    }
}

db_test!(a_checkout_is_one_transaction_and_waits_for_nobody_outside, |repo| async move {
    let hung = Behaviour::Slow(Duration::from_hours(1), Box::new(Behaviour::Answer));
    let gateway = SimulatedGateway::in_memory().behaving(move |_, _, _| hung.clone());
    let (shop, receiver) = (Shop::new(repo, gateway).await, Outside::receiver());
    receiver.mode("hang");
    subscribe(&shop, &receiver).await;
    let order = shop.checkout(1).await;
    let before = shop.repo.stats().writes;
    shop.orders.place(&BUYER, order).await.unwrap();
    assert_eq!(shop.repo.stats().writes - before, 1, "with its payment's job and its message");
    assert_eq!(deliveries(&shop).await.len(), 1);
    // Then with every place of every queue taken by something that hangs.
    for cart in 2..=20 {
        shop.sell(cart).await;
    }
    let running = shop.engine_mailing(Arc::new(Abyss)).start();
    shop.until("everything hangs", async || {
        receiver.seen("messages").len() >= 4 && shop.gateway.calls() >= 8
    })
    .await;
    for cart in 21..=30 {
        assert_eq!(shop.sell(cart).await.status, Status::Placed);
    }
    assert_eq!((shop.stock().await, deliveries(&shop).await.len()), (100 - 60, 30));
    drop(running);
});
