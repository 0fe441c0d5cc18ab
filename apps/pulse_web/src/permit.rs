//! What a door asks for before it reads what was sent: [`May`].
//!
//! **Invariant.** Whoever lacks the permission is told that and nothing else, whatever it sends: no query is read, no body
//! is taken in. The room behind the door asks again, and its answer is the one that counts.

use std::marker::PhantomData;
use std::ops::Deref;

use axum::extract::FromRequestParts;
use axum::http::request::Parts;
use pulse_core::Permission;

use crate::error::ApiError;
use crate::identity::SignedIn;
use crate::problem::{Kind, Problem};
use crate::state::AppState;

/// A permission as a type, for a handler's signature.
pub(crate) trait Needed {
    /// The permission.
    const PERMISSION: Permission;
}

macro_rules! needed {
    ($($permission:ident),*) => {
        $(
            #[doc = concat!("[`Permission::", stringify!($permission), "`].")]
            pub(crate) enum $permission {}

            impl Needed for $permission {
                const PERMISSION: Permission = Permission::$permission;
            }
        )*
    };
}

needed!(
    EditCatalog,
    ManageStock,
    SeeOrders,
    TakeReturns,
    ManageAccounts,
    ReadAudit,
    RunFeeds,
    ManageWebhooks
);

/// Somebody who is signed in and has a permission. Stands before whatever else a handler takes.
pub(crate) struct May<N> {
    who: SignedIn,
    needed: PhantomData<fn() -> N>,
}

impl<N> Deref for May<N> {
    type Target = SignedIn;

    fn deref(&self) -> &SignedIn {
        &self.who
    }
}

impl<N: Needed> FromRequestParts<AppState> for May<N> {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, state: &AppState) -> Result<Self, ApiError> {
        let who = SignedIn::from_request_parts(parts, state).await?;
        match who.caller.principal.require(N::PERMISSION) {
            Ok(()) => Ok(Self { who, needed: PhantomData }),
            Err(no) => Err(Problem::new(Kind::Forbidden, no.to_string()).into()),
        }
    }
}
