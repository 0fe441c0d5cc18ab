//! Files through the whole shop, on both databases: the figures of the independent count, whatever happens on the way.
//!
//! **Invariant.** However often, in however many pieces a file is fed: the same report, and no piece lost or made.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use pulse_core::order::{Channel, PaymentMethod};
use pulse_core::ports::Clock;
use pulse_core::{CartId, CheckoutKey, CommandId, Quantity, Sku, Timestamp};
use pulse_data::carts::GuestCarts;
use pulse_data::{Backend, Repo, SystemClock, db_test};
use pulse_ingest::demo::Dice;
use pulse_ingest::replay::{Options, Progress, ReplayError, Replayed, Shop, Speed, replay};
use serde_json::{Value, json};

use crate::sample;
use crate::shop::{WHO, close, figures, open, shelves};

const BOTH: Replayed = Replayed { done: 2, known: 0, stopped: false };

fn options() -> Options {
    Options { workers: 16, ..Options::default() }
}

async fn play(shop: &Shop, files: &[PathBuf]) -> Replayed {
    replay(shop, files, &options(), &Arc::default()).await.unwrap()
}

db_test!(the_sample_counts_as_the_oracle_counts, |repo| async move {
    let shop = open(&repo).await;
    let progress = Arc::new(Progress::default());
    let replayed = replay(&shop, &sample::files(), &options(), &progress).await.unwrap();
    assert_eq!(replayed, BOTH);
    sample::agrees(&shop, &repo).await;
    let (look, expected) = (progress.look(), sample::expected());
    let report = &expected["report"];
    assert_eq!((look.bytes, look.files), (look.bytes_total, 2));
    assert_eq!(json!(look.rows), report["rows"]);
    // The invoice that returns in the second file is an order of its own there.
    assert_eq!(json!(look.orders - 1), report["orders"]);
    assert_eq!(json!(look.returns), report["returns"]);
    assert_eq!(shop.door.fleet().stats().awake, 0, "no cart that is done stays awake");
    let again = play(&shop, &sample::files()).await;
    assert_eq!(again, Replayed { done: 0, known: 2, stopped: false });
    sample::agrees(&shop, &repo).await;
    close(&shop).await;
});

db_test!(a_replay_that_is_stopped_again_and_again_ends_the_same, |repo| async move {
    let shop = open(&repo).await;
    // Stopped before it begins, after the first orders, and after more and more of them.
    let mut stop_at = 0;
    loop {
        let (options, progress) = (options(), Arc::new(Progress::default()));
        let (stop, watched) = (options.stop.clone(), Arc::clone(&progress));
        let stopper = tokio::spawn(async move {
            while watched.look().orders < stop_at {
                tokio::time::sleep(Duration::from_millis(1)).await;
            }
            stop.cancel();
        });
        let replayed = replay(&shop, &sample::files(), &options, &progress).await.unwrap();
        stopper.abort();
        if !replayed.stopped {
            break;
        }
        stop_at += 30;
    }
    assert!(stop_at > 0, "it was stopped at least once");
    sample::agrees(&shop, &repo).await;
    close(&shop).await;
});

db_test!(a_long_invoice_that_is_broken_off_is_taken_up_where_it_was, |repo| async move {
    let shop = open(&repo).await;
    // Nearly ten times as many lines as a cart remembers of its commands.
    let row = |n: u32| format!("7,{},THING,{n},2010-12-01 08:26:00,0.01,,UK\n", 10_000 + n);
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("long.csv");
    std::fs::write(&file, (1..=300).map(row).collect::<String>()).unwrap();
    let options = options();
    let (stop, fleet) = (options.stop.clone(), shop.door.fleet().clone());
    tokio::spawn(async move {
        while fleet.stats().carts.stored < 60 {
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
        stop.cancel();
    });
    let stopped = replay(&shop, std::slice::from_ref(&file), &options, &Arc::default()).await.unwrap();
    assert!(stopped.stopped);
    let lines = shop.door.fleet().stats().carts.stored;
    assert!((60..300).contains(&lines), "broken off in the middle: {lines}");
    play(&shop, &[file]).await;
    let figures = figures(&shop).await;
    assert_eq!((&figures["orders"], &figures["revenue_pence"]), (&json!(1), &json!(45_150)));
    let stored = shop.door.fleet().stats().carts.stored;
    assert_eq!(stored, 302, "each line once, the freeze, and the cart as it was when it was taken up");
    shelves(&shop).await;
    close(&shop).await;
});

/// The machine's clock, so many days ahead.
struct Ahead(i64);

impl Clock for Ahead {
    fn now(&self) -> Timestamp {
        Timestamp(SystemClock.now().0 + self.0 * 24 * 3_600_000)
    }
}

/// Deletes every cart that was left alone, as if months had passed; how many.
async fn months_pass(repo: &Repo) -> u64 {
    let mut gone = 0;
    for days in [0, 60] {
        let guests = GuestCarts::new(repo.clone(), Arc::new(Ahead(days)));
        let mut sweep = guests.sweep(&WHO, Duration::from_hours(30 * 24)).await.unwrap();
        while let Some(page) = sweep.page().await.unwrap() {
            gone += page;
        }
    }
    gone
}

db_test!(a_replay_that_is_taken_up_after_its_carts_were_deleted_ends_the_same, |repo| async move {
    let (mut stop_at, mut gone) = (0, 0);
    loop {
        // Each time another process; the last carts of the one before are half full.
        let shop = open(&repo).await;
        let (options, fleet) = (options(), shop.door.fleet().clone());
        let stop = options.stop.clone();
        let stopper = tokio::spawn(async move {
            while fleet.stats().carts.stored < stop_at {
                tokio::time::sleep(Duration::from_millis(1)).await;
            }
            stop.cancel();
        });
        let replayed = replay(&shop, &sample::files(), &options, &Arc::default()).await.unwrap();
        stopper.abort();
        if !replayed.stopped {
            sample::agrees(&shop, &repo).await;
            close(&shop).await;
            break;
        }
        close(&shop).await;
        gone += months_pass(&repo).await;
        stop_at += 700;
    }
    assert!(gone > 50, "carts were deleted: {gone}");
});

db_test!(a_replay_is_not_misled_by_a_cart_that_is_remembered_and_deleted, |repo| async move {
    let shop = open(&repo).await;
    let row = |n: u32| format!("7,{},THING,{n},2010-12-01 08:26:00,0.01,,UK\n", 10_000 + n);
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("long.csv");
    std::fs::write(&file, (1..=300).map(row).collect::<String>()).unwrap();
    let options = options();
    let (stop, fleet) = (options.stop.clone(), shop.door.fleet().clone());
    tokio::spawn(async move {
        while fleet.stats().carts.stored < 60 {
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
        stop.cancel();
    });
    assert!(replay(&shop, std::slice::from_ref(&file), &options, &Arc::default()).await.unwrap().stopped);
    assert_eq!((months_pass(&repo).await, shop.door.fleet().stats().awake), (1, 1));
    play(&shop, &[file]).await;
    let figures = figures(&shop).await;
    assert_eq!((&figures["orders"], &figures["revenue_pence"]), (&json!(1), &json!(45_150)));
    close(&shop).await;
});

/// A replay on a runtime of its own that is dropped in the middle: every task ends where it stands.
fn torn_off(backend: Backend) {
    let runtime =
        || tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    let keeper = runtime();
    let database = keeper.block_on(pulse_data::testing::Database::create(backend));
    keeper.block_on(async { database.repo().await.close().await });
    let mut dice = Dice::new(6);
    for _ in 0..6 {
        let doomed = runtime();
        doomed.block_on(async {
            let repo: Repo = database.repo().await;
            let shop = open(&repo).await;
            let wait = Duration::from_millis(dice.between(20, 400).unsigned_abs());
            let _ = tokio::time::timeout(wait, play(&shop, &sample::files())).await;
        });
        doomed.shutdown_timeout(Duration::from_secs(10));
    }
    keeper.block_on(async {
        let repo = database.repo().await;
        let shop = open(&repo).await;
        play(&shop, &sample::files()).await;
        sample::agrees(&shop, &repo).await;
        close(&shop).await;
        repo.close().await;
        database.drop().await;
    });
}

#[test]
fn a_replay_that_is_torn_off_goes_on_from_there_on_sqlite() {
    torn_off(Backend::Sqlite);
}

#[test]
fn a_replay_that_is_torn_off_goes_on_from_there_on_postgres() {
    torn_off(Backend::Postgres);
}

/// The documented names of the sample's carts, independent of the code under test.
fn invoice_carts() -> Vec<CartId> {
    let half = |bytes: &[u8]| {
        use sha2::Digest as _;
        u128::from_be_bytes(sha2::Sha256::digest(bytes)[..16].try_into().unwrap())
    };
    let files = sample::files().into_iter().map(|path| half(&std::fs::read(path).unwrap()));
    let carts =
        |file: u128| (600_001..600_700).map(move |n: u32| CartId(file ^ half(n.to_string().as_bytes())));
    files.flat_map(carts).collect()
}

db_test!(carts_that_are_killed_lose_nothing, |repo| async move {
    let shop = open(&repo).await;
    let fleet = shop.door.fleet().clone();
    let killer = tokio::spawn(async move {
        let carts = invoice_carts();
        let mut killed = 0;
        loop {
            for cart in &carts {
                killed += usize::from(fleet.kill(*cart));
            }
            if killed > 500 {
                return;
            }
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    });
    play(&shop, &sample::files()).await;
    killer.abort();
    assert!(shop.door.fleet().stats().started > 230, "carts were started again");
    sample::agrees(&shop, &repo).await;
    close(&shop).await;
});

db_test!(files_with_other_dirt_count_the_same, |repo| async move {
    let folder = tempfile::tempdir().unwrap();
    let mut files = Vec::new();
    for (path, month) in sample::files().into_iter().zip(1..) {
        let text = std::fs::read_to_string(&path).unwrap();
        let mut dirty = vec![0xef, 0xbb, 0xbf];
        dirty.extend_from_slice(text.replace('\n', "\r\n\r\n").as_bytes());
        // Bytes that are no text, a name over two lines, and a last line that was cut off.
        let last = format!(
            "900002,99999A,\"TWO\r\nLINES\",2,2011-0{month}-01 08:26:00,2.50,,UK\r\n\
             900003,85123A,THING,6,2011-02-0"
        );
        dirty.extend_from_slice(b"900001,85123A,CAF\xc9,6,2011-02-01 08:26:00,2.55,,UK\r\n");
        dirty.extend_from_slice(last.as_bytes());
        let to = folder.path().join(path.file_name().unwrap());
        std::fs::write(&to, dirty).unwrap();
        files.push(to);
    }
    let shop = open(&repo).await;
    play(&shop, &files).await;
    let mut expected = sample::expected()["report"].clone();
    let add = |value: &mut Value, more: i64| *value = json!(value.as_i64().unwrap_or(0) + more);
    add(&mut expected["rows"], 6);
    add(&mut expected["dead"]["malformed"], 4);
    add(&mut expected["sale_lines"], 2);
    add(&mut expected["orders"], 1);
    add(&mut expected["revenue_pence"], 1000);
    // Both parts of invoice 900002 count in the month of the first.
    add(&mut expected["by_month"]["2011-01"], 1000);
    expected["by_country"]["UK"] = json!(1000);
    add(&mut expected["products_sold"], 1);
    assert_eq!(figures(&shop).await, expected);
    shelves(&shop).await;
    close(&shop).await;
});

db_test!(goods_that_others_bought_are_delivered_again, |repo| async move {
    let shop = open(&repo).await;
    let row = |n: u32| format!("{n},85123A,THING,6,2010-12-01 08:{:02}:00,2.55,,United Kingdom\n", n % 60);
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("shop.csv");
    std::fs::write(&file, (1000..1060).map(row).collect::<String>()).unwrap();
    // Stopped after the delivery, so that somebody can buy 300 of the 360 pieces.
    let slow = Options { speed: Speed::Times(1.0), ..options() };
    let (stop, progress) = (slow.stop.clone(), Arc::new(Progress::default()));
    let watched = Arc::clone(&progress);
    tokio::spawn(async move {
        while watched.look().rows == 0 {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        stop.cancel();
    });
    let stopped = replay(&shop, std::slice::from_ref(&file), &slow, &progress).await.unwrap();
    assert!(stopped.stopped);
    let (cart, sku) = (CartId(1), Sku::new("85123A").unwrap());
    shop.door.add(&WHO, cart, CommandId(1), sku, Quantity::new(300).unwrap()).await.unwrap();
    let checkout = pulse_fleet::Checkout {
        key: CheckoutKey::new("greedy").unwrap(),
        buyer: None,
        email: None,
        country: "France".to_owned(),
        payment: PaymentMethod::OnAccount,
        channel: Channel::Web,
        placed_at: None,
    };
    shop.door.checkout(&WHO, cart, checkout).await.unwrap();
    play(&shop, &[file]).await;
    let figures = figures(&shop).await;
    assert_eq!((&figures["orders"], &figures["revenue_pence"]), (&json!(60), &json!(60 * 6 * 255)));
    shelves(&shop).await;
    close(&shop).await;
});

db_test!(what_is_no_file_is_told_so, |repo| async move {
    let shop = open(&repo).await;
    let folder = tempfile::tempdir().unwrap();
    let missing = replay(&shop, &[folder.path().join("missing.csv")], &options(), &Arc::default()).await;
    assert!(matches!(missing, Err(ReplayError::Read { .. })), "{missing:?}");
    let pipe = replay(&shop, &[folder.path().to_owned()], &options(), &Arc::default()).await;
    assert!(matches!(pipe, Err(ReplayError::NotAFile(_))), "{pipe:?}");
    let empty = folder.path().join("empty.csv");
    std::fs::write(&empty, "").unwrap();
    assert_eq!(play(&shop, &[empty]).await.done, 1);
    assert_eq!(figures(&shop).await["rows"], 0);
    close(&shop).await;
});

db_test!(rows_of_absurd_size_are_malformed_and_the_rest_goes_on, |repo| async move {
    let shop = open(&repo).await;
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("absurd.csv");
    let rows = "1,85123A,THING,2000000000,2010-12-01 08:26:00,2.55,,UK\n\
                1,85123A,THING,2,2010-12-01 08:26:00,2.55,,UK\n\
                2,85123A,THING,1,2010-12-01 08:26:00,9999999999.00,,UK\n\
                C3,85123A,THING,-2000000000,2010-12-01 08:26:00,2.55,,UK\n\
                C3,85123B,THING,-2,2010-12-01 08:27:00,2.55,,\n";
    std::fs::write(&file, rows).unwrap();
    play(&shop, &[file]).await;
    let figures = figures(&shop).await;
    assert_eq!(figures["dead"], json!({ "malformed": 3 }));
    assert_eq!((&figures["sale_lines"], &figures["return_lines"]), (&json!(1), &json!(1)));
    assert_eq!((&figures["orders"], &figures["returns"]), (&json!(1), &json!(1)));
    assert_eq!((&figures["revenue_pence"], &figures["refunds_pence"]), (&json!(510), &json!(510)));
    assert_eq!(shelves(&shop).await["stock"], json!({ "85123A": 0, "85123B": 2 }));
    close(&shop).await;
});

db_test!(every_kind_of_dirt_counts_as_the_oracle_counts, |repo| async move {
    let shop = open(&repo).await;
    let replayed = play(&shop, &sample::dirt()).await;
    assert_eq!(replayed, Replayed { done: 6, known: 1, stopped: false }, "one has the content of another");
    sample::agrees_with(&sample::expected_dirt(), &shop, &repo).await;
    close(&shop).await;
});

db_test!(what_is_appended_or_put_in_its_place_meanwhile_waits_for_the_next_replay, |repo| async move {
    let shop = open(&repo).await;
    let row = |n: u32, minute| format!("{n},85123A,THING,1,2010-12-01 08:{minute}:00,1.00,,UK\n");
    // More than is ever read ahead, and no work for the shop.
    let padding = "1,no row,but long enough to fill a buffer, or many of them\n".repeat(5_000);
    for (name, replaced) in [("grown.csv", false), ("replaced.csv", true)] {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join(name);
        let n = if replaced { 200 } else { 100 };
        let text = format!("{}{}{padding}{}", row(n, "00"), row(n + 1, "59"), row(n + 2, "59"));
        std::fs::write(&file, text).unwrap();
        // The hour before the second row takes a tenth of a second: then the change comes.
        let (options, progress) = (Options { speed: Speed::Times(36_000.0), ..options() }, Arc::default());
        let watched: Arc<Progress> = Arc::clone(&progress);
        let changed = file.clone();
        let changer = tokio::task::spawn_blocking(move || {
            while watched.look().rows == 0 {
                std::thread::sleep(Duration::from_millis(1));
            }
            if replaced {
                let other = changed.with_extension("new");
                std::fs::write(&other, row(299, "59")).unwrap();
                std::fs::rename(other, changed).unwrap();
            } else {
                use std::io::Write as _;
                let mut file = std::fs::OpenOptions::new().append(true).open(changed).unwrap();
                file.write_all(row(199, "59").as_bytes()).unwrap();
            }
        });
        let replayed = replay(&shop, std::slice::from_ref(&file), &options, &progress).await.unwrap();
        changer.await.unwrap();
        assert_eq!(replayed, Replayed { done: 1, known: 0, stopped: false }, "{name}");
    }
    let figures = figures(&shop).await;
    assert_eq!((&figures["rows"], &figures["orders"]), (&json!(10_006), &json!(6)));
    shelves(&shop).await;
    close(&shop).await;
});
