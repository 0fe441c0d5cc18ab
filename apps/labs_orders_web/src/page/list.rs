//! The newest orders, as a stream of rows.
//!
//! Invariant: a row says all of its order by itself, so that it can be sent alone.

use live::{Rendered, Stream, html};

use crate::order::{Order, Status};

/// The `id` of an order's row.
pub(super) fn dom_id(order: &Order) -> String {
    format!("order-{}", order.no)
}

pub(super) fn render(orders: &Stream<Order>) -> Rendered {
    html! {
        <table>
            <caption>Newest first</caption>
            <thead>
                <tr>
                    <th scope="col">No.</th><th scope="col">Customer</th><th scope="col">Item</th>
                    <th scope="col">Pieces</th><th scope="col">Status</th><th scope="col">Next</th>
                </tr>
            </thead>
            <tbody id="orders" phx-update="stream">
                {orders.render(row)}
            </tbody>
        </table>
    }
}

fn row(id: &str, order: &Order) -> Rendered {
    html! {
        <tr id={id}>
            <td>{order.no.0}</td><td>{&order.customer}</td><td>{&order.item}</td><td>{order.pieces}</td>
            <td class="status">{order.status.name()}</td>
            <td>{step(order)}</td>
        </tr>
    }
}

/// The button that moves the order on.
fn step(order: &Order) -> Option<Rendered> {
    let (event, verb) = match order.status {
        Status::Placed => ("pack", "Pack"),
        Status::Packed => ("ship", "Ship"),
        Status::Shipped => return None,
    };
    let no = order.no.0;
    Some(
        html! { <button phx-click={event} phx-value-no={no} aria-label={format!("{verb} order {no}")}>{verb}</button> },
    )
}
