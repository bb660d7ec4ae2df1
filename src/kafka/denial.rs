//! Why a cluster does not let this user in, or is not to be trusted, and what to do about it: the same words whichever
//! client found out.

use super::errors::{ErrorCode, KafkaError};
use crate::failure::{Failure, Kind};

/// What librdkafka's line and Java's exception begin with.
pub(super) const HANDSHAKE: &str = "SSL handshake failed";

/// The failure behind a connection's last words, if they say that it is no use to try again.
pub(super) fn by_words(bootstrap: &str, last: &str) -> Option<Failure> {
    if let Some(why) = last.strip_prefix("SASL authentication error: ") {
        return Some(of_user(bootstrap, why));
    }
    let lower = last.to_lowercase();
    if lower.contains("authentication") || lower.contains("supported mechanisms") {
        return Some(of_user(bootstrap, last));
    }
    // A client without the certificate that it needs is often told so after its handshake.
    if [
        "alert bad certificate",
        "alert certificate required",
        "alert unknown ca",
        "alert certificate unknown",
        "alert certificate expired",
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

/// What OpenSSL says of a peer that speaks no TLS, or is not to be trusted.
fn handshake(bootstrap: &str, why: &str) -> Option<Failure> {
    if [
        "wrong version number",
        "packet length too long",
        "unexpected eof",
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
    if ["alert handshake failure", "alert protocol version"]
        .iter()
        .any(|words| why.contains(words))
    {
        return Some(
            Failure::new(
                Kind::Denied,
                format!("{bootstrap} does not agree on a way to speak TLS"),
            )
            .because(format!(
                "{HANDSHAKE}: no version of TLS or no cipher suite is known to both sides"
            ))
            .hint("leave ssl.cipher.suites and ssl.enabled.protocols out of the --command-config file"),
        );
    }
    let why = match why.find("the broker's certificate") {
        Some(at) => &why[at..],
        None if why.contains("certificate verify failed") => "the broker's certificate is not trusted",
        None => return None,
    };
    Some(of_cluster(bootstrap, why))
}

/// This user is refused.
pub(super) fn of_user(bootstrap: &str, why: &str) -> Failure {
    KafkaError::new(ErrorCode::Authentication, why)
        .into_failure(format!("{bootstrap} does not let this user in"))
}

/// The cluster's certificate is.
pub(super) fn of_cluster(bootstrap: &str, why: &str) -> Failure {
    let failure = Failure::new(Kind::Denied, format!("{bootstrap} is not trusted"))
        .because(format!("{HANDSHAKE}: {why}"));
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
    failure.hint(
        "renew the certificate; until then enable.ssl.certificate.verification=false in the --command-config file trusts \
         whoever answers",
    )
}
