//! Accounts: registration, sign-in, sessions, tokens, resets, roles; on both databases.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use pulse_core::ports::Clock;
use pulse_core::{Principal, Role, Timestamp, UserId};
use pulse_data::accounts::{
    AccountError, AccountOptions, Accounts, BuyerRef, Change, HashCost, Registration, ResetRequest, SignedIn,
    User, UserQuery, UserStatus, csrf_matches,
};
use pulse_data::audit::{self, AuditQuery};
use pulse_data::{Repo, Sql as _, db_test};

const SYSTEM: Principal = Principal::System("tests");
const PASSWORD: &str = "correct horse";

/// A clock that the test turns.
#[derive(Clone)]
struct Hands(Arc<AtomicI64>);

impl Hands {
    fn turn(&self, by: Duration) {
        self.0.fetch_add(i64::try_from(by.as_millis()).unwrap(), Ordering::SeqCst);
    }
}

impl Clock for Hands {
    fn now(&self) -> Timestamp {
        Timestamp(self.0.load(Ordering::SeqCst))
    }
}

fn accounts(repo: &Repo) -> (Accounts, Hands) {
    with(repo, |_| {})
}

fn with(repo: &Repo, change: impl FnOnce(&mut AccountOptions)) -> (Accounts, Hands) {
    let hands = Hands(Arc::new(AtomicI64::new(1_000_000_000_000)));
    // The cheapest hash that there is: what it protects here is nothing.
    let hash_cost = HashCost { memory_kib: 8, passes: 1 };
    let mut options = AccountOptions { hash_cost, ..AccountOptions::default() };
    change(&mut options);
    (Accounts::new(repo.clone(), Arc::new(hands.clone()), options), hands)
}

async fn ann(accounts: &Accounts) -> User {
    let wanted =
        Registration { email: " Ann@Example.com".into(), password: PASSWORD.into(), role: Role::Buyer };
    accounts.register(&Principal::Guest, wanted).await.unwrap()
}

async fn sign_in(accounts: &Accounts) -> SignedIn {
    accounts.sign_in("ann@example.com", PASSWORD, "a browser").await.unwrap()
}

async fn actions(repo: &Repo) -> Vec<String> {
    let rows = audit::list(repo, &SYSTEM, &AuditQuery::default()).await.unwrap();
    rows.into_iter().rev().map(|row| row.action).collect()
}

db_test!(an_address_names_one_account_in_any_case, |repo| async move {
    let (accounts, _) = accounts(&repo);
    let user = ann(&accounts).await;
    assert_eq!(user.email.as_deref(), Some("ann@example.com"));
    let again =
        Registration { email: "ANN@example.COM".into(), password: PASSWORD.into(), role: Role::Buyer };
    let Err(AccountError::Invalid(errors)) = accounts.register(&Principal::Guest, again).await else {
        panic!("a second account of one address")
    };
    assert_eq!((errors.0[0].field.as_str(), errors.0[0].code), ("email", "taken"));
    assert_eq!(actions(&repo).await, ["account.register"]);
});

db_test!(every_wrong_field_is_told_at_once, |repo| async move {
    let (accounts, _) = accounts(&repo);
    let wanted = Registration { email: "nobody".into(), password: "short".into(), role: Role::Buyer };
    let Err(AccountError::Invalid(errors)) = accounts.register(&Principal::Guest, wanted).await else {
        panic!("registered")
    };
    let fields: Vec<_> = errors.0.iter().map(|error| (error.field.as_str(), error.code)).collect();
    assert_eq!(fields, [("email", "format"), ("password", "length")]);
});

db_test!(only_who_manages_accounts_hands_out_trust, |repo| async move {
    let (accounts, _) = accounts(&repo);
    let wanted =
        Registration { email: "bob@example.com".into(), password: PASSWORD.into(), role: Role::Manager };
    let refused = accounts.register(&Principal::Guest, wanted.clone()).await;
    assert!(matches!(refused, Err(AccountError::Forbidden(_))));
    let admin = accounts.bootstrap("root@example.com", PASSWORD, Role::Admin).await.unwrap();
    let root = Principal::User { id: admin.id, role: admin.role };
    let bob = accounts.register(&root, wanted).await.unwrap();
    let who_bob = Principal::User { id: bob.id, role: bob.role };
    assert!(matches!(
        accounts.set_role(&who_bob, bob.id, Role::Admin).await,
        Err(AccountError::Forbidden(_))
    ));
    assert!(matches!(accounts.list(&who_bob, &UserQuery::default()).await, Err(AccountError::Forbidden(_))));
    assert!(matches!(accounts.get(&who_bob, admin.id).await, Err(AccountError::Forbidden(_))));
    assert_eq!(accounts.get(&who_bob, bob.id).await.unwrap(), bob);
});

db_test!(a_password_opens_a_session_and_a_wrong_one_does_not, |repo| async move {
    let (accounts, _) = accounts(&repo);
    let user = ann(&accounts).await;
    let signed = accounts.sign_in("ANN@example.com ", PASSWORD, "a\nbrowser").await.unwrap();
    assert_eq!(signed.principal, Principal::User { id: user.id, role: Role::Buyer });
    let resumed = accounts.resume(signed.token.reveal()).await.unwrap().unwrap();
    assert_eq!((resumed.principal, resumed.csrf.clone()), (signed.principal, signed.csrf));
    assert!(csrf_matches(signed.token.reveal(), resumed.csrf.reveal()));
    assert!(!csrf_matches(signed.token.reveal(), "something else"));
    for (email, password) in
        [("ann@example.com", "wrong password"), ("bob@example.com", PASSWORD), ("?", PASSWORD)]
    {
        let refused = accounts.sign_in(email, password, "").await;
        assert!(matches!(refused, Err(AccountError::WrongCredentials)), "{email}: {refused:?}");
    }
    assert_eq!(accounts.resume("no token").await.unwrap(), None);
    let kept = repo.reader().row("SELECT token_hash FROM sessions", vec![]).await.unwrap().unwrap();
    let kept: String = kept.try_get("", "token_hash").unwrap();
    assert_ne!(kept, signed.token.reveal(), "the table can't sign anybody in");
    assert_eq!(accounts.resume(&kept).await.unwrap(), None);
});

db_test!(a_session_ends_by_idleness_by_age_and_by_hand, |repo| async move {
    let hour = Duration::from_hours(1);
    let (accounts, hands) = with(&repo, |options| {
        options.session_idle = Duration::from_hours(1);
        options.session_life = Duration::from_hours(3);
    });
    let user = ann(&accounts).await;
    let idle = sign_in(&accounts).await;
    hands.turn(hour);
    assert_eq!(accounts.resume(idle.token.reveal()).await.unwrap(), None, "idle");
    let busy = sign_in(&accounts).await;
    for _ in 0..4 {
        hands.turn(hour * 2 / 3);
        let resumed = accounts.resume(busy.token.reveal()).await.unwrap();
        assert!(resumed.is_some(), "in use");
        seen(&repo, &hands).await;
    }
    hands.turn(hour / 2);
    assert_eq!(accounts.resume(busy.token.reveal()).await.unwrap(), None, "too old, though in use");
    let (left, right) = (sign_in(&accounts).await, sign_in(&accounts).await);
    accounts.sign_out(left.token.reveal()).await.unwrap();
    assert_eq!(accounts.resume(left.token.reveal()).await.unwrap(), None, "signed out");
    let sessions = accounts.sessions(&right.principal, user.id).await.unwrap();
    assert_eq!(sessions.len(), 1);
    assert_eq!(accounts.revoke_session(&right.principal, user.id, Some(&sessions[0].id)).await.unwrap(), 1);
    assert_eq!(accounts.resume(right.token.reveal()).await.unwrap(), None, "revoked");
    while accounts.prune().await.unwrap() {}
    let left = repo.reader().row("SELECT count(*) AS n FROM sessions", vec![]).await.unwrap().unwrap();
    assert_eq!(left.try_get::<i64>("", "n").unwrap(), 0);
});

/// Waits until the background has noted a session's use.
async fn seen(repo: &Repo, hands: &Hands) {
    let noted = async {
        loop {
            let sql = "SELECT count(*) AS n FROM sessions WHERE seen_at = $1";
            let row = repo.reader().row(sql, vec![hands.now().0.into()]).await.unwrap().unwrap();
            if row.try_get::<i64>("", "n").unwrap() > 0 {
                return;
            }
            tokio::time::sleep(Duration::from_millis(2)).await;
        }
    };
    tokio::time::timeout(Duration::from_mins(1), noted).await.expect("the use is noted");
}

db_test!(guessing_is_slowed_down_for_known_and_unknown_addresses_alike, |repo| async move {
    let (accounts, hands) = accounts(&repo);
    ann(&accounts).await;
    for email in ["ann@example.com", "unknown@example.com"] {
        for _ in 0..5 {
            let refused = accounts.sign_in(email, "wrong password", "").await;
            assert!(matches!(refused, Err(AccountError::WrongCredentials)), "{refused:?}");
        }
        let refused = accounts.sign_in(email, PASSWORD, "").await;
        let Err(AccountError::Throttled { retry_after }) = refused else { panic!("{email}: {refused:?}") };
        assert_eq!(retry_after, Duration::from_secs(1));
    }
    hands.turn(Duration::from_secs(1));
    sign_in(&accounts).await;
    let refused = accounts.sign_in("ann@example.com", "wrong password", "").await;
    assert!(matches!(refused, Err(AccountError::WrongCredentials)), "success forgot the count");
    assert_eq!(actions(&repo).await.iter().filter(|action| *action == "account.throttle").count(), 2);
});

db_test!(a_hundred_guesses_at_once_are_counted_one_by_one, |repo| async move {
    let (accounts, _) = with(&repo, |options| options.waiting = 100);
    ann(&accounts).await;
    let guesses = (0..100).map(|_| {
        let accounts = accounts.clone();
        tokio::spawn(async move { accounts.authenticate("ann@example.com", "wrong password").await })
    });
    let (mut looked_at, mut refused) = (0, 0);
    for guess in futures::future::join_all(guesses).await {
        match guess.unwrap() {
            Err(AccountError::WrongCredentials) => looked_at += 1,
            Err(AccountError::Throttled { .. }) => refused += 1,
            other => panic!("{other:?}"),
        }
    }
    assert_eq!((looked_at, refused), (5, 95));
});

db_test!(more_logins_than_the_machine_takes_are_told_so, |repo| async move {
    let (accounts, _) = with(&repo, |options| {
        options.hash_cost = HashCost { memory_kib: 16 * 1024, passes: 2 };
        options.hashing = 1;
        options.waiting = 2;
    });
    let logins = (0..40).map(|n| {
        let accounts = accounts.clone();
        tokio::spawn(async move { accounts.authenticate(&format!("n{n}@example.com"), PASSWORD).await })
    });
    let answers: Vec<_> = futures::future::join_all(logins)
        .await
        .into_iter()
        .map(|answer| answer.unwrap().unwrap_err())
        .collect();
    assert!(answers.iter().any(|error| matches!(error, AccountError::Overloaded)), "{answers:?}");
    assert!(answers.iter().any(|error| matches!(error, AccountError::WrongCredentials)), "{answers:?}");
});

db_test!(a_token_acts_for_its_owner_until_it_is_revoked, |repo| async move {
    let (accounts, _) = accounts(&repo);
    let user = ann(&accounts).await;
    let who = Principal::User { id: user.id, role: user.role };
    let made = accounts.create_token(&who, " cash desk ").await.unwrap();
    assert!(made.secret.reveal().starts_with("pulse_"));
    assert_eq!(accounts.bearer(made.secret.reveal()).await.unwrap(), Some(who.clone()));
    assert_eq!(accounts.resume(made.secret.reveal()).await.unwrap(), None, "no session");
    let tokens = accounts.tokens(&who, user.id).await.unwrap();
    assert_eq!(tokens.iter().map(|token| token.name.as_str()).collect::<Vec<_>>(), ["cash desk"]);
    accounts.set_role(&SYSTEM, user.id, Role::Manager).await.unwrap();
    let promoted = accounts.bearer(made.secret.reveal()).await.unwrap();
    assert_eq!(
        promoted,
        Some(Principal::User { id: user.id, role: Role::Manager }),
        "it has what its owner has now"
    );
    let stranger = Principal::User { id: UserId(user.id.0 + 1), role: Role::Manager };
    let refused = accounts.revoke_token(&stranger, user.id, made.token.id).await;
    assert!(matches!(refused, Err(AccountError::Forbidden(_))));
    accounts.revoke_token(&who, user.id, made.token.id).await.unwrap();
    assert_eq!(accounts.bearer(made.secret.reveal()).await.unwrap(), None);
    let again = accounts.revoke_token(&who, user.id, made.token.id).await;
    assert!(matches!(again, Err(AccountError::NoSuchToken)));
});

/// The arguments of every job, as somebody reads them who has the database.
async fn job_args(repo: &Repo) -> Vec<String> {
    let rows = repo.reader().rows("SELECT args FROM jobs ORDER BY id", vec![]).await.unwrap();
    rows.iter().map(|row| row.try_get("", "args").unwrap()).collect()
}

/// The tokens that would be mailed now, one for each request.
async fn mailed_tokens(accounts: &Accounts, repo: &Repo) -> Vec<String> {
    let mut tokens = Vec::new();
    for args in job_args(repo).await {
        let request: ResetRequest = serde_json::from_str(&args).unwrap();
        if let Some(mail) = accounts.reset_letter(&SYSTEM, &request).await.unwrap() {
            let token = mail.letter.body.split("token=").nth(1).unwrap().lines().next().unwrap();
            tokens.push(token.to_owned());
        }
    }
    tokens
}

db_test!(no_row_holds_a_reset_token_and_only_its_job_may_draw_one, |repo| async move {
    let (accounts, _) = accounts(&repo);
    let user = ann(&accounts).await;
    accounts.request_reset("ann@example.com").await.unwrap();
    let args = job_args(&repo).await;
    let request: ResetRequest = serde_json::from_str(&args[0]).unwrap();
    let misused = accounts.reset_password(&request.name, "another password").await;
    assert!(matches!(misused, Err(AccountError::ResetExpired)), "what the job says opens nothing");
    let admin = Principal::User { id: user.id, role: Role::Admin };
    let refused = accounts.reset_letter(&admin, &request).await;
    assert!(matches!(refused, Err(AccountError::Forbidden(_))));
    // Two attempts, of which the first may have been heard: both letters are good.
    let tokens = [mailed_tokens(&accounts, &repo).await, mailed_tokens(&accounts, &repo).await].concat();
    let rows = repo.reader().rows("SELECT token_hash FROM password_resets", vec![]).await.unwrap();
    let kept: Vec<String> = rows.iter().map(|row| row.try_get("", "token_hash").unwrap()).collect();
    for token in &tokens {
        assert!(!args.iter().chain(&kept).any(|text| text.contains(token.as_str())), "{args:?} {kept:?}");
    }
    assert_eq!(accounts.reset_password(&tokens[0], "another password").await.unwrap(), user.id);
    let again = accounts.reset_password(&tokens[1], "a third password").await;
    assert!(matches!(again, Err(AccountError::ResetExpired)), "one use ends the request");
    assert_eq!(accounts.reset_letter(&SYSTEM, &request).await.unwrap(), None);
});

db_test!(a_reset_is_mailed_works_once_and_ends_every_session, |repo| async move {
    let (accounts, hands) = accounts(&repo);
    let user = ann(&accounts).await;
    let signed = sign_in(&accounts).await;
    accounts.request_reset("Ann@example.com").await.unwrap();
    accounts.request_reset("ann@example.com").await.unwrap();
    accounts.request_reset("unknown@example.com").await.unwrap();
    accounts.request_reset("no address").await.unwrap();
    let tokens = mailed_tokens(&accounts, &repo).await;
    assert_eq!(tokens.len(), 1, "one mail a minute, and none to nobody");
    assert_eq!(accounts.reset_password(&tokens[0], "another password").await.unwrap(), user.id);
    let again = accounts.reset_password(&tokens[0], "a third password").await;
    assert!(matches!(again, Err(AccountError::ResetExpired)));
    assert_eq!(accounts.resume(signed.token.reveal()).await.unwrap(), None);
    let old = accounts.authenticate("ann@example.com", PASSWORD).await;
    assert!(matches!(old, Err(AccountError::WrongCredentials)));
    accounts.authenticate("ann@example.com", "another password").await.unwrap();
    hands.turn(Duration::from_mins(2));
    accounts.request_reset("ann@example.com").await.unwrap();
    let late = mailed_tokens(&accounts, &repo).await.pop().unwrap();
    hands.turn(Duration::from_mins(30));
    let refused = accounts.reset_password(&late, "a third password").await;
    assert!(matches!(refused, Err(AccountError::ResetExpired)));
});

db_test!(another_password_needs_the_old_one_and_keeps_this_session, |repo| async move {
    let (accounts, _) = accounts(&repo);
    ann(&accounts).await;
    let (here, there) = (sign_in(&accounts).await, sign_in(&accounts).await);
    let id = Accounts::session_id(here.token.reveal());
    let keep = Some(id.as_str());
    let refused = accounts.change_password(&here.principal, "wrong password", "another password", keep).await;
    assert!(matches!(refused, Err(AccountError::WrongCredentials)));
    accounts.change_password(&here.principal, PASSWORD, "another password", keep).await.unwrap();
    assert!(accounts.resume(here.token.reveal()).await.unwrap().is_some());
    assert_eq!(accounts.resume(there.token.reveal()).await.unwrap(), None);
    accounts.authenticate("ann@example.com", "another password").await.unwrap();
});

db_test!(a_lock_ends_everything_at_once_and_only_the_owner_learns_why, |repo| async move {
    let (accounts, _) = accounts(&repo);
    let user = ann(&accounts).await;
    let signed = sign_in(&accounts).await;
    let made = accounts.create_token(&signed.principal, "desk").await.unwrap();
    accounts.set_status(&SYSTEM, user.id, UserStatus::Locked).await.unwrap();
    assert_eq!(accounts.resume(signed.token.reveal()).await.unwrap(), None);
    assert_eq!(accounts.bearer(made.secret.reveal()).await.unwrap(), None);
    let right = accounts.sign_in("ann@example.com", PASSWORD, "").await;
    assert!(matches!(right, Err(AccountError::Locked)));
    let wrong = accounts.sign_in("ann@example.com", "wrong password", "").await;
    assert!(matches!(wrong, Err(AccountError::WrongCredentials)));
    accounts.request_reset("ann@example.com").await.unwrap();
    assert!(mailed_tokens(&accounts, &repo).await.is_empty());
    accounts.set_status(&SYSTEM, user.id, UserStatus::Active).await.unwrap();
    sign_in(&accounts).await;
    assert_eq!(accounts.bearer(made.secret.reveal()).await.unwrap(), Some(signed.principal));
});

db_test!(there_is_always_an_admin, |repo| async move {
    let (accounts, _) = accounts(&repo);
    let first = accounts.bootstrap("a@example.com", PASSWORD, Role::Admin).await.unwrap();
    let alone = accounts.set_role(&SYSTEM, first.id, Role::Buyer).await;
    assert!(matches!(alone, Err(AccountError::LastAdmin)));
    let alone = accounts.set_status(&SYSTEM, first.id, UserStatus::Locked).await;
    assert!(matches!(alone, Err(AccountError::LastAdmin)));
    let second = accounts.bootstrap("b@example.com", PASSWORD, Role::Admin).await.unwrap();
    // Each unseats the other at the same time: one of them must fail.
    let (a, b) = tokio::join!(
        accounts.set_role(&SYSTEM, first.id, Role::Buyer),
        accounts.set_role(&SYSTEM, second.id, Role::Buyer),
    );
    assert_eq!(usize::from(a.is_ok()) + usize::from(b.is_ok()), 1, "{a:?} {b:?}");
    let nobody = accounts.set_role(&SYSTEM, UserId(999), Role::Buyer).await;
    assert!(matches!(nobody, Err(AccountError::NotFound(UserId(999)))));
});

db_test!(a_change_that_is_refused_in_a_part_leaves_no_trace, |repo| async move {
    let (accounts, _) = accounts(&repo);
    let admin = accounts.bootstrap("a@example.com", PASSWORD, Role::Admin).await.unwrap();
    let rows = || async {
        let query = pulse_data::audit::AuditQuery::default();
        pulse_data::audit::list(&repo, &SYSTEM, &query).await.unwrap().len()
    };
    let before = rows().await;
    // The role could be set; the lock can't.
    let change = Change { role: Some(Role::Admin), status: Some(UserStatus::Locked) };
    let refused = accounts.change(&SYSTEM, admin.id, change).await;
    assert!(matches!(refused, Err(AccountError::LastAdmin)), "{refused:?}");
    assert_eq!((rows().await, accounts.get(&SYSTEM, admin.id).await.unwrap()), (before, admin.clone()));
    accounts.bootstrap("b@example.com", PASSWORD, Role::Admin).await.unwrap();
    let before = rows().await;
    let change = Change { role: Some(Role::Support), ..change };
    let after = accounts.change(&SYSTEM, admin.id, change).await.unwrap();
    assert_eq!((after.role, after.status), (Role::Support, UserStatus::Locked));
    assert_eq!((rows().await, accounts.get(&SYSTEM, admin.id).await.unwrap()), (before + 2, after));
});

db_test!(buyers_of_a_replay_exist_once_and_cannot_sign_in, |repo| async move {
    let (accounts, _) = accounts(&repo);
    let refs = |numbers: std::ops::Range<i32>| -> Vec<BuyerRef> {
        numbers.map(|n| BuyerRef { reference: format!("{n}"), country: "United Kingdom".into() }).collect()
    };
    let first = accounts.ensure_buyers(&SYSTEM, &refs(0..300)).await.unwrap();
    assert_eq!(first.len(), 300);
    let more = refs(200..500);
    let (left, right) =
        tokio::join!(accounts.ensure_buyers(&SYSTEM, &more), accounts.ensure_buyers(&SYSTEM, &more));
    let left = left.unwrap();
    assert_eq!(left, right.unwrap());
    assert_eq!(left.get("250"), first.get("250"));
    let one = accounts.ensure_buyer(&SYSTEM, refs(499..500).remove(0)).await.unwrap();
    assert_eq!(Some(&one), left.get("499"));
    let row = repo.reader().row("SELECT count(*) AS n FROM users", vec![]).await.unwrap().unwrap();
    assert_eq!(row.try_get::<i64>("", "n").unwrap(), 500);
    let refused = accounts.ensure_buyers(&Principal::Guest, &refs(0..1)).await;
    assert!(matches!(refused, Err(AccountError::Forbidden(_))));
    let no_address = accounts.authenticate("250", "").await;
    assert!(matches!(no_address, Err(AccountError::WrongCredentials)));
});

db_test!(a_list_walks_by_pages_and_finds, |repo| async move {
    let (accounts, _) = accounts(&repo);
    for n in 0..7 {
        let role = if n % 2 == 0 { Role::Support } else { Role::Buyer };
        accounts.bootstrap(&format!("n{n}%_@example.com"), PASSWORD, role).await.unwrap();
    }
    let mut query = UserQuery { limit: 3, ..UserQuery::default() };
    let mut seen = Vec::new();
    loop {
        let page = accounts.list(&SYSTEM, &query).await.unwrap();
        seen.extend(page.items.into_iter().map(|user| user.email.unwrap()));
        query.after = page.next;
        if query.after.is_none() {
            break;
        }
    }
    assert_eq!(seen, (0..7).map(|n| format!("n{n}%_@example.com")).collect::<Vec<_>>());
    let found = |search: &str, role| UserQuery { search: Some(search.into()), role, limit: 50, after: None };
    assert_eq!(accounts.list(&SYSTEM, &found("N3%", None)).await.unwrap().items.len(), 1);
    assert_eq!(accounts.list(&SYSTEM, &found("n%3", None)).await.unwrap().items.len(), 0);
    assert_eq!(accounts.list(&SYSTEM, &found("n", Some(Role::Support))).await.unwrap().items.len(), 4);
});

db_test!(secrets_do_not_show_in_debug_output, |repo| async move {
    let (accounts, _) = accounts(&repo);
    ann(&accounts).await;
    let signed = sign_in(&accounts).await;
    let shown = format!("{signed:?}");
    assert!(!shown.contains(signed.token.reveal()) && !shown.contains(signed.csrf.reveal()), "{shown}");
    let wanted = Registration { email: "a@b.c".into(), password: PASSWORD.into(), role: Role::Buyer };
    assert!(!format!("{wanted:?}").contains(PASSWORD));
});

db_test!(a_session_is_found_again_by_its_id_as_long_as_it_runs, |repo| async move {
    let (accounts, _) = accounts(&repo);
    let user = ann(&accounts).await.id;
    let session = sign_in(&accounts).await;
    let id = Accounts::session_id(session.token.reveal());
    assert!(accounts.resume(&id).await.unwrap().is_none(), "the id opens nothing");
    assert_eq!(accounts.revisit(&id).await.unwrap().map(|found| found.id), Some(user));
    accounts.sign_out(session.token.reveal()).await.unwrap();
    assert!(accounts.revisit(&id).await.unwrap().is_none());
});
