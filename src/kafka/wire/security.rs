//! How a connection is secured, from the client's properties. What cannot be carried here is refused by name.

use super::channel::Stream;
#[cfg(feature = "tls")]
use super::tls::Tls;
use crate::failure::{Failure, Outcome};
use crate::kafka::errors::Answer;
use std::collections::BTreeMap;
use std::net::TcpStream;

/// Properties about security that are carried, by librdkafka's names; `properties` makes these of all others.
const CARRIED: &[&str] = &[
    "enable.ssl.certificate.verification",
    "sasl.mechanisms",
    "sasl.oauthbearer.config",
    "sasl.password",
    "sasl.username",
    "security.protocol",
    "ssl.ca.location",
    "ssl.ca.pem",
    "ssl.certificate.pem",
    "ssl.cipher.suites",
    "ssl.crl.location",
    "ssl.curves.list",
    "ssl.endpoint.identification.algorithm",
    "ssl.key.pem",
    "ssl.sigalgs.list",
];

/// Beginnings of the names of all properties that decide who talks to whom.
const ABOUT_SECURITY: &[&str] = &["security.", "sasl.", "ssl.", "enable.ssl", "enable.sasl"];
/// Beginning of those that only Kerberos looks at.
const OF_KERBEROS: &str = "sasl.kerberos.";

/// How a user proves who he is. It holds secrets: no `Debug`.
pub(super) enum Login {
    /// The password itself is sent.
    Plain(Credentials),
    /// The password is proven to be known.
    ScramSha256(Credentials),
    /// The same, by the longer hash.
    ScramSha512(Credentials),
    /// A token, from where this `sasl.oauthbearer.config` says.
    OAuthBearer(String),
}

/// A user's name and password; never printed.
pub(super) struct Credentials {
    pub user: String,
    pub password: String,
}

/// TLS and a user's name, where the properties ask for them.
pub(super) struct Security {
    is_plaintext: bool,
    #[cfg(feature = "tls")]
    tls: Option<Tls>,
    login: Option<Login>,
    client_id: String,
}

impl Login {
    /// The mechanism's name in the protocol.
    pub fn mechanism(&self) -> &'static str {
        match self {
            Login::Plain(_) => "PLAIN",
            Login::ScramSha256(_) => "SCRAM-SHA-256",
            Login::ScramSha512(_) => "SCRAM-SHA-512",
            Login::OAuthBearer(_) => "OAUTHBEARER",
        }
    }

    fn of(settings: &BTreeMap<String, String>) -> Outcome<Self> {
        let given = |name: &str| {
            let value = settings.get(name).cloned();
            value.ok_or_else(|| Failure::usage(format!("`{name}` is missing")))
        };
        let credentials = || {
            Ok(Credentials {
                user: given("sasl.username")?,
                password: given("sasl.password")?,
            })
        };
        Ok(match settings.get("sasl.mechanisms").map(String::as_str) {
            Some("PLAIN") => Login::Plain(credentials()?),
            Some("SCRAM-SHA-256") => Login::ScramSha256(credentials()?),
            Some("SCRAM-SHA-512") => Login::ScramSha512(credentials()?),
            Some("OAUTHBEARER") => Login::OAuthBearer(given("sasl.oauthbearer.config")?),
            _ => return Err(refused("sasl.mechanism")),
        })
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
            if protocol != "plaintext"
                && about_security
                && !name.starts_with(OF_KERBEROS)
                && !CARRIED.contains(&name.as_str())
            {
                return Err(refused(name));
            }
        }
        Ok(Security {
            is_plaintext: protocol == "plaintext",
            #[cfg(feature = "tls")]
            tls: match protocol {
                "ssl" | "sasl_ssl" => Some(Tls::of(settings)?),
                _ => None,
            },
            login: match protocol {
                "sasl_plaintext" | "sasl_ssl" => Some(Login::of(settings)?),
                _ => None,
            },
            client_id: settings.get("client.id").cloned().unwrap_or_default(),
        })
    }

    /// Whether neither TLS nor a user's name is asked for.
    pub fn is_plaintext(&self) -> bool {
        self.is_plaintext
    }

    /// The same socket, spoken to by TLS if the connection has it. A build without never gets so far as to miss it.
    #[cfg_attr(not(feature = "tls"), allow(unused_variables))]
    pub fn secured(&self, host: &str, socket: TcpStream) -> Answer<Box<dyn Stream>> {
        #[cfg(feature = "tls")]
        if let Some(tls) = &self.tls {
            return Ok(Box::new(tls.wrap(host, socket)?));
        }
        Ok(Box::new(socket))
    }

    /// The user, if the connection has one.
    pub fn login(&self) -> Option<&Login> {
        self.login.as_ref()
    }

    /// `client.id`
    pub fn client_id(&self) -> &str {
        &self.client_id
    }
}

fn refused(name: &str) -> Failure {
    Failure::usage(format!("the setting `{name}` cannot be used for this request")).because(
        "the request is one that librdkafka lacks, and our own connection for it does not know that setting",
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_cannot_be_carried_is_refused_by_name() {
        let refused = |protocol: &str, name: &str, value: &str| {
            let pairs = [("security.protocol", protocol), (name, value)];
            let settings = pairs.map(|(name, value)| (name.to_owned(), value.to_owned()));
            Security::of(&settings.into())
                .err()
                .map(|failure| failure.what().to_owned())
        };
        for (protocol, name, value, told) in [
            (
                "ssl",
                "ssl.engine.location",
                "/lib/engine.so",
                "ssl.engine.location",
            ),
            ("sasl_plaintext", "sasl.mechanisms", "GSSAPI", "sasl.mechanism"),
            ("sasl_plaintext", "sasl.mechanisms", "PLAIN", "sasl.username"),
            (
                "sasl_plaintext",
                "sasl.mechanisms",
                "OAUTHBEARER",
                "sasl.oauthbearer.config",
            ),
        ] {
            assert!(refused(protocol, name, value).unwrap().contains(told), "{name}");
        }
        assert_eq!(
            refused("plaintext", "ssl.engine.location", "/lib/engine.so"),
            None
        );
    }
}
