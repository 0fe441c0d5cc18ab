//! `prove`: a good lab is proven, and each way to be weak is named.

use crate::mini::Mini;

#[test]
fn a_good_lab_is_proven() {
    let mini = Mini::new("a_good_lab_is_proven");
    mini.run(&["prove", "--times", "2", "--busy"])
        .ends(0)
        .says("ok  form")
        .says("ok  right is green, 2 times")
        .says("ok  nothing is red")
        .says("ok  leaving is red")
        .says("ok  wrong/takes_the_oldest is red by name")
        .says("proven in");
    assert!(!mini.root.join("work").exists(), "a proof leaves the learner's folder alone");
}

#[test]
fn what_is_left_when_the_time_is_over_is_named() {
    let mini = Mini::new("what_is_left_when_the_time_is_over_is_named");
    let prove = mini.run(&["prove", "--minutes", "0"]);
    prove.ends(0).says("Not begun, because the time was over: labs_mini");
    assert!(!prove.said.contains("proven in"), "nothing was proven:\n{}", prove.said);
}

#[test]
fn a_test_that_passes_on_nothing_is_found() {
    let mini = Mini::new("a_test_that_passes_on_nothing_is_found");
    mini.edit(
        "apps/labs_mini/tests/gate/laws.rs",
        "use labs_mini::Shelf;\n",
        "use labs_mini::Shelf;\n\n/// It can be made.\n///\n/// Hole: `put`.\n#[test]\nfn it_is_there() {\n    gate::check(|| _ = Shelf::new(1));\n}\n",
    );
    mini.run(&["prove", "mini", "--only", "nothing"]).ends(1).says("laws::it_is_there passes: it is vacuous");
    mini.run(&["prove", "mini", "--only", "exit"]).ends(1).says("laws::it_is_there passes: it is vacuous");
}

#[test]
fn a_skeleton_that_warns_is_found() {
    let mini = Mini::new("a_skeleton_that_warns_is_found");
    mini.edit("apps/labs_mini/src/lib.rs", "/// Takes one.\n", "/// Takes one.\n    #[deprecated]\n");
    mini.edit("apps/labs_mini/src/main.rs", "    let mut", "    _ = Shelf::new(1).take();\n    let mut");
    // Only what the gate builds is looked at: the library and the tests.
    mini.run(&["prove", "mini", "--only", "nothing"]).ends(1).says("it compiles with a warning");
}

#[test]
fn a_mistake_that_is_not_as_it_is_kept_is_found() {
    let mini = Mini::new("a_mistake_that_is_not_as_it_is_kept_is_found");
    let wrong = "apps/labs_mini/wrong/takes_the_oldest.rs";
    let prove = || mini.run(&["prove", "mini", "--only", "wrong/takes_the_oldest"]);
    mini.edit(wrong, "verdict: came back as", "verdict: came home as");
    prove().ends(1).says("does not say 'came home as'");
    mini.edit(wrong, "came home as", "came back as");
    mini.edit(
        wrong,
        "test: laws::things_come_back_in_reverse",
        "test: behaviour::a_full_shelf_takes_no_more",
    );
    prove().ends(1).says("behaviour::a_full_shelf_takes_no_more is green");
    mini.edit(wrong, "test: behaviour::a_full_shelf_takes_no_more", "test: budget::a_look_allocates_nothing");
    prove().ends(1).says("laws::things_come_back_in_reverse is red already");
    let quick = mini.run(&["prove", "mini", "--quick", "--only", "wrong/takes_the_oldest"]);
    quick.ends(1).says("budget::a_look_allocates_nothing is green");
    assert!(!quick.said.contains("red already"), "it was to be quick:\n{}", quick.said);
    mini.edit(wrong, "//>> take", "//>> grab");
    prove().ends(1).says("fills the hole grab, which labs_mini does not have");
}

#[test]
fn what_a_lab_lacks_is_found() {
    let mini = Mini::new("what_a_lab_lacks_is_found");
    mini.edit("apps/labs_mini/hints.md", "3. `pop`.\n", "");
    mini.edit(
        "apps/labs_mini/README.md",
        "## Reading",
        "## Books\n\n[beside](../pulse_x/src/lib.rs), [above](../../docs/x.md)",
    );
    mini.edit("apps/labs_mini/tests/gate/behaviour.rs", "/// Hole: `put`.\n", "");
    std::fs::remove_file(mini.root.join("apps/labs_mini/wrong/gives_copies.rs")).unwrap();
    mini.run(&["prove", "mini", "--only", "form"])
        .ends(1)
        .says("2 hints for the hole take")
        .says("no section '## Reading'")
        .says("README.md links to ../pulse_x/src/lib.rs, which the learner does not have: ../../apps/pulse_x")
        .says("a_full_shelf_takes_no_more does not document")
        .says("has 4 known mistakes");
}

#[test]
fn a_test_outside_of_the_stages_files_is_found() {
    let mini = Mini::new("a_test_outside_of_the_stages_files_is_found");
    mini.edit("apps/labs_mini/tests/gate/main.rs", "mod laws;\n", "mod laws;\n\n#[test]\nfn hidden() {}\n");
    mini.run(&["prove", "mini", "--only", "right"]).ends(1).says("hidden");
}

#[test]
fn a_red_solution_is_found() {
    let mini = Mini::new("a_red_solution_is_found");
    mini.edit("apps/labs_mini/src/lib.rs", "self.things.pop()", "self.things.first().cloned()");
    mini.run(&["prove", "mini", "--only", "right"])
        .ends(1)
        .says("laws::things_come_back_in_reverse is red on the solution, with seed 1");
}
