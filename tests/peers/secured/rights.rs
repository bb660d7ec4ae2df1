//! Who may do what: the lists that `kafka-acls` keeps, and the passwords that `kafka-configs` gives.

use super::{PASSWORD, User, listener, login, name, over_tls, plain, scram};
use std::time::{Duration, Instant};

/// Asks until the cluster has heard of a change.
fn until<T>(mut fact: impl FnMut() -> Option<T>) -> T {
    let begun = Instant::now();
    loop {
        if let Some(found) = fact() {
            return found;
        }
        assert!(begun.elapsed() < Duration::from_secs(60), "it did not come about");
    }
}

#[test]
#[cfg_attr(
    not(peer = "kafka"),
    ignore = "Apache Kafka is not here: scripts/dev/test starts it"
)]
fn what_kafka_acls_forbids_is_refused() {
    let boss = User::new(&std::env::var("VELO_TEST_KAFKA").unwrap(), "");
    let alice = User::new(
        &listener("SASL_PLAINTEXT"),
        &format!("security.protocol=SASL_PLAINTEXT\n{}", plain(PASSWORD)),
    );
    let topic = name();
    boss.velo(&["topic", "create", &topic]).succeeds();
    boss.fed(&["produce", &topic], "one\n").succeeds();
    let reads = || alice.velo(&["consume", &topic, "--from-beginning", "--count", "1"]);
    reads().succeeds();
    let acls = |words: &[&str], input: &str| {
        boss.fed(
            &[&["kafka-acls", "--topic", topic.as_str()], words].concat(),
            input,
        )
        .succeeds()
        .stdout
    };
    let deny = ["--add", "--deny-principal", "User:alice", "--operation", "Read"];
    let resource = format!("ResourcePattern(resourceType=TOPIC, name={topic}, patternType=LITERAL)");
    let entry = "(principal=User:alice, host=*, operation=READ, permissionType=DENY)";
    assert_eq!(
        acls(&deny, ""),
        format!("Adding ACLs for resource `{resource}`: \n \t{entry}\n\n")
    );
    let lists = || acls(&["--list"], "");
    let listed = until(|| Some(lists()).filter(|listed| !listed.is_empty()));
    assert_eq!(
        listed,
        format!("Current ACLs for resource `{resource}`:\n\t{entry}\n\n")
    );
    assert_eq!(
        acls(&deny, ""),
        format!("Acl (pattern={resource}, entry={entry}) already exists.\n")
    );
    let refused = reads().fails_with(1);
    assert!(
        refused.stderr.contains("this user may not do that to the topic"),
        "{}",
        refused.stderr
    );
    let question =
        format!("Are you sure you want to delete all ACLs for resource filter `{resource}`? (y/n)\n");
    assert_eq!(acls(&["--remove"], "n\n"), question);
    assert_eq!(lists(), listed);
    assert_eq!(acls(&["--remove"], "y\n"), question);
    until(|| lists().is_empty().then_some(()));
    reads().succeeds();
    boss.velo(&["topic", "delete", &topic, "--yes"]).succeeds();
}

#[test]
#[cfg_attr(
    not(all(peer = "kafka", feature = "tls")),
    ignore = "needs Apache Kafka and --features tls: scripts/dev/test has both"
)]
fn a_password_that_kafka_configs_gave_lets_in() {
    let alice = User::new(
        &listener("SASL_SSL"),
        &over_tls(&scram("SCRAM-SHA-512", PASSWORD)),
    );
    let user = name();
    let configs = |words: &[&str]| {
        alice
            .velo(&[&["kafka-configs", "--user", user.as_str()], words].concat())
            .succeeds()
            .stdout
    };
    for mechanism in ["SCRAM-SHA-256", "SCRAM-SHA-512"] {
        let given = format!("{mechanism}=[iterations=5000,password=open sesame]");
        let done = format!("Completed updating config for user {user}.\n");
        assert_eq!(configs(&["--alter", "--add-config", &given]), done);
        let told =
            format!("SCRAM credential configs for user-principal '{user}' are {mechanism}=iterations=5000\n");
        until(|| (configs(&["--describe"]) == told).then_some(()));
        let module = format!("scram.ScramLoginModule required username=\"{user}\" password=\"open sesame\"");
        let newcomer = User::new(&listener("SASL_SSL"), &over_tls(&login(mechanism, &module)));
        newcomer.velo(&["topic", "list"]).succeeds();
        assert_eq!(configs(&["--alter", "--delete-config", mechanism]), done);
        until(|| (newcomer.velo(&["topic", "list"]).code == 1).then_some(()));
    }
}
