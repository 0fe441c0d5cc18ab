//! The configuration: what is refused, and in which words.

use crate::program::{Finished, Place};

fn with_file(text: &str, arguments: &[&str]) -> Finished {
    let place = Place::sqlite();
    std::fs::write(place.folder().join("pulse.toml"), text).unwrap();
    place.run(arguments)
}

fn with_env(name: &str, value: &str) -> Finished {
    let place = Place::sqlite();
    crate::program::finish(place.command().env(name, value).arg("config"))
}

#[test]
fn later_sources_win_and_each_value_names_its_own() {
    let shown = with_file(
        "[log]\nfilter = \"warn\"\n[fleet]\nmax_awake = 7\n",
        &["--set", "fleet.max_awake=9", "config"],
    )
    .succeeded()
    .stdout;
    for line in [
        "log.filter = \"warn\"  # pulse.toml",
        "fleet.max_awake = 9  # --set",
        "server.listen = \"127.0.0.1:0\"  # environment variable PULSE_SERVER_LISTEN",
        "server.drain_seconds = 15  # default",
    ] {
        assert!(shown.contains(line), "{line} is missing:\n{shown}");
    }
}

#[test]
fn what_it_prints_can_be_kept_as_the_file() {
    let place = Place::sqlite();
    let first = place.run(&["config"]).succeeded().stdout;
    std::fs::write(place.folder().join("pulse.toml"), &first).unwrap();
    let second = place.run(&["config"]).succeeded().stdout;
    let values = |text: &str| -> Vec<String> {
        let lines = text.lines().filter(|line| !line.is_empty() && !line.starts_with('#'));
        lines.map(|line| line.split("  #").next().unwrap().to_owned()).collect()
    };
    assert_eq!(values(&first), values(&second));
}

#[test]
fn an_unknown_key_is_refused_with_the_nearest() {
    let in_file = with_file("[server]\nlisten_on = \"127.0.0.1:1\"\n", &["config"]).failed_with(78);
    assert!(in_file.complaint().contains("server.listen_on (pulse.toml)"), "{in_file:?}");
    assert!(in_file.complaint().contains("did you mean server.listen?"), "{in_file:?}");
    let in_env = with_env("PULSE_SERVER_LISTN", "x").failed_with(78);
    assert!(in_env.complaint().contains("did you mean PULSE_SERVER_LISTEN?"), "{in_env:?}");
    let set = Place::sqlite().run(&["--set", "loog.filter=x", "config"]).failed_with(78);
    assert!(set.complaint().contains("did you mean log.filter?"), "{set:?}");
    let whole_table = with_file("[servr]\nlisten = \"127.0.0.1:1\"\n", &["config"]).failed_with(78);
    assert!(whole_table.complaint().contains("did you mean server.listen?"), "{whole_table:?}");
}

#[test]
fn a_value_that_does_not_fit_names_key_value_source_and_cure() {
    let cases = [
        ("PULSE_SERVER_LISTEN", "here", ["server.listen", "\"here\"", "HOST:PORT"]),
        ("PULSE_FLEET_MAX_AWAKE", "many", ["fleet.max_awake", "\"many\"", "a whole number"]),
        ("PULSE_FLEET_MAX_AWAKE", "0", ["fleet.max_awake", "0", "a whole number from 1"]),
        ("PULSE_OTLP_SAMPLE_RATIO", "1.5", ["otlp.sample_ratio", "1.5", "from 0.0 to 1.0"]),
        ("PULSE_INGEST_BATCH_ROWS", "99", ["ingest.batch_rows", "99", "from 100 to 10000"]),
        ("PULSE_WATCH_GUEST_CARTS_DAYS", "0", ["watch.guest_carts_days", "0", "from 1 to 3650"]),
        ("PULSE_LOG_FORMAT", "xml", ["log.format", "\"xml\"", "auto, pretty or json"]),
        (
            "PULSE_SERVER_PUBLIC_URL",
            "shop.example",
            ["server.public_url", "\"shop.example\"", "https://shop.example"],
        ),
    ];
    for (name, value, words) in cases {
        let refused = with_env(name, value).failed_with(78);
        let complaint = refused.complaint();
        for word in words.into_iter().chain([format!("environment variable {name}").as_str()]) {
            assert!(complaint.contains(word), "{word} is missing: {complaint}");
        }
    }
    let filter = with_env("PULSE_LOG_FILTER", "a=b=c").failed_with(78);
    assert!(filter.complaint().contains("log.filter"), "{filter:?}");
}

#[test]
fn a_file_that_is_no_toml_or_not_there_is_told() {
    let broken = with_file("[server\nlisten", &["config"]).failed_with(78);
    assert!(broken.complaint().contains("pulse.toml") && broken.complaint().contains("line 1"), "{broken:?}");
    let missing = Place::sqlite().run(&["--config", "nowhere.toml", "config"]).failed_with(78);
    assert!(missing.complaint().contains("nowhere.toml"), "{missing:?}");
}

#[test]
fn a_wrong_database_url_is_told_without_its_password() {
    for url in ["mysql://shop:s3cret@db/x", "postgres//shop:s3cret@db/x", "shop.db"] {
        let refused = with_env("DATABASE_URL", url).failed_with(78);
        assert!(refused.complaint().contains("database.url"), "{refused:?}");
        assert!(!refused.stderr.contains("s3cret"), "{refused:?}");
    }
    let shown = with_env("DATABASE_URL", "postgres://shop:s3cret@db/x").succeeded();
    assert!(shown.stdout.contains("postgres://shop:***@db/x"), "{shown:?}");
}

#[test]
fn an_unreachable_postgresql_leaves_with_69() {
    let place = Place::sqlite();
    for command in [&["serve"][..], &["migrate", "up"], &["audit", "verify"], &["report"]] {
        let mut run = place.command();
        run.env("DATABASE_URL", "postgres://shop:s3cret@127.0.0.1:1/shop").args(command);
        let refused = crate::program::finish(&mut run).failed_with(69);
        let complaint = refused.complaint();
        assert!(complaint.contains("127.0.0.1:1") && complaint.contains("server running"), "{complaint}");
        assert!(!refused.stderr.contains("s3cret"), "{refused:?}");
    }
}

#[test]
fn the_mail_servers_password_is_never_shown() {
    let place = Place::sqlite();
    let with = |user: &str| {
        let mut command = place.command();
        command
            .env("PULSE_MAIL_SMTP_PASSWORD", "open sesame")
            .env("PULSE_MAIL_SMTP_USER", user)
            .arg("config");
        crate::program::finish(&mut command)
    };
    let shown = with("shop").succeeded().stdout;
    assert!(shown.contains("mail.smtp_password = \"***\"") && !shown.contains("sesame"), "{shown}");
    let refused = with("").failed_with(78);
    assert!(refused.complaint().contains("mail.smtp_password"), "{refused:?}");
    assert!(!refused.stderr.contains("sesame"), "{refused:?}");
}

#[test]
fn a_time_that_makes_no_sense_is_told_before_the_shop_opens() {
    let place = Place::sqlite();
    for (name, value, word) in [
        ("PULSE_WATCH_AUDIT", "every night", "watch.audit"),
        ("PULSE_WATCH_TIME_ZONE", "Europe/Londn", "Europe/Londn"),
    ] {
        let refused = crate::program::finish(place.command().env(name, value).arg("serve")).failed_with(78);
        assert!(refused.complaint().contains(word), "{refused:?}");
        let doctor = crate::program::finish(place.command().env(name, value).arg("doctor")).failed_with(1);
        assert!(doctor.stdout.lines().any(|line| line.starts_with("WRONG  schedule")), "{doctor:?}");
    }
    let off = place.command().env("PULSE_WATCH_AUDIT", "off").arg("doctor").output().unwrap();
    assert!(off.status.success(), "{off:?}");
}
