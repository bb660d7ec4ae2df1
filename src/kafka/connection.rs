//! How to reach a cluster: bootstrap servers and connection properties.

use super::{Admin, probe, properties};
use crate::failure::{Failure, Outcome};
use rdkafka::ClientConfig;
use std::collections::BTreeMap;
use std::fmt;
use std::path::Path;

pub(super) use properties::is_secret;

/// How a user can prove who he is.
const MECHANISMS: [&str; 4] = ["PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512", "OAUTHBEARER"];

/// Bootstrap servers and connection properties, by librdkafka's names.
#[derive(Clone, PartialEq, Eq)]
pub struct Connection {
    bootstrap: String,
    properties: BTreeMap<String, String>,
    /// A `max.request.size` that is too small for librdkafka, in bytes.
    request_limit: Option<usize>,
    /// Why there are no servers.
    nowhere: Option<Failure>,
}

impl Connection {
    /// Where a classroom cluster listens.
    pub const DEFAULT_BOOTSTRAP: &'static str = "localhost:9092";

    /// A connection to `bootstrap`, with the properties of a `--command-config` file; its `bootstrap.servers` give way.
    ///
    /// # Errors
    /// When the servers are not of the form `HOST:PORT,…`, or the file cannot be used.
    pub fn new(bootstrap: &str, command_config: Option<&Path>) -> Outcome<Self> {
        let mut properties = command_config
            .map(properties::read)
            .transpose()?
            .unwrap_or_default();
        properties.remove("bootstrap.servers");
        let request_limit = take_request_limit(&mut properties);
        let connection = Connection {
            bootstrap: bootstrap.to_owned(),
            properties,
            request_limit,
            nowhere: None,
        };
        connection.servers()?;
        connection.check_security()?;
        connection.check_names()?;
        Ok(connection)
    }

    /// The `bootstrap.servers` of a `--command-config` file, if it has any.
    ///
    /// # Errors
    /// When the file cannot be used.
    pub fn servers_in(command_config: &Path) -> Outcome<Option<String>> {
        Ok(properties::read(command_config)?.remove("bootstrap.servers"))
    }

    /// No connection, and why: whoever asks for its servers is told.
    pub fn nowhere(why: Failure) -> Self {
        Connection {
            bootstrap: String::new(),
            properties: BTreeMap::new(),
            request_limit: None,
            nowhere: Some(why),
        }
    }

    /// A connection to `bootstrap` with a Java client's properties, and the names among them that no librdkafka client
    /// knows: a Java client does no more than name those either.
    ///
    /// # Errors
    /// When the servers are not of the form `HOST:PORT,…`, or a known property's value cannot be used.
    pub fn of_java_client(bootstrap: &str, given: BTreeMap<String, String>) -> Outcome<(Self, Vec<String>)> {
        let mut given = properties::to_librdkafka(given)?;
        let request_limit = take_request_limit(&mut given);
        let (properties, unknown) = given
            .into_iter()
            .partition::<BTreeMap<_, _>, _>(|(name, value)| is_known(name, value));
        let connection = Connection {
            bootstrap: bootstrap.to_owned(),
            properties,
            request_limit,
            nowhere: None,
        };
        connection.servers()?;
        connection.check_security()?;
        connection.check_names()?;
        Ok((connection, unknown.into_keys().collect()))
    }

    /// `HOST:PORT,…` as given.
    pub fn bootstrap(&self) -> &str {
        &self.bootstrap
    }

    /// The `max.request.size` that was given, in bytes, where librdkafka's is not it.
    pub(super) fn request_limit(&self) -> Option<usize> {
        self.request_limit
    }

    /// A librdkafka configuration to build any client from.
    pub fn client_config(&self) -> ClientConfig {
        let mut config = ClientConfig::new();
        for (name, value) in self.settings() {
            config.set(name, value);
        }
        config
    }

    /// All settings of a client, passwords in the clear: `ClientConfig` gives its own back only without them.
    pub(super) fn settings(&self) -> BTreeMap<String, String> {
        let ours = [
            ("bootstrap.servers", self.bootstrap.as_str()),
            ("client.id", "velo"),
            ("log.connection.close", "false"),
            // Back soon after a broker is; a second connection to the same broker also waits for the first of these.
            ("reconnect.backoff.ms", "10"),
            ("reconnect.backoff.max.ms", "500"),
        ];
        let mut settings: BTreeMap<String, String> = ours
            .into_iter()
            .map(|(name, value)| (name.to_owned(), value.to_owned()))
            .collect();
        if tracing::enabled!(target: "librdkafka", tracing::Level::TRACE) {
            settings.insert(
                "debug".to_owned(),
                "broker,topic,metadata,cgrp,admin,msg".to_owned(),
            );
        }
        settings.extend(self.properties.clone());
        settings
    }

    /// Makes sure that a Kafka broker answers, within a few seconds and at once when every connection is refused.
    /// Commands that build a client from [`Connection::client_config`] call this first, since librdkafka itself
    /// goes on trying for ever. Over a secured connection, makes sure as well that the user is let in.
    ///
    /// # Errors
    /// Unreachable, with what answers instead, if anything; denied when the user is refused or the cluster not trusted.
    pub fn reach(&self) -> Outcome {
        if self.is_plaintext() {
            probe::reach(self, probe::Endpoint::Brokers)
        } else {
            Admin::connect(self).map(drop)
        }
    }

    /// The bootstrap servers, as host and port.
    ///
    /// # Errors
    /// When none is named, or one is not of the form `HOST:PORT`.
    pub fn servers(&self) -> Outcome<Vec<(String, u16)>> {
        if let Some(why) = &self.nowhere {
            return Err(why.clone());
        }
        let servers: Vec<&str> = self
            .bootstrap
            .split(',')
            .map(str::trim)
            .filter(|server| !server.is_empty())
            .collect();
        if servers.is_empty() {
            return Err(Failure::usage("no bootstrap server is named")
                .hint("--bootstrap-server takes HOST:PORT, for example localhost:9092"));
        }
        servers.into_iter().map(host_and_port).collect()
    }

    /// Whether the first bytes on the wire are TLS.
    pub fn is_tls(&self) -> bool {
        matches!(self.security_protocol(), "ssl" | "sasl_ssl")
    }

    /// Whether neither TLS nor a user's name is asked for.
    pub fn is_plaintext(&self) -> bool {
        self.security_protocol() == "plaintext"
    }

    fn security_protocol(&self) -> &str {
        self.properties
            .get("security.protocol")
            .map_or("plaintext", String::as_str)
    }

    fn check_security(&self) -> Outcome {
        let mechanism = self
            .properties
            .get("sasl.mechanisms")
            .map_or("GSSAPI", String::as_str);
        let sasl = self.security_protocol().starts_with("sasl");
        if sasl && mechanism == "GSSAPI" {
            return Err(Failure::usage("Kerberos (GSSAPI) is not supported")
                .because("`sasl.mechanism` is GSSAPI, which is also what it is when the file does not say")
                .hint(format!(
                    "sasl.mechanism={} in the settings file",
                    MECHANISMS.join(", ")
                )));
        }
        if sasl && !MECHANISMS.contains(&mechanism) {
            return Err(
                Failure::usage(format!("the `sasl.mechanism` `{mechanism}` is not known"))
                    .because("its letters count, small or capital")
                    .hint(format!("sasl.mechanism={}", MECHANISMS.join(", "))),
            );
        }
        if sasl && mechanism != "OAUTHBEARER" && !self.properties.contains_key("sasl.username") {
            return Err(Failure::usage("no user is named to log in with")
                .because(format!("`security.protocol` asks for a login by {mechanism}"))
                .hint(
                    "sasl.jaas.config=org.apache.kafka.common.security.plain.PlainLoginModule required \
                     username=\"NAME\" password=\"PASSWORD\"; in the settings file (ScramLoginModule for SCRAM)",
                ));
        }
        if !cfg!(feature = "tls") && (self.is_tls() || (sasl && mechanism != "PLAIN")) {
            let wanted = if self.is_tls() { "TLS" } else { mechanism };
            return Err(Failure::usage(format!("this velo was built without {wanted}"))
                .because("encryption is left out of the build that needs no more than Rust and a C compiler")
                .hint(
                    "cargo install --path . --features tls    (in the folder of velo's source; needs perl)",
                ));
        }
        Ok(())
    }

    /// Has librdkafka look at every name and value, so that a slip is told before anything is tried.
    fn check_names(&self) -> Outcome {
        for (name, value) in &self.properties {
            let mut config = ClientConfig::new();
            config.set(name, value);
            let Err(error) = config.create_native_config() else {
                continue;
            };
            let why = match error {
                _ if is_secret(name) => "its value is refused".to_owned(),
                rdkafka::error::KafkaError::ClientConfig(_, words, _, _) => words,
                other => other.to_string(),
            };
            return Err(Failure::usage(format!("the setting `{name}` cannot be used"))
                .because(format!(
                    "{why}; neither Java's name for it nor librdkafka's is known here"
                ))
                .hint("correct or remove that line of the --command-config file"));
        }
        Ok(())
    }
}

/// Whether librdkafka has a property of that name.
fn is_known(name: &str, value: &str) -> bool {
    use rdkafka::error::KafkaError;
    use rdkafka::types::RDKafkaConfRes;
    let mut config = ClientConfig::new();
    config.set(name, value);
    !matches!(
        config.create_native_config(),
        Err(KafkaError::ClientConfig(
            RDKafkaConfRes::RD_KAFKA_CONF_UNKNOWN,
            ..
        ))
    )
}

impl fmt::Debug for Connection {
    /// Without the values of secrets.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let shown = self
            .properties
            .iter()
            .map(|(name, value)| (name, if is_secret(name) { "[hidden]" } else { value }));
        f.debug_struct("Connection")
            .field("bootstrap", &self.bootstrap)
            .field("properties", &shown.collect::<BTreeMap<_, _>>())
            .finish()
    }
}

/// Takes a `max.request.size` out of the properties that is less than librdkafka's least, and puts that in its place.
fn take_request_limit(properties: &mut BTreeMap<String, String>) -> Option<usize> {
    const LEAST: usize = 1000;
    let given = properties.get_mut("message.max.bytes")?;
    let limit = given.parse().ok().filter(|limit| *limit < LEAST)?;
    *given = LEAST.to_string();
    Some(limit)
}

fn host_and_port(server: &str) -> Outcome<(String, u16)> {
    let wrong = || {
        Failure::usage(format!("`{server}` is no bootstrap server"))
            .because("a server is HOST:PORT, several are separated by commas")
            .hint("--bootstrap-server localhost:9092")
    };
    let address = server.split_once("://").map_or(server, |(_, address)| address);
    let (host, port) = match address.rsplit_once(':') {
        // More colons and no brackets: an IPv6 address alone.
        Some((host, _)) if host.contains(':') && !host.ends_with(']') => (address, "9092"),
        Some((host, port)) => (host, port),
        None => (address, "9092"),
    };
    let host = host.trim_start_matches('[').trim_end_matches(']');
    let port: u16 = port.parse().map_err(|_| wrong())?;
    if host.is_empty() || port == 0 {
        return Err(wrong());
    }
    Ok((host.to_owned(), port))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn servers_are_hosts_with_ports() {
        let connection = Connection::new("localhost:9092, [::1]:9093,broker", None).unwrap();
        let expected = [("localhost", 9092), ("::1", 9093), ("broker", 9092)];
        assert_eq!(
            connection.servers().unwrap(),
            expected.map(|(host, port)| (host.to_owned(), port))
        );
        for wrong in ["localhost:abc", ":9092", "localhost:99999", ",", "localhost:"] {
            let failure = Connection::new(wrong, None).unwrap_err();
            assert_eq!(failure.kind().exit_code(), 2, "{wrong}");
        }
    }

    #[test]
    fn passwords_are_never_shown() {
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(
            file.path(),
            "security.protocol=SASL_PLAINTEXT\nsasl.mechanism=PLAIN\nsasl.username=u\nsasl.password=hunter2\n",
        )
        .unwrap();
        let connection = Connection::new("localhost:9092", Some(file.path())).unwrap();
        assert!(!format!("{connection:?}").contains("hunter2"));
        assert_eq!(connection.settings()["sasl.password"], "hunter2");
    }

    #[test]
    fn a_setting_nobody_knows_is_named() {
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(file.path(), "key.serializer=org.apache.kafka.StringSerializer\n").unwrap();
        let failure = Connection::new("localhost:9092", Some(file.path())).unwrap_err();
        assert!(failure.to_string().contains("key.serializer"), "{failure}");
    }
}
