//! `order:ID`: one order, for its buyer and for who sees orders.
//!
//! **Invariant.** Each push is the whole order as the API shows it to this program at that moment; who may no longer see
//! it is told nothing more.

use std::sync::Arc;

use channels::{Channel, Ctx, Join, JoinRefused, Joined, Payload};
use otp::Exit;
use pulse_core::OrderId;
use pulse_data::orders::OrderError;

use super::{ASK_AGAIN, Deaf, Program};
use crate::api::orders::OrderDetailView;
use crate::news::Topic;
use crate::state::AppState;

pub(super) struct Order {
    id: OrderId,
}

pub(super) enum Info {
    /// Something has happened to it.
    Moved,
    /// Time to ask whether it still may be seen.
    Ask,
}

async fn read(state: &AppState, program: &Program, id: OrderId) -> Result<Payload, Deaf> {
    let who = program.who().await?;
    let detail = state.rooms().orders.get(&who, id).await.map_err(|error| match error {
        OrderError::NotFound(_) => Deaf::NotFound,
        error => {
            tracing::warn!(order = id.0, %error, "an order could not be read for a program");
            Deaf::Unavailable
        }
    })?;
    Payload::json(&OrderDetailView::from(detail)).map_err(|_| Deaf::Unavailable)
}

impl Channel for Order {
    type Assigns = Program;
    type Context = AppState;
    type Info = Info;

    async fn join(join: Join, ctx: &mut Ctx<'_, Self>) -> Result<Joined<Self>, JoinRefused> {
        let id = join.subtopic().parse().ok().filter(|id| *id > 0).map(OrderId).ok_or(Deaf::NotFound)?;
        ctx.subscribe(ctx.context().rooms().bus.topics(), Topic::Order(id), |_| Info::Moved);
        let state: Arc<AppState> = ctx.context().clone();
        let order = read(&state, ctx.assigns(), id).await?;
        ctx.send_after(ASK_AGAIN, Info::Ask);
        Ok(Joined::with(Self { id }, order))
    }

    async fn handle_info(&mut self, info: Info, ctx: &mut Ctx<'_, Self>) {
        let state = ctx.context().clone();
        let order = read(&state, ctx.assigns(), self.id).await;
        if let Err(Deaf::Unauthorized | Deaf::NotFound) = order {
            return ctx.stop(Exit::Normal);
        }
        match (info, order) {
            (Info::Moved, Ok(order)) => ctx.push("order", order),
            (Info::Moved, Err(_)) => {}
            (Info::Ask, _) => {
                ctx.send_after(ASK_AGAIN, Info::Ask);
            }
        }
    }
}
