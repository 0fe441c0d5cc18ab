//! `pulse user`: accounts, from the machine itself.
//!
//! **Invariant.** A password never comes from the command line, where every process could read it.

use std::io::BufRead as _;

use pulse_core::Role;
use pulse_data::accounts::AccountError;

use crate::cli::User;
use crate::config::Config;
use crate::failure::{Exit, Failure};
use crate::rooms::Rooms;
use crate::{output, shop};

pub(super) async fn run(config: &Config, action: User) -> Result<(), Failure> {
    let User::Add { email, role, password_stdin } = action;
    let (password, drawn) = if password_stdin { (read_password()?, false) } else { (draw_password(), true) };
    let repo = shop::open_migrated(config, false).await?;
    let rooms = Rooms::open(config, &repo, "").await?;
    let result = add(&rooms, &email, &password, role).await;
    rooms.close(crate::telemetry::PATIENCE).await;
    result?;
    output::line(format!("{role} {email} can sign in"))?;
    if drawn { output::line(format!("password (shown once): {password}")) } else { Ok(()) }
}

/// Makes the account.
pub(super) async fn add(rooms: &Rooms, email: &str, password: &str, role: Role) -> Result<(), Failure> {
    rooms.accounts.bootstrap(email, password, role).await.map(|_| ()).map_err(|error| failure(&error))
}

fn failure(error: &AccountError) -> Failure {
    match error {
        AccountError::Db(error) => shop::db_failure(error),
        AccountError::Overloaded => Failure::new(Exit::Temporary, error.to_string()),
        _ => Failure::failed(error.to_string()),
    }
}

fn read_password() -> Result<String, Failure> {
    let mut line = String::new();
    std::io::stdin().lock().read_line(&mut line).map_err(|error| {
        Failure::failed(format!("the password can't be read from standard input: {error}"))
    })?;
    let password = line.trim_end_matches(['\r', '\n']);
    if password.is_empty() {
        return Err(Failure::failed("standard input holds no password: give one line"));
    }
    Ok(password.to_owned())
}

/// 20 of 32 signs that can't be mistaken for each other: 100 bits.
pub(super) fn draw_password() -> String {
    const SIGNS: &[u8; 32] = b"abcdefghijkmnpqrstuvwxyz23456789";
    let mut bytes = [0_u8; 20];
    rand::fill(&mut bytes);
    bytes.iter().map(|byte| char::from(SIGNS[usize::from(byte % 32)])).collect()
}
