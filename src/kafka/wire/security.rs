//! How a connection is secured, from the client's properties. What cannot be carried here is refused by name.

use super::tls::Tls;
use crate::failure::{Failure, Outcome};
use std::collections::BTreeMap;

/// Properties about security that are carried, by librdkafka's names.
const CARRIED: &[&str] = &[
    "security.protocol",
    "sasl.mechanisms",
    "sasl.username",
    "sasl.password",
    "ssl.ca.location",
    "ssl.ca.pem",
    "ssl.certificate.location",
    "ssl.certificate.pem",
    "ssl.key.location",
    "ssl.key.pem",
    "ssl.endpoint.identification.algorithm",
];

/// Beginnings of the names of all properties that decide who talks to whom.
const ABOUT_SECURITY: &[&str] = &["security.", "sasl.", "ssl.", "enable.ssl", "enable.sasl"];

/// How a user proves who he is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Mechanism {
    /// The password itself is sent.
    Plain,
    /// `SCRAM-SHA-256`
    ScramSha256,
    /// `SCRAM-SHA-512`
    ScramSha512,
}

/// A user's name and password; never printed.
pub(super) struct Credentials {
    pub mechanism: Mechanism,
    pub user: String,
    pub password: String,
}

/// TLS and a user's name, where the properties ask for them.
pub(super) struct Security {
    tls: Option<Tls>,
    credentials: Option<Credentials>,
    client_id: String,
}

impl Mechanism {
    /// Its name in the protocol.
    pub fn name(self) -> &'static str {
        match self {
            Mechanism::Plain => "PLAIN",
            Mechanism::ScramSha256 => "SCRAM-SHA-256",
            Mechanism::ScramSha512 => "SCRAM-SHA-512",
        }
    }
}

impl Security {
    /// What `settings` ask for.
    ///
    /// # Errors
    /// When a property about security cannot be carried, or its file cannot be read.
    pub fn of(settings: &BTreeMap<String, String>) -> Outcome<Self> {
        let protocol = settings
            .get("security.protocol")
            .map_or("plaintext", String::as_str);
        for name in settings.keys() {
            let about_security = ABOUT_SECURITY.iter().any(|start| name.starts_with(start));
            // Without security nobody looks at them.
            if protocol != "plaintext" && about_security && !CARRIED.contains(&name.as_str()) {
                return Err(refused(name));
            }
        }
        let tls = match protocol {
            "ssl" | "sasl_ssl" => Some(Tls::of(settings)?),
            _ => None,
        };
        let credentials = match protocol {
            "sasl_plaintext" | "sasl_ssl" => Some(credentials(settings)?),
            _ => None,
        };
        Ok(Security {
            tls,
            credentials,
            client_id: settings.get("client.id").cloned().unwrap_or_default(),
        })
    }

    /// TLS, if the connection has it.
    pub fn tls(&self) -> Option<&Tls> {
        self.tls.as_ref()
    }

    /// The user, if the connection has one.
    pub fn credentials(&self) -> Option<&Credentials> {
        self.credentials.as_ref()
    }

    /// `client.id`
    pub fn client_id(&self) -> &str {
        &self.client_id
    }
}

fn refused(name: &str) -> Failure {
    Failure::usage(format!("the setting `{name}` cannot be used for this request"))
        .because("the request is one that librdkafka lacks, and our own connection for it does not know that setting")
        .hint("TLS with PEM files, SASL PLAIN, SCRAM-SHA-256 and SCRAM-SHA-512 are known")
}

fn credentials(settings: &BTreeMap<String, String>) -> Outcome<Credentials> {
    let mechanism = match settings.get("sasl.mechanisms").map(String::as_str) {
        Some("PLAIN") => Mechanism::Plain,
        Some("SCRAM-SHA-256") => Mechanism::ScramSha256,
        Some("SCRAM-SHA-512") => Mechanism::ScramSha512,
        _ => return Err(refused("sasl.mechanism")),
    };
    let given = |name: &str| {
        settings.get(name).cloned().ok_or_else(|| {
            Failure::usage(format!("`{name}` is missing"))
                .because(format!("{} wants a user's name and password", mechanism.name()))
        })
    };
    Ok(Credentials {
        mechanism,
        user: given("sasl.username")?,
        password: given("sasl.password")?,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(pairs: &[(&str, &str)]) -> Outcome<Security> {
        let settings = pairs
            .iter()
            .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
        Security::of(&settings.collect())
    }

    #[test]
    fn what_cannot_be_carried_is_refused_by_name() {
        let oauth = [
            ("security.protocol", "sasl_plaintext"),
            ("sasl.mechanisms", "OAUTHBEARER"),
        ];
        assert!(of(&oauth).err().unwrap().what().contains("sasl.mechanism"));
        let keystore = [
            ("security.protocol", "ssl"),
            ("ssl.keystore.location", "client.p12"),
        ];
        assert!(
            of(&keystore)
                .err()
                .unwrap()
                .what()
                .contains("ssl.keystore.location")
        );
        let nobody = [
            ("security.protocol", "sasl_plaintext"),
            ("sasl.mechanisms", "PLAIN"),
        ];
        assert!(of(&nobody).err().unwrap().what().contains("sasl.username"));
        assert!(of(&[("socket.timeout.ms", "5000")]).is_ok());
    }
}
