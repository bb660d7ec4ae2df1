//! How Kafka's administration tools reach their cluster: the options that say where it is, and their words when nobody
//! answers.

use super::Ending;
use super::java_words::{java_exception, java_message};
use super::options::{Opt, Parsed, value};
use crate::failure::{Failure, Kind};
use crate::kafka::{Connection, ErrorCode, KafkaError, Wire};
use std::path::Path;

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

/// What `--bootstrap-server` (or `--bootstrap-controller`) and `--command-config` say.
///
/// # Errors
/// An option that was given twice, by `late`; properties that cannot be used, by `unusable`.
pub fn connection(
    parsed: &Parsed,
    late: impl Fn(Ending) -> Ending,
    unusable: impl Fn(Failure) -> Ending,
) -> Result<Connection, Ending> {
    let servers = match parsed.value("bootstrap-server").map_err(&late)? {
        Some(servers) => Some(servers),
        None => parsed.value("bootstrap-controller").map_err(&late)?,
    };
    let config = parsed.value("command-config").map_err(&late)?.map(Path::new);
    Connection::new(servers.unwrap_or_default(), config).map_err(unusable)
}

/// A connection of our own, to the brokers or the controllers, whichever were named.
///
/// # Errors
/// As [`connection`]; and when nobody answers, by `unusable`.
pub fn wire(
    parsed: &Parsed,
    late: impl Fn(Ending) -> Ending,
    unusable: impl Fn(Failure) -> Ending,
) -> Result<Wire, Ending> {
    let connection = connection(parsed, late, &unusable)?;
    if parsed.has("bootstrap-server") {
        Wire::connect(&connection).map_err(unusable)
    } else {
        Wire::connect_to_controllers(&connection).map_err(unusable)
    }
}

/// Why a tool got no answer, in the words of Java's clients.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unanswered {
    /// The exception's message.
    pub message: String,
    /// The exception whole: its name before the message.
    pub exception: String,
    hint: Option<String>,
}

impl Unanswered {
    /// A failure of the client core while it did what Java calls `call`.
    pub fn of_failure(failure: &Failure, call: &str) -> Self {
        if failure.kind() == Kind::Unreachable {
            return Self::timed_out(call, failure.what());
        }
        let message = failure.what().to_owned();
        Unanswered {
            exception: message.clone(),
            message,
            hint: None,
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
            hint: None,
        }
    }

    /// No node is there to be asked. Java's clients find out after a minute, ours at once.
    fn timed_out(call: &str, what: &str) -> Self {
        let message = format!("Timed out waiting for a node assignment. Call: {call}");
        Unanswered {
            exception: format!("org.apache.kafka.common.errors.TimeoutException: {message}"),
            message,
            hint: Some(format!(
                "{what}; velo cluster start, or another --bootstrap-server"
            )),
        }
    }

    /// The ending that `say` makes of it, with what to do about it.
    pub fn ending(self, say: impl FnOnce(&Self) -> Ending) -> Ending {
        let ending = say(&self);
        match self.hint {
            Some(hint) => ending.hint(hint),
            None => ending,
        }
    }
}
