//! The dynamic supervisor: children that come and go.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use otp::{
    DynamicSupervisor, Exit, Intensity, PartitionSupervisor, Registry, Shutdown, Spec, StartError, StopError,
};
use tokio::time::Instant;

use crate::cart::{Args, Cart, Init, Msg, Probe, Terminate, settle, spin};

const SECOND: Duration = Duration::from_secs(1);

async fn running() -> DynamicSupervisor {
    let carts = DynamicSupervisor::new();
    carts.start().await.unwrap();
    carts
}

fn temporary(probe: &Probe) -> Spec<Cart> {
    Spec::temporary(Args::named("a", probe))
}

fn permanent(name: &str, probe: &Probe) -> Spec<Cart> {
    let args = Args::named(name, probe);
    Spec::permanent(move || args.clone())
}

#[tokio::test(start_paused = true)]
async fn the_name_is_free_when_terminate_child_returns() {
    let (probe, names) = (Probe::default(), Registry::new());
    let carts = running().await;
    for round in 1..=100 {
        let cart = carts.start_child(temporary(&probe).named(&names, 7)).await.unwrap();
        assert_eq!(carts.terminate_child(&cart).await, Ok(Exit::Shutdown));
        assert_eq!(names.whereis(&7), None);
        assert_eq!(carts.count_children(), 0);
        assert_eq!(probe.terminated(), round);
        assert_eq!(carts.terminate_child(&cart).await, Err(StopError::NotFound));
    }
}

#[tokio::test(start_paused = true)]
async fn many_starts_and_stops_leave_table_and_names_flat() {
    let (probe, names) = (Probe::default(), Registry::new());
    let carts = running().await;
    let resident = carts.start_child(temporary(&probe).named(&names, 0)).await.unwrap();
    for round in 1..20_000 {
        let cart =
            carts.start_child(Spec::<Cart>::temporary(Args::default()).named(&names, round)).await.unwrap();
        match round % 3 {
            0 => drop(carts.terminate_child(&cart).await),
            1 => cart.stop(Exit::Normal),
            _ => cart.kill(),
        }
        cart.exited().await;
        assert_eq!((carts.count_children(), names.len()), (1, 1));
    }
    assert!(carts.table_len() <= 2, "places are used again: {}", carts.table_len());
    let stats = carts.stats();
    assert_eq!((stats.started, stats.stopped, stats.restarts, stats.leaked), (20_000, 19_999, 0, 0));
    assert_eq!(resident.ask(Msg::Total).await, Ok(0));
}

#[tokio::test(start_paused = true)]
async fn a_stuck_child_is_aborted_after_its_shutdown_time() {
    let (probe, names) = (Probe::default(), Registry::new());
    let carts = running().await;
    for (limit, took) in [(Shutdown::After(3 * SECOND), 3 * SECOND), (Shutdown::Kill, Duration::ZERO)] {
        let cart = carts.start_child(temporary(&probe).named(&names, 7).shutdown(limit)).await.unwrap();
        cart.cast(Msg::Hang).await.unwrap();
        settle().await;
        let begin = Instant::now();
        assert_eq!(carts.terminate_child(&cart).await, Ok(Exit::Killed));
        assert_eq!(begin.elapsed().as_secs(), took.as_secs());
        assert!(names.is_empty());
    }
    let args = Args { terminate: Terminate::Hangs, ..Args::named("a", &probe) };
    let cart = carts.start_child(Spec::<Cart>::temporary(args)).await.unwrap();
    assert_eq!(carts.terminate_child(&cart).await, Ok(Exit::Killed), "a terminate that hangs counts too");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_child_that_never_awaits_is_reported_leaked_and_shutdown_goes_on() {
    let (probe, names) = (Probe::default(), Registry::new());
    let carts = running().await;
    let on = Arc::new(AtomicBool::new(true));
    let brief = Shutdown::After(Duration::from_millis(20));
    let mut spinners = Vec::new();
    for key in 0..2 {
        let cart = carts.start_child(temporary(&probe).named(&names, key).shutdown(brief)).await.unwrap();
        spin(&cart, &on).await;
        spinners.push(cart);
    }
    carts.start_child(temporary(&probe).named(&names, 2)).await.unwrap();
    assert_eq!(carts.terminate_child(&spinners[0]).await, Err(StopError::Leaked));
    assert_eq!(names.whereis(&0), None, "its name is free all the same");
    assert_eq!((carts.count_children(), carts.stats().leaked), (2, 1));
    assert!(spinners[0].ask(Msg::Total).await.is_err());

    carts.stop().await;
    assert_eq!((carts.count_children(), carts.stats().leaked), (0, 2));
    assert_eq!(probe.terminated(), 1, "the good child ended in order");
    assert!(names.is_empty());
    on.store(false, Ordering::SeqCst);
    for cart in spinners {
        assert_eq!(cart.exited().await, Exit::Killed, "a leaked child that awaits after all is gone then");
    }
    assert_eq!(carts.count_children(), 0);
}

#[tokio::test(start_paused = true)]
async fn a_temporary_childs_panic_never_touches_its_supervisor() {
    let probe = Probe::default();
    let carts = running().await;
    let bystander = carts.start_child(temporary(&probe)).await.unwrap();
    for _ in 0..100 {
        let cart = carts.start_child(temporary(&probe)).await.unwrap();
        cart.cast(Msg::Crash).await.unwrap();
        assert!(cart.exited().await.is_failure());
        let args = Args { init: Init::Panics, ..Args::default() };
        assert!(carts.start_child(Spec::<Cart>::temporary(args)).await.is_err());
    }
    assert!(carts.is_running());
    assert_eq!((carts.count_children(), carts.stats().restarts), (1, 0));
    assert_eq!(bystander.ask(Msg::Total).await, Ok(0));
}

#[tokio::test(start_paused = true)]
async fn a_stopped_permanent_child_comes_back_and_answers() {
    let (probe, names) = (Probe::default(), Registry::new());
    let carts = running().await;
    let first = carts.start_child(permanent("a", &probe).named(&names, 7)).await.unwrap();
    for reason in [Exit::Normal, Exit::Shutdown, Exit::crash("gave up")] {
        let old = names.whereis(&7).unwrap();
        old.cast(Msg::Stop(reason)).await.unwrap();
        old.exited().await;
        settle().await;
        let new = names.whereis(&7).unwrap();
        assert_ne!(new, old);
        assert_eq!(new.ask(Msg::Total).await, Ok(0));
    }
    assert!(!first.is_running());
    let last = names.whereis(&7).unwrap();
    assert_eq!(carts.terminate_child(&last).await, Ok(Exit::Shutdown));
    settle().await;
    assert_eq!((carts.count_children(), names.len()), (0, 0), "terminated is not restarted");
    assert!(carts.is_running());
    assert_eq!(carts.stats().restarts, 3);
}

#[tokio::test(start_paused = true)]
async fn a_transient_child_is_restarted_for_failures_only() {
    let (probe, names) = (Probe::default(), Registry::new());
    let carts = running().await;
    let args = Args::named("a", &probe);
    let spec = Spec::<Cart>::transient(move || args.clone()).named(&names, 7);
    carts.start_child(spec).await.unwrap().kill();
    settle().await;
    let cart = names.whereis(&7).unwrap();
    assert_eq!(cart.ask(Msg::Total).await, Ok(0));
    cart.stop(Exit::Normal);
    cart.exited().await;
    settle().await;
    assert_eq!((carts.count_children(), probe.inits()), (0, 2));
}

#[tokio::test(start_paused = true)]
async fn a_restart_whose_init_fails_is_tried_again_within_the_intensity() {
    let probe = Probe::default();
    let carts = DynamicSupervisor::with(10, Intensity { restarts: 5, period: 5 * SECOND });
    let supervisor = carts.start().await.unwrap();
    let args = Args { init: Init::GoodOnce, ..Args::named("a", &probe) };
    let cart = carts.start_child(Spec::<Cart>::permanent(move || args.clone())).await.unwrap();
    cart.kill();
    assert!(supervisor.exited().await.is_failure());
    assert_eq!(probe.inits(), 6, "one start and five restarts");
    assert_eq!(carts.count_children(), 0);
}

#[tokio::test(start_paused = true)]
async fn more_restarts_than_allowed_end_the_supervisor_and_its_other_children() {
    let probe = Probe::default();
    let carts = DynamicSupervisor::with(10, Intensity { restarts: 2, period: 5 * SECOND });
    let supervisor = carts.start().await.unwrap();
    let names = Registry::new();
    carts.start_child(permanent("a", &probe).named(&names, 1)).await.unwrap();
    let other = carts.start_child(permanent("b", &probe).named(&names, 2)).await.unwrap();
    for _ in 0..3 {
        names.whereis(&1).unwrap().kill();
        settle().await;
    }
    assert!(supervisor.exited().await.is_failure());
    assert_eq!(other.exited().await, Exit::Shutdown, "stopped in order");
    assert!(names.is_empty() && !carts.is_running());
    let refused = carts.start_child(temporary(&probe)).await;
    assert!(matches!(refused, Err(StartError::NoSupervisor)));
    carts.start().await.unwrap();
    carts.start_child(temporary(&probe)).await.unwrap();
    assert_eq!(carts.count_children(), 1, "it can be started again");
}

#[tokio::test(start_paused = true)]
async fn a_stop_waits_for_a_shutdown_that_is_already_going_on() {
    let probe = Probe::default();
    let carts = running().await;
    let args = Args { terminate: Terminate::WaitsForGate, ..Args::named("a", &probe) };
    carts.start_child(Spec::<Cart>::temporary(args)).await.unwrap();
    let stops: Vec<_> = (0..2)
        .map(|_| {
            let carts = carts.clone();
            tokio::spawn(async move { carts.stop().await })
        })
        .collect();
    settle().await;
    assert!(!carts.is_running() && stops.iter().all(|stop| !stop.is_finished()));
    probe.gate.notify_one();
    for stop in stops {
        stop.await.unwrap();
    }
    assert_eq!((carts.count_children(), probe.terminated()), (0, 1));
}

#[tokio::test(start_paused = true)]
async fn max_children_is_a_bound() {
    let probe = Probe::default();
    let carts = DynamicSupervisor::with(2, Intensity::default());
    carts.start().await.unwrap();
    let first = carts.start_child(temporary(&probe)).await.unwrap();
    carts.start_child(temporary(&probe)).await.unwrap();
    assert!(matches!(carts.start_child(temporary(&probe)).await, Err(StartError::MaxChildren)));
    carts.terminate_child(&first).await.unwrap();
    carts.start_child(temporary(&probe)).await.unwrap();
    assert_eq!(carts.which_children().len(), 2);
}

#[tokio::test(start_paused = true)]
async fn a_termination_goes_on_when_its_caller_goes_away() {
    let (probe, names) = (Probe::default(), Registry::new());
    let carts = running().await;
    let cart = carts.start_child(temporary(&probe).named(&names, 7)).await.unwrap();
    cart.cast(Msg::Hang).await.unwrap();
    settle().await;
    let waiting = tokio::time::timeout(SECOND, carts.terminate_child(&cart)).await;
    assert!(waiting.is_err());
    assert_eq!(cart.exited().await, Exit::Killed);
    assert_eq!((carts.count_children(), names.len()), (0, 0));
}

#[tokio::test(start_paused = true)]
async fn killing_the_supervisor_takes_its_children_along() {
    let probe = Probe::default();
    let carts = DynamicSupervisor::new();
    let supervisor = carts.start().await.unwrap();
    let cart = carts.start_child(permanent("a", &probe)).await.unwrap();
    supervisor.kill();
    assert_eq!(cart.exited().await, Exit::Killed);
    settle().await;
    assert_eq!((carts.count_children(), probe.inits()), (0, 1));
}

#[tokio::test(start_paused = true)]
async fn partitions_share_children_by_key() {
    let carts = PartitionSupervisor::new(4);
    let supervisor = carts.start().await.unwrap();
    for key in 0..100u32 {
        carts.of(&key).start_child(Spec::<Cart>::temporary(Args::default())).await.unwrap();
        assert!(std::ptr::eq(carts.of(&key), carts.of(&key)));
    }
    assert_eq!(carts.count_children(), 100);
    assert!(carts.partitions().iter().all(|part| part.count_children() > 0));
    assert_eq!(carts.stats().started, 100);
    supervisor.stop().await;
    assert_eq!(carts.count_children(), 0);
}
