//! Letters: each once, each whole.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use pulse_core::ports::{Clock, Mail, Mailer as _};
use pulse_core::{Role, Timestamp};
use pulse_data::mail::{self, Letter};
use pulse_data::{DbError, Sql as _, db_test};
use pulse_jobs::{FileMailer, SimulatedGateway};

use crate::shop::Shop;

struct Stopped;

impl Clock for Stopped {
    fn now(&self) -> Timestamp {
        Timestamp(1_291_191_960_000)
    }
}

fn letter() -> Letter {
    Letter {
        to: "ann@example.com".to_owned(),
        subject: "Hello".to_owned(),
        body: "Dear Ann\n".to_owned(),
        unsubscribe: None,
    }
}

db_test!(a_letter_waits_until_it_is_taken, |repo| async move {
    let shop = Shop::new(repo, SimulatedGateway::in_memory()).await;
    shop.postbox.closed.store(true, Ordering::SeqCst);
    shop.repo
        .write(|tx| {
            Box::pin(async move {
                mail::enqueue(tx, "hello:1", &letter()).await?;
                // Told twice in one breath: one letter.
                mail::enqueue(tx, "hello:1", &letter()).await?;
                Ok::<_, DbError>(())
            })
        })
        .await
        .unwrap();
    assert_eq!(shop.engine().run_due().await.unwrap(), 1);
    assert_eq!(shop.letters().len(), 0);
    shop.postbox.closed.store(false, Ordering::SeqCst);
    shop.hands.turn(Duration::from_secs(1));
    assert_eq!(shop.engine().run_due().await.unwrap(), 1);
    let letters = shop.letters();
    assert_eq!(letters.len(), 1);
    assert_eq!((letters[0].key.as_str(), letters[0].subject.as_str()), ("hello:1", "Hello"));
});

db_test!(a_letter_of_a_transaction_that_failed_is_never_sent, |repo| async move {
    let shop = Shop::new(repo, SimulatedGateway::in_memory()).await;
    let failed = shop
        .repo
        .write(|tx| {
            Box::pin(async move {
                mail::enqueue(tx, "hello:1", &letter()).await?;
                Err::<(), _>(DbError::Other("changed my mind".to_owned()))
            })
        })
        .await;
    failed.unwrap_err();
    assert_eq!(shop.engine().run_due().await.unwrap(), 0);
});

#[tokio::test]
async fn the_same_key_is_the_same_file_and_another_key_another() {
    let folder = tempfile::tempdir().unwrap();
    let mailer = FileMailer::new(&folder.path().join("out"), "shop@example.com", Arc::new(Stopped)).unwrap();
    let mail = |key: &str, body: &str| Mail {
        key: key.to_owned(),
        to: "ann@example.com".to_owned(),
        subject: "Hello".to_owned(),
        body: body.to_owned(),
        unsubscribe: None,
    };
    mailer.send(mail("a:1", "first")).await.unwrap();
    mailer.send(mail("a:1", "again")).await.unwrap();
    mailer.send(mail("a_1", "other")).await.unwrap();
    mailer.send(mail("../../etc/passwd", "stays in its folder")).await.unwrap();
    let mut names: Vec<_> = std::fs::read_dir(folder.path().join("out"))
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    names.sort();
    assert_eq!(names.len(), 3, "{names:?}");
    assert!(names.iter().all(|name| !name.contains(".part")), "no part is left: {names:?}");
    let text = std::fs::read_to_string(mailer.path("a:1")).unwrap();
    assert!(text.contains("X-Pulse-Key: a:1\r\n") && text.ends_with("\r\n\r\nagain"), "{text}");
}

#[tokio::test]
async fn a_folder_that_is_gone_is_an_error_that_names_the_file() {
    let folder = tempfile::tempdir().unwrap();
    let out = folder.path().join("out");
    let mailer = FileMailer::new(&out, "shop@example.com", Arc::new(Stopped)).unwrap();
    std::fs::remove_dir(&out).unwrap();
    let mail = Mail {
        key: "k".into(),
        to: "a@b.c".into(),
        subject: "s".into(),
        body: "b".into(),
        unsubscribe: None,
    };
    let error = mailer.send(mail).await.unwrap_err().to_string();
    assert!(error.contains("out/k."), "{error}");
}

db_test!(a_reset_is_drawn_when_its_letter_is_handed_over, |repo| async move {
    let shop = Shop::new(repo, SimulatedGateway::in_memory()).await;
    let user = shop.accounts.bootstrap("ann@example.com", "a long password", Role::Buyer).await.unwrap();
    shop.accounts.request_reset("ann@example.com").await.unwrap();
    shop.postbox.closed.store(true, Ordering::SeqCst);
    assert_eq!(shop.engine().run_due().await.unwrap(), 1);
    shop.postbox.closed.store(false, Ordering::SeqCst);
    shop.hands.turn(Duration::from_secs(10));
    assert_eq!(shop.engine().run_due().await.unwrap(), 1);
    let letters = shop.letters();
    assert_eq!((letters.len(), letters[0].to.as_str()), (1, "ann@example.com"));
    let token = letters[0].body.split("token=").nth(1).unwrap().lines().next().unwrap();
    let rows = shop.repo.reader().rows("SELECT args || errors || meta AS all_of_it FROM jobs", vec![]).await;
    let row: String = rows.unwrap()[0].try_get("", "all_of_it").unwrap();
    assert!(!row.contains(token), "{row}");
    assert_eq!(shop.accounts.reset_password(token, "another password").await.unwrap(), user.id);
});

db_test!(a_reset_that_is_over_is_not_mailed, |repo| async move {
    let shop = Shop::new(repo, SimulatedGateway::in_memory()).await;
    shop.accounts.bootstrap("ann@example.com", "a long password", Role::Buyer).await.unwrap();
    shop.accounts.request_reset("ann@example.com").await.unwrap();
    shop.hands.turn(Duration::from_hours(1));
    assert_eq!(shop.engine().run_due().await.unwrap(), 1);
    assert_eq!(shop.letters(), []);
    let counts = jobs::counts(shop.repo.reader()).await.unwrap();
    assert_eq!((counts.len(), counts[0].state), (1, jobs::State::Cancelled));
});
