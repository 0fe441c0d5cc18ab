//! What the machine can do to the shop: a port in use, a folder that can't be written, a full disk.

use std::net::TcpListener;
use std::os::unix::fs::PermissionsExt;
use std::os::unix::process::CommandExt as _;
use std::process::Command;

use rustix::process::{Resource, Rlimit, prlimit};
use serde_json::json;

use crate::http::Jar;
use crate::life::{first_product, ready};
use crate::program::{Place, Server, finish};

#[test]
fn a_port_in_use_is_one_line_and_75() {
    let place = Place::sqlite();
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap().to_string();
    for name in ["PULSE_SERVER_LISTEN", "PULSE_SERVER_OPS_LISTEN"] {
        let refused = finish(place.command().env(name, &address).arg("serve")).failed_with(75);
        assert!(refused.complaint().contains(&address), "{refused:?}");
        assert!(!place.folder().join("shop.db").exists(), "nothing is opened before the ports are");
    }
}

/// The binary where any user may run it.
fn binary_for_all(place: &Place) -> std::path::PathBuf {
    let copy = place.folder().join("pulse");
    std::fs::copy(env!("CARGO_BIN_EXE_pulse"), &copy).unwrap();
    std::fs::set_permissions(place.folder(), PermissionsExt::from_mode(0o755)).unwrap();
    copy
}

#[test]
fn a_folder_that_can_not_be_written_is_one_line_and_73() {
    let place = Place::sqlite();
    let binary = binary_for_all(&place);
    let locked = place.folder().join("locked");
    std::fs::create_dir(&locked).unwrap();
    std::fs::set_permissions(&locked, PermissionsExt::from_mode(0o555)).unwrap();
    let as_somebody = |arguments: &[&str]| {
        let mut command = Command::new(&binary);
        place.settle(&mut command);
        command.env_remove("DATABASE_URL").env("PULSE_DATA_DIR", locked.join("data")).args(arguments);
        if rustix::process::geteuid().is_root() {
            command.uid(65534).gid(65534);
        }
        finish(&mut command)
    };
    for arguments in [&["serve"][..], &["demo"], &["migrate", "up"]] {
        let refused = as_somebody(arguments).failed_with(73);
        assert!(refused.complaint().contains("locked"), "{refused:?}");
    }
    let doctor = as_somebody(&["doctor"]).failed_with(1);
    assert!(doctor.stdout.lines().any(|line| line.starts_with("WRONG  data folder")), "{doctor:?}");
}

#[test]
fn a_read_only_disk_is_told_as_one_and_73() {
    let place = Place::sqlite();
    // A disk of its own, seen by this command alone; it ends with the command.
    let script = r#"set -e; mount -t tmpfs none "$1"; "$0" migrate up >&2; mount -o remount,ro "$1"; exec "$0" "${@:2}""#;
    let disk = place.folder().join("disk");
    std::fs::create_dir(&disk).unwrap();
    let mut namespaces = vec!["--mount"];
    if !rustix::process::geteuid().is_root() {
        namespaces.extend(["--user", "--map-root-user"]);
    }
    let on_it = |file: &str, arguments: &[&str]| {
        let mut command = Command::new("unshare");
        place.settle(&mut command);
        command.env("DATABASE_URL", format!("sqlite:{}", disk.join(file).display()));
        command.args(&namespaces).args(["bash", "-c", script, env!("CARGO_BIN_EXE_pulse")]).arg(&disk);
        finish(command.args(arguments)).failed_with(73)
    };
    for arguments in [&["serve"][..], &["migrate", "up"]] {
        let refused = on_it("shop.db", arguments);
        let said = refused.stderr.lines().last().unwrap_or_default();
        assert!(said.contains("shop.db") && said.contains("read-only: mount it"), "{refused:?}");
    }
}

/// A command that may make files of so many KiB only: what a full disk does, on any machine and for any user.
fn on_a_small_disk(place: &Place, kibibytes: u64, arguments: &[&str]) -> Command {
    let mut command = Command::new("bash");
    place.settle(&mut command);
    command
        .args(["-c", "trap '' XFSZ; ulimit -S -f \"$0\"; exec \"$@\""])
        .arg(kibibytes.to_string())
        .arg(env!("CARGO_BIN_EXE_pulse"))
        .args(arguments);
    command
}

#[test]
fn a_full_disk_is_one_line_and_73_and_what_was_there_stays_whole() {
    let place = Place::sqlite();
    place.run(&["demo", "--products", "10"]).succeeded();
    let refused = finish(&mut on_a_small_disk(&place, 64, &["demo", "--seed", "2", "--products", "20000"]));
    let refused = refused.failed_with(73);
    assert!(refused.complaint().contains("disk"), "{refused:?}");
    place.run(&["audit", "verify"]).succeeded();
    place.run(&["demo", "--seed", "2", "--products", "2000"]).succeeded();
}

#[test]
fn a_disk_that_fills_while_the_shop_runs_costs_answers_and_no_data() {
    let place = Place::sqlite();
    place.run(&["demo", "--products", "10"]).succeeded();
    let server = Server::start(&mut on_a_small_disk(&place, 1 << 20, &["serve"]));
    let sku = first_product(server.shop);
    let mut jar = Jar::default();
    let line = json!({ "sku": sku, "quantity": 1 });
    jar.post(server.shop, "/api/v1/cart/lines", "before", &line).unwrap().ok();

    let limit = |bytes| Rlimit { current: bytes, maximum: None };
    prlimit(Some(server.pid()), Resource::Fsize, limit(Some(1))).unwrap();
    let refused = jar.post(server.shop, "/api/v1/cart/lines", "during", &line).unwrap();
    assert_eq!(refused.status, 503, "{refused:?}");
    assert!(refused.headers.iter().any(|(name, _)| name == "retry-after"), "{refused:?}");

    prlimit(Some(server.pid()), Resource::Fsize, limit(None)).unwrap();
    let after = jar.post(server.shop, "/api/v1/cart/lines", "during", &line).unwrap().ok();
    assert_eq!(after.json()["lines"][0]["quantity"], 2, "{after:?}");
    ready(server.ops);
    let (status, log) = server.stop();
    assert!(status.success(), "{log}");
    place.run(&["audit", "verify"]).succeeded();
}

#[test]
fn the_doctor_needs_no_postgresql() {
    let place = Place::sqlite();
    let seen = finish(place.command().env("PATH", "/nowhere").arg("doctor")).succeeded().stdout;
    for name in [
        "data folder",
        "disk",
        "database",
        "schema",
        "port",
        "ops port",
        "mail",
        "schedule",
        "clock",
        "open files",
        "PostgreSQL",
    ] {
        assert!(
            seen.lines().any(|line| line.get(7..).is_some_and(|rest| rest.starts_with(name))),
            "{name}:\n{seen}"
        );
    }
    // A port that was free a moment ago: no mail server answers there.
    let nobody = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port().to_string();
    let mut without_mail = place.command();
    without_mail.env("PULSE_MAIL_SMTP_HOST", "127.0.0.1").env("PULSE_MAIL_SMTP_PORT", nobody).arg("doctor");
    let found = finish(&mut without_mail).failed_with(1);
    assert!(found.stdout.lines().any(|line| line.starts_with("WRONG  mail")), "{found:?}");
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap().to_string();
    let found = finish(place.command().env("PULSE_SERVER_LISTEN", address).arg("doctor")).failed_with(1);
    let wrong = found.stdout.lines().find(|line| line.starts_with("WRONG")).unwrap();
    assert!(wrong.contains("in use") && wrong.contains("server.listen"), "{wrong}");
}
