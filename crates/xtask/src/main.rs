//! The workspace's own chores: `cargo xtask test | prove | db | nats | bench | tidy | cover`.
//!
//! **Invariant.** A chore leaves nothing running that it started (but for `db up` and `nats up`, which are asked to), and ends with
//! the exit code of what it ran.

mod bench;
mod chore;
mod cover;
mod db;
mod nats;
mod postgres;
mod run_tests;
mod tidy;

use std::process::ExitCode;

const USAGE: &str = "\
cargo xtask CHORE

  test [-- NEXTEST ARGS]  all tests on SQLite and PostgreSQL, doc tests included
  prove [MASTERY ARGS]    that the labs' gates are strong: cargo mastery prove, with a PostgreSQL of this run's own
  db up | down | url      the private PostgreSQL for development
  nats up | down | url    the private NATS server, with JetStream, for development
  bench [NAME]            the table of figures: otp, channels, live, pipeline, carts, checkout, http, pages, replay, jobs, csv
  tidy                    what the compiler can't see: links, module docs, arrows between rooms
  cover                   line coverage of the tests";

fn main() -> ExitCode {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let args: Vec<&str> = args.iter().map(String::as_str).collect();
    let done = match args.as_slice() {
        ["test", rest @ ..] => run_tests::run(rest),
        ["prove", rest @ ..] => run_tests::prove(rest),
        ["db", verb] => db::run(verb),
        ["nats", verb] => nats::run(verb),
        ["bench", names @ ..] => bench::run(names),
        ["tidy"] => tidy::run(),
        ["cover"] => cover::run(),
        _ => {
            eprintln!("{USAGE}");
            return ExitCode::from(2);
        }
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("xtask: {error}");
            ExitCode::FAILURE
        }
    }
}
