//! What Kafka's administration tools share that ask brokers, or controllers, for what librdkafka lacks.

use super::argparse::{Arg, Group, Parsed, Takes, Type};
use super::client_properties::admin_connection;
use super::connecting::Unanswered;
use super::java_words::{java_exception, java_message};
use super::{Ending, out};
use crate::kafka::{Connection, KafkaError, Wire};

/// The group of the options that say whom to ask first.
const BOOTSTRAP: &str = "bootstrap";

/// `--bootstrap-server`
pub const fn bootstrap_server(flags: &'static [&'static str]) -> Arg {
    let help = "The brokers to ask first, as HOST:PORT,HOST:PORT.";
    Arg::new(flags, Takes::One(Type::Text), "BOOTSTRAP_SERVER", help).of(BOOTSTRAP)
}

/// `--bootstrap-controller` (KIP-919)
pub const fn bootstrap_controller(flags: &'static [&'static str]) -> Arg {
    let help = "The controllers to ask first, as HOST:PORT,HOST:PORT.";
    Arg::new(flags, Takes::One(Type::Text), "BOOTSTRAP_CONTROLLER", help).of(BOOTSTRAP)
}

/// The two of them: they exclude each other, and in most tools one of them must be given.
pub const fn bootstrap_group(required: bool) -> Group {
    Group {
        name: BOOTSTRAP,
        title: "",
        about: "",
        required,
    }
}

/// `--command-config`
pub const fn command_config(flags: &'static [&'static str]) -> Arg {
    let help = "File of connection properties.";
    Arg::new(flags, Takes::One(Type::Text), "COMMAND_CONFIG", help)
}

/// Connects to the brokers or controllers that were given, with the properties of the file `config`.
///
/// # Errors
/// When nobody answers: Kafka's message for `call`, Java's name of the first request. Or a property cannot be used.
pub fn connect(given: &Parsed, config: Option<&str>, call: &str) -> Result<Wire, Ending> {
    connected(given, config, call).map_err(whole)
}

/// The same, for tools that do not print Java's exception whole.
///
/// # Errors
/// As [`connect`].
pub fn connected(given: &Parsed, config: Option<&str>, call: &str) -> Result<Wire, Unanswered> {
    let controllers = given.value("bootstrap-controller");
    let bootstrap = controllers
        .or(given.value("bootstrap-server"))
        .unwrap_or_default();
    let connection = admin_connection(bootstrap, config).map_err(Unanswered::of_unmade)?;
    opened(&connection, controllers.is_some(), call)
}

/// Connects as `connection` says.
///
/// # Errors
/// As [`connect`].
pub fn open(connection: &Connection, controllers: bool, call: &str) -> Result<Wire, Ending> {
    opened(connection, controllers, call).map_err(whole)
}

fn opened(connection: &Connection, controllers: bool, call: &str) -> Result<Wire, Unanswered> {
    let wire = if controllers {
        Wire::connect_to_controllers(connection)
    } else {
        Wire::connect(connection)
    };
    wire.map_err(|failure| Unanswered::of_failure(&failure, call))
}

fn whole(why: Unanswered) -> Ending {
    why.ending(|told| Ending::failure(&told.exception))
}

/// Java's words when no node answers a request.
pub fn timed_out(call: &str) -> String {
    format!("Timed out waiting for a node assignment. Call: {call}")
}

/// Java's words for what became of a request, without the exception's name.
pub fn message(error: &KafkaError, call: &str) -> String {
    if error.is_unreachable() {
        timed_out(call)
    } else {
        java_message(error)
    }
}

/// The ending of a tool whose request `call` was refused: Java's exception on stderr.
pub fn refused(call: &str) -> impl Fn(KafkaError) -> Ending {
    move |error| {
        if error.is_unreachable() {
            let timeout = "org.apache.kafka.common.errors.TimeoutException";
            Ending::failure(format!("{timeout}: {}", timed_out(call))).hint(error.to_string())
        } else {
            Ending::failure(java_exception(&error))
        }
    }
}

/// Prints a table as Kafka's newer tools do: columns as wide as their widest cell, each followed by a tab.
pub fn print_table<const N: usize>(headers: [&str; N], rows: &[[String; N]]) {
    let mut widths = headers.map(|header| header.chars().count());
    for row in rows {
        for (width, cell) in widths.iter_mut().zip(row) {
            *width = (*width).max(cell.chars().count());
        }
    }
    let print = |cells: &mut dyn Iterator<Item = &str>| {
        let padded = cells.zip(widths).map(|(cell, width)| format!("{cell:<width$}\t"));
        out(&padded.collect::<String>());
    };
    print(&mut headers.into_iter());
    for row in rows {
        print(&mut row.iter().map(String::as_str));
    }
}
