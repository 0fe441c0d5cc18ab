//! The schema moves up and down, and never half.

use futures::FutureExt as _;
use pulse_data::migrations::{ALL, MigrateError, Migrator};
use pulse_data::{Backend, DbError, Repo, Sql as _, db_test};

/// Everything that the database knows about its schema, as text.
async fn schema(repo: &Repo) -> String {
    let sql = match repo.backend() {
        Backend::Sqlite => {
            "SELECT coalesce(sql, name) AS line FROM sqlite_schema WHERE name NOT LIKE 'sqlite_%' ORDER BY type, name"
        }
        Backend::Postgres => {
            "SELECT line FROM (
                SELECT concat_ws(' ', table_name, column_name, data_type, is_nullable, column_default) AS line
                    FROM information_schema.columns WHERE table_schema = 'public'
                UNION ALL SELECT conname || ' ' || pg_get_constraintdef(oid)
                    FROM pg_constraint WHERE connamespace = 'public'::regnamespace
                UNION ALL SELECT indexdef FROM pg_indexes WHERE schemaname = 'public'
                UNION ALL SELECT pg_get_triggerdef(oid) FROM pg_trigger WHERE NOT tgisinternal
                UNION ALL SELECT proname::text FROM pg_proc WHERE pronamespace = 'public'::regnamespace
            ) AS lines ORDER BY line"
        }
    };
    let rows = repo.reader().rows(sql, vec![]).await.unwrap();
    let lines: Vec<String> = rows.iter().map(|row| row.try_get("", "line").unwrap()).collect();
    lines.join("\n")
}

db_test!(up_down_and_up_again_leave_the_same_schema, |repo| async move {
    let before = schema(&repo).await;
    assert!(before.contains("pk_carts"), "{before}");
    let down = Migrator::down(&repo, None).await.unwrap();
    assert_eq!(down.len(), ALL.len());
    let bare = schema(&repo).await;
    assert!(!bare.contains("carts") && bare.contains("schema_migrations"), "left behind: {bare}");
    let up = Migrator::up(&repo, None).await.unwrap();
    assert_eq!(up, ALL.iter().map(|m| m.name).collect::<Vec<_>>());
    assert_eq!(schema(&repo).await, before);
});

db_test!(each_step_can_be_taken_back_by_itself, |repo| async move {
    let newest = ALL.last().unwrap().name;
    let mut schemas = vec![schema(&repo).await];
    for _ in ALL {
        assert_eq!(Migrator::down(&repo, Some(1)).await.unwrap().len(), 1);
        schemas.push(schema(&repo).await);
    }
    assert_eq!(Migrator::down(&repo, Some(1)).await.unwrap().len(), 0);
    for _ in ALL {
        assert_eq!(Some(schema(&repo).await), schemas.pop());
        Migrator::up(&repo, Some(1)).await.unwrap();
    }
    assert_eq!(schemas, [schema(&repo).await]);
    assert!(Migrator::status(&repo).await.unwrap().iter().any(|s| s.name == newest && s.applied));
});

db_test!(the_status_tells_what_is_missing_and_changes_nothing, |repo| async move {
    Migrator::down(&repo, Some(2)).await.unwrap();
    let applied: Vec<bool> = Migrator::status(&repo).await.unwrap().iter().map(|s| s.applied).collect();
    let expected: Vec<bool> = (0..ALL.len()).map(|n| n < ALL.len() - 2).collect();
    assert_eq!(applied, expected);
});

db_test!(a_newer_database_is_refused_and_left_alone, |repo| async move {
    let sql = "INSERT INTO schema_migrations (name, applied_at) VALUES ('m9999_future', 0)";
    repo.write::<u64, DbError, _>(move |tx| tx.exec(sql, vec![]).boxed()).await.unwrap();
    let before = schema(&repo).await;
    for answer in [Migrator::up(&repo, None).await, Migrator::down(&repo, Some(1)).await] {
        assert!(matches!(&answer, Err(MigrateError::Newer(name)) if name == "m9999_future"), "{answer:?}");
    }
    assert_eq!(schema(&repo).await, before);
});

db_test!(two_instances_that_start_at_once_do_not_run_one_twice, |repo| async move {
    Migrator::down(&repo, None).await.unwrap();
    let (one, other) = tokio::join!(Migrator::up(&repo, None), Migrator::up(&repo, None));
    assert_eq!(one.unwrap().len() + other.unwrap().len(), ALL.len());
});

db_test!(jobs_in_all_states_survive_the_step_to_stored_queues, |repo| async move {
    let steps = ALL.iter().rev().position(|m| m.name == "m0010_job_queues").unwrap() + 1;
    Migrator::down(&repo, Some(steps)).await.unwrap();
    // As the release before wrote them: one a state.
    repo.write::<u64, DbError, _>(|tx| {
        async move {
            let mut inserted = 0;
            for (n, state) in jobs::State::ALL.into_iter().enumerate() {
                let name = state.name();
                let lease = if name == "executing" { "1" } else { "NULL" };
                let ended = if n > 3 { "2" } else { "NULL" };
                let sql = format!(
                    "INSERT INTO jobs (queue, worker, args, state, attempt, scheduled_at, inserted_at, lease_until, \
                     completed_at, node, unique_key) VALUES ('mail', 'mail.send', '{{}}', '{name}', 1, 1, 1, {lease}, \
                     {ended}, 'old', 'mail:{n}')"
                );
                inserted += tx.exec(&sql, vec![]).await?;
            }
            Ok(inserted)
        }
        .boxed()
    })
    .await
    .unwrap();
    assert_eq!(Migrator::up(&repo, None).await.unwrap().len(), steps);
    let counts = jobs::counts(repo.reader()).await.unwrap();
    let states: std::collections::BTreeSet<_> =
        counts.iter().map(|count| (count.state, count.jobs)).collect();
    assert_eq!(states, jobs::State::ALL.into_iter().map(|state| (state, 1)).collect());
    // What waits keeps its key; what has ended gives it free.
    let again: Vec<jobs::NewJob> = (0..7)
        .map(|n| jobs::NewJob::new("mail.send", serde_json::json!({})).unique(format!("mail:{n}")))
        .collect();
    let new = repo
        .write::<u64, DbError, _>(move |tx| {
            let again = again.clone();
            async move { Ok(jobs::enqueue_many(tx, &again).await?) }.boxed()
        })
        .await
        .unwrap();
    assert_eq!(new, 3);
});
