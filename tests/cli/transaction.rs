//! `velo produce --transactional-id` and `velo transaction`

use crate::support::cluster::Cluster;
use crate::support::records::User;
use crate::support::velo::Ended;
use rdkafka::producer::{BaseProducer, BaseRecord, Producer};
use serde_json::Value;
use std::time::Duration;

/// For all that a busy machine may take.
const PATIENCE: Duration = Duration::from_secs(60);

/// A producer with one record in a transaction that it does not end.
fn open(cluster: &Cluster, id: &str, topic: &str) -> BaseProducer {
    let producer: BaseProducer = rdkafka::ClientConfig::new()
        .set("bootstrap.servers", cluster.bootstrap())
        .set("transactional.id", id)
        .create()
        .unwrap();
    producer.init_transactions(PATIENCE).unwrap();
    producer.begin_transaction().unwrap();
    producer
        .send(BaseRecord::<str, str>::to(topic).payload("open"))
        .unwrap();
    producer.flush(PATIENCE).unwrap();
    producer
}

fn json(ended: Ended) -> Value {
    serde_json::from_str(&ended.succeeds().stdout).unwrap()
}

on_both_clusters! {
    fn what_is_committed_is_read_and_what_is_aborted_only_if_asked_for(cluster) {
        let user = User::at(cluster);
        let (topic, id) = (user.topic(1), cluster.name("writer"));
        let written = user.writes(&topic, "a\nb\n", &["--transactional-id", &id]);
        assert!(written.stderr.contains(&format!("Committed the transaction of `{id}`.")), "{}", written.stderr);
        let aborted = user.writes(&topic, "x\n", &["--transactional-id", &id, "--abort"]);
        assert!(aborted.stderr.contains("--isolation read_uncommitted"), "{}", aborted.stderr);
        user.writes(&topic, "c\n", &["--transactional-id", &id]);
        assert_eq!(user.reads(&topic, &[]), "a\nb\nc\n");
        assert_eq!(user.reads(&topic, &["--isolation", "read_uncommitted"]), "a\nb\nx\nc\n");
    }

    fn lines_that_are_no_records_abort_it(cluster) {
        let user = User::at(cluster);
        let (topic, id) = (user.topic(1), cluster.name("writer"));
        let options = ["produce", &topic, "--transactional-id", &id, "--jsonl"];
        let ended = user.velo_with("{\"value\":\"a\"}\nnone\n", &options).fails_with(1);
        assert!(ended.stderr.contains("line 2 is not a record"), "{}", ended.stderr);
        assert!(ended.stderr.contains(&format!("The transaction of `{id}` was aborted.")), "{}", ended.stderr);
        assert_eq!(user.reads(&topic, &[]), "");
    }

    fn an_open_transaction_is_listed_described_and_aborted(cluster) {
        let user = User::at(cluster);
        let (topic, id) = (user.topic(1), cluster.name("open"));
        let producer = open(cluster, &id, &topic);
        let listed = json(user.velo(&["transaction", "list", &id, "--state", "ongoing", "--output", "json"]));
        assert_eq!((&listed[0]["transactional_id"], &listed[0]["state"]), (&id.clone().into(), &"Ongoing".into()));
        let none = user.velo(&["transaction", "list", &id, "--longer-than", "1h"]).succeeds();
        assert!(none.stderr.contains("No transaction matches."), "{}", none.stderr);
        let described = json(user.velo(&["transaction", "describe", &id, "--output", "json"]));
        assert_eq!(described[0]["producer_id"], listed[0]["producer_id"]);
        let partition = &described[0]["partitions"][0];
        assert_eq!((&partition["topic"], &partition["begins"]), (&topic.clone().into(), &0.into()));
        assert!(described[0]["open_ms"].is_i64());

        let asked = user.velo(&["transaction", "abort", &id]).fails_with(2);
        assert!(asked.stderr.contains(&format!("velo transaction abort {id} --yes")), "{}", asked.stderr);
        user.velo(&["transaction", "abort", &id, "--yes"]).succeeds();
        assert!(producer.commit_transaction(PATIENCE).is_err());
        let again = user.velo(&["transaction", "abort", &id, "--yes"]).fails_with(1);
        assert!(again.stderr.contains("none is open"), "{}", again.stderr);
        assert_eq!(user.reads(&topic, &[]), "");
    }

    fn an_id_that_nobody_used_is_told_so(cluster) {
        let user = User::at(cluster);
        let id = cluster.name("absent");
        for words in [["describe", &id], ["abort", &id]] {
            let ended = user.velo(&[&["transaction"], &words[..]].concat()).fails_with(1);
            assert!(ended.stderr.contains("hint: velo transaction list"), "{}", ended.stderr);
        }
    }
}
