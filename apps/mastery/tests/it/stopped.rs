//! Hangs, ctrl-C, kill -9: nothing that was started stays.

use std::path::Path;
use std::process::Stdio;
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};

use crate::mini::Mini;

/// Writes its process id into a file, and stays.
fn hang(mini: &Mini) -> std::path::PathBuf {
    let told = mini.root.join("pid");
    let body = format!(
        "std::fs::write(\"{}\", std::process::id().to_string()).unwrap_or_default(); loop {{ std::thread::park(); }}",
        told.display()
    );
    mini.fill("put", &body);
    told
}

/// Waits until the test says who it is.
fn pid(told: &Path) -> u32 {
    let started = Instant::now();
    loop {
        if let Some(pid) = std::fs::read_to_string(told).ok().and_then(|text| text.parse().ok()) {
            return pid;
        }
        assert!(started.elapsed() < Duration::from_mins(5), "the test never ran");
        std::thread::sleep(Duration::from_millis(20));
    }
}

/// Waits until a process is gone.
fn is_gone(pid: u32) {
    let started = Instant::now();
    let status = format!("/proc/{pid}/status");
    // One that nobody has waited for yet is gone as well.
    while std::fs::read_to_string(&status).is_ok_and(|status| !status.contains("State:\tZ")) {
        assert!(started.elapsed() < Duration::from_mins(1), "the process {pid} stays");
        std::thread::sleep(Duration::from_millis(20));
    }
}

#[test]
fn a_test_that_hangs_is_red_and_ended() {
    let mini = Mini::started("a_test_that_hangs_is_red_and_ended");
    mini.edit("apps/labs_mini/lab.toml", "seconds = 10", "seconds = 2");
    let told = hang(&mini);
    mini.run(&["check"])
        .ends(1)
        .says("behaviour  red 2 of 2")
        .says("(hangs)")
        .says("still running after 2 s");
    is_gone(pid(&told));
}

#[test]
fn ctrl_c_ends_what_runs() {
    let mini = Mini::started("ctrl_c_ends_what_runs");
    mini.edit("apps/labs_mini/lab.toml", "seconds = 10", "seconds = 1000");
    let told = hang(&mini);
    let mut check = mini.command(&["check"]).stdout(Stdio::null()).spawn().unwrap();
    let test = pid(&told);
    kill_process(Pid::from_child(&check), Signal::INT).unwrap();
    assert_eq!(check.wait().unwrap().code(), Some(130));
    is_gone(test);
}

#[test]
fn a_test_does_not_outlive_who_waits_for_it() {
    let mini = Mini::started("a_test_does_not_outlive_who_waits_for_it");
    mini.edit("apps/labs_mini/lab.toml", "seconds = 10", "seconds = 1000");
    let told = hang(&mini);
    let mut check = mini.command(&["check"]).stdout(Stdio::null()).spawn().unwrap();
    let test = pid(&told);
    check.kill().unwrap();
    check.wait().unwrap();
    is_gone(test);
}
