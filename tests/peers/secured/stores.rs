//! Certificates and keys in every kind of file that Java knows: whoever reads one, all do.

use super::{User, listener, secrets};

#[test]
#[cfg_attr(
    not(all(peer = "kafka", feature = "tls")),
    ignore = "needs Apache Kafka and --features tls: scripts/dev/test has both"
)]
fn stores_of_every_kind_are_read() {
    let inline = |name: &str| std::fs::read_to_string(secrets(name)).unwrap().replace('\n', " ");
    let trust = [
        format!(
            "ssl.truststore.type=PEM\nssl.truststore.location={}\n",
            secrets("ca.pem")
        ),
        format!(
            "ssl.truststore.location={}\nssl.truststore.password=changeit\n",
            secrets("trust.p12")
        ),
        format!(
            "ssl.truststore.location={}\nssl.truststore.password=changeit\n",
            secrets("trust.jks")
        ),
        format!(
            "ssl.truststore.type=PEM\nssl.truststore.certificates={}\n",
            inline("ca.pem")
        ),
    ];
    let keys = [
        format!(
            "ssl.keystore.location={}\nssl.keystore.password=changeit\n",
            secrets("client.p12")
        ),
        format!(
            "ssl.keystore.type=PEM\nssl.keystore.location={}\n",
            secrets("client.pem")
        ),
        format!(
            "ssl.keystore.type=PEM\nssl.keystore.location={}\nssl.key.password=locked\n",
            secrets("client-locked.pem")
        ),
        format!(
            "ssl.keystore.location={}\nssl.keystore.password=changeit\n",
            secrets("client-old.p12")
        ),
        // librdkafka's names, and the way that OpenSSL locked keys before PKCS#8.
        format!(
            "ssl.certificate.location={}\nssl.key.location={}\nssl.key.password=locked\n",
            secrets("client.crt"),
            secrets("client-old.key")
        ),
        format!(
            "ssl.keystore.type=PEM\nssl.key.password=locked\nssl.keystore.key={}\nssl.keystore.certificate.chain={}\n",
            inline("client-locked.key"),
            inline("client.crt")
        ),
    ];
    for (trust, key) in trust.iter().cycle().zip(&keys) {
        User::new(&listener("SSL"), &format!("security.protocol=SSL\n{trust}{key}")).is_let_in();
    }
}

#[test]
#[cfg_attr(
    not(all(peer = "kafka", feature = "tls")),
    ignore = "needs Apache Kafka and --features tls: scripts/dev/test has both"
)]
fn stores_that_cannot_be_read_are_told_without_their_passwords() {
    let trust = format!(
        "ssl.truststore.type=PEM\nssl.truststore.location={}\n",
        secrets("ca.pem")
    );
    let with = |properties: &str| {
        User::new(
            &listener("SSL"),
            &format!("security.protocol=SSL\n{trust}{properties}"),
        )
    };
    with("").is_refused(
        "does not let this client in",
        &["wants a certificate of this client", "ssl.keystore.location"],
    );
    let store = |name: &str, password: &str| format!("ssl.keystore.location={}\n{password}\n", secrets(name));
    let key_store = "this `ssl.keystore.location` cannot be used";
    for (properties, why) in [
        (
            store("client.jks", "ssl.keystore.password=changeit"),
            "keytool -importkeystore",
        ),
        (
            store("client.p12", "ssl.keystore.password=hunter2"),
            "its password is wrong",
        ),
        (store("client.p12", ""), "`ssl.keystore.password` is missing"),
        (
            store("client-locked.pem", "ssl.key.password=hunter2"),
            "`ssl.key.password`, is wrong",
        ),
        (store("client-locked.pem", ""), "`ssl.key.password` is missing"),
        (store("ca.pem", ""), "it holds no private key in PEM"),
    ] {
        with(&properties).has_unusable_file(key_store, &[key_store, why]);
    }
    let trust_store = "this `ssl.truststore.location` cannot be used";
    let wrong = format!(
        "security.protocol=SSL\nssl.truststore.location={}\nssl.truststore.password=hunter2\n",
        secrets("trust.p12")
    );
    User::new(&listener("SSL"), &wrong)
        .has_unusable_file(trust_store, &[trust_store, "its password is wrong"]);
}
