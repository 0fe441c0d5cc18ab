//! Starts logs and the export of spans as configured.
//!
//! **Invariant.** Only `serve` exports spans; a command that fails in its first millisecond must not wait for a collector.

use std::time::Duration;

use pulse_obs::{LogConfig, ObsError, OtlpConfig, Telemetry};

use crate::config::Config;
use crate::failure::{Exit, Failure};

/// How long the end waits for what is still under way.
pub(crate) const PATIENCE: Duration = Duration::from_secs(3);

/// Installs the logs, and the export where an endpoint is configured.
pub(crate) fn start(config: &Config) -> Result<Telemetry, Failure> {
    let logs = LogConfig { filter: config.log.filter.clone(), format: config.log.format };
    let otlp = config.otlp.endpoint.as_ref().map(|endpoint| OtlpConfig {
        endpoint: endpoint.clone(),
        sample_ratio: config.otlp.sample_ratio,
        version: env!("CARGO_PKG_VERSION"),
    });
    pulse_obs::init(&logs, otlp.as_ref()).map_err(|error| match error {
        ObsError::Filter { .. } => Failure::new(Exit::Config, format!("log.filter: {error}")),
        ObsError::Endpoint { .. } => Failure::new(Exit::Config, format!("otlp.endpoint: {error}")),
        ObsError::Installed => Failure::failed(error.to_string()),
    })
}
