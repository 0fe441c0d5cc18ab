//! `ops:metrics`: how trade goes, once a second.
//!
//! **Invariant.** However many listen, the figures are read and encoded once a second, and not at all while nobody does.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, PoisonError, Weak};
use std::time::Duration;

use channels::{Broadcaster, Channel, Ctx, Join, JoinRefused, Joined, Payload};
use otp::Exit;
use pulse_core::{OrderId, Principal};
use pulse_data::orders::{OrderError, OrderQuery};
use serde::Serialize;

use super::{ASK_AGAIN, Deaf, Program};
use crate::state::AppState;

pub(super) const TOPIC: &str = "ops:metrics";

/// How often figures are told.
const TICK: Duration = Duration::from_secs(1);

/// Ticks that a figure "a minute" is the sum of.
const MINUTE: usize = 60;

const READER: Principal = Principal::System("metrics");

/// What is open.
pub(super) struct Open {
    pub(super) pages: u64,
    pub(super) sockets: u64,
}

/// What is told.
#[derive(Serialize)]
struct Figures {
    /// Seconds that orders and revenue are of: 60, fewer at first.
    seconds: usize,
    orders: i64,
    revenue_pence: i64,
    pages: u64,
    sockets: u64,
}

/// Reads and tells while somebody listens.
pub(super) struct Ticker {
    state: AppState,
    broadcaster: Broadcaster,
    open: Box<dyn Fn() -> Open + Send + Sync>,
    /// The one who has all listeners; the ticker's task ends with it.
    running: Mutex<Weak<()>>,
}

impl Ticker {
    pub(super) fn new(
        state: AppState,
        broadcaster: Broadcaster,
        open: Box<dyn Fn() -> Open + Send + Sync>,
    ) -> Arc<Self> {
        Arc::new(Self { state, broadcaster, open, running: Mutex::new(Weak::new()) })
    }

    /// The figures are told as long as somebody has the answer.
    fn listen(self: &Arc<Self>) -> Arc<()> {
        let mut running = self.running.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(shared) = running.upgrade() {
            return shared;
        }
        let shared = Arc::new(());
        *running = Arc::downgrade(&shared);
        let (ticker, listeners) = (self.clone(), running.clone());
        tokio::spawn(async move { ticker.run(listeners).await });
        shared
    }

    async fn run(&self, listeners: Weak<()>) {
        let mut trade = Trade::default();
        let mut tick = tokio::time::interval(TICK);
        tick.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        loop {
            tick.tick().await;
            if listeners.strong_count() == 0 {
                return;
            }
            // The second is told when the next one comes, with what it had.
            if let Err(error) = trade.read(&self.state).await {
                tracing::warn!(%error, "the figures of trade could not be read");
                continue;
            }
            let Open { pages, sockets } = (self.open)();
            let (orders, revenue_pence) = trade.sum();
            let figures = Figures { seconds: trade.seconds.len(), orders, revenue_pence, pages, sockets };
            let sent = Payload::json(&figures).map(|told| self.broadcaster.broadcast(TOPIC, "metrics", told));
            if !matches!(sent, Ok(Ok(_))) {
                tracing::error!("the figures of trade could not be told");
            }
        }
    }
}

/// The seconds of the last minute.
#[derive(Default)]
struct Trade {
    /// The newest order that is counted.
    last: Option<OrderId>,
    /// Orders and pence of each, oldest first.
    seconds: VecDeque<(i64, i64)>,
}

impl Trade {
    async fn read(&mut self, state: &AppState) -> Result<(), OrderError> {
        let orders = &state.rooms().orders;
        let Some(last) = self.last else {
            let query = OrderQuery { everybody: true, limit: 1, ..OrderQuery::default() };
            let newest = orders.list(&READER, &query).await?.items;
            self.last = Some(newest.first().map_or(OrderId(0), |order| order.id));
            return Ok(());
        };
        let sold = orders.sales_after(&READER, last).await?;
        self.last = Some(sold.last);
        if self.seconds.len() == MINUTE {
            self.seconds.pop_front();
        }
        self.seconds.push_back((sold.orders, sold.pence));
        Ok(())
    }

    fn sum(&self) -> (i64, i64) {
        self.seconds.iter().fold((0, 0), |(orders, pence), second| (orders + second.0, pence + second.1))
    }
}

pub(super) struct Metrics {
    _listening: Arc<()>,
}

/// Time to ask whether the figures still may be seen.
pub(super) struct Ask;

impl Channel for Metrics {
    type Assigns = Program;
    type Context = Ticker;
    type Info = Ask;

    async fn join(_: Join, ctx: &mut Ctx<'_, Self>) -> Result<Joined<Self>, JoinRefused> {
        ctx.assigns().who_sees_orders().await?;
        let listening = ctx.context().listen();
        ctx.send_after(ASK_AGAIN, Ask);
        Ok(Joined::new(Self { _listening: listening }))
    }

    async fn handle_info(&mut self, Ask: Ask, ctx: &mut Ctx<'_, Self>) {
        match ctx.assigns().who_sees_orders().await {
            Ok(_) | Err(Deaf::Unavailable) => {
                ctx.send_after(ASK_AGAIN, Ask);
            }
            Err(Deaf::Unauthorized | Deaf::NotFound) => ctx.stop(Exit::Normal),
        }
    }
}
