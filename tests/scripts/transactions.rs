//! `kafka-transactions` and a transaction that its producer leaves open.

use crate::support::cluster::Cluster;
use crate::support::records::User;
use crate::support::velo::Ended;
use rdkafka::producer::{BaseProducer, BaseRecord, Producer};
use std::time::{Duration, Instant};

/// For all that a busy machine may take.
const PATIENCE: Duration = Duration::from_secs(60);

/// A producer with a record in each of two partitions that it does not commit.
fn open(cluster: &Cluster, id: &str, topic: &str) -> BaseProducer {
    let producer: BaseProducer = rdkafka::ClientConfig::new()
        .set("bootstrap.servers", cluster.bootstrap())
        .set("transactional.id", id)
        .set("transaction.timeout.ms", "600000")
        .create()
        .unwrap();
    producer.init_transactions(PATIENCE).unwrap();
    producer.begin_transaction().unwrap();
    for partition in 0..2 {
        let record = BaseRecord::<str, str>::to(topic)
            .partition(partition)
            .payload("v");
        producer.send(record).unwrap();
    }
    producer.flush(PATIENCE).unwrap();
    producer
}

/// The rows of a table under its titles.
fn rows(ended: Ended) -> Vec<Vec<String>> {
    let cells = |line: &str| line.split('\t').map(|cell| cell.trim_end().to_owned()).collect();
    ended.succeeds().stdout.lines().skip(1).map(cells).collect()
}

on_both_clusters! {
    fn an_open_transaction_is_found_and_ended(cluster) {
        let user = User::at(cluster);
        let (topic, id) = (user.topic(2), cluster.name("open"));
        let producer = open(cluster, &id, &topic);
        let run = |words: &[&str]| {
            let start = ["kafka-transactions", "--bootstrap-server", cluster.bootstrap()];
            user.velo(&[&start, words].concat())
        };
        let listed = rows(run(&["list", "--transactional-id-pattern", &id]));
        assert_eq!(
            (listed.len(), &listed[0][0], &listed[0][3][..]),
            (1, &id, "Ongoing")
        );
        let older = [
            "list",
            "--transactional-id-pattern",
            &id,
            "--duration-filter",
            "500000",
        ];
        assert!(rows(run(&older)).is_empty());
        let describe = ["describe", "--transactional-id", &id];
        let described = rows(run(&describe)).remove(0);
        assert_eq!((&described[2], &described[5][..]), (&listed[0][2], "600000"));
        let mut partitions: Vec<&str> = described[8].split(',').collect();
        partitions.sort_unstable();
        assert_eq!(partitions, [format!("{topic}-0"), format!("{topic}-1")]);

        let of_first = ["--topic", topic.as_str(), "--partition", "0"];
        let begins = || {
            let producers = rows(run(&[&["describe-producers"], &of_first[..]].concat()));
            assert_eq!(producers[0][0], listed[0][2]);
            producers[0][5].clone()
        };
        assert_eq!(begins(), "0");
        // Its coordinator knows of it, so it does not hang.
        let hanging = [
            "find-hanging",
            "--topic",
            &topic,
            "--max-transaction-timeout",
            "0",
        ];
        assert!(rows(run(&hanging)).is_empty());
        run(&[&["abort"], &of_first[..], &["--start-offset", "0"]].concat()).succeeds();
        assert_eq!(begins(), "None");

        let begun = Instant::now();
        while run(&["forceTerminateTransaction", "--transactionalId", &id]).code != 0 {
            assert!(begun.elapsed() < PATIENCE);
        }
        assert_eq!(rows(run(&describe))[0][4], "Empty");
        assert!(producer.commit_transaction(PATIENCE).is_err());
    }
}
