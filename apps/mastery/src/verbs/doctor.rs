//! `mastery doctor`: what stands in the way, a line each, with the cure.
//!
//! **Invariant.** It looks and changes nothing.

use std::net::TcpListener;
use std::process::{Command, Stdio};

use anstream::println;

use crate::place::Place;
use crate::screen::{bad, dim, good};

/// A lab and its dependencies, built for tests, take about this.
const ROOM: u64 = 3 * 1024 * 1024 * 1024;

/// What was found.
enum Found {
    Well(String),
    /// It is in the way of some labs or of nothing; how to get it.
    Missing(String, &'static str),
    /// Nothing works without.
    Broken(String, String),
}

/// Looks. Whether nothing is broken.
pub(crate) fn run(place: &Place) -> bool {
    let found = [toolchain(place), git(), room(place), names(place), lock(place), postgres(), port()];
    let mut is_well = true;
    for found in found {
        match found {
            Found::Well(what) => println!("  {} {what}", good("ok     ")),
            Found::Missing(what, cure) => println!("  missing {what}\n          {}", dim(cure)),
            Found::Broken(what, cure) => {
                is_well = false;
                println!("  {} {what}\n          {cure}", bad("broken "));
            }
        }
    }
    is_well
}

fn said(program: &str, args: &[&str]) -> Option<String> {
    let output = Command::new(program).args(args).stdin(Stdio::null()).output().ok()?;
    output.status.success().then(|| String::from_utf8_lossy(&output.stdout).trim().to_owned())
}

fn toolchain(place: &Place) -> Found {
    let wanted = std::fs::read_to_string(place.root.join("Cargo.toml")).ok().and_then(|manifest| {
        let manifest: toml::Table = toml::from_str(&manifest).ok()?;
        Some(manifest.get("workspace")?.get("package")?.get("rust-version")?.as_str()?.to_owned())
    });
    let wanted = wanted.unwrap_or_default();
    let number = |version: &str| {
        let mut parts = version.split(['.', '-', ' ']).map(|part| part.parse::<u32>().unwrap_or(0));
        (parts.next().unwrap_or(0), parts.next().unwrap_or(0))
    };
    match said("rustc", &["--version"]) {
        None if said("rustup", &["--version"]).is_some() => {
            let channel = channel(place).unwrap_or_else(|| wanted.clone());
            Found::Broken(
                format!(
                    "rustc can't be run: Rust {channel}, which rust-toolchain.toml asks for, is not there or not whole"
                ),
                format!(
                    "with a network: rustup toolchain install {channel}\n          \
                     if that file was edited: git checkout rust-toolchain.toml"
                ),
            )
        }
        None => Found::Broken(
            "rustc can't be run".to_owned(),
            "install Rust with rustup: https://rustup.rs".to_owned(),
        ),
        Some(version) => {
            let has = version.split(' ').nth(1).unwrap_or_default();
            if number(has) >= number(&wanted) {
                Found::Well(format!("rustc {has}"))
            } else {
                Found::Broken(format!("rustc {has} is older than {wanted}"), "rustup update".to_owned())
            }
        }
    }
}

/// The toolchain that the project asks for.
fn channel(place: &Place) -> Option<String> {
    let file = std::fs::read_to_string(place.root.join("rust-toolchain.toml")).ok()?;
    let file: toml::Table = toml::from_str(&file).ok()?;
    Some(file.get("toolchain")?.get("channel")?.as_str()?.to_owned())
}

fn git() -> Found {
    match said("git", &["--version"]) {
        Some(version) => Found::Well(version),
        None => Found::Missing("git".to_owned(), "install it: your work gets a history, and `diff` needs it"),
    }
}

fn room(place: &Place) -> Found {
    match rustix::fs::statvfs(&place.root) {
        Ok(disk) => {
            let free = disk.f_bavail * disk.f_frsize;
            let shown = format!("{} GiB free on the disk", free >> 30);
            if free > ROOM {
                Found::Well(shown)
            } else {
                Found::Broken(shown, "a lab needs about 3 GiB: cargo clean".to_owned())
            }
        }
        Err(error) => {
            Found::Broken(format!("the disk can't be asked: {error}"), "look at it by hand".to_owned())
        }
    }
}

fn names(place: &Place) -> Found {
    let root = place.root.display().to_string();
    if root.contains(char::is_whitespace) {
        let cure = "inside work/, `cargo mastery` is not known: run it from the project's folder";
        Found::Missing(format!("an alias in work/: {root} has a space in it"), cure)
    } else {
        Found::Well(format!("the project is in {root}"))
    }
}

fn lock(place: &Place) -> Found {
    if place.root.join("Cargo.lock").is_file() {
        Found::Well("Cargo.lock".to_owned())
    } else {
        Found::Broken("Cargo.lock is gone".to_owned(), "git checkout Cargo.lock".to_owned())
    }
}

fn postgres() -> Found {
    let installed =
        std::fs::read_dir("/usr/lib/postgresql").is_ok_and(|mut versions| versions.next().is_some());
    if installed || said("initdb", &["--version"]).is_some() {
        Found::Well("a PostgreSQL server is installed".to_owned())
    } else {
        Found::Missing(
            "the PostgreSQL server".to_owned(),
            "make setup (labs on databases and Pulse's tests need it)",
        )
    }
}

fn port() -> Found {
    match TcpListener::bind(("127.0.0.1", 4000)) {
        Ok(_) => Found::Well("port 4000 is free".to_owned()),
        Err(_) => Found::Missing(
            "port 4000: somebody listens there".to_owned(),
            "demos take another address as argument",
        ),
    }
}
