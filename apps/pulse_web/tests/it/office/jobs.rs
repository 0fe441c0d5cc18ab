//! Background jobs: listed, filtered, repeated and cancelled; queues paused and scaled; by admins alone.

use futures::FutureExt as _;
use jobs::{NewJob, State};
use pulse_core::Role;
use pulse_data::audit::AuditQuery;
use pulse_data::{DbError, Repo, db_test};
use serde_json::json;

use crate::stage::{SYSTEM, Shop};

/// Three letters and a payment that wait; no engine runs beside these pages.
async fn enqueue(repo: &Repo) {
    let mail = |n: i64| NewJob::new("mail.send", json!({ "key": format!("k{n}") })).queue("mail");
    let mut jobs: Vec<NewJob> = (1..=3).map(mail).collect();
    jobs.push(NewJob::new("payment.capture", json!({ "order": 7 })).queue("payments"));
    repo.write_with(jobs, |tx, jobs| {
        async move { jobs::enqueue_many(tx, jobs).await.map(drop).map_err(DbError::from) }.boxed()
    })
    .await
    .unwrap();
}

async fn states(repo: &Repo) -> Vec<State> {
    let page = jobs::list(repo.reader(), &jobs::Filter::default(), None, 50).await.unwrap();
    page.jobs.iter().rev().map(|job| job.state).collect()
}

async fn audited(repo: &Repo, action: &str) -> usize {
    let query = AuditQuery { action: Some(action.to_owned()), ..AuditQuery::default() };
    pulse_data::audit::list(repo, &SYSTEM, &query).await.unwrap().len()
}

db_test!(admins_alone_see_jobs_queues_and_webhooks, |repo| async move {
    let shop = Shop::open(repo).await;
    for role in [Role::Support, Role::Manager] {
        let browser = shop.browser_of(role).await;
        for path in
            ["/office/jobs", "/office/jobs/1", "/office/queues", "/office/webhooks", "/office/webhooks/1"]
        {
            assert_eq!(browser.clone().get(path).await.status, 403, "{role} {path}");
        }
        let office = browser.open("/office").await;
        assert!(!office.has("a[href='/office/jobs']") && !office.has("a[href='/office/webhooks']"), "{role}");
    }
    assert!(shop.browser_of(Role::Admin).await.open("/office").await.has("a[href='/office/jobs']"));
});

db_test!(jobs_are_filtered_cancelled_and_run_again_together, |repo| async move {
    let shop = Shop::open(repo.clone()).await;
    enqueue(&repo).await;
    let mut page = shop.browser_of(Role::Admin).await.open("/office/jobs").await;
    assert_eq!(
        page.texts("#jobs td:nth-child(2)"),
        ["payment.capture", "mail.send", "mail.send", "mail.send"]
    );
    page.change("#look", &[("queue", "mail")]).await;
    assert_eq!((page.path(), page.count("#jobs tr")), ("/office/jobs?queue=mail", 3));
    page.click("[phx-value-what=cancel]").await;
    assert!(page.has("#sure"), "it is asked for twice");
    page.click("[phx-click=never]").await;
    assert_eq!(states(&repo).await, [State::Available; 4]);
    page.click("[phx-value-what=cancel]").await;
    page.click("[phx-click=sure]").await;
    let cancelled = [State::Cancelled, State::Cancelled, State::Cancelled, State::Available];
    assert_eq!(states(&repo).await, cancelled, "the payment is of another queue");
    assert_eq!(page.texts("#jobs .tag"), ["Cancelled"; 3]);
    page.change("#look", &[("state", "cancelled")]).await;
    page.click("[phx-value-what=retry]").await;
    page.click("[phx-click=sure]").await;
    assert_eq!((states(&repo).await, page.count("#jobs tr")), (vec![State::Available; 4], 0));
    assert_eq!((audited(&repo, "job.cancel").await, audited(&repo, "job.retry").await), (1, 1));
    assert_eq!(shop.browser_of(Role::Admin).await.get("/office/jobs?state=lost").await.status, 404);
});

db_test!(a_job_tells_what_it_was_told_and_what_went_wrong, |repo| async move {
    let shop = Shop::open(repo.clone()).await;
    enqueue(&repo).await;
    let engine =
        jobs::Engine::new(std::sync::Arc::new(repo.clone()), jobs::Options::default()).queue("payments", 1);
    engine.run_due().await.unwrap();
    let id = jobs::list(repo.reader(), &jobs::Filter::default(), None, 1).await.unwrap().jobs[0].id;
    let mut page = shop.browser_of(Role::Admin).await.open(&format!("/office/jobs/{id}")).await;
    assert_eq!(
        (page.text("#args"), page.text("#state")),
        (r#"{"order":7}"#.into(), "Failed, runs again".into())
    );
    assert!(page.text("#errors li").contains("payment.capture"), "{}", page.text("#errors"));
    page.click("[phx-click=retry]").await;
    assert_eq!(page.text("#state"), "Waits");
    page.click("[phx-click=cancel]").await;
    assert_eq!((page.text("#state"), page.has("[phx-click=cancel]")), ("Cancelled".into(), false));
    assert_eq!(shop.browser_of(Role::Admin).await.get("/office/jobs/999").await.status, 404);
});

db_test!(a_queue_is_paused_resumed_and_scaled, |repo| async move {
    let shop = Shop::open(repo.clone()).await;
    enqueue(&repo).await;
    let row = async || {
        let rows = jobs::queues::list(repo.reader()).await.unwrap();
        let mail = rows.into_iter().find(|row| row.name == "mail").unwrap();
        (mail.paused, mail.per_node)
    };
    let mut page = shop.browser_of(Role::Admin).await.open("/office/queues").await;
    assert_eq!(page.count("#queues > li"), 2);
    page.click("#queue-mail [phx-click=pause]").await;
    assert_eq!((row().await, page.text("#queue-mail .tag")), ((true, None), "Paused".into()));
    page.click("#queue-mail [phx-click=resume]").await;
    page.submit("#scale-mail", &[("width", "3")]).await;
    assert_eq!(row().await, (false, Some(3)));
    page.submit("#scale-mail", &[("width", "0")]).await;
    assert_eq!(row().await, (false, Some(3)), "a queue without places would be a pause in disguise");
    page.submit("#scale-mail", &[("width", "")]).await;
    assert_eq!(row().await, (false, None));
    for (action, times) in [("queue.pause", 1), ("queue.resume", 1), ("queue.scale", 2)] {
        assert_eq!(audited(&repo, action).await, times, "{action}");
    }
});
