//! Ways to look green without being right.

use crate::mini::Mini;

#[test]
fn an_edited_gate_is_written_anew() {
    let mini = Mini::started("an_edited_gate_is_written_anew");
    mini.write("work/labs_mini/tests/gate/behaviour.rs", "//! Empty.\n");
    mini.write("work/labs_mini/tests/gate/more.rs", "//! One more.\n");
    mini.write("work/labs_mini/tests/budget.rs", "//! Empty.\n");
    mini.edit("work/labs_mini/lab.toml", "allocations_a_look = 0", "allocations_a_look = 100");
    mini.edit("work/labs_mini/Cargo.toml", "gate.workspace = true", "");
    mini.write("work/.cargo/config", "[build]\nrustflags = [\"--cfg\", \"cheat\"]\n");
    mini.write("work/labs_mini/.cargo/config.toml", "nonsense");
    mini.write("work/rust-toolchain", "nightly-2016-01-01\n");
    mini.write("work/rust-toolchain.toml", "[toolchain]\nchannel = \"1.20.0\"\n");
    mini.edit("work/Cargo.toml", "[workspace]", "[profile.test]\npanic = \"abort\"\n\n[workspace]");
    let checked = mini.run(&["check"]);
    checked.ends(1).says("behaviour  red 2 of 2");
    checked.says("tests/gate/behaviour.rs is the project's again");
    assert_eq!(mini.read("work/labs_mini/tests/budget.rs"), mini.read("apps/labs_mini/tests/budget.rs"));
    assert_eq!(mini.read("work/labs_mini/lab.toml"), mini.read("apps/labs_mini/lab.toml"));
    for gone in [
        "work/.cargo/config",
        "work/rust-toolchain",
        "work/rust-toolchain.toml",
        "work/labs_mini/.cargo/config.toml",
        "work/labs_mini/tests/gate/more.rs",
    ] {
        assert!(!mini.root.join(gone).exists(), "{gone}");
    }
    assert!(!mini.read("work/Cargo.toml").contains("panic"));
}

#[test]
fn a_build_script_is_refused() {
    let mini = Mini::solved("a_build_script_is_refused");
    mini.write("work/labs_mini/build.rs", "fn main() { println!(\"cargo::rustc-cfg=cheat\"); }\n");
    mini.run(&["check"]).ends(1).says("build.rs is refused");
}

#[test]
fn to_leave_as_if_all_were_well_is_red() {
    let mini = Mini::started("to_leave_as_if_all_were_well_is_red");
    mini.fill("put", "std::process::exit(0)");
    mini.run(&["check"])
        .ends(1)
        .says("behaviour  red 2 of 2")
        .says("(ended the process)")
        .says("without the receipt that a test gives");
}

#[test]
fn a_forged_receipt_is_red() {
    let mini = Mini::started("a_forged_receipt_is_red");
    mini.fill(
        "put",
        r#"
        for n in 0..100 {
            println!("receipt {n:032x}");
        }
        let mut ticket = std::env::var("GATE_TICKET").unwrap_or_default();
        std::thread::scope(|threads| {
            // The ticket was read before: what is left of the input is nothing.
            threads.spawn(|| std::thread::sleep(std::time::Duration::from_millis(50)));
        });
        println!("receipt {ticket}");
        println!("test behaviour::a_full_shelf_takes_no_more ... ok\ntest result: ok. 1 passed; 0 failed");
        ticket.clear();
        std::process::exit(0)"#,
    );
    mini.run(&["check"]).ends(1).says("behaviour  red 2 of 2").says("(ended the process)");
}

#[test]
fn a_process_that_is_killed_says_by_what() {
    let mini = Mini::started("a_process_that_is_killed_says_by_what");
    mini.fill("put", "std::process::abort()");
    mini.run(&["check"]).ends(1).says("behaviour  red 2 of 2").says("ended by a signal: 6 (SIGABRT)");
}

#[test]
fn a_panic_that_is_swallowed_is_red() {
    let mini = Mini::started("a_panic_that_is_swallowed_is_red");
    mini.fill("put", "std::panic::set_hook(Box::new(|_| std::process::exit(0))); Ok(())");
    mini.run(&["check"]).ends(1).says("behaviour  red 2 of 2");
}

#[test]
fn a_macro_of_the_learner_is_not_the_gates() {
    let mini = Mini::started("a_macro_of_the_learner_is_not_the_gates");
    mini.fill("put", "Ok(())");
    let lib = mini.read("work/labs_mini/src/lib.rs");
    let shadow = "#[macro_export]\nmacro_rules! assert_eq { ($($any:tt)*) => {}; }\n";
    mini.write("work/labs_mini/src/lib.rs", &(lib + shadow));
    mini.run(&["check"]).ends(1).says("it holds one, and may hold one");
}
