//! The front door: the one way to the carts, for web and replay alike.
//!
//! **Invariant.** Every action takes the principal and asks for one permission; a listed price comes from the
//! catalogue and never from the caller; what a caller is shown is priced from what is stored.

use std::sync::Arc;

use pulse_cart::Receipt;
use pulse_core::cart::{Basis, CartError, Command, Limits, LineKey, Price, StoredCart};
use pulse_core::order::PlacedOrder;
use pulse_core::ports::{Catalogue, Clock, OrderDesk};
use pulse_core::pricing::{PricedCart, price};
use pulse_core::{CartId, CheckoutKey, CommandId, Money, Permission, Principal, Quantity, Sku, Version};

use crate::checkout::{self, Checkout};
use crate::{Fleet, ShopError};

/// A cart, as its buyer is shown it.
#[derive(Debug, Clone)]
pub struct CartView {
    /// Which cart.
    pub id: CartId,
    /// Which state of it; grows with each change.
    pub version: Version,
    /// Lines and freeze.
    pub cart: Arc<StoredCart>,
    /// What it would cost now.
    pub priced: PricedCart,
}

/// The shop's counter. Cheap to clone; clones are the same door.
#[derive(Clone)]
pub struct FrontDoor {
    pub(crate) inner: Arc<Ports>,
}

pub(crate) struct Ports {
    pub(crate) fleet: Fleet,
    pub(crate) catalogue: Arc<dyn Catalogue>,
    pub(crate) orders: Arc<dyn OrderDesk>,
    pub(crate) clock: Arc<dyn Clock>,
}

impl std::fmt::Debug for FrontDoor {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("FrontDoor").field("fleet", &self.inner.fleet).finish_non_exhaustive()
    }
}

impl FrontDoor {
    /// A door to these carts, prices and orders.
    pub fn new(
        fleet: Fleet,
        catalogue: Arc<dyn Catalogue>,
        orders: Arc<dyn OrderDesk>,
        clock: Arc<dyn Clock>,
    ) -> Self {
        Self { inner: Arc::new(Ports { fleet, catalogue, orders, clock }) }
    }

    /// The fleet behind the door.
    pub fn fleet(&self) -> &Fleet {
        &self.inner.fleet
    }

    /// The cart and what it costs; an unknown one is empty.
    pub async fn view(&self, cart: CartId) -> Result<CartView, ShopError> {
        let stored = self.inner.fleet.view(cart).await?;
        self.inner.show(cart, stored).await
    }

    /// Puts pieces in at the catalogue's price.
    pub async fn add(
        &self,
        who: &Principal,
        cart: CartId,
        id: CommandId,
        sku: Sku,
        quantity: Quantity,
    ) -> Result<CartView, ShopError> {
        who.require(Permission::PlaceOrder)?;
        let offer = self.inner.catalogue.offer(sku).await?.ok_or(ShopError::UnknownProduct(sku))?;
        let command = Command::Add { sku, quantity, price: offer.price };
        self.edit(who, cart, id, command).await
    }

    /// Puts pieces in at a price that the caller names.
    pub async fn quote(
        &self,
        who: &Principal,
        cart: CartId,
        id: CommandId,
        sku: Sku,
        quantity: Quantity,
        unit: Money,
    ) -> Result<CartView, ShopError> {
        let receipt = self.quote_line(who, cart, id, sku, quantity, unit).await?;
        self.inner.show(cart, receipt.cart).await
    }

    /// [`quote`](Self::quote) without working the prices out, for callers with many lines.
    pub async fn quote_line(
        &self,
        who: &Principal,
        cart: CartId,
        id: CommandId,
        sku: Sku,
        quantity: Quantity,
        unit: Money,
    ) -> Result<Receipt, ShopError> {
        who.require(Permission::QuotePrice)?;
        let command = Command::Add { sku, quantity, price: Price { unit, basis: Basis::Quoted } };
        Ok(self.inner.fleet.command(cart, Some(id), command, limits(who)).await?)
    }

    /// Makes a line so many pieces.
    pub async fn set_quantity(
        &self,
        who: &Principal,
        cart: CartId,
        id: CommandId,
        line: LineKey,
        quantity: Quantity,
    ) -> Result<CartView, ShopError> {
        self.edit(who, cart, id, Command::SetQuantity { line, quantity }).await
    }

    /// Takes a line out.
    pub async fn remove(
        &self,
        who: &Principal,
        cart: CartId,
        id: CommandId,
        line: LineKey,
    ) -> Result<CartView, ShopError> {
        self.edit(who, cart, id, Command::Remove { line }).await
    }

    /// Takes all lines out.
    pub async fn clear(&self, who: &Principal, cart: CartId, id: CommandId) -> Result<CartView, ShopError> {
        self.edit(who, cart, id, Command::Clear).await
    }

    /// Gives a checkout up, so that the cart can be changed again.
    pub async fn thaw(
        &self,
        who: &Principal,
        cart: CartId,
        id: CommandId,
        key: CheckoutKey,
    ) -> Result<CartView, ShopError> {
        self.edit(who, cart, id, Command::Thaw { key }).await
    }

    /// Turns the cart into an order; see [`Checkout`]. Repeating it with the same key answers the order that it made.
    /// It runs to its end even if the caller stops waiting.
    pub async fn checkout(
        &self,
        who: &Principal,
        cart: CartId,
        checkout: Checkout,
    ) -> Result<PlacedOrder, ShopError> {
        let (ports, who) = (self.inner.clone(), who.clone());
        let run = tokio::spawn(async move { checkout::run(&ports, &who, cart, checkout).await });
        run.await.unwrap_or(Err(ShopError::Crashed))
    }

    async fn edit(
        &self,
        who: &Principal,
        cart: CartId,
        id: CommandId,
        command: Command,
    ) -> Result<CartView, ShopError> {
        who.require(Permission::PlaceOrder)?;
        let receipt = self.inner.fleet.command(cart, Some(id), command, limits(who)).await?;
        self.inner.show(cart, receipt.cart).await
    }
}

impl Ports {
    pub(crate) async fn price(&self, cart: &StoredCart) -> Result<PricedCart, ShopError> {
        let promotions = self.catalogue.promotions().await?;
        Ok(price(&cart.cart.lines, &promotions).map_err(CartError::Total)?)
    }

    async fn show(&self, id: CartId, cart: Arc<StoredCart>) -> Result<CartView, ShopError> {
        let priced = self.price(&cart).await?;
        Ok(CartView { id, version: cart.version, cart, priced })
    }
}

/// Who may quote prices writes invoices, and those are long.
pub(crate) fn limits(who: &Principal) -> Limits {
    if who.may(Permission::QuotePrice) { Limits::TRADE } else { Limits::BUYER }
}
