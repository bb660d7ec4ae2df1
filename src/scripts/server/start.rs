//! `kafka-server-start [-daemon] server.properties [--override property=value]*`

use super::node;
use super::running::Kind;
use super::settings;
use crate::scripts::options::{HELP, Options, VERSION, value};
use crate::scripts::{Ending, KAFKA_VERSION};

const USAGE: &str = "USAGE: kafka-server-start.sh [-daemon] server.properties [--override property=value]*";

const OPTIONS: Options = Options {
    about: USAGE,
    abbreviations: false,
    all: &[
        HELP,
        VERSION,
        value(
            &["override"],
            "String",
            "A setting that goes before the file's, as NAME=VALUE. May be repeated.",
        ),
    ],
};

/// Runs the script.
///
/// # Errors
/// Usage mistakes, and a node that cannot start; exit code 1.
pub fn run(arguments: &[String]) -> Result<u8, Ending> {
    let Some(first) = arguments.first() else {
        return Err(Ending::on_stdout(1, USAGE));
    };
    if first == "-daemon" {
        let rest = arguments.get(1..).unwrap_or_default();
        return node::in_background("kafka-server-start", Kind::Kafka, "kafkaServer.out", rest);
    }
    if arguments.iter().any(|argument| argument == "--version") {
        return Err(Ending::success(KAFKA_VERSION));
    }
    if first == "--help" {
        return Err(OPTIONS.misuse(USAGE));
    }
    let parsed = OPTIONS.parse(arguments.get(1..).unwrap_or_default())?;
    if !parsed.words.is_empty() {
        return Err(OPTIONS.misuse(format!(
            "Found non argument parameters: {}",
            parsed.words.join(",")
        )));
    }
    let mut remarks = Vec::new();
    let mut properties = settings::read(first, &mut remarks)?;
    for setting in parsed.values("override") {
        let (name, value) = setting
            .split_once('=')
            .ok_or_else(|| Ending::failure(format!("Invalid command line properties: {setting}")))?;
        properties.insert(name.trim().to_owned(), value.trim().to_owned());
    }
    node::serve(Kind::Kafka, settings::of_server(properties, remarks)?)
}
