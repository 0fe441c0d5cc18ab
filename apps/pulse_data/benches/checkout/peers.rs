//! The recorded statements without the shop: by pgbench, and by rusqlite.

use std::io::Write as _;
use std::path::PathBuf;
use std::process::Command;
use std::time::{Duration, Instant};

use rusqlite::types::Value as SqliteValue;
use sea_orm::Value;

use super::recorder::{Parameter, Recorded};
use super::{BUYERS, FIRST_SKU, Outcome, PRODUCTS, cart};

/// Transactions a second of `pgbench -M prepared -c 16 -j 2`.
pub(super) fn pgbench(url: &str, statements: &[Recorded], time: Duration) -> Outcome<f64> {
    let mut script = tempfile::NamedTempFile::new()?;
    let mut command = Command::new("pgbench");
    writeln!(script, "\\set key random(1, 9000000000000000000)")?;
    let last = FIRST_SKU + PRODUCTS - 1;
    for name in ["a", "b", "c"] {
        writeln!(script, "\\set {name} random({FIRST_SKU}, {last})")?;
    }
    writeln!(script, "BEGIN;")?;
    for (n, statement) in statements.iter().enumerate() {
        let mut sql = statement.sql.clone();
        // Highest first, so that `$1` does not match in `$10`.
        for (p, parameter) in statement.parameters.iter().enumerate().rev() {
            let text = match parameter {
                Parameter::Key => ":key".to_owned(),
                Parameter::Cart => "lpad((:client_id + 1)::text, 32, '0')".to_owned(),
                Parameter::Version => ":version".to_owned(),
                Parameter::Order => ":id".to_owned(),
                // pgbench has no texts to compute with, so its server puts the list together: a microsecond.
                Parameter::Lines => "format('[[1,\"%s\",1,255,\"standard\"],[2,\"%s\",1,255,\"standard\"],\
                                     [3,\"%s\",1,255,\"standard\"]]', :a::int, :b::int, :c::int)"
                    .to_owned(),
                Parameter::Fixed(value) => match plain(value) {
                    None => "NULL".to_owned(),
                    Some(value) => {
                        command.arg("-D").arg(format!("p{n}_{p}={value}"));
                        format!(":p{n}_{p}")
                    }
                },
            };
            sql = sql.replace(&format!("${}", p + 1), &text);
        }
        // The prepared statement's answer becomes `:id`.
        let end = if statement.yields_order { " \\gset" } else { ";" };
        writeln!(script, "{sql}{end}")?;
    }
    writeln!(script, "COMMIT;\n\\set version :version + 1")?;
    script.flush()?;
    let output = command
        .args(["-n", "-M", "prepared", "-j", "2", "-D", "version=1", "-c"])
        .arg(BUYERS.to_string())
        .arg("-T")
        .arg(time.as_secs().max(1).to_string())
        .arg("-f")
        .arg(script.path())
        .arg(url)
        .output()?;
    let text = String::from_utf8_lossy(&output.stdout);
    let rate = text.lines().find_map(|line| line.strip_prefix("tps = ")?.split(' ').next()?.parse().ok());
    rate.filter(|_| output.status.success())
        .ok_or_else(|| format!("pgbench failed: {text}{}", String::from_utf8_lossy(&output.stderr)).into())
}

fn plain(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => text.as_ref().map(ToString::to_string),
        Value::BigInt(n) => n.map(|n| n.to_string()),
        Value::Int(n) => n.map(|n| n.to_string()),
        _ => None,
    }
}

/// Orders a second of rusqlite on one connection, one commit an order.
pub(super) fn rusqlite(url: &str, statements: &[Recorded], time: Duration) -> Outcome<f64> {
    let path = PathBuf::from(url.trim_start_matches("sqlite://"));
    let mut db = rusqlite::Connection::open(path)?;
    db.set_prepared_statement_cache_capacity(64);
    db.execute_batch(
        "PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA foreign_keys = ON; PRAGMA temp_store = MEMORY",
    )?;
    // `$1` is a name to SQLite, numbered by its first use; `?1` is the first parameter wherever it stands.
    let statements: Vec<(String, &Recorded)> =
        statements.iter().map(|recorded| (recorded.sql.replace('$', "?"), recorded)).collect();
    let (start, mut orders) = (Instant::now(), 0_u32);
    while start.elapsed() < time {
        let buyer = u64::from(orders) % BUYERS + 1;
        let version = i64::from(orders) / i64::try_from(BUYERS)? + 1;
        let sku = || FIRST_SKU + rand::random_range(0..PRODUCTS);
        let lines = format!(
            "[[1,\"{}\",1,255,\"standard\"],[2,\"{}\",1,255,\"standard\"],[3,\"{}\",1,255,\"standard\"]]",
            sku(),
            sku(),
            sku(),
        );
        let key = rand::random_range(1..i64::MAX).to_string();
        let transaction = db.transaction_with_behavior(rusqlite::TransactionBehavior::Immediate)?;
        let mut id = 0_i64;
        for (sql, recorded) in &statements {
            let mut statement = transaction.prepare_cached(sql)?;
            let values = recorded.parameters.iter().map(|parameter| match parameter {
                Parameter::Key => SqliteValue::Text(key.clone()),
                Parameter::Cart => SqliteValue::Text(cart(buyer).to_string()),
                Parameter::Version => SqliteValue::Integer(version),
                Parameter::Order => SqliteValue::Integer(id),
                Parameter::Lines => SqliteValue::Text(lines.clone()),
                Parameter::Fixed(Value::BigInt(Some(n))) => SqliteValue::Integer(*n),
                Parameter::Fixed(Value::Int(Some(n))) => SqliteValue::Integer(i64::from(*n)),
                Parameter::Fixed(value) => plain(value).map_or(SqliteValue::Null, SqliteValue::Text),
            });
            let mut rows = statement.query(rusqlite::params_from_iter(values))?;
            while let Some(row) = rows.next()? {
                if recorded.yields_order {
                    id = row.get(0)?;
                }
            }
        }
        transaction.commit()?;
        orders += 1;
    }
    Ok(f64::from(orders) / start.elapsed().as_secs_f64())
}
