//! Who is not let in, and what is not trusted: told by every client alike, soon, with a way out.

use super::{AT_ONCE, PASSWORD, User, listener, login, over_tls, plain, scram};
use std::time::Instant;

#[test]
#[cfg_attr(
    not(all(peer = "kafka", feature = "tls")),
    ignore = "needs Apache Kafka and --features tls: scripts/dev/test has both"
)]
fn a_wrong_password_is_told_at_once_and_not_shown() {
    let refused = "Authentication failed during authentication due to invalid credentials with SASL mechanism SCRAM-SHA-512";
    let mallory = User::new(
        &listener("SASL_SSL"),
        &over_tls(&scram("SCRAM-SHA-512", "hunter2")),
    );
    mallory.is_refused("does not let this user in", &[refused, "sasl.jaas.config"]);
    User::new(&listener("SASL_SSL"), &over_tls(&plain("hunter2"))).is_refused(
        "does not let this user in",
        &["Authentication failed: Invalid username or password"],
    );
    for verb in [
        vec!["produce", "t"],
        vec!["consume", "t"],
        vec!["consume", "t", "--group", "g"],
    ] {
        let begun = Instant::now();
        let ended = mallory.velo(&verb).fails_with(1);
        assert!(
            ended.stderr.contains(refused) && begun.elapsed() < AT_ONCE,
            "{}",
            ended.stderr
        );
    }
    let told = |words: &[&str]| mallory.velo(words).stdout;
    assert_eq!(
        told(&["kafka-topics", "--list"]).trim_end(),
        format!("Error while executing topic command : {refused}")
    );
    let exception = format!("org.apache.kafka.common.errors.SaslAuthenticationException: {refused}");
    assert_eq!(
        told(&["kafka-acls", "--list"]).trim_end(),
        format!("Error while executing ACL command: {exception}")
    );
    let groups = told(&["kafka-consumer-groups", "--list"]);
    assert!(groups.contains(&exception), "{groups}");
}

#[test]
#[cfg_attr(
    not(all(peer = "kafka", feature = "tls")),
    ignore = "needs Apache Kafka and --features tls: scripts/dev/test has both"
)]
fn a_cluster_that_is_not_trusted_is_told_at_once() {
    let login = scram("SCRAM-SHA-256", PASSWORD);
    let other = over_tls(&login).replace("ca.pem", "other-ca.pem");
    User::new(&listener("SASL_SSL"), &other).is_refused(
        "is not trusted",
        &[
            "SSL handshake failed",
            "signed by `Velodrome test authority`, which is not trusted",
            "ssl.truststore.location",
        ],
    );
    let by_address = listener("SASL_SSL").replace("localhost", "127.0.0.1");
    User::new(&by_address, &over_tls(&login)).is_refused(
        "is not trusted",
        &[
            "for other names (localhost)",
            "ssl.endpoint.identification.algorithm=",
        ],
    );
    let any_name = over_tls(&login) + "ssl.endpoint.identification.algorithm=\n";
    User::new(&by_address, &any_name).is_let_in();
    let anybody =
        over_tls(&login).replace("ca.pem", "other-ca.pem") + "enable.ssl.certificate.verification=false\n";
    User::new(&by_address, &anybody).is_let_in();
}

#[test]
#[cfg_attr(
    not(all(peer = "kafka", feature = "tls")),
    ignore = "needs Apache Kafka and --features tls: scripts/dev/test has both"
)]
fn plain_text_and_tls_that_meet_are_told_apart() {
    let begun = Instant::now();
    let ended = User::new(&listener("SASL_SSL"), "")
        .velo(&["topic", "list"])
        .fails_with(3);
    assert!(
        ended
            .stderr
            .contains("it speaks TLS, and was asked in plain text"),
        "{}",
        ended.stderr
    );
    assert!(begun.elapsed() < AT_ONCE);
    let tls_to_plain = over_tls(&scram("SCRAM-SHA-256", PASSWORD));
    User::new(&listener("SASL_PLAINTEXT"), &tls_to_plain).is_refused(
        "does not speak TLS",
        &["what answers there speaks plain text", "SASL_PLAINTEXT"],
    );
}

#[test]
#[cfg_attr(
    not(all(peer = "kafka", feature = "tls")),
    ignore = "needs Apache Kafka and --features tls: scripts/dev/test has both"
)]
fn a_mechanism_or_a_token_that_the_cluster_does_not_take_is_told() {
    let with = |login: &str| format!("security.protocol=SASL_PLAINTEXT\n{login}");
    User::new(
        &listener("SASL_PLAINTEXT"),
        &with(&scram("SCRAM-SHA-512", PASSWORD)),
    )
    .is_refused("does not let this user in", &["SCRAM-SHA-512", "PLAIN"]);
    User::new(
        &listener("SASL_PLAINTEXT"),
        &with(&plain(PASSWORD).replace("=PLAIN", "=plain")),
    )
    .has_unusable_file(
        "`sasl.mechanism` `plain`",
        &["`sasl.mechanism` `plain` is not known"],
    );
    // Its scope is no list, which the cluster only finds out when it is shown.
    let module = "oauthbearer.OAuthBearerLoginModule required unsecuredLoginStringClaim_sub=\"alice\" \
                  unsecuredLoginNumberClaim_scope=\"1\"";
    User::new(&listener("SASL_SSL"), &over_tls(&login("OAUTHBEARER", module)))
        .is_refused("does not let this user in", &["{\"status\":\"invalid_token\"}"]);
}

/// A TLS server whose certificate is signed by an authority that it answers too, in PEM, and was valid the day before
/// yesterday.
#[cfg(feature = "tls")]
fn expired() -> (String, String) {
    use openssl::{asn1::Asn1Time, hash::MessageDigest, pkey::PKey, rsa::Rsa, ssl, x509};
    let key = PKey::from_rsa(Rsa::generate(2048).unwrap()).unwrap();
    let mut name = x509::X509Name::builder().unwrap();
    name.append_entry_by_text("CN", "localhost").unwrap();
    let name = name.build();
    let mut made = x509::X509::builder().unwrap();
    let day_before = |days: i64| {
        let now = std::time::SystemTime::now()
            .duration_since(std::time::UNIX_EPOCH)
            .unwrap();
        Asn1Time::from_unix(i64::try_from(now.as_secs()).unwrap() - days * 86_400).unwrap()
    };
    made.set_version(2).unwrap();
    made.set_subject_name(&name).unwrap();
    made.set_issuer_name(&name).unwrap();
    made.set_pubkey(&key).unwrap();
    made.set_not_before(&day_before(2)).unwrap();
    made.set_not_after(&day_before(1)).unwrap();
    made.sign(&key, MessageDigest::sha256()).unwrap();
    let certificate = made.build();
    let mut acceptor = ssl::SslAcceptor::mozilla_intermediate(ssl::SslMethod::tls_server()).unwrap();
    acceptor.set_private_key(&key).unwrap();
    acceptor.set_certificate(&certificate).unwrap();
    let acceptor = acceptor.build();
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let server = format!("localhost:{}", listener.local_addr().unwrap().port());
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            // A client that hangs up is what is wanted.
            let _ = acceptor.accept(stream.unwrap());
        }
    });
    (server, String::from_utf8(certificate.to_pem().unwrap()).unwrap())
}

#[test]
#[cfg(feature = "tls")]
fn a_certificate_that_has_expired_is_told_at_once() {
    let (server, authority) = expired();
    let trust = format!("ssl.truststore.certificates={}", authority.replace('\n', " "));
    let user = User::new(&server, &format!("security.protocol=SSL\n{trust}\n"));
    user.is_refused("is not trusted", &["the broker's certificate has expired ("]);
}
