//! The way out: which mailer and which gateway the jobs work with, and how they run.
//!
//! **Invariant.** Mails go to the mail server where one is configured and into files otherwise; money is simulated, with
//! a ledger in the data folder. Whatever of it can't be set up is told before the shop opens.

use std::sync::Arc;
use std::time::Duration;

use pulse_core::ports::{Clock, Mailer, PaymentGateway};
use pulse_jobs::{
    ClientOptions, FaultRates, FileMailer, Look, NotePayment, Reach, Runner, RunnerOptions, Schedule,
    SimulatedGateway, SmtpMailer, SmtpOptions, SmtpTls, Surroundings, WatchOptions,
};

use crate::config::{self, Config};
use crate::failure::{Exit, Failure};
use crate::rooms::Rooms;

/// How long after the first one the gateway gives an answer again.
const AGAIN: Duration = Duration::from_secs(2);

/// The engine that runs this shop's jobs, not yet started.
pub(crate) fn engine(config: &Config, rooms: &Rooms) -> Result<jobs::Engine, Failure> {
    std::fs::create_dir_all(&config.data_dir)
        .map_err(|error| Failure::io("make the data folder", &config.data_dir, &error))?;
    let with = Surroundings {
        repo: rooms.repo.clone(),
        clock: Arc::clone(&rooms.clock),
        accounts: rooms.accounts.clone(),
        catalog: rooms.catalog.clone(),
        orders: rooms.orders.clone(),
        reminders: rooms.reminders.clone(),
        webhooks: rooms.webhooks.clone(),
        gateway: gateway(config, rooms)?,
        mailer: mailer(config, &rooms.clock)?,
        stats: Arc::clone(&rooms.effects),
    };
    let options = options(config, rooms)?;
    Ok(Runner::engine(with, options))
}

fn options(config: &Config, rooms: &Rooms) -> Result<RunnerOptions, Failure> {
    let (webhooks, watch) = (&config.webhooks, &config.watch);
    let reach = if webhooks.private_addresses { Reach::Anywhere } else { Reach::Public };
    Ok(RunnerOptions {
        payments: config.jobs.concurrency,
        mails: config.jobs.concurrency.div_ceil(2),
        webhooks: config.jobs.concurrency,
        client: ClientOptions { reach, timeout: Duration::from_secs(webhooks.timeout_seconds) },
        watch: WatchOptions {
            remind_after: Duration::from_hours(watch.carts_after_hours),
            low_stock: watch.low_stock,
            payment_patience: Duration::from_hours(watch.payment_hours),
            unsealed_limit: Duration::from_secs(config.audit.unsealed_limit_seconds),
            keep_deliveries: Duration::from_hours(webhooks.keep_days.saturating_mul(24)),
            keep_guest_carts: Duration::from_hours(watch.guest_carts_days.saturating_mul(24)),
            ..WatchOptions::default()
        },
        schedule: schedule(config)?,
        engine: jobs::Options { wake: rooms.wake.clone(), ..jobs::Options::default() },
    })
}

/// When the shop looks after itself.
pub(crate) fn schedule(config: &Config) -> Result<Schedule, Failure> {
    let watch = &config.watch;
    let entries = [
        (Look::Carts, &watch.carts),
        (Look::Stock, &watch.stock),
        (Look::Payments, &watch.payments),
        (Look::Audit, &watch.audit),
        (Look::Old, &watch.old),
        (Look::GuestCarts, &watch.guest_carts),
    ];
    let on = entries.into_iter().filter(|(_, times)| times.trim() != "off");
    on.into_iter()
        .try_fold(Schedule::default(), |schedule, (look, times)| schedule.at(look, times, &watch.time_zone))
        .map_err(|error| {
            Failure::new(Exit::Config, format!("{error}; see the keys of watch in `pulse config`"))
        })
}

fn gateway(config: &Config, rooms: &Rooms) -> Result<Arc<dyn PaymentGateway>, Failure> {
    let ledger = config.data_dir.join("gateway.ledger");
    let gateway = SimulatedGateway::open(&ledger).map_err(|error| {
        Failure::new(Exit::CantCreate, format!("the simulated gateway can't start: {error}"))
    })?;
    let manners = &config.gateway;
    let news = NotePayment::new(rooms.orders.clone(), rooms.wake.clone(), Arc::clone(&rooms.effects));
    let gateway = gateway.telling(Arc::new(news)).with_faults(FaultRates {
        decline: manners.decline,
        silent: manners.silent,
        delay: Duration::from_millis(manners.delay_ms),
        twice: manners.twice,
        twice_after: AGAIN,
    });
    Ok(Arc::new(gateway))
}

fn mailer(config: &Config, clock: &Arc<dyn Clock>) -> Result<Arc<dyn Mailer>, Failure> {
    if let Some(smtp) = smtp(config, clock)? {
        return Ok(Arc::new(smtp));
    }
    let letters = config.mail_dir();
    let mailer = FileMailer::new(&letters, &config.mail.from, Arc::clone(clock))
        .map_err(|error| Failure::io("make the mail folder", &letters, &error))?;
    Ok(Arc::new(mailer))
}

/// The way to the configured mail server; `None` where there is none.
pub(crate) fn smtp(config: &Config, clock: &Arc<dyn Clock>) -> Result<Option<SmtpMailer>, Failure> {
    let mail = &config.mail;
    let Some(host) = mail.smtp_host.clone() else { return Ok(None) };
    let read = |file: &std::path::PathBuf| {
        std::fs::read(file).map_err(|error| Failure::io("read the mail server's certificate", file, &error))
    };
    let options = SmtpOptions {
        host,
        port: mail.smtp_port,
        tls: match mail.smtp_tls {
            config::SmtpTls::StartTls => SmtpTls::StartTls,
            config::SmtpTls::Implicit => SmtpTls::Implicit,
            config::SmtpTls::None => SmtpTls::None,
        },
        authority: mail.smtp_ca_file.as_ref().map(read).transpose()?,
        login: mail
            .smtp_user
            .clone()
            .zip(mail.smtp_password.as_ref().map(|hidden| hidden.reveal().to_owned())),
        from: mail.from.clone(),
        timeout: Duration::from_secs(mail.smtp_timeout_seconds),
    };
    let mailer = SmtpMailer::new(options, Arc::clone(clock));
    mailer.map(Some).map_err(|error| Failure::new(Exit::Config, error.to_string()))
}
