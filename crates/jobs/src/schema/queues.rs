//! The second step: stored queues, cron entries, the leader's row, uniqueness by period and states.
//!
//! **Invariant.** This text never changes: databases were made with it. Jobs of the first step stay as they are; a key
//! that kept a second job away keeps it away afterwards.

use sea_orm::DbBackend;

const TABLES: &str = "
ALTER TABLE jobs ADD COLUMN cron TEXT;
ALTER TABLE jobs ADD COLUMN tick BIGINT;
-- A cron entry fires once a tick, however many nodes believe that they lead.
CREATE UNIQUE INDEX uq_jobs_cron_tick ON jobs (cron, tick) WHERE cron IS NOT NULL;
-- For how long a key keeps others away is each enqueue's own choice, so no unique index can say it.
DROP INDEX uq_jobs_unique_key;
CREATE INDEX ix_jobs_unique_key ON jobs (unique_key, id) WHERE unique_key IS NOT NULL;
-- What people look for among a million jobs that ended well.
CREATE INDEX ix_jobs_failed ON jobs (id) WHERE state IN ('retryable', 'discarded', 'cancelled');

CREATE TABLE job_queues (
    name       TEXT    NOT NULL,
    paused     BOOLEAN NOT NULL DEFAULT FALSE,
    -- Jobs at a time on each node; NULL: what that node's program says.
    per_node   INTEGER,
    -- Jobs at a time on all nodes together; NULL: no such limit.
    everywhere INTEGER,
    changed_at BIGINT  NOT NULL,
    CONSTRAINT pk_job_queues PRIMARY KEY (name),
    CONSTRAINT ck_job_queues_per_node CHECK (per_node BETWEEN 1 AND 100000),
    CONSTRAINT ck_job_queues_everywhere CHECK (everywhere BETWEEN 1 AND 100000)
);

CREATE TABLE job_crons (
    name       TEXT   NOT NULL,
    expression TEXT   NOT NULL,
    zone       TEXT   NOT NULL,
    -- The newest tick that was fired or let go.
    last_tick  BIGINT NOT NULL,
    CONSTRAINT pk_job_crons PRIMARY KEY (name)
);

CREATE TABLE job_leaders (
    name        TEXT   NOT NULL,
    node        TEXT   NOT NULL,
    lease_until BIGINT NOT NULL,
    CONSTRAINT pk_job_leaders PRIMARY KEY (name)
);
";

/// Functions, because each statement inside one sees what was committed before *it* began: that is what makes
/// look-then-write safe behind a lock. A single statement would look at what was so before it waited for the lock.
///
/// Keys share 1,024 locks: one a key would use up the server's table of locks with the first large batch. A batch
/// takes its locks in their order, or two of them could wait for each other.
const FUNCTIONS: &str = "
CREATE FUNCTION jobs_slot(of_key TEXT) RETURNS INTEGER LANGUAGE sql IMMUTABLE
    AS $$ SELECT (hashtextextended(of_key, 0) & 1023)::integer $$;

CREATE FUNCTION jobs_lock(keys TEXT) RETURNS BIGINT LANGUAGE plpgsql AS $$
BEGIN
    PERFORM pg_advisory_xact_lock(708571195, slot) FROM (
        SELECT DISTINCT jobs_slot(key) AS slot FROM json_array_elements_text(keys::json) AS k(key) ORDER BY 1
    ) AS slots;
    RETURN 0;
END $$;

CREATE FUNCTION jobs_twin(of_key TEXT, in_states TEXT, since BIGINT) RETURNS BIGINT LANGUAGE plpgsql AS $$
BEGIN
    PERFORM pg_advisory_xact_lock(708571195, jobs_slot(of_key));
    RETURN (SELECT id FROM jobs WHERE unique_key = of_key AND state = ANY (string_to_array(in_states, ','))
        AND inserted_at > since ORDER BY id DESC LIMIT 1);
END $$;

CREATE FUNCTION jobs_room(of_queue TEXT, wanted BIGINT) RETURNS BIGINT LANGUAGE plpgsql AS $$
DECLARE
    q job_queues%ROWTYPE;
BEGIN
    SELECT * INTO q FROM job_queues WHERE name = of_queue;
    IF FOUND AND q.everywhere IS NOT NULL AND NOT q.paused THEN
        SELECT * INTO q FROM job_queues WHERE name = of_queue FOR UPDATE;
    END IF;
    RETURN CASE
        WHEN q.paused THEN 0
        WHEN q.everywhere IS NULL THEN wanted
        ELSE greatest(0, least(wanted, q.everywhere
            - (SELECT count(*) FROM jobs WHERE queue = of_queue AND state = 'executing')))
    END;
END $$;
";

pub(super) fn up(backend: DbBackend) -> String {
    match backend {
        DbBackend::Postgres => format!("{TABLES}{FUNCTIONS}"),
        _ => TABLES.to_owned(),
    }
}

pub(super) fn down(backend: DbBackend) -> String {
    let functions = match backend {
        DbBackend::Postgres => {
            "DROP FUNCTION jobs_room(TEXT, BIGINT); DROP FUNCTION jobs_twin(TEXT, TEXT, BIGINT); \
             DROP FUNCTION jobs_lock(TEXT); DROP FUNCTION jobs_slot(TEXT);"
        }
        _ => "",
    };
    // Where two of a key wait, the older one keeps it.
    format!(
        "{functions}
DROP TABLE job_leaders;
DROP TABLE job_crons;
DROP TABLE job_queues;
DROP INDEX ix_jobs_failed;
DROP INDEX ix_jobs_unique_key;
DROP INDEX uq_jobs_cron_tick;
UPDATE jobs SET unique_key = NULL WHERE unique_key IS NOT NULL
    AND state IN ('scheduled', 'available', 'executing', 'retryable')
    AND id NOT IN (SELECT min(id) FROM jobs WHERE unique_key IS NOT NULL
        AND state IN ('scheduled', 'available', 'executing', 'retryable') GROUP BY unique_key);
CREATE UNIQUE INDEX uq_jobs_unique_key ON jobs (unique_key)
    WHERE unique_key IS NOT NULL AND state IN ('scheduled', 'available', 'executing', 'retryable');
ALTER TABLE jobs DROP COLUMN tick;
ALTER TABLE jobs DROP COLUMN cron;
"
    )
}
