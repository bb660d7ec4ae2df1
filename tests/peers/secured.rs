//! Our commands through the secured listeners of an Apache Kafka that `scripts/dev/real-kafka` starts (see
//! `scripts/dev/secured.sh`): what gets in, what is refused, and how soon and by which words.

mod rights;

use crate::support::velo::{Ended, Home};
use std::io::{Read, Write};
use std::net::TcpListener;
use std::path::PathBuf;
use std::time::{Duration, Instant};

/// How long a refusal may take: Apache Kafka itself waits 100 ms before it closes a connection it has refused.
const AT_ONCE: Duration = Duration::from_secs(8);
const PASSWORD: &str = "alice's secret";

fn listener(name: &str) -> String {
    let variable = format!("VELO_TEST_KAFKA_{name}");
    std::env::var(&variable)
        .unwrap_or_else(|_| panic!("{variable} is set by scripts/dev/real-kafka with KAFKA_SECURED=1"))
}

fn secrets(name: &str) -> String {
    PathBuf::from(listener("SECRETS"))
        .join(name)
        .display()
        .to_string()
}

fn scram(mechanism: &str, password: &str) -> String {
    login(
        mechanism,
        &format!("scram.ScramLoginModule required username=\"alice\" password=\"{password}\""),
    )
}

fn plain(password: &str) -> String {
    login(
        "PLAIN",
        &format!("plain.PlainLoginModule required username=\"alice\" password=\"{password}\""),
    )
}

fn login(mechanism: &str, module: &str) -> String {
    format!("sasl.mechanism={mechanism}\nsasl.jaas.config=org.apache.kafka.common.security.{module};\n")
}

/// `SASL_SSL` with the authority in PEM.
fn over_tls(login: &str) -> String {
    format!(
        "security.protocol=SASL_SSL\nssl.truststore.type=PEM\nssl.truststore.location={}\n{login}",
        secrets("ca.pem")
    )
}

/// A user with a file of client properties and a cluster to talk to.
struct User {
    home: Home,
    server: String,
}

impl User {
    fn new(server: &str, properties: &str) -> Self {
        let home = Home::new();
        std::fs::write(home.path().join("client.properties"), properties).unwrap();
        User {
            home,
            server: server.to_owned(),
        }
    }

    fn file(&self) -> String {
        self.home.path().join("client.properties").display().to_string()
    }

    fn command(&self, words: &[&str]) -> assert_cmd::Command {
        let (server, file) = (&self.server, self.file());
        self.home
            .command(&[words, &["--bootstrap-server", server, "--command-config", &file]].concat())
    }

    fn velo(&self, words: &[&str]) -> Ended {
        self.fed(words, "")
    }

    fn fed(&self, words: &[&str], input: &str) -> Ended {
        let output = self.command(words).write_stdin(input).output().unwrap();
        Ended {
            stdout: String::from_utf8(output.stdout).unwrap(),
            stderr: String::from_utf8(output.stderr).unwrap(),
            code: output.status.code().unwrap_or(-1),
        }
    }

    /// A failure that comes soon, and tells `words` and no password.
    #[track_caller]
    fn is_refused(&self, words: &[&str]) {
        let begun = Instant::now();
        let ended = self.velo(&["topic", "list", "-v"]).fails_with(1);
        assert!(
            begun.elapsed() < AT_ONCE,
            "{:?}: {}",
            begun.elapsed(),
            ended.stderr
        );
        for word in words {
            assert!(ended.stderr.contains(word), "{word}: {}", ended.stderr);
        }
        assert!(ended.stderr.contains("hint: "), "{}", ended.stderr);
        assert!(
            !ended.stderr.contains("secret") && !ended.stderr.contains("hunter2"),
            "{}",
            ended.stderr
        );
    }
}

fn name() -> String {
    format!("secured-{}", &uuid::Uuid::new_v4().simple().to_string()[..8])
}

#[test]
#[cfg_attr(
    not(all(peer = "kafka", feature = "tls")),
    ignore = "needs Apache Kafka and --features tls: scripts/dev/test has both"
)]
fn every_mechanism_lets_alice_in() {
    let unsigned = login(
        "OAUTHBEARER",
        "oauthbearer.OAuthBearerLoginModule required unsecuredLoginStringClaim_sub=\"alice\"",
    );
    for login in [
        scram("SCRAM-SHA-256", PASSWORD),
        scram("SCRAM-SHA-512", PASSWORD),
        plain(PASSWORD),
        unsigned,
    ] {
        User::new(&listener("SASL_SSL"), &over_tls(&login))
            .velo(&["topic", "list"])
            .succeeds();
    }
}

#[test]
#[cfg_attr(
    not(all(peer = "kafka", feature = "tls")),
    ignore = "needs Apache Kafka and --features tls: scripts/dev/test has both"
)]
fn a_whole_day_s_work_is_done_over_tls() {
    let alice = User::new(
        &listener("SASL_SSL"),
        &over_tls(&scram("SCRAM-SHA-512", PASSWORD)),
    );
    let (topic, group) = (name(), name());
    alice
        .velo(&["topic", "create", &topic, "--partitions", "2"])
        .succeeds();
    alice
        .fed(&["produce", &topic, "--key-separator", ":"], "k:one\nk:two\n")
        .succeeds();
    let read = alice
        .velo(&[
            "consume",
            &topic,
            "--group",
            &group,
            "--from-beginning",
            "--count",
            "2",
        ])
        .succeeds();
    assert_eq!(read.stdout, "one\ntwo\n");
    let described = alice
        .velo(&["group", "describe", &group, "--output", "plain"])
        .succeeds();
    assert!(described.stdout.contains(&topic), "{}", described.stdout);
    let doctor = alice.velo(&["doctor"]).succeeds();
    assert!(
        doctor.stdout.contains("accepts connections (TLS)"),
        "{}",
        doctor.stdout
    );
    alice.velo(&["topic", "delete", &topic, "--yes"]).succeeds();
}

#[test]
#[cfg_attr(
    not(all(peer = "kafka", feature = "tls")),
    ignore = "needs Apache Kafka and --features tls: scripts/dev/test has both"
)]
fn the_scripts_take_a_java_client_s_file() {
    // What a Java program needs besides means nothing to a tool, and harms as little as it does in Java.
    let more = "key.deserializer=org.apache.kafka.common.serialization.StringDeserializer\n";
    let alice = User::new(
        &listener("SASL_SSL"),
        &(over_tls(&scram("SCRAM-SHA-256", PASSWORD)) + more),
    );
    let topic = name();
    let created = alice
        .velo(&["kafka-topics", "--create", "--topic", &topic])
        .succeeds();
    assert_eq!(created.stdout, format!("Created topic {topic}.\n"));
    alice
        .fed(&["kafka-console-producer", "--topic", &topic], "hello\n")
        .succeeds();
    let read = alice
        .velo(&[
            "kafka-console-consumer",
            "--topic",
            &topic,
            "--from-beginning",
            "--max-messages",
            "1",
        ])
        .succeeds();
    assert_eq!(read.stdout, "hello\n");
    let offsets = alice.velo(&["kafka-get-offsets", "--topic", &topic]).succeeds();
    assert_eq!(offsets.stdout, format!("{topic}:0:1\n"));
    alice
        .velo(&["kafka-topics", "--delete", "--topic", &topic])
        .succeeds();
}

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
    mallory.is_refused(&["does not let this user in", refused, "sasl.jaas.config"]);
    User::new(&listener("SASL_SSL"), &over_tls(&plain("hunter2")))
        .is_refused(&["Authentication failed: Invalid username or password"]);
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
    let topics = mallory.velo(&["kafka-topics", "--list"]).fails_with(1);
    assert!(
        topics
            .stdout
            .contains(&format!("Error while executing topic command : {refused}")),
        "{}",
        topics.stdout
    );
    let groups = mallory.velo(&["kafka-consumer-groups", "--list"]);
    assert!(
        groups.stdout.contains(&format!(
            "org.apache.kafka.common.errors.SaslAuthenticationException: {refused}"
        )),
        "{}",
        groups.stdout
    );
}

#[test]
#[cfg_attr(
    not(all(peer = "kafka", feature = "tls")),
    ignore = "needs Apache Kafka and --features tls: scripts/dev/test has both"
)]
fn a_cluster_that_is_not_trusted_is_told_at_once() {
    let login = scram("SCRAM-SHA-256", PASSWORD);
    let other = over_tls(&login).replace("ca.pem", "other-ca.pem");
    User::new(&listener("SASL_SSL"), &other).is_refused(&[
        "SSL handshake failed",
        "signed by `Velodrome test authority`, which is not trusted",
        "ssl.truststore.location",
    ]);
    let by_address = listener("SASL_SSL").replace("localhost", "127.0.0.1");
    User::new(&by_address, &over_tls(&login)).is_refused(&[
        "for other names (localhost)",
        "ssl.endpoint.identification.algorithm=",
    ]);
    let any_name = over_tls(&login) + "ssl.endpoint.identification.algorithm=\n";
    User::new(&by_address, &any_name)
        .velo(&["topic", "list"])
        .succeeds();
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
    User::new(&listener("SASL_PLAINTEXT"), &tls_to_plain)
        .is_refused(&["does not speak TLS", "SASL_PLAINTEXT"]);
}

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
            "ssl.keystore.type=PEM\nssl.key.password=locked\nssl.keystore.key={}\nssl.keystore.certificate.chain={}\n",
            inline("client-locked.key"),
            inline("client.crt")
        ),
    ];
    for (trust, key) in trust.iter().zip(&keys) {
        User::new(&listener("SSL"), &format!("security.protocol=SSL\n{trust}{key}"))
            .velo(&["topic", "list"])
            .succeeds();
    }
    let jks = format!(
        "ssl.keystore.location={}\nssl.keystore.password=changeit\n",
        secrets("client.jks")
    );
    let ended = User::new(
        &listener("SSL"),
        &format!("security.protocol=SSL\n{}{jks}", trust[0]),
    )
    .velo(&["topic", "list"])
    .fails_with(2);
    assert!(
        ended.stderr.contains("keytool -importkeystore") && !ended.stderr.contains("changeit"),
        "{}",
        ended.stderr
    );
    User::new(&listener("SSL"), &format!("security.protocol=SSL\n{}", trust[0]))
        .is_refused(&["wants a certificate of this client", "ssl.keystore.location"]);
    let wrong = trust[1].replace("changeit", "hunter2");
    let ended = User::new(&listener("SSL"), &format!("security.protocol=SSL\n{wrong}"))
        .velo(&["topic", "list"])
        .fails_with(2);
    assert!(
        ended.stderr.contains("its password is wrong") && !ended.stderr.contains("hunter2"),
        "{}",
        ended.stderr
    );
}

/// A token endpoint that gives tokens to the client `velo` with the right secret; each answer closes its connection.
fn token_endpoint() -> String {
    use base64::Engine;
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}/token", listener.local_addr().unwrap());
    let encode = |text: &str| base64::engine::general_purpose::URL_SAFE_NO_PAD.encode(text);
    let credentials = base64::engine::general_purpose::STANDARD.encode("velo:s3cret");
    let claims = r#"{"sub":"alice","scope":"kafka","iat":1700000000,"exp":4100000000}"#;
    let token = format!("{}.{}.", encode(r#"{"alg":"none"}"#), encode(claims));
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let mut stream = stream.unwrap();
            let mut request = Vec::new();
            while !request.ends_with(b"scope=kafka") {
                let mut some = [0; 512];
                match stream.read(&mut some) {
                    Ok(count) if count > 0 => request.extend_from_slice(&some[..count]),
                    _ => break,
                }
            }
            let known = String::from_utf8_lossy(&request).contains(&credentials);
            let (status, body) = if known {
                (
                    "200 OK",
                    format!(r#"{{"access_token":"{token}","token_type":"Bearer"}}"#),
                )
            } else {
                ("401 Unauthorized", r#"{"error":"invalid_client"}"#.to_owned())
            };
            // A client that has gone needs no answer.
            let _ = write!(
                stream,
                "HTTP/1.1 {status}\r\nContent-Length: {}\r\nConnection: close\r\n\r\n{body}",
                body.len()
            );
        }
    });
    url
}

#[test]
#[cfg_attr(
    not(all(peer = "kafka", feature = "tls")),
    ignore = "needs Apache Kafka and --features tls: scripts/dev/test has both"
)]
fn tokens_are_fetched_with_client_credentials() {
    let url = token_endpoint();
    let with = |secret: &str| {
        over_tls(&login(
            "OAUTHBEARER",
            &format!(
                "oauthbearer.OAuthBearerLoginModule required clientId=\"velo\" clientSecret=\"{secret}\" scope=\"kafka\""
            ),
        )) + &format!(
            "sasl.oauthbearer.token.endpoint.url={url}\n\
             sasl.login.callback.handler.class=org.apache.kafka.common.security.oauthbearer.OAuthBearerLoginCallbackHandler\n"
        )
    };
    let alice = User::new(&listener("SASL_SSL"), &with("s3cret"));
    let topic = name();
    alice.velo(&["topic", "create", &topic]).succeeds();
    alice.fed(&["produce", &topic], "x\n").succeeds();
    assert_eq!(
        alice
            .velo(&["consume", &topic, "--from-beginning", "--count", "1"])
            .succeeds()
            .stdout,
        "x\n"
    );
    alice.velo(&["topic", "delete", &topic, "--yes"]).succeeds();
    User::new(&listener("SASL_SSL"), &with("hunter2"))
        .is_refused(&["answers 401 Unauthorized invalid_client"]);
}

#[test]
#[cfg_attr(
    not(peer = "kafka"),
    ignore = "Apache Kafka is not here: scripts/dev/test starts it"
)]
fn a_login_without_tls_works_in_every_build() {
    let login = plain("${env:VELO_TEST_PASSWORD}");
    let alice = User::new(
        &listener("SASL_PLAINTEXT"),
        &format!("security.protocol=SASL_PLAINTEXT\n{login}"),
    );
    let output = alice
        .command(&["topic", "list"])
        .env("VELO_TEST_PASSWORD", PASSWORD)
        .output()
        .unwrap();
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
    let ended = alice.velo(&["topic", "list"]).fails_with(2);
    assert!(ended.stderr.contains("VELO_TEST_PASSWORD"), "{}", ended.stderr);
    User::new(
        &listener("SASL_PLAINTEXT"),
        &format!("security.protocol=SASL_PLAINTEXT\n{}", plain("hunter2")),
    )
    .is_refused(&["Authentication failed: Invalid username or password"]);
    let begun = Instant::now();
    let ended = User::new(&listener("SASL_PLAINTEXT"), "")
        .velo(&["topic", "list"])
        .fails_with(3);
    assert!(
        ended.stderr.contains("wants a login (SASL)") && begun.elapsed() < AT_ONCE,
        "{}",
        ended.stderr
    );
}

#[test]
#[cfg(not(feature = "tls"))]
fn a_build_without_tls_says_so() {
    for (settings, wanted) in [
        (
            "security.protocol=SSL\nssl.truststore.location=/no/such/store.jks\n".to_owned(),
            "TLS",
        ),
        (
            format!(
                "security.protocol=SASL_PLAINTEXT\n{}",
                scram("SCRAM-SHA-256", PASSWORD)
            ),
            "SCRAM-SHA-256",
        ),
    ] {
        let ended = User::new("localhost:1", &settings)
            .velo(&["topic", "list"])
            .fails_with(2);
        assert!(
            ended.stderr.contains(&format!("built without {wanted}")),
            "{}",
            ended.stderr
        );
        assert!(ended.stderr.contains("--features tls"), "{}", ended.stderr);
    }
}
