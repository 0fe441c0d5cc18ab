//! What the shop does outside its database, and when: mails, webhooks, the simulated gateway, the schedule.
//!
//! **Invariant.** Out of the box nothing leaves the machine: mails are files, webhooks need an endpoint and go to public
//! addresses alone, money is simulated.

use std::fmt;
use std::path::PathBuf;

use serde::{Deserialize, Serialize};

/// A rule: whether it holds, of which key, and what is wrong if not.
pub(super) type Rule = (bool, &'static str, &'static str);

/// A value that is never shown.
#[derive(Clone, PartialEq, Serialize, Deserialize)]
#[serde(transparent)]
pub(crate) struct Hidden(String);

impl Hidden {
    pub(crate) fn reveal(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Hidden {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("***")
    }
}

/// How the way to the mail server is protected.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum SmtpTls {
    StartTls,
    Implicit,
    None,
}

/// Mails.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Mail {
    pub(crate) from: String,
    pub(crate) dir: Option<PathBuf>,
    pub(crate) smtp_host: Option<String>,
    pub(crate) smtp_port: u16,
    pub(crate) smtp_tls: SmtpTls,
    pub(crate) smtp_ca_file: Option<PathBuf>,
    pub(crate) smtp_user: Option<String>,
    pub(crate) smtp_password: Option<Hidden>,
    pub(crate) smtp_timeout_seconds: u64,
}

impl Default for Mail {
    fn default() -> Self {
        Self {
            from: "Pulse <shop@localhost>".to_owned(),
            dir: None,
            smtp_host: None,
            smtp_port: 587,
            smtp_tls: SmtpTls::StartTls,
            smtp_ca_file: None,
            smtp_user: None,
            smtp_password: None,
            smtp_timeout_seconds: 20,
        }
    }
}

impl Mail {
    pub(super) fn rules(&self) -> [Rule; 3] {
        [
            (self.smtp_port >= 1, "mail.smtp_port", "a port is at least 1"),
            (
                self.smtp_user.is_some() == self.smtp_password.is_some(),
                "mail.smtp_password",
                "user and password go together",
            ),
            (
                (1..=25).contains(&self.smtp_timeout_seconds),
                "mail.smtp_timeout_seconds",
                "a mail's attempt ends after 30 seconds",
            ),
        ]
    }
}

/// Webhooks.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Webhooks {
    pub(crate) private_addresses: bool,
    pub(crate) timeout_seconds: u64,
    pub(crate) switch_off_hours: u64,
    pub(crate) keep_days: u64,
}

impl Default for Webhooks {
    fn default() -> Self {
        Self { private_addresses: false, timeout_seconds: 10, switch_off_hours: 72, keep_days: 30 }
    }
}

impl Webhooks {
    pub(super) fn rules(&self) -> [Rule; 3] {
        [
            (
                (1..=25).contains(&self.timeout_seconds),
                "webhooks.timeout_seconds",
                "a message's attempt ends after 30 seconds",
            ),
            (self.switch_off_hours >= 1, "webhooks.switch_off_hours", "at least one is needed"),
            (self.keep_days >= 1, "webhooks.keep_days", "at least one is needed"),
        ]
    }
}

/// What the shop looks after by itself.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Watch {
    pub(crate) time_zone: String,
    pub(crate) carts: String,
    pub(crate) carts_after_hours: u64,
    pub(crate) stock: String,
    pub(crate) low_stock: i64,
    pub(crate) payments: String,
    pub(crate) payment_hours: u64,
    pub(crate) audit: String,
    pub(crate) old: String,
    pub(crate) guest_carts: String,
    pub(crate) guest_carts_days: u64,
}

impl Default for Watch {
    fn default() -> Self {
        Self {
            time_zone: "UTC".to_owned(),
            carts: "7 * * * *".to_owned(),
            carts_after_hours: 24,
            stock: "*/15 * * * *".to_owned(),
            low_stock: 5,
            payments: "*/10 * * * *".to_owned(),
            payment_hours: 24,
            audit: "30 3 * * *".to_owned(),
            old: "*/5 * * * *".to_owned(),
            guest_carts: "40 4 * * *".to_owned(),
            // As long as a browser keeps the cookie that names the cart.
            guest_carts_days: 30,
        }
    }
}

impl Watch {
    pub(super) fn rules(&self) -> [Rule; 4] {
        [
            (
                (1..=3_650).contains(&self.guest_carts_days),
                "watch.guest_carts_days",
                "a cart is kept for a day to ten years",
            ),
            (self.carts_after_hours >= 1, "watch.carts_after_hours", "at least one is needed"),
            (self.payment_hours >= 1, "watch.payment_hours", "at least one is needed"),
            (self.low_stock >= 0, "watch.low_stock", "it is below zero"),
        ]
    }
}

/// The simulated payment gateway's manners.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Gateway {
    pub(crate) delay_ms: u64,
    pub(crate) decline: f64,
    pub(crate) silent: f64,
    pub(crate) twice: f64,
}

impl Gateway {
    pub(super) fn rules(&self) -> [Rule; 4] {
        let share = |value: f64| (0.0..=1.0).contains(&value);
        let wrong = "it is not between 0 and 1";
        [
            (self.delay_ms <= 60_000, "gateway.delay_ms", "it is more than a minute"),
            (share(self.decline), "gateway.decline", wrong),
            (share(self.silent), "gateway.silent", wrong),
            (share(self.twice), "gateway.twice", wrong),
        ]
    }
}
