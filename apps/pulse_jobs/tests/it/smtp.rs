//! Letters to a real mail server, that takes them, refuses them, or hangs.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use pulse_core::ports::{Mail, MailError, Mailer as _};
use pulse_data::mail::{self, Letter};
use pulse_data::{DbError, SystemClock, db_test};
use pulse_jobs::{SimulatedGateway, SmtpMailer, SmtpOptions, SmtpTls};

use crate::outside::Outside;
use crate::shop::Shop;

fn options(server: &Outside) -> SmtpOptions {
    SmtpOptions {
        host: "localhost".to_owned(),
        port: server.port,
        tls: SmtpTls::None,
        authority: None,
        login: None,
        from: "Pulse <shop@example.com>".to_owned(),
        timeout: Duration::from_secs(20),
    }
}

fn mailer(options: SmtpOptions) -> SmtpMailer {
    SmtpMailer::new(options, Arc::new(SystemClock)).unwrap()
}

fn letter(key: &str, to: &str) -> Mail {
    Mail {
        key: key.to_owned(),
        to: to.to_owned(),
        subject: "Ihre Bestellung über 3 Töpfe".to_owned(),
        body: "Liebe Ann,\n.\n3 Töpfe sind unterwegs.\n".to_owned(),
        unsubscribe: Some("https://shop.example/stop?token=t".to_owned()),
    }
}

#[tokio::test]
async fn a_letter_arrives_as_it_was_written() {
    let server = Outside::mail_server(&[]);
    let mailer = mailer(options(&server));
    mailer.check().await.unwrap();
    mailer.send(letter("order-paid:7", "ann@example.com")).await.unwrap();
    mailer.send(letter("order-paid:7", "ann@example.com")).await.unwrap();
    let letters = server.seen("letters");
    assert_eq!(letters.len(), 2);
    assert_eq!(letters[0]["id"], letters[1]["id"], "by which a mailbox knows it");
    let letter = &letters[0];
    assert_eq!((&letter["from"], &letter["to"][0]), (&"shop@example.com".into(), &"ann@example.com".into()));
    assert_eq!((&letter["key"], &letter["tls"]), (&"order-paid:7".into(), &false.into()));
    assert_eq!(letter["subject"], "Ihre Bestellung über 3 Töpfe");
    assert_eq!(letter["body"], "Liebe Ann,\r\n.\r\n3 Töpfe sind unterwegs.\r\n");
    assert_eq!(letter["unsubscribe"], "<https://shop.example/stop?token=t>");
}

#[tokio::test]
async fn what_is_refused_for_good_is_told_apart_from_what_goes_again() {
    let server = Outside::mail_server(&[]);
    let mailer = mailer(options(&server));
    let to = |to: &str| mailer.send(letter("k", to));
    for mode in ["never", "full"] {
        server.mode(mode);
        let refused = to("ann@example.com").await.unwrap_err();
        assert!(matches!(refused, MailError::Never(_)), "{refused:?}");
        assert!(!refused.to_string().contains("ann"), "no address gets into the log: {refused}");
    }
    server.mode("later");
    assert!(matches!(to("ann@example.com").await, Err(MailError::Later(_))));
    server.mode("accept");
    for nonsense in ["", "ann", "ann@example.com\r\nRCPT TO:<all@example.com>", "a b@example.com"] {
        assert!(matches!(to(nonsense).await, Err(MailError::Never(_))), "{nonsense:?}");
    }
    assert_eq!(server.seen("letters").len(), 0);
}

#[tokio::test]
async fn a_mail_server_that_hangs_or_is_gone_costs_its_time_and_no_more() {
    let server = Outside::mail_server(&[]);
    server.mode("hang");
    let timeout = Duration::from_millis(300);
    let hung = mailer(SmtpOptions { timeout, ..options(&server) }).send(letter("k", "ann@example.com")).await;
    assert!(matches!(hung, Err(MailError::Later(_))), "{hung:?}");
    let port = server.port;
    drop(server);
    let gone = SmtpOptions { port, ..options(&Outside::mail_server(&[])) };
    let refused = mailer(gone.clone()).send(letter("k", "ann@example.com")).await;
    assert!(matches!(refused, Err(MailError::Later(_))), "{refused:?}");
    mailer(gone).check().await.unwrap_err();
}

/// A certificate for `localhost` and its key, as files.
fn certificate(folder: &std::path::Path) -> (String, String) {
    let made = rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap();
    let (certificate, key) = (folder.join("cert.pem"), folder.join("key.pem"));
    std::fs::write(&certificate, made.cert.pem()).unwrap();
    std::fs::write(&key, made.signing_key.serialize_pem()).unwrap();
    (certificate.to_string_lossy().into_owned(), key.to_string_lossy().into_owned())
}

#[tokio::test]
async fn letters_and_passwords_travel_under_tls_and_only_to_whom_the_certificate_names() {
    let folder = tempfile::tempdir().unwrap();
    let (certificate, key) = certificate(folder.path());
    for (mode, tls) in [("starttls", SmtpTls::StartTls), ("implicit", SmtpTls::Implicit)] {
        let login = if mode == "starttls" { &["--login", "shop", "open sesame"][..] } else { &[] };
        let arguments = [&["--tls", mode, &certificate, &key][..], login].concat();
        let server = Outside::mail_server(&arguments);
        let believing = SmtpOptions {
            tls,
            authority: Some(std::fs::read(&certificate).unwrap()),
            login: (mode == "starttls").then(|| ("shop".to_owned(), "open sesame".to_owned())),
            ..options(&server)
        };
        mailer(believing.clone()).send(letter("k", "ann@example.com")).await.unwrap();
        let letters = server.seen("letters");
        assert_eq!((letters.len(), &letters[0]["tls"]), (1, &true.into()), "{mode}");

        let doubting = SmtpOptions { authority: None, ..believing.clone() };
        let refused = mailer(doubting).send(letter("k", "ann@example.com")).await;
        assert!(matches!(refused, Err(MailError::Later(_))), "{mode}: an unknown certificate: {refused:?}");
        let other_name = SmtpOptions { host: "127.0.0.1".to_owned(), ..believing.clone() };
        let refused = mailer(other_name).send(letter("k", "ann@example.com")).await;
        assert!(matches!(refused, Err(MailError::Later(_))), "{mode}: another name: {refused:?}");
        if mode == "starttls" {
            let wrong = SmtpOptions { login: Some(("shop".to_owned(), "guess".to_owned())), ..believing };
            let refused = mailer(wrong).send(letter("k", "ann@example.com")).await.unwrap_err();
            assert!(matches!(refused, MailError::Later(_)), "a wrong password loses no letter: {refused:?}");
        }
        assert_eq!(server.seen("letters").len(), 1, "{mode}");
    }
    // A server without TLS gets nothing from a shop that wants it.
    let open = Outside::mail_server(&[]);
    let strict = SmtpOptions { tls: SmtpTls::StartTls, ..options(&open) };
    mailer(strict).send(letter("k", "ann@example.com")).await.unwrap_err();
    assert_eq!(open.seen("letters").len(), 0);
}

db_test!(a_mail_server_that_hangs_holds_mails_alone_and_they_all_arrive_at_the_end, |repo| async move {
    let server = Outside::mail_server(&[]);
    server.mode("hang");
    let shop = Shop::new(repo, SimulatedGateway::in_memory()).await;
    let smtp = Arc::new(mailer(SmtpOptions { timeout: Duration::from_secs(2), ..options(&server) }));
    let running = shop.engine_mailing(smtp.clone()).start();
    // Twice as many letters as there are places for them, then orders: placed and paid while every mail place hangs.
    shop.repo
        .write(|tx| {
            Box::pin(async move {
                for n in 0..8 {
                    let (to, subject) = ("ann@example.com".to_owned(), format!("Letter {n}"));
                    let letter = Letter { to, subject, body: "Dear Ann\n".to_owned(), unsubscribe: None };
                    mail::enqueue(tx, &format!("letter:{n}"), &letter).await?;
                }
                Ok::<_, DbError>(())
            })
        })
        .await
        .unwrap();
    running.wake().queue(mail::MAIL_QUEUE);
    for cart in 1..=10 {
        let order = shop.sell(cart).await;
        running.wake().queue("payments");
        shop.until_paid(order.id).await;
    }
    assert_eq!(server.seen("letters").len(), 0, "no mail has got through");
    server.mode("accept");
    let keys = || -> BTreeSet<String> {
        server.seen("letters").iter().map(|letter| letter["key"].as_str().unwrap().to_owned()).collect()
    };
    // Little by little, or the leases of what runs would end.
    shop.until("every letter has arrived: eight, and ten confirmations", async || {
        shop.hands.turn(Duration::from_millis(10));
        keys().len() == 18
    })
    .await;
    assert!(running.drain(Duration::from_secs(30)).await.clean);
});

db_test!(a_letter_that_is_refused_for_good_is_given_up_and_the_next_one_sent, |repo| async move {
    let server = Outside::mail_server(&[]);
    let shop = Shop::new(repo, SimulatedGateway::in_memory()).await;
    let engine = shop.engine_mailing(Arc::new(mailer(options(&server))));
    server.mode("never");
    let order = shop.sell(1).await;
    assert_eq!(engine.run_due().await.unwrap(), 2);
    let counts = jobs::counts(shop.repo.reader()).await.unwrap();
    assert!(counts.iter().any(|count| count.queue == "mail" && count.state == jobs::State::Cancelled));
    assert_eq!(shop.status(order.id).await, pulse_core::order::Status::Paid, "the order is none the worse");
    server.mode("accept");
    shop.sell(2).await;
    assert_eq!(engine.run_due().await.unwrap(), 2);
    assert_eq!(server.seen("letters")[0]["key"], "order-paid:2");
    let stats = shop.stats.snapshot();
    assert_eq!((stats.mails_refused, stats.mails_sent), (1, 1));
});
