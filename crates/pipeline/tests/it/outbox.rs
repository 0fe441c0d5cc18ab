//! The outbox on both databases: in order, at least once, never lost.

use std::process::{Command, Stdio};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use pipeline::producers::outbox::{
    self, Entry, NewEntry, Options, Outbox, PutError, backlog, dead, prune, put,
};
use pipeline::{Batch, Batcher, Failure, Handler, Message, Pipeline, Producer, Running};
use sea_orm::{ConnectionTrait, Database, DatabaseConnection, DbBackend, Statement, TransactionTrait};

use crate::database::{TestClock, both, quiet};

/// Fails what begins with `!` or `?`, and `~` once; notes the rest; can be told to hang.
#[derive(Default, Clone)]
struct Notes {
    seen: Arc<Mutex<Vec<String>>>,
    hang: bool,
}

impl Handler for Notes {
    type In = Entry;
    type Out = ();

    async fn handle_message(&self, message: &mut Message<Entry>) -> Result<(), Failure> {
        if self.hang {
            std::future::pending::<()>().await;
        }
        let Entry { payload, attempt, .. } = &message.data;
        match payload.as_bytes().first() {
            Some(b'!') => Err(Failure::reject("wrong for ever")),
            Some(b'?') => Err(Failure::retry(format_args!("attempt {attempt}"))),
            Some(b'~') if *attempt == 1 => Err(Failure::retry_after(Duration::from_mins(1), "once")),
            _ => {
                self.seen.lock().unwrap().push(payload.clone());
                Ok(())
            }
        }
    }
}

fn entries(payloads: impl IntoIterator<Item = impl ToString>) -> Vec<NewEntry> {
    payloads.into_iter().map(|payload| NewEntry::new(payload.to_string())).collect()
}

fn start(db: &DatabaseConnection, notes: &Notes, options: Options) -> Running<Entry> {
    let producer = Outbox::new(Arc::new(db.clone()), "orders", options);
    Pipeline::builder(notes.clone()).producer(producer).processors(1).demand(20, 10).start().unwrap()
}

/// Waits until it is so; the tests' runner ends what never becomes so.
async fn until(mut so: impl AsyncFnMut() -> bool) {
    while !so().await {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}

async fn waiting(db: &DatabaseConnection) -> u32 {
    backlog(db, "orders", 1_000_000).await.unwrap()
}

both!(what_is_put_in_comes_out_in_order_and_is_gone, |db| {
    let notes = Notes::default();
    put(&db, "orders", &entries(0..95)).await.unwrap();
    put(&db, "mails", &entries(["of another topic"])).await.unwrap();
    let running = start(&db, &notes, TestClock::new().options());
    until(async || waiting(&db).await == 0).await;
    put(&db, "orders", &entries(95..120)).await.unwrap();
    until(async || waiting(&db).await == 0).await;
    let drained = running.drain(Duration::from_secs(10)).await;
    let expected: Vec<String> = (0..120).map(|n: u32| n.to_string()).collect();
    assert_eq!(*notes.seen.lock().unwrap(), expected);
    assert_eq!((drained.unacked, backlog(&db, "mails", 10).await.unwrap()), (0, 1));
});

both!(an_entry_is_there_exactly_if_its_transaction_was_committed, |db| {
    let transaction = db.begin().await.unwrap();
    put(&transaction, "orders", &entries(["lost"])).await.unwrap();
    transaction.rollback().await.unwrap();
    let transaction = db.begin().await.unwrap();
    let both = [NewEntry::new("{\"a\":\"\\u0000 'quoted' \u{1F600}\"}").key("k-1"), NewEntry::new("")];
    assert_eq!(put(&transaction, "orders", &both).await.unwrap(), 2);
    transaction.commit().await.unwrap();
    assert!(matches!(
        put(&db, "orders", &entries(["fine", "a\0b"])).await,
        Err(PutError::Nul { place: 1, .. })
    ));
    let mut producer = Outbox::new(Arc::new(db.clone()), "orders", TestClock::new().options());
    let taken = producer.produce(10).await.unwrap().unwrap();
    let entries: Vec<(&str, Option<&str>)> =
        taken.iter().map(|message| (message.data.payload.as_str(), message.data.key.as_deref())).collect();
    assert_eq!(entries, [(both[0].payload.as_str(), Some("k-1")), ("", None)]);
});

both!(what_fails_comes_back_after_its_time_and_is_dead_in_the_end, |db| {
    let clock = TestClock::new();
    let notes = Notes::default();
    put(&db, "orders", &entries(["!", "?", "~", "fine"])).await.unwrap();
    let options = Options { max_attempts: 3, ..clock.options() };
    let running = start(&db, &notes, options);
    // The rejected one is dead at once, the others wait.
    until(async || waiting(&db).await == 2).await;
    let letters = dead(&db, "orders", 0, 10).await.unwrap();
    assert_eq!((letters.len(), letters[0].reason.as_str()), (1, "wrong for ever"));
    assert_eq!(*notes.seen.lock().unwrap(), ["fine"]);
    for _ in 0..2 {
        let failed = running.stats().acked_failed;
        clock.turn(Duration::from_secs(3));
        until(async || running.stats().acked_failed > failed).await;
    }
    until(async || dead(&db, "orders", 0, 10).await.unwrap().len() == 2).await;
    let letters = dead(&db, "orders", 0, 10).await.unwrap();
    assert_eq!((letters[1].entry.attempt, letters[1].reason.as_str()), (3, "attempt 3"));
    assert_eq!(*notes.seen.lock().unwrap(), ["fine"], "a minute has not passed yet");
    clock.turn(Duration::from_mins(1));
    until(async || waiting(&db).await == 0).await;
    assert_eq!(*notes.seen.lock().unwrap(), ["fine", "~"]);
    // Another life for the dead.
    assert_eq!(outbox::retry(&db, &[letters[0].entry.id, 999]).await.unwrap(), 1);
    until(async || dead(&db, "orders", 0, 10).await.unwrap().len() == 2).await;
    running.drain(Duration::from_secs(10)).await;
    assert_eq!(prune(&db, "orders", i64::MAX, 100).await.unwrap(), 2);
});

both!(done_entries_are_kept_where_that_is_wished, |db| {
    put(&db, "orders", &entries(["a", "b"])).await.unwrap();
    let running = start(&db, &Notes::default(), Options { keep: true, ..TestClock::new().options() });
    until(async || waiting(&db).await == 0).await;
    running.drain(Duration::from_secs(10)).await;
    assert_eq!(dead(&db, "orders", 0, 10).await.unwrap(), []);
    assert_eq!(prune(&db, "orders", i64::MAX, 1).await.unwrap(), 1);
    assert_eq!(prune(&db, "orders", i64::MAX, 100).await.unwrap(), 1);
});

both!(a_node_that_is_gone_loses_its_lease_and_one_that_lives_keeps_it, |db| {
    let clock = TestClock::new();
    put(&db, "orders", &entries(["a", "b"])).await.unwrap();
    let stuck = Notes { hang: true, ..Notes::default() };
    let first = start(&db, &stuck, clock.options());
    until(async || first.stats().produced == 2).await;
    // Aborted in the middle: as after a kill, nobody gives anything back.
    drop(first);
    let notes = Notes::default();
    let second = start(&db, &notes, clock.options());
    clock.turn(Duration::from_secs(20));
    tokio::time::sleep(Duration::from_millis(60)).await;
    assert_eq!(second.stats().produced, 0, "the lease lasts");
    clock.turn(Duration::from_secs(11));
    until(async || waiting(&db).await == 0).await;
    assert_eq!(*notes.seen.lock().unwrap(), ["a", "b"]);

    // One that renews keeps its entries, however far the clock goes.
    second.drain(Duration::from_secs(10)).await;
    put(&db, "orders", &entries(["c"])).await.unwrap();
    let quick = Options { lease: Duration::from_millis(90), ..clock.options() };
    let third = start(&db, &stuck, quick);
    until(async || third.stats().produced == 1).await;
    let due = async || -> i64 {
        let sql = "SELECT due_at FROM outbox";
        let row = db.query_one_raw(Statement::from_string(db.get_database_backend(), sql)).await.unwrap();
        row.unwrap().try_get_by_index(0).unwrap()
    };
    for _ in 0..3 {
        let before = due().await;
        clock.turn(Duration::from_millis(50));
        until(async || due().await > before).await;
    }
});

both!(what_is_in_hand_is_not_given_twice_though_its_lease_ran_out, |db| {
    let clock = TestClock::new();
    put(&db, "orders", &entries(["a", "b"])).await.unwrap();
    let mut producer = Outbox::new(Arc::new(db.clone()), "orders", clock.options());
    let taken = producer.produce(10).await.unwrap().unwrap();
    assert_eq!(taken.len(), 2);
    // The database was away for so long that nothing could be renewed.
    clock.turn(Duration::from_mins(1));
    put(&db, "orders", &entries(["c"])).await.unwrap();
    // Looks from the first entry on.
    tokio::time::sleep(clock.options().poll).await;
    let next = producer.produce(10).await.unwrap().unwrap();
    assert_eq!(next.iter().map(|message| message.data.payload.as_str()).collect::<Vec<_>>(), ["c"]);
});

both!(a_drain_gives_back_what_was_not_handed_out, |db| {
    put(&db, "orders", &entries(0..5)).await.unwrap();
    let options = TestClock::new().options();
    let mut producer = Outbox::new(Arc::new(db.clone()), "orders", options.clone());
    let taken = producer.produce(3).await.unwrap().unwrap();
    assert_eq!(taken.len(), 3);
    // As if a drain had come between the statement and its answer.
    let sql = "UPDATE outbox SET node = (SELECT MAX(node) FROM outbox), due_at = 9000000000000, attempt = 1 \
               WHERE node IS NULL";
    db.execute_raw(Statement::from_string(db.get_database_backend(), sql)).await.unwrap();
    producer.stop().await;
    let mut other = Outbox::new(Arc::new(db.clone()), "orders", options);
    let rest = other.produce(10).await.unwrap().unwrap();
    let rest: Vec<(&str, u32)> =
        rest.iter().map(|message| (message.data.payload.as_str(), message.data.attempt)).collect();
    assert_eq!(rest, [("3", 1), ("4", 1)]);
});

/// Where the child finds its database.
const DATABASE: &str = "PIPELINE_KILLED_DATABASE";

/// An effect in the same database, not idempotent on purpose: it counts how often each entry was stored.
struct Effects(DatabaseConnection);

impl Handler for Effects {
    type In = Entry;
    type Out = ();

    async fn handle_message(&self, _: &mut Message<Entry>) -> Result<(), Failure> {
        Ok(())
    }

    async fn handle_batch(&self, batch: &mut Batch<Entry, ()>) -> Result<(), Failure> {
        let rows: Vec<String> = batch.iter().map(|item| format!("({}, 1)", item.input().payload)).collect();
        let sql = format!(
            "INSERT INTO effects VALUES {} ON CONFLICT (n) DO UPDATE SET times = effects.times + 1",
            rows.join(", ")
        );
        self.0.execute_unprepared(&sql).await.map(drop).map_err(Failure::retry)
    }
}

/// What the child process runs: this test binary again, with this test alone. By itself it does nothing.
#[test]
fn child() {
    let Ok(url) = std::env::var(DATABASE) else { return };
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    runtime.block_on(async {
        let db = Database::connect(quiet(&url).max_connections(1).to_owned()).await.unwrap();
        if db.get_database_backend() == DbBackend::Sqlite {
            db.execute_unprepared("PRAGMA busy_timeout = 10000").await.unwrap();
        }
        // A lease that a killed child leaves behind shall not keep the next one waiting for long.
        let options = Options {
            lease: Duration::from_millis(300),
            poll: Duration::from_millis(20),
            ..Options::default()
        };
        let producer = Outbox::new(Arc::new(db.clone()), "orders", options);
        let running = Pipeline::builder(Effects(db.clone()))
            .producer(producer)
            .processors(2)
            .demand(40, 20)
            .batcher(Batcher::new("store").size(25).timeout(Duration::from_millis(5)))
            .start()
            .unwrap();
        until(async || waiting(&db).await == 0).await;
        assert_eq!(running.drain(Duration::from_secs(30)).await.unacked, 0);
    });
}

const ENTRIES: u32 = 3_000;

async fn killed_in_the_middle(test: crate::database::TestDatabase) {
    let db = test.db.clone();
    db.execute_unprepared("CREATE TABLE effects (n BIGINT PRIMARY KEY, times BIGINT NOT NULL)")
        .await
        .unwrap();
    put(&db, "orders", &entries(0..ENTRIES)).await.unwrap();
    let start = || {
        Command::new(std::env::current_exe().unwrap())
            .args(["--exact", "outbox::child", "--nocapture"])
            .env(DATABASE, &test.url)
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap()
    };
    let mut kills = 0;
    loop {
        let before = waiting(&db).await;
        let mut child = start();
        // Killed as soon as it has done something: somewhere between an effect and an acknowledgement.
        until(async || waiting(&db).await < before || child.try_wait().unwrap().is_some()).await;
        tokio::time::sleep(Duration::from_millis(rand::random_range(0..15))).await;
        if before < ENTRIES / 4 {
            assert!(tokio::task::spawn_blocking(move || child.wait()).await.unwrap().unwrap().success());
            break;
        }
        child.kill().unwrap();
        child.wait().unwrap();
        kills += 1;
    }
    assert!(kills >= 2, "it was killed {kills} times");
    assert_eq!(waiting(&db).await, 0);
    let sql = "SELECT COUNT(*), MIN(n), MAX(n) FROM effects";
    let row =
        db.query_one_raw(Statement::from_string(db.get_database_backend(), sql)).await.unwrap().unwrap();
    let column = |at: usize| row.try_get_by_index::<i64>(at).unwrap();
    assert_eq!((column(0), column(1), column(2)), (i64::from(ENTRIES), 0, i64::from(ENTRIES) - 1));
    test.close().await;
}

#[tokio::test]
async fn killed_in_the_middle_of_batches_nothing_is_lost_on_sqlite() {
    killed_in_the_middle(crate::database::sqlite().await).await;
}

#[tokio::test]
async fn killed_in_the_middle_of_batches_nothing_is_lost_on_postgres() {
    killed_in_the_middle(crate::database::postgres().await).await;
}
