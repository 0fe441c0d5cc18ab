//! Who may do what.
//!
//! **Invariant.** Every public action of a context names one [`Permission`] and asks [`Principal::may`]; the match
//! over roles is exhaustive, so a new permission does not compile until each role has an answer.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::UserId;

/// What an account is trusted with. Each role also has what the ones before it have.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Role {
    /// Buys for itself.
    Buyer,
    /// Helps buyers: sees orders, takes returns.
    Support,
    /// Runs the shop: products, stock, shipping.
    Manager,
    /// Runs the system: accounts, audit.
    Admin,
}

impl Role {
    /// Every role, least trusted first.
    pub const ALL: [Self; 4] = [Self::Buyer, Self::Support, Self::Manager, Self::Admin];

    /// The name that is stored and shown.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Buyer => "buyer",
            Self::Support => "support",
            Self::Manager => "manager",
            Self::Admin => "admin",
        }
    }
}

impl fmt::Display for Role {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// A text that names no role.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is no role: use buyer, support, manager or admin")]
pub struct UnknownRole(pub String);

impl FromStr for Role {
    type Err = UnknownRole;

    fn from_str(text: &str) -> Result<Self, UnknownRole> {
        Self::ALL.into_iter().find(|role| role.name() == text).ok_or_else(|| UnknownRole(text.to_owned()))
    }
}

/// One thing that a context can be asked to do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Permission {
    /// See what is for sale.
    BrowseCatalog,
    /// Create and change products and promotions.
    EditCatalog,
    /// Set stock and book deliveries.
    ManageStock,
    /// Fill a cart and check it out.
    PlaceOrder,
    /// Give a line a price that is not the catalogue's.
    QuotePrice,
    /// See orders of others.
    SeeOrders,
    /// Pack, ship and cancel orders.
    FulfilOrders,
    /// Take goods back and refund; on orders of others.
    TakeReturns,
    /// Create accounts with a role, lock them, change roles.
    ManageAccounts,
    /// Read and verify the audit trail.
    ReadAudit,
    /// Run feeds and replays, see dead letters.
    RunFeeds,
    /// Say which programs are told what has happened, and see what was sent to them.
    ManageWebhooks,
    /// See background jobs, repeat and cancel them, pause queues.
    ManageJobs,
}

/// On whose behalf an action runs.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Principal {
    /// Somebody without an account.
    Guest,
    /// A signed-in account.
    User {
        /// Which account.
        id: UserId,
        /// What it is trusted with.
        role: Role,
    },
    /// A part of the shop itself (`"replay"`, `"payments"`), trusted with everything; the name goes to the audit.
    System(&'static str),
}

impl Principal {
    /// Whether this principal may do that. Owning a thing (one's own order) is checked by its context beside this.
    pub const fn may(&self, permission: Permission) -> bool {
        let role = match self {
            Self::System(_) => return true,
            Self::Guest => {
                return matches!(permission, Permission::BrowseCatalog | Permission::PlaceOrder);
            }
            Self::User { role, .. } => *role,
        };
        let least = match permission {
            Permission::BrowseCatalog | Permission::PlaceOrder => Role::Buyer,
            Permission::SeeOrders | Permission::TakeReturns => Role::Support,
            Permission::EditCatalog
            | Permission::ManageStock
            | Permission::QuotePrice
            | Permission::FulfilOrders
            | Permission::RunFeeds => Role::Manager,
            Permission::ManageAccounts
            | Permission::ReadAudit
            | Permission::ManageWebhooks
            | Permission::ManageJobs => Role::Admin,
        };
        role as u8 >= least as u8
    }

    /// `Ok` where [`may`](Self::may) says yes, else the refusal that the caller passes on.
    pub fn require(&self, permission: Permission) -> Result<(), Forbidden> {
        if self.may(permission) { Ok(()) } else { Err(Forbidden { permission }) }
    }

    /// The account, where there is one.
    pub const fn user(&self) -> Option<UserId> {
        match self {
            Self::User { id, .. } => Some(*id),
            Self::Guest | Self::System(_) => None,
        }
    }
}

impl fmt::Display for Principal {
    /// The form the audit keeps: `guest`, `user:7`, `system:replay`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Guest => f.write_str("guest"),
            Self::User { id, .. } => write!(f, "user:{id}"),
            Self::System(name) => write!(f, "system:{name}"),
        }
    }
}

/// The principal lacks a permission.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("this needs the permission {permission:?}")]
pub struct Forbidden {
    /// What was missing.
    pub permission: Permission,
}
