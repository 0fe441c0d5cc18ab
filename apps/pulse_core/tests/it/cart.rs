//! Laws of the cart: what `decide` and `apply` may and may not do.

use proptest::prelude::*;
use pulse_core::cart::{Cart, CartError, Command, Event, FREEZE_LEASE, Limits, decide};
use pulse_core::{CheckoutKey, Currency, Money, Quantity, Timestamp};

use crate::strategies::{checkout_key, command, line_key, quantity};

const NOW: Timestamp = Timestamp(1_300_000_000_000);
const TIGHT: Limits = Limits { lines: 6, pieces: 60 };

fn run(cart: &mut Cart, command: &Command, now: Timestamp) -> Result<Vec<Event>, CartError> {
    let events = decide(cart, command, now, &TIGHT)?;
    for event in &events {
        cart.apply(event);
    }
    Ok(events)
}

/// A cart that some commands made, seconds apart.
fn cart() -> impl Strategy<Value = Cart> {
    proptest::collection::vec((command(), 0..90_i64), 0..25).prop_map(|commands| {
        let mut cart = Cart::default();
        let mut now = NOW.0 - 2_000_000;
        for (command, seconds) in commands {
            now += seconds * 1000;
            let _ = run(&mut cart, &command, Timestamp(now));
        }
        cart
    })
}

fn total(cart: &Cart) -> i64 {
    let amounts = cart.lines.iter().map(|line| line.price.unit.times(line.quantity).unwrap());
    Money::sum(Currency::Gbp, amounts).unwrap().pence
}

proptest! {
    #[test]
    fn accepted_commands_keep_the_invariants(cart in cart(), command in command()) {
        let mut after = cart.clone();
        let _ = run(&mut after, &command, NOW);
        for (at, line) in after.lines.iter().enumerate() {
            prop_assert!(after.lines[..at].iter().all(|other| other.key() != line.key()));
            prop_assert!(line.quantity.get() <= TIGHT.pieces);
        }
        prop_assert!(after.lines.len() <= TIGHT.lines);
        prop_assert!(after.freeze.is_none() || !after.lines.is_empty());
        total(&after);
    }

    #[test]
    fn a_refused_command_leaves_no_trace_and_an_accepted_one_is_an_event(cart in cart(), command in command()) {
        let mut after = cart.clone();
        match run(&mut after, &command, NOW) {
            Ok(events) if !events.is_empty() => {}
            Ok(_) => {
                let joined = matches!(command, Command::Freeze { .. });
                prop_assert!(joined);
                prop_assert_eq!(after, cart);
            }
            Err(_) => prop_assert_eq!(after, cart),
        }
    }

    #[test]
    fn adding_puts_in_exactly_that_much(cart in cart(), key in line_key(), quantity in quantity(40)) {
        let mut after = cart.clone();
        let add = Command::Add { sku: key.sku, quantity, price: key.price };
        if run(&mut after, &add, NOW).is_ok() {
            let before = cart.line(&key).map_or(0, |line| line.quantity.get());
            prop_assert_eq!(after.line(&key).map(|line| line.quantity.get()), Some(before + quantity.get()));
            prop_assert_eq!(after.pieces(), cart.pieces() + quantity.get());
            prop_assert_eq!(total(&after), total(&cart) + key.price.unit.pence * quantity.get());
        }
    }

    #[test]
    fn a_frozen_cart_refuses_edits_until_the_lease_is_over(
        cart in cart(), key in checkout_key(), edit in command(), late in 0..1_000_000_i64,
    ) {
        prop_assume!(!cart.lines.is_empty());
        prop_assume!(!matches!(edit, Command::Freeze { .. } | Command::Thaw { .. }));
        let mut frozen = cart;
        frozen.freeze = None;
        run(&mut frozen, &Command::Freeze { key }, NOW)?;
        let until = NOW.after(FREEZE_LEASE);
        let early = decide(&frozen, &edit, Timestamp(until.0 - 1), &TIGHT);
        let open = Cart { freeze: None, ..frozen.clone() };
        let expected = decide(&open, &edit, NOW, &TIGHT);
        // What an open cart refuses is refused for its own reason.
        prop_assert_eq!(early.unwrap_err(), expected.clone().err().unwrap_or(CartError::Frozen { until }));

        let mut late_cart = frozen;
        let mut open_cart = open;
        let late = run(&mut late_cart, &edit, Timestamp(until.0 + late));
        prop_assert_eq!(late.map(|events| events[1..].to_vec()), run(&mut open_cart, &edit, NOW));
        prop_assert_eq!(late_cart.lines, open_cart.lines);
    }

    #[test]
    fn a_checkout_takes_over_another_and_only_the_last_one_can_give_up(
        cart in cart(), first in checkout_key(), second in checkout_key(),
    ) {
        prop_assume!(!cart.lines.is_empty());
        let lines = cart.lines;
        let mut cart = Cart { lines: lines.clone(), freeze: None };
        run(&mut cart, &Command::Freeze { key: first.clone() }, NOW)?;
        run(&mut cart, &Command::Freeze { key: second.clone() }, Timestamp(NOW.0 + 1))?;
        prop_assert_eq!(cart.freeze.as_ref().map(|freeze| &freeze.key), Some(&second));
        // The second key's lease is its own; a joined checkout keeps the first one's.
        let began = if first == second { NOW } else { Timestamp(NOW.0 + 1) };
        prop_assert_eq!(cart.freeze.as_ref().map(|freeze| freeze.until), Some(began.after(FREEZE_LEASE)));
        if first != second {
            let given_up = run(&mut cart, &Command::Thaw { key: first.clone() }, NOW);
            prop_assert_eq!(given_up, Err(CartError::NotFrozen { key: first }));
        }
        run(&mut cart, &Command::Thaw { key: second }, NOW)?;
        prop_assert_eq!(cart, Cart { lines, freeze: None });
    }

    #[test]
    fn edits_of_different_lines_may_come_in_any_order(
        one in proptest::collection::vec((1..9_i64, 0..3_u8), 0..8),
        other in proptest::collection::vec((1..9_i64, 0..3_u8), 0..8),
        a in line_key(), b in line_key(), mix in any::<u64>(),
    ) {
        prop_assume!(a != b);
        let commands = |key: pulse_core::cart::LineKey, steps: &[(i64, u8)]| -> Vec<Command> {
            steps.iter().map(|(n, kind)| {
                let quantity = Quantity::new(*n).unwrap();
                match kind {
                    0 => Command::Add { sku: key.sku, quantity, price: key.price },
                    1 => Command::SetQuantity { line: key, quantity },
                    _ => Command::Remove { line: key },
                }
            }).collect()
        };
        let (one, other) = (commands(a, &one), commands(b, &other));
        let mut in_turn = Cart::default();
        for command in one.iter().chain(&other) {
            let _ = run(&mut in_turn, command, NOW);
        }
        let mut mixed = Cart::default();
        let (mut one, mut other) = (one.iter().peekable(), other.iter().peekable());
        let mut mix = mix;
        while one.peek().is_some() || other.peek().is_some() {
            let next = if mix & 1 == 0 { one.next().or_else(|| other.next()) } else { other.next().or_else(|| one.next()) };
            mix = mix.rotate_right(1);
            if let Some(command) = next {
                let _ = run(&mut mixed, command, NOW);
            }
        }
        prop_assert_eq!(in_turn.line(&a), mixed.line(&a));
        prop_assert_eq!(in_turn.line(&b), mixed.line(&b));
        prop_assert_eq!(total(&in_turn), total(&mixed));
    }

    #[test]
    fn set_quantity_twice_is_set_quantity_once(cart in cart(), a in quantity(40), b in quantity(40), at in any::<usize>()) {
        prop_assume!(!cart.lines.is_empty());
        let line = cart.lines[at % cart.lines.len()].key();
        let open = Cart { freeze: None, ..cart };
        let (mut once, mut twice) = (open.clone(), open);
        run(&mut twice, &Command::SetQuantity { line, quantity: a }, NOW)?;
        run(&mut twice, &Command::SetQuantity { line, quantity: b }, NOW)?;
        run(&mut once, &Command::SetQuantity { line, quantity: b }, NOW)?;
        prop_assert_eq!(once, twice);
    }
}

#[test]
fn an_empty_cart_can_not_be_checked_out() {
    let key = CheckoutKey::new("k").unwrap();
    assert_eq!(decide(&Cart::default(), &Command::Freeze { key }, NOW, &TIGHT), Err(CartError::Empty));
}

#[test]
fn a_total_that_does_not_fit_is_refused() {
    let mut cart = Cart::default();
    let all = Quantity::new(i64::MAX / 4).unwrap();
    let add = |pence: i64, basis| Command::Add {
        sku: "85123A".parse().unwrap(),
        quantity: all,
        price: pulse_core::cart::Price { unit: Money::gbp(pence), basis },
    };
    let quoted = pulse_core::cart::Basis::Quoted;
    for event in decide(&cart, &add(3, quoted), NOW, &Limits::TRADE).unwrap() {
        cart.apply(&event);
    }
    let refused = decide(&cart, &add(2, quoted), NOW, &Limits::TRADE);
    assert!(matches!(refused, Err(CartError::Total(_))), "{refused:?}");
}
