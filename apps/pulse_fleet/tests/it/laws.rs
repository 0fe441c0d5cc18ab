//! Whatever goes on behind the front door, a cart is the fold of its accepted commands.

use std::collections::HashSet;
use std::time::Duration;

use proptest::prelude::*;
use pulse_core::cart::{Cart, Command, Limits, LineKey, decide};
use pulse_core::ports::Clock as _;
use pulse_core::{CartId, CommandId, Principal};
use pulse_fleet::{CartView, FleetOptions, FrontDoor, ShopError};

use crate::shop::{Shop, Weather, listed, pieces, sku};

#[derive(Debug, Clone)]
enum Step {
    Add(u64, i64),
    Set(u64, i64),
    Remove(u64),
    Clear,
    View,
    Kill,
    Sleep,
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        5 => (0..4_u64, 1..4_000_i64).prop_map(|(n, pieces)| Step::Add(n, pieces)),
        2 => (0..4_u64, 1..12_000_i64).prop_map(|(n, pieces)| Step::Set(n, pieces)),
        2 => (0..4_u64).prop_map(Step::Remove),
        1 => Just(Step::Clear),
        1 => Just(Step::View),
        1 => Just(Step::Kill),
        1 => Just(Step::Sleep),
    ]
}

fn command(step: &Step) -> Option<Command> {
    let line = |n| LineKey { sku: sku(n), price: listed() };
    Some(match step {
        Step::Add(n, of) => Command::Add { sku: sku(*n), quantity: pieces(*of), price: listed() },
        Step::Set(n, of) => Command::SetQuantity { line: line(*n), quantity: pieces(*of) },
        Step::Remove(n) => Command::Remove { line: line(*n) },
        Step::Clear => Command::Clear,
        Step::View | Step::Kill | Step::Sleep => return None,
    })
}

async fn send(
    door: &FrontDoor,
    cart: CartId,
    id: CommandId,
    command: Command,
) -> Result<CartView, ShopError> {
    let who = Principal::Guest;
    loop {
        let answer = match command.clone() {
            Command::Add { sku, quantity, .. } => door.add(&who, cart, id, sku, quantity).await,
            Command::SetQuantity { line, quantity } => {
                door.set_quantity(&who, cart, id, line, quantity).await
            }
            Command::Remove { line } => door.remove(&who, cart, id, line).await,
            _ => door.clear(&who, cart, id).await,
        };
        match answer {
            Err(ShopError::Store(_) | ShopError::Crashed) => {}
            Err(ShopError::Overloaded { retry_after }) => tokio::time::sleep(retry_after).await,
            answer => return answer,
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn a_cart_is_the_fold_of_its_accepted_commands(
        steps in proptest::collection::vec((0..3_u128, 0..20_u64, step()), 0..60),
    ) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build()?;
        runtime.block_on(async {
            let shop = Shop::new();
            shop.weather(Weather { load_fails: 50, lost: 100, unanswered: 100, panics: 20, ..Weather::default() });
            // Two may be awake: the third makes one of them sleep.
            let options = FleetOptions { max_awake: 2, idle: Duration::from_secs(1), ..FleetOptions::default() };
            let door = shop.door(options).await;
            let mut models = vec![(Cart::default(), HashSet::new()); 3];
            for (cart, id, step) in steps {
                let (model, done) = &mut models[usize::try_from(cart)?];
                let cart = CartId(cart);
                match &step {
                    Step::Kill => drop(door.fleet().kill(cart)),
                    Step::Sleep => tokio::time::sleep(Duration::from_millis(1_500)).await,
                    Step::View => {
                        if let Ok(view) = door.view(cart).await {
                            prop_assert_eq!(&view.cart.cart, &*model);
                        }
                    }
                    _ => {}
                }
                let Some(command) = command(&step) else { continue };
                let answer = send(&door, cart, CommandId(id), command.clone()).await;
                if !done.contains(&id) {
                    match decide(model, &command, shop.now(), &Limits::BUYER) {
                        Ok(events) => {
                            for event in &events {
                                model.apply(event);
                            }
                            done.insert(id);
                        }
                        Err(refusal) => {
                            prop_assert_eq!(answer.unwrap_err(), ShopError::Cart(refusal));
                            continue;
                        }
                    }
                }
                let view = answer?;
                prop_assert_eq!(&view.cart.cart, &*model);
                prop_assert_eq!(view.priced.total().pence, 250 * model.pieces());
                prop_assert_eq!(&shop.row(cart).cart, &*model);
            }
            Ok(())
        })?;
    }
}
