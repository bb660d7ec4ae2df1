//! How Kafka's administration tools reach their cluster: the options that say where it is, and their words when nobody
//! answers.

use super::Ending;
use super::client_properties::{Unmade, admin_connection};
use super::java_words::{failure_exception, failure_message, java_exception, java_message};
use super::options::{Opt, Parsed, value};
use crate::failure::{Failure, Kind};
use crate::kafka::{ErrorCode, KafkaError, Wire};
use crate::scripts::way_out::nobody;

/// `--bootstrap-server` of a tool that cannot do without; `describes` is what its help calls the value.
pub const fn bootstrap_server(describes: &'static str) -> Opt {
    value(
        &["bootstrap-server"],
        describes,
        "REQUIRED: the brokers to ask first, as HOST:PORT.",
    )
}

/// `--bootstrap-controller`, of the tools that can ask the controllers (KIP-919).
pub const fn bootstrap_controller(describes: &'static str) -> Opt {
    value(
        &["bootstrap-controller"],
        describes,
        "The controllers to ask in place of brokers, as HOST:PORT.",
    )
}

/// `--command-config`
pub const fn command_config(describes: &'static str) -> Opt {
    value(&["command-config"], describes, "File of connection properties.")
}

/// A connection of our own, to the brokers or the controllers, whichever were named, with the properties of
/// `--command-config`.
///
/// # Errors
/// An option that was given twice, by `late`; properties that cannot be used, or that nobody answers what Java calls
/// `call`, by `unusable`.
pub fn wire(
    parsed: &Parsed,
    late: impl Fn(Ending) -> Ending,
    call: &str,
    unusable: impl Fn(&Unanswered) -> Ending,
) -> Result<Wire, Ending> {
    let servers = match parsed.value("bootstrap-server").map_err(&late)? {
        Some(servers) => Some(servers),
        None => parsed.value("bootstrap-controller").map_err(&late)?,
    };
    let config = parsed.value("command-config").map_err(&late)?;
    let connection = admin_connection(servers.unwrap_or_default(), config)
        .map_err(|unmade| Unanswered::of_unmade(unmade).ending(&unusable))?;
    let wire = match parsed.has("bootstrap-server") {
        true => Wire::connect(&connection),
        false => Wire::connect_to_controllers(&connection),
    };
    wire.map_err(|failure| Unanswered::of_failure(&failure, call).ending(unusable))
}

/// Why a tool got no answer, in the words of Java's clients.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unanswered {
    /// The exception's message.
    pub message: String,
    /// The exception whole: its name before the message.
    pub exception: String,
    /// Whether nobody was there, in Java's view.
    pub timed_out: bool,
    hints: Vec<String>,
}

impl Unanswered {
    /// No client could be made. Java's tools show the message, and what is behind it in their trace.
    pub fn of_unmade(unmade: Unmade) -> Self {
        let mut hints = unmade.hints;
        if !unmade.why.is_empty() {
            hints.insert(0, unmade.why);
        }
        Unanswered {
            exception: unmade.message.clone(),
            message: unmade.message,
            timed_out: false,
            hints,
        }
    }

    /// A failure of the client core while it did what Java calls `call`.
    pub fn of_failure(failure: &Failure, call: &str) -> Self {
        if failure.kind() == Kind::Unreachable {
            return Self::timed_out(call, failure.what());
        }
        Unanswered {
            exception: failure_exception(failure),
            message: failure_message(failure),
            timed_out: false,
            hints: failure.hints().to_vec(),
        }
    }

    /// What a node refused, or that it did not answer.
    pub fn of_error(error: &KafkaError, call: &str) -> Self {
        if error.is_unreachable() || error.code() == ErrorCode::BrokerNotAvailable {
            return Self::timed_out(call, &error.to_string());
        }
        Unanswered {
            message: java_message(error),
            exception: java_exception(error),
            timed_out: false,
            hints: Vec::new(),
        }
    }

    /// No node is there to be asked. Java's clients find out after a minute, ours at once.
    fn timed_out(call: &str, what: &str) -> Self {
        let message = format!("Timed out waiting for a node assignment. Call: {call}");
        Unanswered {
            exception: format!("org.apache.kafka.common.errors.TimeoutException: {message}"),
            message,
            timed_out: true,
            hints: vec![nobody(what)],
        }
    }

    /// What is behind it.
    pub fn hint(&self) -> Option<&str> {
        self.hints.first().map(String::as_str)
    }

    /// The ending that `say` makes of it, with what to do about it.
    pub fn ending(self, say: impl FnOnce(&Self) -> Ending) -> Ending {
        let mut ending = say(&self);
        ending.hints.extend(self.hints);
        ending
    }
}
