//! The first contact over a secured connection. librdkafka goes on trying when a password is refused or a certificate is
//! not trusted, as if the cluster were away for a moment; a user wants to know at once.

use super::Connection;
use super::errors::{ErrorCode, KafkaError};
use super::ffi::{self, Ask, Client, Refusal};
use crate::failure::{Failure, Kind, Outcome};
use std::time::{Duration, Instant};

/// How long the first answer may take, handshakes included.
const PATIENCE: Duration = Duration::from_secs(10);
/// How often to look whether somebody was refused.
const GLANCE: Duration = Duration::from_millis(50);
/// With several bootstrap servers, how long the others may take once one has refused.
const OTHERS: Duration = Duration::from_secs(1);

/// Waits until a broker has let this user in.
///
/// # Errors
/// Denied as soon as the user is refused or the cluster not trusted; unreachable when nothing comes.
pub(super) fn greet(connection: &Connection, client: &Client) -> Outcome {
    let begun = Instant::now();
    let grace = if connection.servers()?.len() > 1 {
        OTHERS
    } else {
        Duration::ZERO
    };
    let mut refused: Option<Instant> = None;
    loop {
        let Err(error) = client.metadata(Ask::within(GLANCE)) else {
            return Ok(());
        };
        if !error.is_unreachable() {
            return Err(error.into_failure(format!("cannot log in on {}", connection.bootstrap())));
        }
        if let Some(failure) = denial(connection, client)
            && refused.get_or_insert_with(Instant::now).elapsed() >= grace
        {
            return Err(failure);
        }
        if begun.elapsed() > PATIENCE {
            return Err(silence(connection, client, &error));
        }
    }
}

/// Why this user will not be let in, if the last failure tells.
pub(super) fn denial(connection: &Connection, client: &Client) -> Option<Failure> {
    let last = client
        .last_failure()
        .map(|line| ffi::without_prefixes(&line))
        .unwrap_or_default();
    let bootstrap = connection.bootstrap();
    match client.refusal() {
        #[cfg(feature = "tls")]
        Some(Refusal::Certificate(why)) => {
            return Some(distrusted(bootstrap, &format!("{HANDSHAKE}: {why}")));
        }
        Some(Refusal::Token(why)) => return Some(denied(bootstrap, &why)),
        None => {}
    }
    if let Some(why) = last.strip_prefix("SASL authentication error: ") {
        return Some(denied(bootstrap, why));
    }
    if last.to_lowercase().contains("authentication") {
        return Some(denied(bootstrap, &last));
    }
    // A client without the certificate that it needs is often told so after its handshake.
    if [
        "alert bad certificate",
        "alert certificate required",
        "alert unknown ca",
    ]
    .iter()
    .any(|words| last.contains(words))
    {
        let why =
            format!("{HANDSHAKE}: the cluster wants a certificate of this client, and one that it trusts");
        return Some(Failure::new(Kind::Denied, format!("{bootstrap} does not let this client in")).because(why).hint(
            "ssl.keystore.location=client.p12 and ssl.keystore.password=… in the --command-config file",
        ));
    }
    last.strip_prefix(HANDSHAKE)
        .and_then(|why| handshake(bootstrap, why))
}

/// What librdkafka's line and Java's exception begin with.
const HANDSHAKE: &str = "SSL handshake failed";

/// What OpenSSL says of a peer that speaks no TLS, or is not to be trusted.
fn handshake(bootstrap: &str, why: &str) -> Option<Failure> {
    if [
        "wrong version number",
        "packet length too long",
        "PLAINTEXT broker listener",
    ]
    .iter()
    .any(|words| why.contains(words))
    {
        return Some(
            Failure::new(Kind::Denied, format!("{bootstrap} does not speak TLS"))
                .because(format!(
                    "{HANDSHAKE}: what answers there speaks plain text, or hangs up"
                ))
                .hint("security.protocol=PLAINTEXT or SASL_PLAINTEXT in the --command-config file"),
        );
    }
    why.contains("certificate verify failed").then(|| {
        distrusted(
            bootstrap,
            &format!("{HANDSHAKE}: the broker's certificate is not trusted"),
        )
    })
}

fn denied(bootstrap: &str, why: &str) -> Failure {
    KafkaError::new(ErrorCode::Authentication, why)
        .into_failure(format!("{bootstrap} does not let this user in"))
}

fn distrusted(bootstrap: &str, why: &str) -> Failure {
    let failure = Failure::new(Kind::Denied, format!("{bootstrap} is not trusted")).because(why);
    if why.contains("other names") {
        return failure.hint(
            "--bootstrap-server with one of those names, or ssl.endpoint.identification.algorithm= (empty: any name) in \
             the --command-config file",
        );
    }
    if why.contains("not trusted") {
        return failure.hint(
            "ssl.truststore.location=ca.pem and ssl.truststore.type=PEM in the --command-config file, with the cluster's \
             authority in ca.pem",
        );
    }
    failure
}

fn silence(connection: &Connection, client: &Client, error: &KafkaError) -> Failure {
    let last = client.last_failure().map(|line| ffi::without_prefixes(&line));
    let why = last.unwrap_or_else(|| error.to_string());
    Failure::unreachable(format!("no broker answers on {}", connection.bootstrap()))
        .because(why)
        .hint("velo doctor")
}
