//! Whatever the store does, a cart is the fold of the commands that it acknowledged.

use std::collections::HashSet;
use std::time::Duration;

use proptest::prelude::*;
use pulse_cart::CartFailure;
use pulse_core::Timestamp;
use pulse_core::cart::{Cart, Command, Limits, decide};

use crate::stage::{Fault, add, awake, line, send};

#[derive(Debug, Clone)]
enum Step {
    Send(u64, Command),
    Fault(Fault),
}

fn step() -> impl Strategy<Value = Step> {
    let command = prop_oneof![
        4 => (0..4_u8, 1..5_i64).prop_map(|(n, pieces)| add(n, pieces)),
        2 => (0..4_u8, 1..9_i64).prop_map(|(n, pieces)| Command::SetQuantity {
            line: line(n), quantity: pieces.try_into().unwrap(),
        }),
        1 => (0..4_u8).prop_map(|n| Command::Remove { line: line(n) }),
        1 => Just(Command::Clear),
    ];
    let fault = prop_oneof![
        Just(Fault::Lost),
        Just(Fault::WrittenButFailed),
        (1..9_u64).prop_map(|s| Fault::Slow(Duration::from_millis(s))),
    ];
    prop_oneof![3 => (0..12_u64, command).prop_map(|(id, c)| Step::Send(id, c)), 1 => fault.prop_map(Step::Fault)]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    /// Commands with the same id are one command; a caller repeats until it has an answer that is certain.
    #[test]
    fn a_cart_is_the_fold_of_what_it_acknowledged(steps in proptest::collection::vec(step(), 0..60)) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build()?;
        runtime.block_on(async {
            let (stage, cart) = awake().await;
            let mut model = Cart::default();
            let mut done = HashSet::new();
            for step in steps {
                let (id, command) = match step {
                    Step::Fault(fault) => {
                        stage.fault(fault);
                        continue;
                    }
                    Step::Send(id, command) => (id, command),
                };
                let answer = loop {
                    match send(&cart, id, command.clone()).await {
                        Err(CartFailure::Store(_)) => {}
                        answer => break answer,
                    }
                };
                if done.contains(&id) {
                    // At most 12 ids are in use, so all of them are remembered.
                    prop_assert!(answer.is_ok());
                } else {
                    match decide(&model, &command, Timestamp(0), &Limits::BUYER) {
                        Ok(events) => {
                            for event in &events {
                                model.apply(event);
                            }
                            done.insert(id);
                            prop_assert!(answer.is_ok());
                        }
                        Err(refusal) => prop_assert_eq!(answer.unwrap_err(), CartFailure::Refused(refusal)),
                    }
                }
                prop_assert_eq!(&stage.row().cart, &model);
            }
            Ok(())
        })?;
    }
}
