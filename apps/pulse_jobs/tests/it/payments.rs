//! Money: an order becomes paid, or is given up; and nothing is ever taken twice.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use pulse_core::order::{Status, Step};
use pulse_core::ports::{
    Charge, ChargeOutcome, GatewayError, OrderDesk as _, PaymentGateway, PaymentNews as _, PortFuture,
};
use pulse_core::{Money, OrderId};
use pulse_data::audit::AuditQuery;
use pulse_data::orders::PAYMENT_ATTEMPTS;
use pulse_data::{Repo, db_test};
use pulse_jobs::{
    Behaviour, CAPTURES, FaultRates, Movement, NotePayment, Runner, SimulatedGateway, Surroundings,
    WakingDesk,
};
use tokio::sync::Semaphore;

use crate::shop::{BUYER, ROOT, Shop};

const PRICE: i64 = 2 * 255;

async fn shop(repo: Repo) -> Shop {
    Shop::new(repo, SimulatedGateway::in_memory()).await
}

db_test!(an_order_placed_becomes_paid_and_is_confirmed_once, |repo| async move {
    let shop = shop(repo).await;
    let order = shop.sell(1).await;
    assert_eq!(order.status, Status::Placed);
    // The payment, then the mail that it enqueued.
    assert_eq!(shop.engine().run_due().await.unwrap(), 2);
    assert_eq!(shop.status(order.id).await, Status::Paid);
    assert_eq!((shop.taken(), shop.stock().await), (PRICE, 98));
    let letters = shop.letters();
    assert_eq!(letters.len(), 1);
    assert_eq!((letters[0].to.as_str(), letters[0].key.as_str()), ("ann@example.com", "order-paid:1"));
    assert!(letters[0].body.contains("5.10 GBP"), "{}", letters[0].body);
    assert_eq!(shop.engine().run_due().await.unwrap(), 0);
});

db_test!(a_declined_order_is_given_up_and_its_goods_are_back, |repo| async move {
    let gateway = SimulatedGateway::in_memory().behaving(|_, _, _| Behaviour::Decline("no money".to_owned()));
    let shop = Shop::new(repo, gateway).await;
    let order = shop.sell(1).await;
    assert_eq!(shop.stock().await, 98);
    assert_eq!(shop.engine().run_due().await.unwrap(), 2);
    assert_eq!(shop.status(order.id).await, Status::Cancelled);
    assert_eq!((shop.taken(), shop.stock().await), (0, 100));
    let letters = shop.letters();
    assert_eq!((letters.len(), letters[0].key.as_str()), (1, "order-given-up:1"));
    assert!(letters[0].body.contains("no money") && letters[0].body.contains("nothing was charged"));
    let payments = shop.orders.get(&ROOT, order.id).await.unwrap().payments;
    assert_eq!(payments[0].reference.as_deref(), Some("no money"));
});

db_test!(money_that_moved_without_an_answer_is_not_moved_again, |repo| async move {
    let gateway = SimulatedGateway::in_memory().behaving(|_, _, before| match before {
        0 => Behaviour::MoveSilently,
        1 => Behaviour::Ignore,
        _ => Behaviour::Answer,
    });
    let shop = Shop::new(repo, gateway).await;
    let order = shop.sell(1).await;
    for attempt in 1..=3 {
        assert_eq!(shop.status(order.id).await, Status::Placed, "before attempt {attempt}");
        shop.engine().run_due().await.unwrap();
        shop.hands.turn(Duration::from_secs(10));
    }
    assert_eq!(shop.status(order.id).await, Status::Paid);
    assert_eq!((shop.gateway.calls(), shop.taken()), (3, PRICE));
    shop.engine().run_due().await.unwrap();
    assert_eq!(shop.letters().len(), 1);
});

/// Runs what is due, hour after hour.
async fn hours(shop: &Shop, hours: u32) {
    for _ in 0..hours {
        shop.engine().run_due().await.unwrap();
        shop.hands.turn(Duration::from_hours(1));
    }
}

async fn audited(shop: &Shop, action: &str) -> usize {
    let query = AuditQuery { action: Some(action.to_owned()), ..AuditQuery::default() };
    pulse_data::audit::list(&shop.repo, &ROOT, &query).await.unwrap().len()
}

db_test!(an_order_that_the_gateway_never_heard_of_is_called_off_there_and_given_up, |repo| async move {
    let mute = u64::from(CAPTURES);
    let plan = move |_: &Charge, _, before| if before < mute { Behaviour::Ignore } else { Behaviour::Answer };
    let shop = Shop::new(repo, SimulatedGateway::in_memory().behaving(plan)).await;
    let order = shop.sell(1).await;
    hours(&shop, CAPTURES).await;
    assert_eq!(
        (shop.status(order.id).await, shop.stock().await),
        (Status::Placed, 98),
        "nothing is known yet"
    );
    hours(&shop, 2).await;
    assert_eq!((shop.status(order.id).await, shop.stock().await), (Status::Cancelled, 100));
    assert_eq!(
        (shop.gateway.calls(), shop.taken(), audited(&shop, "payment.decline").await),
        (mute + 1, 0, 1)
    );
    assert_eq!(shop.letters().iter().map(|mail| mail.key.as_str()).collect::<Vec<_>>(), ["order-given-up:1"]);
    // A capture that was under way all the time comes too late.
    let late = Charge { key: "capture:key-1".to_owned(), order: order.id, amount: Money::gbp(PRICE) };
    assert!(matches!(shop.gateway.capture(late).await.unwrap(), ChargeOutcome::Declined(_)));
});

db_test!(an_order_that_was_charged_in_silence_is_paid_and_never_given_up, |repo| async move {
    let mute = u64::from(CAPTURES) + 3;
    let plan =
        move |_: &Charge, _, before| if before < mute { Behaviour::MoveSilently } else { Behaviour::Answer };
    let shop = Shop::new(repo, SimulatedGateway::in_memory().behaving(plan)).await;
    let order = shop.sell(1).await;
    hours(&shop, CAPTURES + 3).await;
    assert_eq!((shop.status(order.id).await, shop.stock().await), (Status::Placed, 98));
    hours(&shop, 2).await;
    assert_eq!((shop.status(order.id).await, shop.taken()), (Status::Paid, PRICE));
    assert_eq!(shop.letters().iter().map(|mail| mail.key.as_str()).collect::<Vec<_>>(), ["order-paid:1"]);
});

db_test!(a_gateway_that_is_silent_for_good_leaves_the_order_to_a_person, |repo| async move {
    let shop = Shop::new(repo, SimulatedGateway::in_memory().behaving(|_, _, _| Behaviour::Ignore)).await;
    let order = shop.sell(1).await;
    hours(&shop, PAYMENT_ATTEMPTS - 1).await;
    assert_eq!(audited(&shop, "payment.unresolved").await, 0);
    hours(&shop, 3).await;
    assert_eq!(shop.gateway.calls(), u64::from(PAYMENT_ATTEMPTS), "and not once more");
    assert_eq!((shop.status(order.id).await, shop.stock().await), (Status::Placed, 98));
    assert_eq!(audited(&shop, "payment.unresolved").await, 1);
    let counts = jobs::counts(shop.repo.reader()).await.unwrap();
    assert_eq!((counts.len(), counts[0].state, counts[0].jobs), (1, jobs::State::Discarded, 1));
    // Who has found out that no money moved gives it up by hand.
    shop.orders.step(&ROOT, order.id, Step::Cancel).await.unwrap();
    assert_eq!(shop.stock().await, 100);
});

/// A gateway whose answer never reaches the shop: the worker hangs after the money has moved, until it is killed.
struct Deaf {
    gateway: SimulatedGateway,
    moved: Arc<Semaphore>,
}

impl PaymentGateway for Deaf {
    fn capture(&self, charge: Charge) -> PortFuture<'_, Result<ChargeOutcome, GatewayError>> {
        Box::pin(async move {
            self.gateway.capture(charge).await?;
            self.moved.add_permits(1);
            std::future::pending().await
        })
    }

    fn call_off(&self, charge: Charge) -> PortFuture<'_, Result<ChargeOutcome, GatewayError>> {
        self.gateway.call_off(charge)
    }

    fn refund(&self, charge: Charge) -> PortFuture<'_, Result<ChargeOutcome, GatewayError>> {
        self.gateway.refund(charge)
    }
}

/// A gateway that never answers: the worker hangs in its question, until it is killed.
struct Mute {
    asked: Arc<Semaphore>,
}

impl PaymentGateway for Mute {
    fn capture(&self, _: Charge) -> PortFuture<'_, Result<ChargeOutcome, GatewayError>> {
        self.asked.add_permits(1);
        Box::pin(std::future::pending())
    }

    fn call_off(&self, charge: Charge) -> PortFuture<'_, Result<ChargeOutcome, GatewayError>> {
        self.capture(charge)
    }

    fn refund(&self, charge: Charge) -> PortFuture<'_, Result<ChargeOutcome, GatewayError>> {
        self.capture(charge)
    }
}

/// Runs the payment up to the point where the money has moved, and kills the process there.
async fn killed_after_the_move(shop: &Shop) {
    let moved = Arc::new(Semaphore::new(0));
    let deaf = Deaf { gateway: shop.gateway.clone(), moved: Arc::clone(&moved) };
    let running = shop.engine_with(Arc::new(deaf)).start();
    moved.acquire().await.unwrap().forget();
    // No drain: what ran is cut off where it is, as by kill -9.
    running.cut_off().await;
    assert_eq!(shop.taken(), PRICE);
}

db_test!(a_kill_between_the_gateways_answer_and_its_note_charges_once, |repo| async move {
    let shop = shop(repo).await;
    let order = shop.sell(1).await;
    killed_after_the_move(&shop).await;
    assert_eq!(shop.status(order.id).await, Status::Placed);
    assert_eq!(shop.engine().run_due().await.unwrap(), 0, "the dead process has its lease");
    shop.hands.turn(Duration::from_mins(2));
    assert_eq!(shop.engine().run_due().await.unwrap(), 2);
    assert_eq!(shop.status(order.id).await, Status::Paid);
    assert_eq!((shop.gateway.calls(), shop.taken(), shop.letters().len()), (2, PRICE, 1));
});

db_test!(money_taken_for_an_order_that_was_given_up_meanwhile_goes_back, |repo| async move {
    let shop = shop(repo).await;
    let order = shop.sell(1).await;
    killed_after_the_move(&shop).await;
    shop.orders.step(&BUYER, order.id, Step::Cancel).await.unwrap();
    shop.hands.turn(Duration::from_mins(2));
    shop.engine().run_due().await.unwrap();
    assert_eq!(shop.status(order.id).await, Status::Cancelled);
    assert_eq!((shop.taken(), shop.stock().await, shop.letters().len()), (0, 100, 0));
});

db_test!(an_order_given_up_before_its_payment_began_costs_nothing, |repo| async move {
    let shop = shop(repo).await;
    let order = shop.sell(1).await;
    shop.orders.step(&BUYER, order.id, Step::Cancel).await.unwrap();
    assert_eq!(shop.engine().run_due().await.unwrap(), 1);
    assert_eq!((shop.gateway.calls(), shop.stock().await), (0, 100));
});

db_test!(a_paid_order_that_is_given_up_gets_its_money_back, |repo| async move {
    let shop = shop(repo).await;
    let order = shop.sell(1).await;
    shop.engine().run_due().await.unwrap();
    shop.orders.step(&BUYER, order.id, Step::Cancel).await.unwrap();
    assert_eq!(shop.taken(), PRICE);
    assert_eq!(shop.engine().run_due().await.unwrap(), 1);
    assert_eq!((shop.taken(), shop.stock().await), (0, 100));
});

db_test!(a_job_that_makes_no_sense_is_given_up, |repo| async move {
    let shop = shop(repo).await;
    let nonsense = [serde_json::json!("what"), serde_json::json!({ "order": 999, "payment": 0 })];
    let bad = nonsense.map(|args| jobs::NewJob::new("payment.capture", args).queue("payments"));
    let enqueued = shop
        .repo
        .write_with(bad, |tx, bad| {
            Box::pin(async move { Ok::<_, pulse_data::DbError>(jobs::enqueue_many(tx, bad).await?) })
        })
        .await;
    assert_eq!(enqueued.unwrap(), 2);
    assert_eq!(shop.engine().run_due().await.unwrap(), 2);
    let counts = jobs::counts(shop.repo.reader()).await.unwrap();
    assert_eq!(counts.len(), 1, "{counts:?}");
    assert_eq!((counts[0].state, counts[0].jobs), (jobs::State::Cancelled, 2));
    assert_eq!(shop.gateway.calls(), 0);
});

db_test!(a_runner_pays_what_a_desk_announces_and_drains, |repo| async move {
    let shop = shop(repo).await;
    let gateway: Arc<dyn PaymentGateway> = Arc::new(shop.gateway.clone());
    let mut options = shop.options();
    // Nothing is found by polling: the desk's wake is what starts each payment.
    options.engine.poll = Duration::from_hours(1);
    let runner = Runner::start(Surroundings { gateway, ..shop.surroundings() }, options);
    let desk = WakingDesk::new(Arc::new(shop.orders.clone()), runner.wake());
    let stats = runner.stats();
    for cart in 1..=20 {
        let order = shop.checkout(cart).await;
        desk.place(&BUYER, order).await.unwrap();
    }
    let done = async {
        while stats.snapshot().done < 40 {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    tokio::time::timeout(Duration::from_mins(1), done).await.expect("twenty payments, twenty mails");
    assert!(runner.drain(Duration::from_secs(20)).await.clean);
    for id in 1..=20 {
        assert_eq!(shop.status(OrderId(id)).await, Status::Paid);
    }
    assert_eq!((shop.taken(), shop.letters().len()), (20 * PRICE, 20));
});

db_test!(faults_of_every_kind_leave_the_books_right, |repo| async move {
    let rates = FaultRates { decline: 0.3, silent: 0.5, ..FaultRates::default() };
    let shop = Shop::new(repo, SimulatedGateway::in_memory().with_faults(rates)).await;
    for cart in 1..=30 {
        shop.sell(cart).await;
    }
    shop.postbox.closed.store(true, Ordering::SeqCst);
    for _ in 0..3 {
        shop.engine().run_due().await.unwrap();
        shop.hands.turn(Duration::from_mins(1));
    }
    shop.postbox.closed.store(false, Ordering::SeqCst);
    shop.engine().run_due().await.unwrap();
    let (mut paid, mut cancelled) = (0, 0);
    for id in 1..=30 {
        match shop.status(OrderId(id)).await {
            Status::Paid => paid += 1,
            Status::Cancelled => cancelled += 1,
            other => panic!("order {id} is {other:?}"),
        }
    }
    assert!(paid > 0 && cancelled > 0, "{paid} paid, {cancelled} given up");
    assert_eq!(shop.taken(), paid * PRICE);
    assert_eq!(shop.stock().await, 100 - 2 * paid);
    assert_eq!(shop.letters().len(), 30, "each buyer is told how it ended");
});

fn charge(key: &str, pence: i64) -> Charge {
    Charge { key: key.to_owned(), order: OrderId(1), amount: Money::gbp(pence) }
}

#[tokio::test]
async fn the_gateway_remembers_over_a_restart_and_forgets_a_cut_line() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("ledger.jsonl");
    let gateway = SimulatedGateway::open(&path).unwrap();
    let first = gateway.capture(charge("a", 100)).await.unwrap();
    let declining = gateway.clone().behaving(|_, _, _| Behaviour::Decline("no".to_owned()));
    assert_eq!(declining.capture(charge("b", 100)).await.unwrap(), ChargeOutcome::Declined("no".to_owned()));
    // A crash in the middle of a line: its answer was never given.
    let mut text = std::fs::read_to_string(&path).unwrap();
    text.push_str("{\"key\":\"c\",\"move");
    std::fs::write(&path, text).unwrap();
    let again = SimulatedGateway::open(&path).unwrap();
    assert_eq!(again.capture(charge("a", 100)).await.unwrap(), first, "the first answer");
    assert_eq!(again.capture(charge("b", 100)).await.unwrap(), ChargeOutcome::Declined("no".to_owned()));
    assert!(matches!(again.capture(charge("c", 100)).await.unwrap(), ChargeOutcome::Done(_)));
    again.capture(charge("a", 101)).await.expect_err("another demand under the same key");
    let third = SimulatedGateway::open(&path).unwrap();
    assert_eq!(third.entries().len(), 3);
    assert!(third.entries().iter().all(|entry| entry.movement == Movement::Capture));
}

db_test!(a_last_attempt_that_dies_with_its_process_is_left_to_a_person_too, |repo| async move {
    let shop = Shop::new(repo, SimulatedGateway::in_memory().behaving(|_, _, _| Behaviour::Ignore)).await;
    let order = shop.sell(1).await;
    hours(&shop, PAYMENT_ATTEMPTS - 1).await;
    let asked = Arc::new(Semaphore::new(0));
    let mute = Mute { asked: Arc::clone(&asked) };
    let running = shop.engine_with(Arc::new(mute)).start();
    asked.acquire().await.unwrap().forget();
    running.cut_off().await;
    hours(&shop, 2).await;
    let counts = jobs::counts(shop.repo.reader()).await.unwrap();
    assert_eq!((counts.len(), counts[0].state, counts[0].jobs), (1, jobs::State::Discarded, 1));
    assert_eq!(shop.status(order.id).await, Status::Placed);
    assert_eq!(audited(&shop, "payment.unresolved").await, 1);
});

/// A shop whose gateway says by itself, at once, what it has answered; with this plan.
async fn chatty(
    repo: Repo,
    plan: impl Fn(&Charge, Movement, u64) -> Behaviour + Send + Sync + 'static,
) -> (Shop, SimulatedGateway) {
    let shop = Shop::new(repo, SimulatedGateway::in_memory()).await;
    let news = NotePayment::new(shop.orders.clone(), jobs::Wake::new(), Arc::clone(&shop.stats));
    let gateway = shop.gateway.clone().telling(Arc::new(news)).behaving(plan);
    (shop, gateway)
}

db_test!(a_gateway_that_answers_twice_is_heard_once, |repo| async move {
    let again = |then| Behaviour::Again(Duration::ZERO, Box::new(then));
    let (shop, gateway) = chatty(repo, move |_, _, _| again(Behaviour::Answer)).await;
    let order = shop.sell(1).await;
    let engine = shop.engine_with(Arc::new(gateway));
    engine.run_due().await.unwrap();
    shop.until("the second answer", async || shop.stats.snapshot().payments_told_again == 1).await;
    engine.run_due().await.unwrap();
    assert_eq!((shop.status(order.id).await, shop.taken(), shop.letters().len()), (Status::Paid, PRICE, 1));
    // The same for money that goes back, and for an answer that comes after everything is over.
    shop.orders.step(&BUYER, order.id, Step::Cancel).await.unwrap();
    engine.run_due().await.unwrap();
    shop.until("the refund's second answer", async || shop.stats.snapshot().payments_told_again == 2).await;
    let late = NotePayment::new(shop.orders.clone(), jobs::Wake::new(), Arc::clone(&shop.stats));
    let capture = Charge { key: "capture:key-1".to_owned(), order: order.id, amount: Money::gbp(PRICE) };
    for outcome in [ChargeOutcome::Done("late".to_owned()), ChargeOutcome::Declined("late".to_owned())] {
        late.told(capture.clone(), outcome).await;
    }
    engine.run_due().await.unwrap();
    assert_eq!((shop.status(order.id).await, shop.taken(), shop.stock().await), (Status::Cancelled, 0, 100));
    assert_eq!((audited(&shop, "payment.settle").await, shop.letters().len()), (2, 1));
});

db_test!(an_answer_that_comes_by_itself_after_the_silence_pays_the_order, |repo| async move {
    let plan = |_: &Charge, _, _| Behaviour::Again(Duration::ZERO, Box::new(Behaviour::MoveSilently));
    let (shop, gateway) = chatty(repo, plan).await;
    let order = shop.sell(1).await;
    let engine = shop.engine_with(Arc::new(gateway));
    engine.run_due().await.unwrap();
    shop.until_paid(order.id).await;
    shop.hands.turn(Duration::from_mins(5));
    engine.run_due().await.unwrap();
    assert_eq!(
        (shop.gateway.calls(), shop.taken(), shop.letters().len()),
        (1, PRICE, 1),
        "nobody asks again"
    );
});

db_test!(a_yes_after_a_no_gives_the_money_back, |repo| async move {
    let (shop, gateway) = chatty(repo, |_, _, _| Behaviour::Decline("no money".to_owned())).await;
    let order = shop.sell(1).await;
    let engine = shop.engine_with(Arc::new(gateway));
    engine.run_due().await.unwrap();
    assert_eq!(shop.status(order.id).await, Status::Cancelled);
    let news = NotePayment::new(shop.orders.clone(), jobs::Wake::new(), Arc::clone(&shop.stats));
    let charge = Charge { key: "capture:key-1".to_owned(), order: order.id, amount: Money::gbp(PRICE) };
    for _ in 0..2 {
        news.told(charge.clone(), ChargeOutcome::Done("ref".to_owned())).await;
    }
    let payments = shop.orders.get(&ROOT, order.id).await.unwrap().payments;
    assert_eq!(payments.len(), 2, "one refund: {payments:?}");
    assert_eq!((shop.status(order.id).await, shop.stock().await), (Status::Cancelled, 100));
});
