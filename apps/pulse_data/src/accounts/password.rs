//! Hashing passwords without stopping the shop.
//!
//! **Invariant.** A hash takes a core for tens of milliseconds and 19 MiB, so at most a few run at a time, on threads of
//! their own, and at most so many wait; beyond that the answer is `Overloaded`. Checking a password costs the same
//! whether there is an account or not.

use std::sync::{Arc, OnceLock};

use argon2::password_hash::phc::PasswordHash;
use argon2::password_hash::{PasswordHasher as _, PasswordVerifier as _};
use argon2::{Algorithm, Argon2, Params, Version};
use tokio::sync::Semaphore;

use super::AccountError;
use crate::DbError;
use crate::changeset::FieldErrors;

/// What a hash costs: OWASP's Argon2id advice unless told otherwise.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct HashCost {
    /// Memory, in KiB.
    pub memory_kib: u32,
    /// Passes over it.
    pub passes: u32,
}

impl Default for HashCost {
    fn default() -> Self {
        Self { memory_kib: 19 * 1024, passes: 2 }
    }
}

/// Characters that a password must and may have. Length is what counts; no rules about digits.
const LENGTH: std::ops::RangeInclusive<usize> = 10..=256;

/// Says what is wrong with a password that somebody wants.
pub(super) fn acceptable(field: &str, password: &str) -> Result<(), FieldErrors> {
    if LENGTH.contains(&password.chars().count()) {
        return Ok(());
    }
    let message = format!("must have {} to {} characters", LENGTH.start(), LENGTH.end());
    Err(FieldErrors::one(field, "length", message))
}

/// Hashes and checks passwords.
#[derive(Clone)]
pub(super) struct Hasher(Arc<Inner>);

struct Inner {
    argon2: Argon2<'static>,
    working: Semaphore,
    admitted: Semaphore,
    /// Checked in the place of a hash that is not there.
    decoy: OnceLock<String>,
}

impl Hasher {
    pub(super) fn new(cost: HashCost, at_once: usize, waiting: usize) -> Self {
        // Costs that Argon2 refuses (below 8 KiB) fall back to the default ones: never to weaker.
        let params = Params::new(cost.memory_kib, cost.passes, 1, None).unwrap_or_default();
        let at_once = at_once.max(1);
        Self(Arc::new(Inner {
            argon2: Argon2::new(Algorithm::Argon2id, Version::V0x13, params),
            working: Semaphore::new(at_once),
            admitted: Semaphore::new(at_once + waiting),
            decoy: OnceLock::new(),
        }))
    }

    /// A password's hash in PHC form.
    pub(super) async fn hash(&self, password: &str) -> Result<String, AccountError> {
        let password = password.to_owned();
        self.work(move |inner| inner.hash(&password)).await?
    }

    /// Whether a password is the one of a hash; without a hash it is not, at the same cost.
    pub(super) async fn verify(&self, password: &str, hash: Option<String>) -> Result<bool, AccountError> {
        let password = password.to_owned();
        self.work(move |inner| {
            let known = hash.is_some();
            let hash = match hash {
                Some(hash) => hash,
                None => inner.decoy()?,
            };
            let parsed = PasswordHash::new(&hash)
                .map_err(|error| DbError::Corrupt(format!("a password's hash: {error}")))?;
            Ok(inner.argon2.verify_password(password.as_bytes(), &parsed).is_ok() && known)
        })
        .await?
    }

    async fn work<T: Send + 'static>(
        &self,
        f: impl FnOnce(&Inner) -> T + Send + 'static,
    ) -> Result<T, AccountError> {
        let Ok(_admitted) = self.0.admitted.try_acquire() else { return Err(AccountError::Overloaded) };
        // The semaphores are never closed.
        let _working = self.0.working.acquire().await.map_err(|_| AccountError::Overloaded)?;
        let inner = Arc::clone(&self.0);
        tokio::task::spawn_blocking(move || f(&inner))
            .await
            .map_err(|error| DbError::Other(format!("hashing a password failed: {error}")).into())
    }
}

impl Inner {
    fn hash(&self, password: &str) -> Result<String, AccountError> {
        let hash = self.argon2.hash_password(password.as_bytes());
        let hash = hash.map_err(|error| DbError::Other(format!("hashing a password failed: {error}")))?;
        Ok(hash.to_string())
    }

    fn decoy(&self) -> Result<String, AccountError> {
        if let Some(decoy) = self.decoy.get() {
            return Ok(decoy.clone());
        }
        let decoy = self.hash("nobody's password")?;
        Ok(self.decoy.get_or_init(|| decoy).clone())
    }
}
