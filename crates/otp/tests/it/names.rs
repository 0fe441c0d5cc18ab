//! Registries: instances, unique keys, entries that go with their server.

use std::time::Duration;

use otp::{DynamicSupervisor, Exit, NameTaken, Registry, Spec, StartError};

use crate::cart::{Args, Cart, Msg, Probe, settle};

fn spec(names: &Registry<u32, Msg>, key: u32) -> Spec<Cart> {
    Spec::temporary(Args::default()).named(names, key)
}

#[tokio::test(start_paused = true)]
async fn a_key_names_one_server_and_the_second_start_is_given_the_first() {
    let names = Registry::new();
    let first = otp::start(spec(&names, 7)).await.unwrap();
    let error = otp::start(spec(&names, 7)).await.unwrap_err();
    let StartError::AlreadyStarted(addr) = error else { panic!("{error:?}") };
    assert_eq!(addr, first);
    assert_eq!(names.len(), 1);
}

#[tokio::test(start_paused = true)]
async fn two_supervisors_with_equal_keys_live_in_one_process() {
    let (here, there) = (Registry::new(), Registry::new());
    let (left, right) = (DynamicSupervisor::new(), DynamicSupervisor::new());
    left.start().await.unwrap();
    right.start().await.unwrap();
    let one = left.start_child(spec(&here, 7)).await.unwrap();
    let two = right.start_child(spec(&there, 7)).await.unwrap();
    one.cast(Msg::Add(1)).await.unwrap();
    assert_eq!(here.whereis(&7).unwrap().ask(Msg::Total).await, Ok(1));
    assert_eq!(there.whereis(&7).unwrap().ask(Msg::Total).await, Ok(0));
    assert!(right.terminate_child(&one).await.is_err(), "a child of another supervisor");
    left.stop().await;
    assert!(here.is_empty());
    assert_eq!(there.whereis(&7), Some(two));
}

#[tokio::test(start_paused = true)]
async fn an_ending_server_removes_only_its_own_entry() {
    let names = Registry::new();
    let old = otp::start(spec(&names, 7)).await.unwrap();
    assert!(names.unregister(&7, &old));
    let new = otp::start(spec(&names, 7)).await.unwrap();
    assert!(!names.unregister(&7, &old), "the name is no longer its own");
    old.stop(Exit::Normal);
    old.exited().await;
    assert_eq!(names.whereis(&7), Some(new));
}

#[tokio::test(start_paused = true)]
async fn a_server_can_have_several_names_and_loses_all_of_them() {
    let (numbers, words) = (Registry::new(), Registry::<&str, Msg>::new());
    let cart = otp::start(spec(&numbers, 7)).await.unwrap();
    words.register("seven", &cart).unwrap();
    numbers.register(77, &cart).unwrap();
    assert!(matches!(numbers.register(7, &cart), Err(NameTaken::By(_))));
    assert_eq!(numbers.entries().len(), 2);
    cart.kill();
    cart.exited().await;
    assert!(numbers.is_empty() && words.is_empty());
    assert!(matches!(words.register("seven", &cart), Err(NameTaken::NoProc)));
    assert!(words.is_empty(), "a dead server takes no name");
}

#[tokio::test(start_paused = true)]
async fn a_call_by_name_starts_the_server_and_waits_out_one_that_is_ending() {
    let names = Registry::new();
    let carts = DynamicSupervisor::new();
    carts.start().await.unwrap();
    let probe = Probe::default();
    let args = Args {
        terminate: crate::cart::Terminate::WaitsForGate,
        idle: Some(Duration::from_secs(10)),
        ..Args::named("a", &probe)
    };
    let start = || carts.start_child(Spec::<Cart>::temporary(args.clone()).named(&names, 7));
    let total = || names.call_or_start(&7, Duration::from_secs(5), start, Msg::Total);
    assert_eq!(total().await.unwrap(), 0);
    let first = names.whereis(&7).unwrap();
    tokio::time::sleep(Duration::from_secs(11)).await;
    assert!(!first.is_running(), "asleep, and still saving its state");
    let mut second = Box::pin(total());
    tokio::select! {
        biased;
        _ = &mut second => panic!("answered by a server that should not have begun"),
        () = settle() => {}
    }
    assert_eq!(probe.inits(), 1);
    probe.gate.notify_one();
    assert_eq!(second.await.unwrap(), 0);
    assert_eq!(probe.inits(), 2);
}

#[tokio::test(start_paused = true)]
async fn stop_cost_does_not_grow_with_the_number_of_names() {
    // Counted in operations on keys (each lookup or removal compares at least one key), not in time.
    use std::cell::Cell;
    use std::hash::{Hash, Hasher};
    thread_local!(static TOUCHED: Cell<u64> = const { Cell::new(0) });
    #[derive(Clone)]
    struct Key(u32);
    impl PartialEq for Key {
        fn eq(&self, other: &Self) -> bool {
            TOUCHED.set(TOUCHED.get() + 1);
            self.0 == other.0
        }
    }
    impl Eq for Key {}
    impl Hash for Key {
        fn hash<H: Hasher>(&self, state: &mut H) {
            TOUCHED.set(TOUCHED.get() + 1);
            self.0.hash(state);
        }
    }
    let mut cost = Vec::new();
    for resident in [100, 5_000] {
        let names = Registry::new();
        let carts = DynamicSupervisor::new();
        carts.start().await.unwrap();
        for key in 0..resident {
            let spec = Spec::<Cart>::temporary(Args::default()).named(&names, Key(key));
            carts.start_child(spec).await.unwrap();
        }
        let doomed: Vec<_> = (0..50).map(|key| names.whereis(&Key(key)).unwrap()).collect();
        let before = TOUCHED.get();
        for cart in doomed {
            carts.terminate_child(&cart).await.unwrap();
        }
        cost.push((TOUCHED.get() - before) / 50);
        assert_eq!(names.len(), resident as usize - 50);
    }
    assert!(cost[1] <= cost[0] + 10, "key operations a stop with 100 and 5,000 names: {cost:?}");
}
