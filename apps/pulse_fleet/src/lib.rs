//! All carts of this node, and the shop's front door to them.
//!
//! A [`Fleet`] starts a cart on its first use, restarts it from the store after a crash, lets it sleep when nobody
//! needs it, and bounds how many are awake and how many calls are under way. [`FrontDoor`] is the one way in for
//! web and replay: it asks the catalogue for prices, the cart for its lines, and the order desk for a checkout.
//!
//! **Invariant.** Nothing acknowledged is lost, whichever carts are killed and whenever; a command under one id is
//! done at most once; and nothing waits or grows without a bound: beyond it the answer is `Overloaded`.

mod awake;
mod backoff;
mod checkout;
mod door;
mod error;
mod fleet;
mod options;
mod stats;

pub use checkout::Checkout;
pub use door::{CartView, FrontDoor};
pub use error::{FleetError, ShopError};
pub use fleet::{Fleet, FleetPorts};
pub use options::FleetOptions;
pub use pulse_cart::{CartStats, Receipt};
pub use stats::FleetStats;
