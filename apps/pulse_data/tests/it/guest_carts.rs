//! Guests' carts that were left alone go, and nothing else does.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use futures::FutureExt as _;
use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};
use pulse_core::cart::StoredCart;
use pulse_core::ports::{CartStore as _, Clock, SaveError};
use pulse_core::{CartId, CommandId, Principal, Role, Timestamp, UserId, Version};
use pulse_data::carts::{Carts, GuestCarts, SweepError, of_user};
use pulse_data::{Backend, DbError, Repo, Sql as _, db_test};

use crate::shop::{NOW, ROOT, user};

const DAY: i64 = 24 * 3_600_000;
const KEEP: Duration = Duration::from_hours(3 * 24);

#[derive(Clone)]
struct Hands(Arc<AtomicI64>);

impl Clock for Hands {
    fn now(&self) -> Timestamp {
        Timestamp(self.0.load(Ordering::SeqCst))
    }
}

/// Carts, who sweeps them, and the time.
struct Room {
    repo: Repo,
    carts: Carts,
    guests: GuestCarts,
    hands: Hands,
}

impl Room {
    fn new(repo: &Repo) -> Self {
        let hands = Hands(Arc::new(AtomicI64::new(NOW.0)));
        let guests = GuestCarts::new(repo.clone(), Arc::new(hands.clone()));
        Self { repo: repo.clone(), carts: Carts::new(repo), guests, hands }
    }

    fn later(&self, by: i64) {
        self.hands.0.fetch_add(by, Ordering::SeqCst);
    }

    /// Stores the next version of a cart, or its first one.
    async fn save(&self, id: CartId, over: Version) -> Result<Version, SaveError> {
        let version = if over == Version::NONE { Version::first(self.hands.now()) } else { over.next() };
        let recent = [(CommandId(7), version)].into_iter().collect();
        let cart = StoredCart { version, recent, ..StoredCart::default() };
        self.carts.save(id, over, &cart).await.map(|()| version)
    }

    /// A whole sweep; how many rows it has deleted.
    async fn sweep(&self) -> u64 {
        let (mut sweep, mut gone) = (self.guests.sweep(&ROOT, KEEP).await.unwrap(), 0);
        while let Some(page) = sweep.page().await.unwrap() {
            gone += page;
        }
        gone
    }

    async fn version(&self, id: CartId) -> Option<Version> {
        self.carts.load(id).await.unwrap().map(|cart| cart.version)
    }

    async fn script(&self, sql: &str) {
        let run = self.repo.write_with(sql.to_owned(), |tx, sql| async move { tx.script(sql).await }.boxed());
        run.await.map_err(|error: DbError| error).unwrap();
    }

    async fn count(&self, table: &str) -> i64 {
        let sql = format!("SELECT COUNT(*) AS n FROM {table}");
        self.repo.reader().row(&sql, vec![]).await.unwrap().unwrap().try_get("", "n").unwrap()
    }

    /// A new account; its cart.
    async fn account(&self) -> CartId {
        self.script(
            "INSERT INTO users (role, status, external_ref, created_at) \
                     SELECT 'buyer', 'active', 'ref ' || COALESCE(MAX(id), 0), 0 FROM users",
        )
        .await;
        let row = self.repo.reader().row("SELECT MAX(id) AS id FROM users", vec![]).await.unwrap().unwrap();
        of_user(UserId(row.try_get("", "id").unwrap()))
    }
}

db_test!(a_guests_cart_goes_when_it_was_left_alone_for_the_whole_time, |repo| async move {
    let room = Room::new(&repo);
    let (left, used) = (CartId(1), CartId(2));
    room.save(left, Version::NONE).await.unwrap();
    let mut version = room.save(used, Version::NONE).await.unwrap();
    for _ in 0..3 {
        assert_eq!(room.sweep().await, 0);
        room.later(DAY);
        version = room.save(used, version).await.unwrap();
    }
    assert_eq!(room.sweep().await, 1);
    assert_eq!((room.version(left).await, room.version(used).await), (None, Some(version)));
    // The other one has three days of its own, to the millisecond.
    for (by, gone) in [(DAY, 0), (DAY, 0), (DAY - 1, 0), (1, 1)] {
        room.later(by);
        assert_eq!(room.sweep().await, gone);
    }
    assert_eq!(
        (room.count("carts").await, room.count("cart_sightings").await),
        (0, 0),
        "nothing stays behind"
    );
});

db_test!(an_accounts_cart_stays_however_long_it_is_left, |repo| async move {
    let room = Room::new(&repo);
    let early = room.account().await;
    room.save(early, Version::NONE).await.unwrap();
    room.sweep().await;
    // Opened between two sweeps, and its cart filled before it is known.
    let late = room.account().await;
    room.save(late, Version::NONE).await.unwrap();
    room.save(CartId(1), Version::NONE).await.unwrap();
    for gone in [0, 0, 0, 1, 0] {
        assert_eq!(room.sweep().await, gone);
        room.later(DAY);
    }
    assert!(room.version(early).await.is_some() && room.version(late).await.is_some());
});

db_test!(a_cart_that_is_filled_again_begins_above_every_version_that_it_had, |repo| async move {
    let room = Room::new(&repo);
    let mut old = room.save(CartId(1), Version::NONE).await.unwrap();
    for _ in 0..50 {
        old = room.save(CartId(1), old).await.unwrap();
    }
    room.sweep().await;
    room.later(3 * DAY);
    assert_eq!(room.sweep().await, 1);
    assert_eq!(room.save(CartId(1), old).await, Err(SaveError::Fenced), "an owner that remembers the row");
    let new = room.save(CartId(1), Version::NONE).await.unwrap();
    assert!(new > old.next());
    assert_eq!(room.save(CartId(1), old).await, Err(SaveError::Fenced));
    assert_eq!(room.version(CartId(1)).await, Some(new));
});

db_test!(more_carts_and_accounts_than_a_page_are_all_looked_at, |repo| async move {
    const MANY: u64 = 1_203;
    let room = Room::new(&repo);
    let (mut all, mut kept) = (Vec::new(), Vec::new());
    for n in 0..MANY {
        // Spread over all ids, as the hashes of secrets are.
        all.push(CartId(u128::from(n).wrapping_mul(0x9E37_79B9_7F4A_7C15_F39C_C060_5CED_C835)));
    }
    for _ in 0..1_100 {
        kept.push(room.account().await);
    }
    let saves = all.iter().chain(&kept).map(|cart| room.save(*cart, Version::NONE));
    for saved in futures::future::join_all(saves).await {
        saved.unwrap();
    }
    room.sweep().await;
    room.later(3 * DAY);
    let mut sweep = room.guests.sweep(&ROOT, KEEP).await.unwrap();
    let (mut gone, mut most, mut pages) = (0, 0, 0);
    while let Some(page) = sweep.page().await.unwrap() {
        (gone, most, pages) = (gone + page, most.max(page), pages + 1);
    }
    assert_eq!(gone, MANY);
    assert!(pages >= 5 && most <= 500, "{pages} pages of up to {most}");
    assert_eq!(room.count("carts").await, 1_100);
    for cart in kept {
        assert!(room.version(cart).await.is_some());
    }
});

db_test!(only_the_shop_itself_sweeps, |repo| async move {
    let room = Room::new(&repo);
    for who in [Principal::Guest, user(1, Role::Admin)] {
        let refused = room.guests.sweep(&who, KEEP).await;
        assert!(matches!(refused, Err(SweepError::Forbidden(_))), "{refused:?}");
    }
});

db_test!(a_row_that_is_saved_while_it_is_deleted_is_either_stored_or_fenced, |repo| async move {
    let room = Arc::new(Room::new(&repo));
    for round in 0..20_u128 {
        room.script("DELETE FROM carts; DELETE FROM cart_sightings").await;
        let carts: Vec<_> = (0..40).map(|n| CartId(round * 1_000 + n)).collect();
        let mut rows = Vec::new();
        for saved in futures::future::join_all(carts.iter().map(|cart| room.save(*cart, Version::NONE))).await
        {
            rows.push(saved.unwrap());
        }
        room.sweep().await;
        room.later(3 * DAY);
        let saves = carts.iter().copied().zip(rows).zip(0..).map(|((cart, version), nth)| {
            let room = Arc::clone(&room);
            tokio::spawn(async move {
                // Some before the sweep's look, some after it, some while it deletes.
                for _ in 0..nth * (round + 1) {
                    tokio::task::yield_now().await;
                }
                (cart, room.save(cart, version).await)
            })
        });
        let saves: Vec<_> = saves.collect();
        let (gone, saved) = tokio::join!(room.sweep(), futures::future::join_all(saves));
        let mut fenced = 0;
        for save in saved {
            let (cart, answer) = save.unwrap();
            match answer {
                Ok(version) => {
                    assert_eq!(room.version(cart).await, Some(version), "acknowledged, so it is there");
                }
                Err(SaveError::Fenced) => {
                    fenced += 1;
                    assert_eq!(room.version(cart).await, None);
                }
                Err(error) => panic!("{error}"),
            }
        }
        assert_eq!(gone, fenced);
    }
});

#[derive(Debug, Clone)]
enum Step {
    /// Stores the next version of a cart.
    Save(usize),
    /// Has an owner that remembers a deleted row store over it.
    Late(usize),
    /// Lets hours pass.
    Later(i64),
    /// Begins a sweep.
    Begin,
    /// Has the sweep that was begun last look at the carts.
    Page,
    /// Opens an account, whose cart is one more to be saved.
    Open,
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        5 => (0..8_usize).prop_map(Step::Save),
        1 => (0..8_usize).prop_map(Step::Late),
        4 => (1..60_i64).prop_map(Step::Later),
        4 => Just(Step::Begin),
        5 => Just(Step::Page),
        1 => Just(Step::Open),
    ]
}

/// What is known of a cart beside its row.
#[derive(Clone)]
struct Known {
    id: CartId,
    account: bool,
    row: Option<Version>,
    /// The last version of a row that is gone.
    old: Option<Version>,
    changed: i64,
    /// When a sweep first looked at this version.
    seen: Option<i64>,
}

impl Known {
    fn new(id: CartId, account: bool) -> Self {
        Self { id, account, row: None, old: None, changed: 0, seen: None }
    }
}

/// Saves, sweeps and time in any order.
async fn history(repo: &Repo, steps: Vec<Step>) {
    let room = Room::new(repo);
    room.script("DELETE FROM carts; DELETE FROM cart_sightings").await;
    let mut known: Vec<_> = (1..=5).map(|n| Known::new(CartId(n << 120 | n), false)).collect();
    known.push(Known::new(room.account().await, true));
    let mut sweep = None;
    for step in steps {
        let now = room.hands.now().0;
        match step {
            Step::Save(n) => {
                let n = n % known.len();
                let cart = &mut known[n];
                let version = room.save(cart.id, cart.row.unwrap_or(Version::NONE)).await.unwrap();
                (cart.row, cart.changed, cart.seen) = (Some(version), now, None);
            }
            Step::Late(n) => {
                let cart = &known[n % known.len()];
                if let Some(old) = cart.old {
                    assert_eq!(room.save(cart.id, old).await, Err(SaveError::Fenced));
                }
            }
            Step::Later(hours) => room.later(hours * 3_600_000),
            Step::Begin => sweep = Some(room.guests.sweep(&ROOT, KEEP).await.unwrap()),
            Step::Page => {
                let Some(sweep) = &mut sweep else { continue };
                let looked = sweep.page().await.unwrap();
                for cart in &mut known {
                    let row = room.version(cart.id).await;
                    if row == cart.row {
                        let keep = i64::try_from(KEEP.as_millis()).unwrap();
                        let due = cart.seen.is_some_and(|seen| now - seen >= keep);
                        assert!(
                            !due || cart.account || looked.is_none(),
                            "it was left alone for long enough"
                        );
                        if looked.is_some() && row.is_some() {
                            cart.seen.get_or_insert(now);
                        }
                        continue;
                    }
                    assert_eq!(row, None, "a sweep changes no row");
                    assert!(!cart.account, "an account's cart is gone");
                    assert!(now - cart.changed >= i64::try_from(KEEP.as_millis()).unwrap(), "too young");
                    (cart.old, cart.row, cart.seen) = (cart.row, None, None);
                }
            }
            Step::Open if known.len() < 8 => known.push(Known::new(room.account().await, true)),
            Step::Open => {}
        }
    }
}

fn any_history(backend: Backend, cases: u32) {
    pulse_data::testing::run(backend, move |repo| async move {
        let handle = tokio::runtime::Handle::current();
        tokio::task::spawn_blocking(move || {
            let config = Config { cases, failure_persistence: None, ..Config::default() };
            let run = TestRunner::new(config).run(&prop::collection::vec(step(), 0..80), |steps| {
                handle.block_on(history(&repo, steps));
                Ok(())
            });
            run.unwrap();
        })
        .await
        .unwrap();
    });
}

#[test]
fn whatever_happens_only_guests_carts_go_and_never_before_nor_long_after_their_time_on_sqlite() {
    any_history(Backend::Sqlite, 60);
}

#[test]
fn whatever_happens_only_guests_carts_go_and_never_before_nor_long_after_their_time_on_postgres() {
    any_history(Backend::Postgres, 60);
}
