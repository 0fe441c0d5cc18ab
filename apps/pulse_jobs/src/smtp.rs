//! A mailer that hands letters to a mail server.
//!
//! **Invariant.** A letter is handed over as a whole or not at all as far as this side can tell; where it can't (the
//! answer is lost), the letter goes again under the same Message-ID, by which mailboxes know it. What the server says
//! about the letter or its address for good (5xx) is [`MailError::Never`]; what it says about itself or about us (busy,
//! wrong password, not understood) is [`MailError::Later`]: no letter is lost to a mistake in the configuration.
//! Nothing waits longer than [`SmtpOptions::timeout`].

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use lettre::address::Envelope;
use lettre::transport::smtp::AsyncSmtpTransport;
use lettre::transport::smtp::authentication::Credentials;
use lettre::transport::smtp::client::{Certificate, Tls, TlsParameters};
use lettre::transport::smtp::extension::ClientId;
use lettre::{Address, AsyncTransport as _, Tokio1Executor};
use pulse_core::ports::{Clock, Mail, MailError, Mailer, PortFuture};

use crate::eml;

/// How the way to the mail server is protected.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SmtpTls {
    /// Not at all: for a server on the same machine or in a trusted network.
    None,
    /// It begins in the open and must change to TLS before anything is said (usually port 587).
    StartTls,
    /// TLS from the first byte (usually port 465).
    Implicit,
}

/// Where the mail server is, and how to speak with it.
#[derive(Clone)]
pub struct SmtpOptions {
    /// Its name, which its certificate must have.
    pub host: String,
    /// Its port.
    pub port: u16,
    /// How the way to it is protected.
    pub tls: SmtpTls,
    /// A certificate in PEM to believe beside the public ones, for a server of one's own.
    pub authority: Option<Vec<u8>>,
    /// User and password, where it asks for them.
    pub login: Option<(String, String)>,
    /// Who the letters are from, like `Pulse <shop@example.com>`.
    pub from: String,
    /// How long a letter may take from the first byte to the last answer.
    pub timeout: Duration,
}

impl fmt::Debug for SmtpOptions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { host, port, tls, from, .. } = self;
        f.debug_struct("SmtpOptions")
            .field("host", host)
            .field("port", port)
            .field("tls", tls)
            .field("from", from)
            .finish_non_exhaustive()
    }
}

/// The mail server can't be used as it is configured.
#[derive(Debug, thiserror::Error)]
pub enum SmtpError {
    /// The sender is no address.
    #[error("{0:?} is no sender: write it like Pulse <shop@example.com>")]
    From(String),
    /// TLS can't be set up.
    #[error("TLS to the mail server can't be set up: {0}")]
    Tls(String),
    /// It does not answer as a mail server does.
    #[error("the mail server does not answer: {0}")]
    Silent(String),
}

/// Hands letters to a mail server, one connection a letter.
#[derive(Clone)]
pub struct SmtpMailer {
    transport: AsyncSmtpTransport<Tokio1Executor>,
    sender: Address,
    from: String,
    timeout: Duration,
    clock: Arc<dyn Clock>,
}

impl SmtpMailer {
    /// A mailer for this server. Nothing is connected yet.
    pub fn new(options: SmtpOptions, clock: Arc<dyn Clock>) -> Result<Self, SmtpError> {
        let sender = bare(&options.from).parse().map_err(|_| SmtpError::From(options.from.clone()))?;
        let tls = match options.tls {
            SmtpTls::None => Tls::None,
            SmtpTls::StartTls => Tls::Required(parameters(&options)?),
            SmtpTls::Implicit => Tls::Wrapper(parameters(&options)?),
        };
        let builder = AsyncSmtpTransport::<Tokio1Executor>::builder_dangerous(options.host)
            .port(options.port)
            .tls(tls)
            .hello_name(ClientId::Domain("pulse".to_owned()))
            .timeout(Some(options.timeout));
        let builder = match options.login {
            Some((user, password)) => builder.credentials(Credentials::new(user, password)),
            None => builder,
        };
        let (from, timeout) = (options.from, options.timeout);
        Ok(Self { transport: builder.build(), sender, from, timeout, clock })
    }

    /// Connects, greets, logs in where that is asked, and leaves.
    pub async fn check(&self) -> Result<(), SmtpError> {
        match tokio::time::timeout(self.timeout, self.transport.test_connection()).await {
            Ok(Ok(true)) => Ok(()),
            Ok(Ok(false)) => Err(SmtpError::Silent("it refuses to do even nothing".to_owned())),
            Ok(Err(error)) => Err(SmtpError::Silent(said(&error))),
            Err(_) => Err(SmtpError::Silent(format!("nothing within {:?}", self.timeout))),
        }
    }

    async fn hand_over(&self, mail: Mail) -> Result<(), MailError> {
        let to: Address = mail.to.parse().map_err(|_| MailError::Never("its address is none".to_owned()))?;
        let envelope = Envelope::new(Some(self.sender.clone()), vec![to])
            .map_err(|error| MailError::Never(error.to_string()))?;
        let text = eml::render(&mail, &self.from, self.clock.now());
        let sending = self.transport.send_raw(&envelope, text.as_bytes());
        match tokio::time::timeout(self.timeout, sending).await {
            Ok(Ok(_)) => Ok(()),
            Ok(Err(error)) if is_about_the_letter(&error) => Err(MailError::Never(said(&error))),
            Ok(Err(error)) => Err(MailError::Later(said(&error))),
            Err(_) => Err(MailError::Later(format!("the mail server took longer than {:?}", self.timeout))),
        }
    }
}

fn parameters(options: &SmtpOptions) -> Result<TlsParameters, SmtpError> {
    let fail = |error: lettre::transport::smtp::Error| SmtpError::Tls(said(&error));
    let mut builder = TlsParameters::builder(options.host.clone());
    if let Some(pem) = &options.authority {
        builder = builder.add_root_certificate(Certificate::from_pem(pem).map_err(fail)?);
    }
    builder.build_rustls().map_err(fail)
}

/// The address within `Pulse <shop@example.com>`.
fn bare(from: &str) -> &str {
    from.rsplit_once('<').map_or(from, |(_, rest)| rest.trim_end().trim_end_matches('>')).trim()
}

/// Whether a refusal is about the letter or its address, and final. 500 to 504 say that the server does not understand
/// us, 521 that it takes nothing at all, 530 to 538 that we are not logged in: those are cured by people.
fn is_about_the_letter(error: &lettre::transport::smtp::Error) -> bool {
    let code = error.status().map(u16::from);
    error.is_permanent() && !matches!(code, Some(500..=504 | 521 | 530..=538))
}

/// What went wrong, in one line. Of a server's refusal the code alone: its text likes to name the receiver, and this
/// one goes to the log.
fn said(error: &lettre::transport::smtp::Error) -> String {
    use std::error::Error as _;
    match (error.status(), error.source()) {
        (Some(code), _) => format!("the mail server answered {code}"),
        (None, Some(source)) => format!("the mail server can't be spoken with: {source}"),
        (None, None) => format!("the mail server can't be spoken with: {error}"),
    }
}

impl Mailer for SmtpMailer {
    fn send(&self, mail: Mail) -> PortFuture<'_, Result<(), MailError>> {
        Box::pin(self.hand_over(mail))
    }
}

#[cfg(test)]
mod tests {
    use super::bare;

    #[test]
    fn a_sender_has_an_address_within() {
        for (from, address) in [
            ("Pulse <shop@example.com>", "shop@example.com"),
            ("shop@example.com", "shop@example.com"),
            ("\"A <b>\" <shop@example.com> ", "shop@example.com"),
        ] {
            assert_eq!(bare(from), address);
        }
    }
}
