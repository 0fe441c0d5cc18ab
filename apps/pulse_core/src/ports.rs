//! What the domain needs of the outside, as traits.
//!
//! **Invariant.** Ports belong to whoever needs them: they speak the domain's types only, an adapter elsewhere
//! implements them, and only the binary knows both sides. All are usable as `Arc<dyn Port>`.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;

use crate::access::Forbidden;
use crate::cart::{Price, StoredCart};
use crate::order::{PlaceOrder, PlacedOrder, Shortage, Status};
use crate::pricing::Promotion;
use crate::{CartId, CheckoutKey, Money, OrderId, Principal, Sku, Timestamp, UserId, Version};

/// What an asynchronous port method returns: boxed, so that ports can be trait objects.
pub type PortFuture<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;

/// The store did not do its part; the state of the world is what it was.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum StoreError {
    /// It can't be reached or refused the work; trying again may help.
    #[error("the store is unavailable: {0}")]
    Unavailable(String),
    /// It has more to do than it takes on.
    #[error("the store is overloaded: try again in a moment")]
    Overloaded,
    /// What it holds can't be understood.
    #[error("the store holds something that can't be read: {0}")]
    Corrupt(String),
}

/// Why a cart was not stored.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SaveError {
    /// The row has another version, or is there where none should be, or is gone: somebody else owns this cart too, or it
    /// was left alone for too long. Load it again.
    #[error("the cart was changed by another owner")]
    Fenced,
    /// The store failed. Whether the write happened is unknown: load the cart again.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Where carts are kept.
pub trait CartStore: Send + Sync + 'static {
    /// The cart as last stored; `None` for one that never was, or whose row was deleted.
    fn load(&self, id: CartId) -> PortFuture<'_, Result<Option<StoredCart>, StoreError>>;

    /// Stores a cart over the version that it was made of: `cart.version` is that version plus one, or any where it
    /// was [`Version::NONE`], which is no row. Durable once this returns `Ok`.
    fn save(&self, id: CartId, over: Version, cart: &StoredCart) -> PortFuture<'_, Result<(), SaveError>>;
}

/// What the catalogue says of a product to whoever wants to buy it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Offer {
    /// Its code.
    pub sku: Sku,
    /// Its name.
    pub name: String,
    /// Its listed price.
    pub price: Price,
    /// How many there are; may be a moment old.
    pub stock: i64,
}

/// What is for sale.
pub trait Catalogue: Send + Sync + 'static {
    /// The product's offer; `None` where it is unknown or no longer sold.
    fn offer(&self, sku: Sku) -> PortFuture<'_, Result<Option<Arc<Offer>>, StoreError>>;

    /// The promotions that apply now.
    fn promotions(&self) -> PortFuture<'_, Result<Arc<[Promotion]>, StoreError>>;
}

/// Why an order was not placed. Nothing was changed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PlaceError {
    /// There is not enough of something.
    #[error("not enough in stock of {} product(s)", .0.len())]
    OutOfStock(Vec<Shortage>),
    /// The cart is no longer what was frozen.
    #[error("the cart changed during the checkout: look at it and try again")]
    CartChanged,
    /// The key names another buyer's or another cart's checkout.
    #[error("this checkout key was already used for another checkout: draw a new one")]
    KeyReused,
    /// Something that came with the cart can't be stored.
    #[error("{field} {message}")]
    Invalid {
        /// What it is: `country`, `email`.
        field: &'static str,
        /// What is wrong with it.
        message: String,
    },
    /// The principal may not.
    #[error(transparent)]
    Forbidden(#[from] Forbidden),
    /// The store failed. Whether the order exists is unknown: repeat with the same key.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Where orders are placed.
pub trait OrderDesk: Send + Sync + 'static {
    /// The order that this checkout made.
    fn find(&self, key: &CheckoutKey) -> PortFuture<'_, Result<Option<PlacedOrder>, StoreError>>;

    /// Turns a frozen cart into an order: order, lines, stock, payment intent, cart, audit row and jobs commit
    /// together or not at all. Repeating a key answers the order that it made.
    fn place(&self, who: &Principal, order: PlaceOrder) -> PortFuture<'_, Result<PlacedOrder, PlaceError>>;
}

/// A demand on the gateway. Sending the same key again must not move money again.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Charge {
    /// The gateway's idempotency key.
    pub key: String,
    /// For this order.
    pub order: OrderId,
    /// So much.
    pub amount: Money,
}

/// What the gateway said.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ChargeOutcome {
    /// The money has moved; the gateway's reference.
    Done(String),
    /// It never will; the reason.
    Declined(String),
}

/// The gateway gave no answer: ask again with the same key.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the payment gateway gave no answer: {0}")]
pub struct GatewayError(pub String);

/// Where money is moved.
pub trait PaymentGateway: Send + Sync + 'static {
    /// Takes the money of an order.
    fn capture(&self, charge: Charge) -> PortFuture<'_, Result<ChargeOutcome, GatewayError>>;

    /// Asks what became of a capture, and ends it where nothing did: from then on its key moves no money. So the answer
    /// is the last word: `Done` where the money had moved, `Declined` where it has not and never will.
    fn call_off(&self, charge: Charge) -> PortFuture<'_, Result<ChargeOutcome, GatewayError>>;

    /// Gives money back.
    fn refund(&self, charge: Charge) -> PortFuture<'_, Result<ChargeOutcome, GatewayError>>;
}

/// Who hears what the gateway says by itself: late, again, or after a question that it left without an answer.
pub trait PaymentNews: Send + Sync + 'static {
    /// The gateway says what became of a charge. It may say so any number of times, also what it has answered before.
    fn told(&self, charge: Charge, outcome: ChargeOutcome) -> PortFuture<'_, ()>;
}

/// A letter to be sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mail {
    /// The idempotency key of the sending, kept in the message's id.
    pub key: String,
    /// Address of the receiver.
    pub to: String,
    /// Subject line.
    pub subject: String,
    /// Plain text.
    pub body: String,
    /// An address that stops letters of this kind when it is posted to (RFC 8058).
    pub unsubscribe: Option<String>,
}

/// Why a mail was not taken.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum MailError {
    /// It may be taken later: try again.
    #[error("the mail was not taken: {0}")]
    Later(String),
    /// It never will be: the address or the letter is at fault.
    #[error("the mail was refused for good: {0}")]
    Never(String),
}

/// Where mails are handed over.
pub trait Mailer: Send + Sync + 'static {
    /// Hands one mail over.
    fn send(&self, mail: Mail) -> PortFuture<'_, Result<(), MailError>>;
}

/// Tells the time.
pub trait Clock: Send + Sync + 'static {
    /// Now.
    fn now(&self) -> Timestamp;
}

/// Something that has become true. It says what to look at again, not what is there: whoever is told reads the truth
/// from its owner, so a notice that is lost, doubled or late shows nothing wrong for longer than until the next one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Notice {
    /// A cart was stored, or emptied by its checkout.
    Cart(CartId),
    /// An order was placed or has moved on.
    Order {
        /// Which one.
        id: OrderId,
        /// Whose it is; a guest's is nobody's.
        buyer: Option<UserId>,
        /// Where it stands now.
        status: Status,
    },
    /// A promotion was stored or dropped.
    Promotions,
}

/// Where notices go. Telling never waits and never fails: what is told is durable already, and nobody's work hangs on
/// who listens.
pub trait Bus: Send + Sync + 'static {
    /// Tells everybody who listens.
    fn tell(&self, notice: Notice);
}

/// A bus that nobody listens to: for commands that end with their work, and for tests.
#[derive(Debug, Clone, Copy, Default)]
pub struct NoBus;

impl Bus for NoBus {
    fn tell(&self, _: Notice) {}
}
