//! After every message the client shows what a full render gives: by this crate's port of the client's rules,
//! and by the official client's own code.

use std::cell::RefCell;

use live::diff::NotHeld;
use live::merge::Client;
use live::{Cid, Extras, Frame, Shadow};
use proptest::prelude::*;
use proptest::test_runner::TestRunner;

use super::official::Official;
use super::world::World;

const CASES: u32 = 3_000;

/// One page that is rendered again and again; `show` gives what a client shows after each message.
fn page_agrees(
    seed: u64,
    steps: usize,
    mut show: impl FnMut(bool, &[Cid], &str) -> Result<String, String>,
) -> Result<(), TestCaseError> {
    let mut world = World::new(seed);
    let mut shadow = Shadow::default();
    for at in 0..=steps {
        let step = world.step();
        shadow.forget(&step.destroyed);
        let mut out = Vec::new();
        let frame = |root| Frame { root, components: &step.components };
        let lean = shadow.diff(&frame(step.lean.as_ref()), &Extras::default(), &mut out);
        // A part stands at another place than before: nothing has happened yet, and all parts are rendered.
        let changed = lean.or_else(|NotHeld| {
            prop_assert!(out.is_empty());
            Ok(shadow.diff(&frame(step.view.as_ref()), &Extras::default(), &mut out).unwrap())
        })?;
        let message = String::from_utf8(out).unwrap();
        prop_assert_eq!(changed, message != "{}");
        let shown = show(at == 0, &step.destroyed, &message);
        let shown = shown.map_err(|e| TestCaseError::fail(format!("step {at}: {e}\n{message}")))?;
        prop_assert_eq!(shown, step.html, "step {}: {}", at, message);
    }
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: CASES, ..ProptestConfig::default() })]

    #[test]
    fn a_merged_diff_equals_a_full_render(seed: u64, steps in 1_usize..9) {
        let mut client = None;
        page_agrees(seed, steps, |_, destroyed, message| {
            let merged = match &mut client {
                None => Client::join(message).map(|joined| client.insert(joined).html().to_owned()),
                Some(client) => {
                    client.forget(destroyed);
                    client.merge(message).map(|()| client.html().to_owned())
                }
            };
            merged.map_err(|e| e.to_string())
        })?;
    }
}

#[test]
fn the_official_client_shows_a_full_render_after_every_diff() {
    let official = RefCell::new(Official::start());
    let mut runner = TestRunner::new(ProptestConfig { cases: CASES, ..ProptestConfig::default() });
    let agrees = |(seed, steps)| {
        page_agrees(seed, steps, |join, destroyed, message| {
            let destroyed: Vec<u32> = destroyed.iter().map(|cid| cid.get()).collect();
            official.borrow_mut().show(join, &destroyed, message)
        })
    };
    // Pages that once were wrong.
    for seed in [14_493_245_826_451_551_927, 12_339_428_238_274_985_955, 11_683_575_985_817_118_489] {
        agrees((seed, 9)).unwrap();
    }
    // A component came back changed before it was destroyed, was passed over, and changed again.
    agrees((11_168_490_705_209_794_918, 4)).unwrap();
    let outcome = runner.run(&(any::<u64>(), 1_usize..9), agrees);
    outcome.unwrap();
}
