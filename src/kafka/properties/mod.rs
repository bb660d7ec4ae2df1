//! Client property files: Java's format, Java's or librdkafka's names.

mod jaas;
#[cfg(feature = "tls")]
mod jks;
#[cfg(feature = "tls")]
mod keys;
mod login;
#[cfg(feature = "tls")]
mod pem;
mod providers;
#[cfg(feature = "tls")]
mod stores;
mod text;

pub use text::parse;

pub(in crate::kafka) use jaas::wrong as jaas_mistake;

use crate::bom;
use crate::failure::{Failure, Outcome};
use std::collections::BTreeMap;
use std::path::Path;

/// Java names whose values librdkafka takes under another name.
const RENAMED: &[(&str, &str)] = &[
    ("request.timeout.ms", "socket.timeout.ms"),
    ("send.buffer.bytes", "socket.send.buffer.bytes"),
    ("receive.buffer.bytes", "socket.receive.buffer.bytes"),
    ("max.partition.fetch.bytes", "fetch.message.max.bytes"),
    ("fetch.max.wait.ms", "fetch.wait.max.ms"),
    ("max.request.size", "message.max.bytes"),
    ("buffer.memory", "queue.buffering.max.kbytes"),
];

/// Whether a property's value must never be shown.
pub(super) fn is_secret(name: &str) -> bool {
    [
        "password",
        "secret",
        "jaas",
        "key.pem",
        "keystore.key",
        "token",
        "oauthbearer.config",
    ]
    .iter()
    .any(|word| name.contains(word))
}

/// Reads a property file and answers its settings by librdkafka's names.
///
/// # Errors
/// When the file cannot be read, or has a setting that librdkafka has no equal for.
pub(super) fn read(path: &Path) -> Outcome<BTreeMap<String, String>> {
    let text = bom::read_to_string(path).map_err(|error| {
        Failure::usage(format!("cannot read the settings file {}", path.display()))
            .because(error)
            .hint("--command-config takes the path of a property file")
    })?;
    to_librdkafka(parse(&text))
        .map_err(|failure| failure.hint(format!("correct or remove that line of {}", path.display())))
}

/// Turns Java's names and values into librdkafka's; librdkafka's own pass as they are.
pub(super) fn to_librdkafka(mut given: BTreeMap<String, String>) -> Outcome<BTreeMap<String, String>> {
    providers::resolve(&mut given)?;
    for (name, value) in &mut given {
        if value.contains('\0') {
            return Err(Failure::usage(format!("the setting `{name}` cannot be used"))
                .because("it has a character NUL in it"));
        }
        // A password may end in a blank.
        if !is_secret(name) && value.trim().len() < value.len() {
            *value = value.trim().to_owned();
        }
    }
    let protocol = given
        .get("security.protocol")
        .map(|value| value.to_lowercase())
        .unwrap_or_default();
    let mut settings = BTreeMap::new();
    login::translate(&mut given, &mut settings, protocol.starts_with("sasl_"))?;
    #[cfg(feature = "tls")]
    stores::translate(&mut given, &mut settings, protocol.ends_with("ssl"))?;
    // TLS as a whole is refused later, by its name.
    #[cfg(not(feature = "tls"))]
    given.retain(|name, _| !name.starts_with("ssl.") && name != "enable.ssl.certificate.verification");
    for (name, value) in given {
        let value = match name.as_str() {
            "security.protocol" => value.to_lowercase(),
            // The system's own size.
            "send.buffer.bytes" | "receive.buffer.bytes" if value == "-1" => "0".to_owned(),
            "buffer.memory" => kibibytes(value),
            _ => value,
        };
        let renamed = RENAMED.iter().find(|(java, _)| *java == name);
        settings.insert(renamed.map_or(name, |(_, ours)| (*ours).to_owned()), value);
    }
    Ok(settings)
}

/// A number of bytes in KiB, at least 1; what is no number stays, to be refused by its name.
fn kibibytes(bytes: String) -> String {
    match bytes.parse::<u64>() {
        Ok(bytes) => (bytes / 1024).max(1).to_string(),
        Err(_) => bytes,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secured_cluster_s_java_file_is_understood() {
        let settings = to_librdkafka(parse(
            "# comment\nsecurity.protocol=SASL_PLAINTEXT\nsasl.mechanism = SCRAM-SHA-512 \n\
             sasl.jaas.config=org.apache.kafka.common.security.scram.ScramLoginModule required \\\n  \
             username=\"alice\" password=\"a\\\\\"b=c \";\nrequest.timeout.ms: 5000\n\
             ssl.truststore.location=/not/looked/at\n",
        ))
        .unwrap();
        let expected = [
            ("sasl.mechanisms", "SCRAM-SHA-512"),
            ("sasl.password", "a\"b=c "),
            ("sasl.username", "alice"),
            ("security.protocol", "sasl_plaintext"),
            ("socket.timeout.ms", "5000"),
        ];
        let found: Vec<_> = settings
            .iter()
            .map(|(name, value)| (name.as_str(), value.as_str()))
            .collect();
        assert_eq!(found, expected);
    }
}
