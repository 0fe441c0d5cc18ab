//! The supervisor of ordered children: strategies, order, intensity, nesting.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use otp::{
    ChildError, DynamicSupervisor, Exit, Intensity, Registry, Shutdown, Spec, Strategy, Supervisor,
    SupervisorRef,
};

use crate::cart::{Args, Cart, Init, Msg, Probe, settle, spin};

type Names = Registry<String, Msg>;

fn child(name: &str, probe: &Probe, names: &Names) -> Spec<Cart> {
    let args = Args::named(name, probe);
    Spec::permanent(move || args.clone()).named(names, name.to_owned())
}

fn trio(strategy: Strategy, probe: &Probe, names: &Names) -> Supervisor {
    ["a", "b", "c"]
        .into_iter()
        .fold(Supervisor::new(strategy), |all, name| all.child(name, child(name, probe, names)))
}

async fn crash(names: &Names, name: &str) {
    let old = names.whereis(name).unwrap();
    old.cast(Msg::Crash).await.unwrap();
    old.exited().await;
    settle().await;
}

fn five_in_five_seconds() -> Intensity {
    Intensity { restarts: 5, period: Duration::from_secs(5) }
}

#[tokio::test(start_paused = true)]
async fn children_start_in_order_and_stop_in_reverse() {
    let (probe, names) = (Probe::default(), Names::new());
    let supervisor = trio(Strategy::OneForOne, &probe, &names).start().await.unwrap();
    assert_eq!(supervisor.stop().await, Exit::Shutdown);
    assert_eq!(
        probe.lines(),
        [
            "init a",
            "init b",
            "init c",
            "terminate c shutdown",
            "terminate b shutdown",
            "terminate a shutdown"
        ]
    );
    assert!(names.is_empty());
    assert_eq!(supervisor.count_children().await, Err(ChildError::NoSupervisor));
}

#[tokio::test(start_paused = true)]
async fn a_child_that_does_not_start_undoes_those_before_it() {
    let (probe, names) = (Probe::default(), Names::new());
    let args = Args { init: Init::Fails, ..Args::named("bad", &probe) };
    let exit = trio(Strategy::OneForOne, &probe, &names)
        .child("bad", Spec::<Cart>::temporary(args))
        .child("never", child("never", &probe, &names))
        .start()
        .await
        .unwrap_err();
    assert!(exit.to_string().contains("child bad"), "{exit}");
    let lines = probe.lines();
    assert_eq!(
        lines[3..],
        ["init bad", "terminate c shutdown", "terminate b shutdown", "terminate a shutdown"]
    );
    assert!(names.is_empty());
}

#[tokio::test(start_paused = true)]
async fn each_strategy_restarts_what_it_says() {
    for (strategy, expected) in [
        (Strategy::OneForOne, vec!["init b"]),
        (
            Strategy::OneForAll,
            vec!["terminate c shutdown", "terminate a shutdown", "init a", "init b", "init c"],
        ),
        (Strategy::RestForOne, vec!["terminate c shutdown", "init b", "init c"]),
    ] {
        let (probe, names) = (Probe::default(), Names::new());
        let supervisor = trio(strategy, &probe, &names).start().await.unwrap();
        crash(&names, "b").await;
        let lines = probe.lines();
        assert_eq!(lines[3], "terminate b crashed: cart crashed");
        assert_eq!(lines[4..], expected, "{strategy:?}");
        for name in ["a", "b", "c"] {
            assert_eq!(names.whereis(name).unwrap().ask(Msg::Total).await, Ok(0));
        }
        assert_eq!((supervisor.stats().restarts, supervisor.count_children().await), (1, Ok(3)));
        supervisor.stop().await;
    }
}

async fn five(probe: &Probe, names: &Names) -> SupervisorRef {
    let empty = Supervisor::new(Strategy::OneForOne).intensity(five_in_five_seconds());
    let all = (0..5).map(|n| n.to_string());
    all.fold(empty, |all, name| all.child(&name, child(&name, probe, names))).start().await.unwrap()
}

#[tokio::test(start_paused = true)]
async fn twenty_crashes_over_five_children_escalate_at_five_in_five_seconds() {
    let (probe, names) = (Probe::default(), Names::new());
    let supervisor = five(&probe, &names).await;
    let mut crashes = 0;
    for round in 0..20 {
        let Some(victim) = names.whereis(&(round % 5).to_string()) else { break };
        victim.cast(Msg::Crash).await.unwrap();
        victim.exited().await;
        settle().await;
        crashes += 1;
    }
    assert_eq!(crashes, 6, "five restarts, and the sixth crash is one too many");
    let exit = supervisor.server_ref().exited().await;
    assert!(exit.to_string().contains("restart intensity"), "{exit}");
    assert_eq!(supervisor.stats().restarts, 5);
    assert!(names.is_empty());
}

#[tokio::test(start_paused = true)]
async fn one_crash_every_four_seconds_does_not_escalate() {
    let (probe, names) = (Probe::default(), Names::new());
    let supervisor = five(&probe, &names).await;
    for round in 0..50 {
        crash(&names, &(round % 5).to_string()).await;
        tokio::time::sleep(Duration::from_secs(4)).await;
    }
    assert_eq!((supervisor.stats().restarts, supervisor.count_children().await), (50, Ok(5)));
    supervisor.stop().await;
}

#[tokio::test(start_paused = true)]
async fn a_restart_that_fails_is_tried_again_until_the_intensity_is_reached() {
    let (probe, names) = (Probe::default(), Names::new());
    let args = Args { init: Init::GoodOnce, ..Args::named("x", &probe) };
    let supervisor = Supervisor::new(Strategy::OneForAll)
        .intensity(five_in_five_seconds())
        .child("x", Spec::<Cart>::permanent(move || args.clone()).named(&names, "x".to_owned()))
        .start()
        .await
        .unwrap();
    names.whereis("x").unwrap().kill();
    assert!(supervisor.server_ref().exited().await.is_failure());
    assert_eq!(probe.inits(), 6);
}

#[tokio::test(start_paused = true)]
async fn transient_and_temporary_children_end_as_their_kind_says() {
    let (probe, names) = (Probe::default(), Names::new());
    let args = Args::named("transient", &probe);
    let supervisor = Supervisor::new(Strategy::OneForOne)
        .child(
            "transient",
            Spec::<Cart>::transient(move || args.clone()).named(&names, "transient".to_owned()),
        )
        .child(
            "temporary",
            Spec::<Cart>::temporary(Args::named("temporary", &probe)).named(&names, "temporary".to_owned()),
        )
        .start()
        .await
        .unwrap();
    crash(&names, "temporary").await;
    crash(&names, "transient").await;
    names.whereis("transient").unwrap().stop(Exit::Normal);
    settle().await;
    let children = supervisor.which_children().await.unwrap();
    assert_eq!(children.len(), 1, "a temporary child is forgotten, a transient one kept");
    assert!(children[0].server.is_none());
    supervisor.restart_child("transient").await.unwrap();
    assert_eq!(names.whereis("transient").unwrap().ask(Msg::Total).await, Ok(0));
    supervisor.stop().await;
}

#[tokio::test(start_paused = true)]
async fn children_can_be_added_terminated_restarted_and_deleted() {
    let (probe, names) = (Probe::default(), Names::new());
    let supervisor = trio(Strategy::OneForOne, &probe, &names).start().await.unwrap();
    let again = supervisor.start_child("a", child("other", &probe, &names)).await;
    assert_eq!(again.unwrap_err(), ChildError::Present);
    supervisor.start_child("d", child("d", &probe, &names)).await.unwrap();
    assert_eq!(supervisor.delete_child("d").await, Err(ChildError::Running));
    supervisor.terminate_child("d").await.unwrap();
    assert_eq!(names.whereis("d"), None, "the name is free");
    settle().await;
    assert_eq!(supervisor.count_children().await, Ok(3), "terminated is not restarted");
    supervisor.restart_child("d").await.unwrap();
    assert_eq!(supervisor.restart_child("d").await.unwrap_err(), ChildError::Running);
    supervisor.terminate_child("d").await.unwrap();
    supervisor.delete_child("d").await.unwrap();
    assert_eq!(supervisor.restart_child("d").await.unwrap_err(), ChildError::NotFound);
    supervisor.stop().await;
}

#[tokio::test(start_paused = true)]
async fn an_inner_supervisor_that_gives_up_is_restarted_by_the_outer_one() {
    let (probe, names) = (Probe::default(), Names::new());
    let carts = DynamicSupervisor::with(10, Intensity { restarts: 1, ..Intensity::default() });
    let inner = Supervisor::new(Strategy::OneForOne)
        .intensity(Intensity { restarts: 1, ..Intensity::default() })
        .child("in", child("in", &probe, &names));
    let outer = Supervisor::new(Strategy::OneForOne)
        .child("out", child("out", &probe, &names))
        .child("inner", inner)
        .child("carts", carts.clone())
        .start()
        .await
        .unwrap();
    crash(&names, "in").await;
    crash(&names, "in").await;
    assert_eq!(outer.stats().restarts, 1);
    assert_eq!(names.whereis("in").unwrap().ask(Msg::Total).await, Ok(0));

    carts.start_child(child("cart", &probe, &names)).await.unwrap();
    crash(&names, "cart").await;
    crash(&names, "cart").await;
    assert_eq!(outer.stats().restarts, 2);
    assert!(carts.is_running(), "the same handle, running again");
    assert_eq!(carts.count_children(), 0);
    carts.start_child(child("cart", &probe, &names)).await.unwrap();

    outer.stop().await;
    assert!(names.is_empty() && !carts.is_running());
    let lines = probe.lines();
    let ends = &lines[lines.len() - 3..];
    assert_eq!(ends, ["terminate cart shutdown", "terminate in shutdown", "terminate out shutdown"]);
}

#[tokio::test(start_paused = true)]
async fn a_child_whose_init_hangs_does_not_hold_up_a_stop() {
    let (probe, names) = (Probe::default(), Names::new());
    let supervisor = trio(Strategy::OneForOne, &probe, &names).start().await.unwrap();
    let args = Args { init: Init::Hangs, ..Args::named("slow", &probe) };
    let adding = {
        let supervisor = supervisor.clone();
        let spec = Spec::<Cart>::temporary(args).named(&names, "slow".to_owned());
        tokio::spawn(async move { supervisor.start_child("slow", spec).await })
    };
    settle().await;
    let begin = tokio::time::Instant::now();
    assert_eq!(supervisor.stop().await, Exit::Shutdown);
    assert_eq!(begin.elapsed(), Duration::ZERO);
    assert_eq!(adding.await.unwrap().unwrap_err(), ChildError::NoSupervisor);
    assert_eq!((names.len(), probe.terminated()), (0, 3));
}

#[tokio::test(start_paused = true)]
async fn killing_a_supervisor_takes_all_below_along() {
    let (probe, names) = (Probe::default(), Names::new());
    let carts = DynamicSupervisor::new();
    let inner = Supervisor::new(Strategy::OneForOne)
        .child("in", child("in", &probe, &names))
        .child("carts", carts.clone());
    let outer = Supervisor::new(Strategy::OneForOne).child("inner", inner).start().await.unwrap();
    let cart = carts.start_child(child("cart", &probe, &names)).await.unwrap();
    let inside = names.whereis("in").unwrap();
    outer.server_ref().kill();
    assert_eq!(inside.exited().await, Exit::Killed);
    assert_eq!(cart.exited().await, Exit::Killed);
    settle().await;
    assert!(names.is_empty() && !carts.is_running());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 3)]
async fn shutdown_goes_on_past_a_child_that_never_awaits() {
    let (probe, names) = (Probe::default(), Names::new());
    let on = Arc::new(AtomicBool::new(true));
    let brief = Shutdown::After(Duration::from_millis(20));
    let supervisor = Supervisor::new(Strategy::OneForOne)
        .child("good", child("good", &probe, &names))
        .child("stuck", child("stuck", &probe, &names).shutdown(brief))
        .start()
        .await
        .unwrap();
    spin(&names.whereis("stuck").unwrap(), &on).await;
    assert_eq!(supervisor.terminate_child("stuck").await, Err(ChildError::Leaked));
    assert_eq!(supervisor.stop().await, Exit::Shutdown);
    assert_eq!((supervisor.stats().leaked, probe.terminated()), (1, 1));
    assert!(names.is_empty());
    on.store(false, Ordering::SeqCst);
}
