//! The checkout: freeze the cart, price it, place the order, and open the cart again if that was refused.
//!
//! **Invariant.** One key makes at most one order, whoever repeats it, at once or later. The order is of the lines that
//! were frozen: their version is the fence. A cart stays frozen only while the outcome is open, and then no
//! longer than its lease.

use pulse_core::cart::{CartError, Command};
use pulse_core::order::{Channel, PaymentMethod, PlaceOrder, PlacedOrder};
use pulse_core::ports::{PlaceError, StoreError};
use pulse_core::{CartId, CheckoutKey, Permission, Principal, Timestamp, UserId};

use crate::ShopError;
use crate::door::{Ports, limits};

/// What a checkout needs beside the cart.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Checkout {
    /// The client's name for this checkout.
    pub key: CheckoutKey,
    /// Who it is for.
    pub buyer: Option<UserId>,
    /// Where the confirmation goes.
    pub email: Option<String>,
    /// Where the goods go.
    pub country: String,
    /// How it is paid.
    pub payment: PaymentMethod,
    /// Through which door it came.
    pub channel: Channel,
    /// When, in the shop's own time; now if absent.
    pub placed_at: Option<Timestamp>,
}

pub(crate) async fn run(
    ports: &Ports,
    who: &Principal,
    cart: CartId,
    checkout: Checkout,
) -> Result<PlacedOrder, ShopError> {
    who.require(Permission::PlaceOrder)?;
    if checkout.payment == PaymentMethod::OnAccount {
        who.require(Permission::QuotePrice)?;
    }
    let (key, buyer) = (checkout.key.clone(), checkout.buyer);
    if let Some(order) = already_placed(ports, &key, cart, buyer).await? {
        return Ok(order);
    }
    let refused = match attempt(ports, who, cart, checkout).await {
        Ok(order) => {
            ports.fleet.tell_emptied(cart);
            return Ok(order);
        }
        Err(refused) => refused,
    };
    // A repeat that ran beside this one may have been faster, and a store that failed may have placed it.
    if outcome_is_open(&refused)
        && let Some(order) = already_placed(ports, &key, cart, buyer).await?
    {
        return Ok(order);
    }
    if is_ours_to_open(&refused) {
        // Best effort: else the lease ends it. Whatever order may still be under way for this key is fenced off.
        let thaw = ports.fleet.command(cart, None, Command::Thaw { key }, limits(who)).await;
        if let Err(error) = thaw {
            tracing::debug!(%cart, %error, "a refused checkout left its cart frozen until the lease is over");
        }
    }
    Err(refused)
}

async fn attempt(
    ports: &Ports,
    who: &Principal,
    cart: CartId,
    checkout: Checkout,
) -> Result<PlacedOrder, ShopError> {
    let freeze = Command::Freeze { key: checkout.key.clone() };
    let frozen = ports.fleet.command(cart, None, freeze, limits(who)).await?.cart;
    let order = PlaceOrder {
        key: checkout.key,
        cart,
        cart_version: frozen.version,
        priced: ports.price(&frozen).await?,
        buyer: checkout.buyer,
        email: checkout.email,
        country: checkout.country,
        payment: checkout.payment,
        channel: checkout.channel,
        placed_at: checkout.placed_at.unwrap_or_else(|| ports.clock.now()),
    };
    Ok(ports.orders.place(who, order).await?)
}

/// The order that this key has made, if it was this buyer's and this cart's.
async fn already_placed(
    ports: &Ports,
    key: &CheckoutKey,
    cart: CartId,
    buyer: Option<UserId>,
) -> Result<Option<PlacedOrder>, ShopError> {
    match ports.orders.find(key).await? {
        Some(order) if order.cart == cart && order.buyer == buyer => Ok(Some(order)),
        Some(_) => Err(PlaceError::KeyReused.into()),
        None => Ok(None),
    }
}

/// Whether an order may exist although the attempt failed.
fn outcome_is_open(error: &ShopError) -> bool {
    match error {
        ShopError::Cart(CartError::Empty | CartError::Frozen { .. })
        | ShopError::Place(PlaceError::CartChanged | PlaceError::Store(_))
        | ShopError::Store(_)
        | ShopError::Crashed => true,
        ShopError::Cart(_)
        | ShopError::UnknownProduct(_)
        | ShopError::Place(_)
        | ShopError::Overloaded { .. }
        | ShopError::Forbidden(_) => false,
    }
}

/// Whether the freeze, if there is one, is this checkout's. A cart that changed has been frozen or opened by
/// somebody else, and an overloaded or crashed one would not hear it.
fn is_ours_to_open(error: &ShopError) -> bool {
    match error {
        ShopError::Place(PlaceError::CartChanged)
        | ShopError::Cart(_)
        | ShopError::Overloaded { .. }
        | ShopError::Store(StoreError::Overloaded | StoreError::Corrupt(_)) => false,
        ShopError::Place(_)
        | ShopError::Store(StoreError::Unavailable(_))
        | ShopError::Crashed
        | ShopError::UnknownProduct(_)
        | ShopError::Forbidden(_) => true,
    }
}
