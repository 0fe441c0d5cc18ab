//! Several dynamic supervisors that share the load of one. Invariant: a key always goes to the same partition.

use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::Arc;

use crate::child::Child;
use crate::counters::Stats;
use crate::dynamic::DynamicSupervisor;
use crate::exit::Exit;
use crate::intensity::Intensity;
use crate::supervisor::{Strategy, Supervisor, SupervisorRef};

/// A fixed number of [`DynamicSupervisor`]s under one supervisor, chosen by key: each has its own lock and its own
/// restart intensity.
///
/// ```
/// # use otp::{Ctx, Exit, GenServer, PartitionSupervisor, Spec};
/// # struct Cart;
/// # impl GenServer for Cart {
/// #     type Args = u64;
/// #     type Msg = ();
/// #     async fn init(_: u64, _: &mut Ctx<Self>) -> Result<Self, Exit> { Ok(Self) }
/// #     async fn handle(&mut self, _: (), _: &mut Ctx<Self>) {}
/// # }
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() {
/// let carts = PartitionSupervisor::new(4);
/// carts.start().await.unwrap();
/// carts.of(&17).start_child(Spec::<Cart>::temporary(17)).await.unwrap();
/// assert_eq!(carts.count_children(), 1);
/// # }
/// ```
#[derive(Clone, Debug)]
pub struct PartitionSupervisor {
    partitions: Arc<[DynamicSupervisor]>,
}

impl PartitionSupervisor {
    /// So many partitions, at least one, with room for any number of children.
    pub fn new(partitions: usize) -> Self {
        Self::with(partitions, usize::MAX, Intensity::default())
    }

    /// Partitions with a bound on the children and the restarts of each.
    pub fn with(partitions: usize, max_children_each: usize, intensity: Intensity) -> Self {
        let make = |_| DynamicSupervisor::with(max_children_each, intensity);
        Self { partitions: (0..partitions.max(1)).map(make).collect() }
    }

    /// The partition of a key.
    pub fn of<K: Hash + ?Sized>(&self, key: &K) -> &DynamicSupervisor {
        let mut hasher = DefaultHasher::new();
        key.hash(&mut hasher);
        let count = self.partitions.len();
        let place = usize::try_from(hasher.finish() % count as u64).unwrap_or(0);
        &self.partitions[place]
    }

    /// All partitions.
    pub fn partitions(&self) -> &[DynamicSupervisor] {
        &self.partitions
    }

    /// Starts all partitions, unsupervised.
    pub async fn start(&self) -> Result<SupervisorRef, Exit> {
        self.description().start().await
    }

    /// How many children there are in all partitions.
    pub fn count_children(&self) -> usize {
        self.partitions.iter().map(DynamicSupervisor::count_children).sum()
    }

    /// What all partitions have done so far.
    pub fn stats(&self) -> Stats {
        self.partitions.iter().map(DynamicSupervisor::stats).fold(Stats::default(), |sum, part| Stats {
            started: sum.started + part.started,
            stopped: sum.stopped + part.stopped,
            failed: sum.failed + part.failed,
            restarts: sum.restarts + part.restarts,
            leaked: sum.leaked + part.leaked,
        })
    }

    fn description(&self) -> Supervisor {
        let partitions = self.partitions.iter().enumerate();
        partitions.fold(Supervisor::new(Strategy::OneForOne), |all, (number, part)| {
            all.child(&number.to_string(), part.clone())
        })
    }
}

impl From<PartitionSupervisor> for Child {
    fn from(supervisor: PartitionSupervisor) -> Self {
        supervisor.description().into()
    }
}
