//! An order desk that tells the jobs that there is work.
//!
//! **Invariant.** The wake comes after the commit; without it the next poll finds the job all the same.

use std::sync::Arc;

use jobs::Wake;
use pulse_core::order::{PlaceOrder, PlacedOrder};
use pulse_core::ports::{OrderDesk, PlaceError, PortFuture, StoreError};
use pulse_core::{CheckoutKey, Principal};
use pulse_data::webhooks::WEBHOOK_QUEUE;

use crate::runner::PAYMENT_QUEUE;

/// Another desk, and a wake after each placed order, so that its payment and its news begin at once.
pub struct WakingDesk {
    desk: Arc<dyn OrderDesk>,
    wake: Wake,
}

impl WakingDesk {
    /// Places orders at `desk` and wakes the queues of payments and of messages.
    pub fn new(desk: Arc<dyn OrderDesk>, wake: Wake) -> Self {
        Self { desk, wake }
    }
}

impl OrderDesk for WakingDesk {
    fn find(&self, key: &CheckoutKey) -> PortFuture<'_, Result<Option<PlacedOrder>, StoreError>> {
        self.desk.find(key)
    }

    fn place(&self, who: &Principal, order: PlaceOrder) -> PortFuture<'_, Result<PlacedOrder, PlaceError>> {
        let placing = self.desk.place(who, order);
        Box::pin(async move {
            let placed = placing.await?;
            self.wake.queue(PAYMENT_QUEUE);
            self.wake.queue(WEBHOOK_QUEUE);
            Ok(placed)
        })
    }
}
