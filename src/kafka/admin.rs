//! Administration of a cluster, as owned values: one client instance for all that one command asks.
//!
//! Each method waits for its answer. Where several things are asked at once, each has its own [`Answer`]; the outer
//! [`Outcome`] fails when the cluster could not be asked at all.

mod configs;
mod coordinator;
mod groups;
mod offsets;
mod topics;
mod writing;

pub use groups::PartitionLag;
pub use offsets::PartitionOffsets;

use super::errors::{Answer, KafkaError};
use super::ffi::{Ask, Client};
use super::types::{ClusterDescription, ClusterMetadata};
use super::{Connection, Wire, ffi, greet, probe};
use crate::failure::{Failure, Outcome};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

/// How long a request may take before it is given up.
const PATIENCE: Duration = Duration::from_secs(15);
/// How long the first answer may take, once a broker is known to be there.
const FIRST_PATIENCE: Duration = Duration::from_secs(5);

/// An administrator of one cluster.
pub struct Admin {
    client: Client,
    wire: Mutex<Option<Wire>>,
    connection: Connection,
    patience: Duration,
}

impl Admin {
    /// Makes sure that a broker answers, and prepares to ask it.
    ///
    /// # Errors
    /// Unreachable: at once when connections are refused, after two seconds when nothing answers. Denied: when the user is
    /// refused or the cluster not trusted.
    pub fn connect(connection: &Connection) -> Outcome<Self> {
        if connection.is_plaintext() {
            return Self::made(connection, Some(Wire::connect(connection)?));
        }
        probe::reach(connection, probe::Endpoint::Brokers)?;
        let admin = Self::made(connection, None)?;
        greet::greet(connection, &admin.client)?;
        Ok(admin)
    }

    fn made(connection: &Connection, wire: Option<Wire>) -> Outcome<Self> {
        let mut settings = connection.settings();
        if settings.contains_key("debug") {
            settings.insert("log_level".to_owned(), "7".to_owned());
        }
        let properties = settings
            .iter()
            .map(|(name, value)| (name.as_str(), value.as_str()));
        let client =
            Client::new(properties).map_err(|error| error.into_failure("cannot make a Kafka client"))?;
        Ok(Admin {
            client,
            wire: Mutex::new(wire),
            connection: connection.clone(),
            patience: PATIENCE,
        })
    }

    /// The same administrator, who gives each request at most `patience`.
    #[must_use]
    pub fn with_patience(mut self, patience: Duration) -> Self {
        self.patience = patience;
        self
    }

    /// How this cluster is reached.
    pub fn connection(&self) -> &Connection {
        &self.connection
    }

    /// Brokers and topics, in one request.
    ///
    /// An unsecured cluster is asked over a socket of our own: librdkafka takes four threads and two connections for this
    /// question, and twice the time (`docs/decisions.md`).
    ///
    /// # Errors
    /// When the cluster does not answer.
    pub fn metadata(&self) -> Outcome<ClusterMetadata> {
        let what = "cannot ask the cluster for its topics";
        if !self.connection.is_plaintext() {
            return self.outcome(what, self.client.metadata(Ask::within(FIRST_PATIENCE)));
        }
        let mut kept = self.wire.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(wire) = kept.as_mut()
            && let Ok(metadata) = wire.metadata()
        {
            return Ok(metadata);
        }
        // It has been closed since.
        let wire = kept.insert(Wire::connect(&self.connection)?);
        self.outcome(what, wire.metadata())
    }

    /// The cluster's id, controller and brokers.
    ///
    /// # Errors
    /// When the cluster does not answer.
    pub fn describe_cluster(&self) -> Outcome<ClusterDescription> {
        let ask = Ask::within(FIRST_PATIENCE);
        self.outcome("cannot describe the cluster", self.client.describe_cluster(ask))
    }

    fn ask(&self) -> Ask {
        Ask::within(self.patience)
    }

    /// Turns an answer into an outcome; a cluster that was not reached is told with librdkafka's own last reason.
    fn outcome<T>(&self, what: &str, answer: Answer<T>) -> Outcome<T> {
        answer.map_err(|error| self.failure(what, error))
    }

    fn failure(&self, what: &str, error: KafkaError) -> Failure {
        if !error.is_unreachable() {
            return error.into_failure(what);
        }
        if let Some(denial) = greet::denial(&self.connection, &self.client) {
            return denial;
        }
        let last = self.client.last_failure();
        let why = match last.as_deref() {
            Some(last) => format!("{error} ({})", ffi::without_prefixes(last)),
            None => error.to_string(),
        };
        Failure::unreachable(what).because(format!("{} on {}", why, self.connection.bootstrap()))
    }
}
