//! A server that notes what its callbacks are called with, and virtual time to do it in.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use labs_counter_ttl::{
    Child, Counter, Handle, Intensity, Next, Reply, Restart, Server, Spec, Supervised, Supervisor,
};
use tokio::time::Instant;

pub(crate) const SECOND: Duration = Duration::from_secs(1);

/// How much time a future takes.
pub(crate) async fn timed<T>(future: impl Future<Output = T>) -> (Duration, T) {
    let start = Instant::now();
    let output = future.await;
    (start.elapsed(), output)
}

/// Lets everybody run who can, without any time passing.
pub(crate) async fn settle() {
    for _ in 0..200 {
        tokio::task::yield_now().await;
    }
}

/// What happened, in order.
#[derive(Clone, Debug, Default)]
pub(crate) struct Diary(Arc<Mutex<Vec<String>>>);

impl Diary {
    pub(crate) fn note(&self, what: impl Into<String>) {
        self.0.lock().expect("nobody panics under it").push(what.into());
    }

    pub(crate) fn read(&self) -> Vec<String> {
        self.0.lock().expect("nobody panics under it").clone()
    }

    pub(crate) fn count(&self, what: &str) -> usize {
        self.read().iter().filter(|noted| *noted == what).count()
    }
}

/// What a probe can be told.
pub(crate) enum Tell {
    Hello(Reply<usize>),
    /// Nothing, which takes its turn like anything else.
    Pass,
    /// As many messages, one after the other: a queue that does not get empty.
    Chain(usize, Handle<Tell>),
    Finish,
    Crash,
}

/// A server with a name, a diary, and the number of messages of this life.
pub(crate) struct Probe {
    name: &'static str,
    diary: Diary,
    handled: usize,
}

impl Probe {
    pub(crate) fn child(
        name: &'static str,
        restart: Restart,
        tick: Duration,
        diary: &Diary,
    ) -> (Child, Handle<Tell>) {
        let diary = diary.clone();
        Child::new(restart, Spec { mailbox: 100, tick }, move || {
            diary.note(format!("{name} starts"));
            Self { name, diary: diary.clone(), handled: 0 }
        })
    }
}

impl Server for Probe {
    type Message = Tell;

    fn handle(&mut self, message: Tell, _now: Instant) -> Next {
        self.handled += 1;
        match message {
            Tell::Hello(reply) => reply.send(self.handled),
            Tell::Pass => self.diary.note(format!("{} passes", self.name)),
            Tell::Chain(0, _) => {}
            Tell::Chain(more, own) => {
                self.diary.note(format!("{} passes", self.name));
                assert!(own.clone().cast(Tell::Chain(more - 1, own)).is_ok(), "it runs, and there is room");
            }
            Tell::Finish => return Next::Stop,
            Tell::Crash => crash(),
        }
        Next::GoOn
    }

    fn tick(&mut self, now: Instant) {
        self.diary.note(format!("{} ticks", self.name));
        if now != Instant::now() {
            self.diary.note(format!("{} hears an old time", self.name));
        }
    }

    fn stopped(&mut self, _now: Instant) {
        self.diary.note(format!("{} stops", self.name));
    }
}

/// A panic, without its message among the test's output.
pub(crate) fn crash() -> ! {
    std::panic::resume_unwind(Box::new("a crash of the test's own"))
}

/// One supervised probe.
pub(crate) fn lone(restart: Restart, tick: Duration) -> (Supervised, Handle<Tell>, Diary) {
    let diary = Diary::default();
    let (child, handle) = Probe::child("probe", restart, tick, &diary);
    (Supervisor::new(Intensity::default()).child(child).start(), handle, diary)
}

/// A supervised counter that may crash as often as it likes.
pub(crate) fn counter(settings: labs_counter_ttl::Settings) -> (Supervised, labs_counter_ttl::Client) {
    let (child, client) = Counter::child(settings);
    let often = Intensity { restarts: 1_000_000, period: SECOND };
    (Supervisor::new(often).child(child).start(), client)
}
