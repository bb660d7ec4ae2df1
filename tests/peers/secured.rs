//! Our commands through the secured listeners of an Apache Kafka that `scripts/dev/real-kafka` starts (see
//! `scripts/dev/secured.sh`): what gets in, what is refused, and how soon and by which words.

mod refusals;
mod rights;
mod stores;
mod tokens;

use crate::support::velo::{Ended, Home};
use std::path::PathBuf;
use std::time::{Duration, Instant};

/// How long a refusal may take on a busy machine; Apache Kafka itself waits 100 ms before it closes a connection it has
/// refused. Without a word on the refusal it would be another exit code.
const AT_ONCE: Duration = Duration::from_secs(30);
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

    /// The words of a script for this user, whose tool may want the options that say where before all others.
    fn script(&self, words: &[&str]) -> Ended {
        match words {
            ["kafka-features", verb] => {
                let (server, file) = (&self.server, self.file());
                let place = ["--bootstrap-server", server, "--command-config", &file];
                self.home
                    .velo(&[&["kafka-features"], &place[..], &[verb]].concat())
            }
            words => self.velo(words),
        }
    }

    /// Our own command, a script that goes through librdkafka, and those that go over our own connections.
    #[track_caller]
    fn is_let_in(&self) {
        self.velo(&["topic", "list"]).succeeds();
        for script in SCRIPTS {
            self.script(script).succeeds();
        }
    }

    /// Every client fails soon and tells `words`, and no password; our own commands also tell `what` failed.
    #[track_caller]
    fn is_refused(&self, what: &str, words: &[&str]) {
        self.fails(1, what, words);
    }

    /// The same for a file of properties that nobody can use.
    #[track_caller]
    fn has_unusable_file(&self, what: &str, words: &[&str]) {
        self.fails(2, what, words);
    }

    #[track_caller]
    fn fails(&self, code: i32, what: &str, words: &[&str]) {
        let friendly = soon(|| self.velo(&["topic", "list", "-v"])).fails_with(code);
        assert!(friendly.stderr.contains(what), "{what}: {}", friendly.stderr);
        let mut all = vec![friendly];
        all.extend(SCRIPTS.map(|script| soon(|| self.script(script)).fails_with(1)));
        for ended in all {
            let told = format!("{}{}", ended.stdout, ended.stderr);
            for word in words {
                assert!(told.contains(word), "{word}: {told}");
            }
            assert!(told.contains("hint: "), "{told}");
            for secret in [PASSWORD, "hunter2", "changeit"] {
                assert!(!told.contains(secret), "{told}");
            }
        }
    }
}

/// One through librdkafka, the others over our own connections.
const SCRIPTS: [&[&str]; 4] = [
    &["kafka-topics", "--list"],
    &["kafka-acls", "--list"],
    &["kafka-features", "describe"],
    &["kafka-configs", "--describe", "--entity-type", "brokers"],
];

#[track_caller]
fn soon(run: impl FnOnce() -> Ended) -> Ended {
    let begun = Instant::now();
    let ended = run();
    assert!(
        begun.elapsed() < AT_ONCE,
        "{:?}: {}",
        begun.elapsed(),
        ended.stderr
    );
    ended
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
        User::new(&listener("SASL_SSL"), &over_tls(&login)).is_let_in();
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
    .is_refused(
        "does not let this user in",
        &["Authentication failed: Invalid username or password"],
    );
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
