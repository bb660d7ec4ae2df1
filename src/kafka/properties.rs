//! Client property files: Java's format, Java's or librdkafka's names.

use crate::failure::{Failure, Outcome};
use std::collections::BTreeMap;
use std::path::Path;

/// Java names whose values librdkafka takes under another name.
const RENAMED: &[(&str, &str)] = &[
    ("request.timeout.ms", "socket.timeout.ms"),
    ("send.buffer.bytes", "socket.send.buffer.bytes"),
    ("receive.buffer.bytes", "socket.receive.buffer.bytes"),
    ("ssl.truststore.certificates", "ssl.ca.pem"),
    ("ssl.keystore.certificate.chain", "ssl.certificate.pem"),
    ("ssl.keystore.key", "ssl.key.pem"),
    ("max.partition.fetch.bytes", "fetch.message.max.bytes"),
    ("fetch.max.wait.ms", "fetch.wait.max.ms"),
    ("sasl.mechanism", "sasl.mechanisms"),
    ("max.request.size", "message.max.bytes"),
    ("buffer.memory", "queue.buffering.max.kbytes"),
];

/// Whether a property's value must never be shown.
pub(super) fn is_secret(name: &str) -> bool {
    [
        "password",
        "secret",
        "jaas",
        "ssl.key.pem",
        "keystore.key",
        "token",
    ]
    .iter()
    .any(|word| name.contains(word))
}

/// Reads a property file and answers its settings by librdkafka's names.
///
/// # Errors
/// When the file cannot be read, or has a setting that librdkafka has no equal for.
pub(super) fn read(path: &Path) -> Outcome<BTreeMap<String, String>> {
    let text = std::fs::read_to_string(path).map_err(|error| {
        Failure::usage(format!("cannot read the settings file {}", path.display()))
            .because(error)
            .hint("--command-config takes the path of a property file")
    })?;
    to_librdkafka(parse(&text))
        .map_err(|failure| failure.hint(format!("correct or remove that line of {}", path.display())))
}

/// Splits a text in Java's property format: `name=value`, `name: value`, comments with `#` or `!`, and lines that end
/// in a backslash go on in the next.
pub fn parse(text: &str) -> BTreeMap<String, String> {
    let mut settings = BTreeMap::new();
    let mut lines = text.lines();
    while let Some(line) = lines.next() {
        let mut line = line.trim_start().to_owned();
        if line.is_empty() || line.starts_with(['#', '!']) {
            continue;
        }
        while line.ends_with('\\') && !line.ends_with("\\\\") {
            line.pop();
            line.push_str(lines.next().unwrap_or_default().trim_start());
        }
        let end = line.find(['=', ':']).unwrap_or(line.len());
        let (name, value) = line.split_at(end);
        let value = value.strip_prefix(['=', ':']).unwrap_or(value);
        settings.insert(name.trim().to_owned(), value.trim().replace("\\\\", "\\"));
    }
    settings
}

/// Turns Java's names and values into librdkafka's; librdkafka's own pass as they are.
pub(super) fn to_librdkafka(mut given: BTreeMap<String, String>) -> Outcome<BTreeMap<String, String>> {
    let mut settings = BTreeMap::new();
    if let Some(jaas) = given.remove("sasl.jaas.config") {
        settings.extend(credentials(&jaas)?);
    }
    trust_store(&mut given, &mut settings)?;
    key_store(&mut given, &mut settings)?;
    for (name, value) in given {
        let value = match name.as_str() {
            "security.protocol" => value.to_lowercase(),
            "ssl.endpoint.identification.algorithm" if value.is_empty() => "none".to_owned(),
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

/// User and password of a `sasl.jaas.config` line for PLAIN or SCRAM.
fn credentials(jaas: &str) -> Outcome<[(String, String); 2]> {
    let module = jaas.split_whitespace().next().unwrap_or_default();
    if !(module.ends_with("PlainLoginModule") || module.ends_with("ScramLoginModule")) {
        return Err(Failure::usage("this `sasl.jaas.config` cannot be used")
            .because("only PlainLoginModule and ScramLoginModule have an equal outside Java"));
    }
    let option = |name: &str| {
        jaas_option(jaas, name).ok_or_else(|| {
            Failure::usage("this `sasl.jaas.config` cannot be used")
                .because(format!("it has no {name}=\"…\""))
        })
    };
    Ok([
        ("sasl.username".to_owned(), option("username")?),
        ("sasl.password".to_owned(), option("password")?),
    ])
}

/// The value of `name="…"` in a JAAS line, where a backslash quotes the next character.
fn jaas_option(jaas: &str, name: &str) -> Option<String> {
    let mut rest = jaas;
    loop {
        let at = rest.find(name)?;
        let starts_a_word = rest[..at].chars().last().is_none_or(char::is_whitespace);
        rest = &rest[at + name.len()..];
        let Some(value) = rest.trim_start().strip_prefix('=').map(str::trim_start) else {
            continue;
        };
        if !starts_a_word {
            continue;
        }
        return match value.strip_prefix('"') {
            Some(quoted) => unquote(quoted),
            None => Some(value.split([' ', ';']).next().unwrap_or_default().to_owned()),
        };
    }
}

fn unquote(quoted: &str) -> Option<String> {
    let mut value = String::new();
    let mut characters = quoted.chars();
    while let Some(character) = characters.next() {
        match character {
            '"' => return Some(value),
            '\\' => value.extend(characters.next()),
            _ => value.push(character),
        }
    }
    None
}

/// Whether a Java store is PEM: by its type, or by its file's name when no type is given.
fn is_pem(location: &str, kind: Option<&str>) -> bool {
    let extension = Path::new(location).extension().and_then(|text| text.to_str());
    match kind {
        Some(kind) => kind.eq_ignore_ascii_case("PEM"),
        None => matches!(extension, Some("pem" | "crt" | "cer")),
    }
}

fn trust_store(given: &mut BTreeMap<String, String>, settings: &mut BTreeMap<String, String>) -> Outcome {
    let kind = given.remove("ssl.truststore.type");
    let password = given.remove("ssl.truststore.password");
    let Some(location) = given.remove("ssl.truststore.location") else {
        return Ok(());
    };
    if !is_pem(&location, kind.as_deref()) || password.is_some() {
        return Err(Failure::usage("this `ssl.truststore.location` cannot be used")
            .because("only PEM files can be read outside Java, and they have no password")
            .hint(format!(
                "keytool -exportcert -rfc -keystore {location} -alias CA -file ca.pem, then ssl.truststore.location=ca.pem"
            )));
    }
    settings.insert("ssl.ca.location".to_owned(), location);
    Ok(())
}

fn key_store(given: &mut BTreeMap<String, String>, settings: &mut BTreeMap<String, String>) -> Outcome {
    let kind = given.remove("ssl.keystore.type");
    let Some(location) = given.remove("ssl.keystore.location") else {
        return Ok(());
    };
    if is_pem(&location, kind.as_deref()) {
        settings.insert("ssl.certificate.location".to_owned(), location.clone());
        settings.insert("ssl.key.location".to_owned(), location);
    } else if kind.is_some_and(|kind| kind.eq_ignore_ascii_case("PKCS12"))
        || location.ends_with(".p12")
        || location.ends_with(".pfx")
    {
        settings.insert("ssl.keystore.location".to_owned(), location);
    } else {
        return Err(Failure::usage("this `ssl.keystore.location` cannot be used")
            .because("a JKS file can be read by Java alone")
            .hint(format!(
                "keytool -importkeystore -srckeystore {location} -destkeystore client.p12 -deststoretype PKCS12, \
                 then ssl.keystore.location=client.p12"
            )));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn translated(text: &str) -> Outcome<BTreeMap<String, String>> {
        to_librdkafka(parse(text))
    }

    #[test]
    fn a_secured_cluster_s_java_file_is_understood() {
        let settings = translated(
            "# comment\nsecurity.protocol=SASL_SSL\nsasl.mechanism = SCRAM-SHA-512\n\
             sasl.jaas.config=org.apache.kafka.common.security.scram.ScramLoginModule required \\\n  \
             username=\"alice\" password=\"a\\\"b=c\";\nssl.truststore.location=/etc/ca.pem\n\
             ssl.endpoint.identification.algorithm=\nrequest.timeout.ms: 5000\n",
        )
        .unwrap();
        let expected = [
            ("sasl.mechanisms", "SCRAM-SHA-512"),
            ("sasl.password", "a\"b=c"),
            ("sasl.username", "alice"),
            ("security.protocol", "sasl_ssl"),
            ("socket.timeout.ms", "5000"),
            ("ssl.ca.location", "/etc/ca.pem"),
            ("ssl.endpoint.identification.algorithm", "none"),
        ];
        assert_eq!(
            settings,
            expected
                .iter()
                .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
                .collect()
        );
    }

    #[test]
    fn what_java_alone_can_read_is_refused_with_a_way_out() {
        let failure = translated("ssl.truststore.location=/etc/trust.jks\nssl.truststore.password=hunter2")
            .unwrap_err();
        assert!(failure.to_string().contains("keytool"), "{failure}");
        assert!(!failure.to_string().contains("hunter2"), "{failure}");
        let failure = translated("sasl.jaas.config=com.sun.security.auth.module.Krb5LoginModule required;")
            .unwrap_err();
        assert!(failure.to_string().contains("PlainLoginModule"), "{failure}");
    }
}
