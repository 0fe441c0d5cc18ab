//! Properties of any input.
//!
//! **Invariant.** The same seed tries the same inputs, in the same order; a counterexample is shown as small as it
//! could be made, and only that one.

use std::cell::Cell;
use std::fmt::Debug;
use std::sync::Once;

use proptest::strategy::Strategy;
use proptest::test_runner::{Config, RngSeed, TestCaseError, TestError, TestRunner};

use crate::receipt::{self, Receipt};

thread_local! {
    static QUIET: Cell<bool> = const { Cell::new(false) };
}

/// A test that holds for `cases` inputs of the strategy. The closure asserts, as any test does.
///
/// ```
/// use gate::proptest::prelude::any;
/// gate::law(50, any::<u8>(), |n| assert_eq!(n.rotate_left(3).rotate_right(3), n));
/// ```
pub fn law<S>(cases: u32, inputs: S, holds: impl Fn(S::Value))
where
    S: Strategy,
    S::Value: Debug,
{
    let receipt = Receipt::take();
    let seed = receipt::seed();
    let config = Config {
        cases,
        rng_seed: RngSeed::Fixed(seed),
        failure_persistence: None,
        source_file: None,
        ..Config::default()
    };
    let outcome = quietly(|| {
        TestRunner::new(config).run(&inputs, |input| {
            holds(input);
            Ok::<(), TestCaseError>(())
        })
    });
    match outcome {
        Ok(()) => receipt.give(),
        Err(TestError::Fail(reason, input)) => {
            panic!("{reason}\nfound with seed {seed} for the input {input:?}")
        }
        Err(TestError::Abort(reason)) => panic!("the law can't be tried: {reason}"),
    }
}

/// Without a message for each of the panics by which the smallest counterexample is found.
fn quietly<T>(act: impl FnOnce() -> T) -> T {
    static HOOK: Once = Once::new();
    HOOK.call_once(|| {
        let told = std::panic::take_hook();
        std::panic::set_hook(Box::new(move |panic| {
            if !QUIET.get() {
                told(panic);
            }
        }));
    });
    QUIET.set(true);
    let done = act();
    QUIET.set(false);
    done
}
