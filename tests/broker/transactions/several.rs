//! Transactions over several brokers, and coordinators that die.

use super::*;

const SETTINGS: &[(&str, &str)] = &[
    ("replica.lag.time.max.ms", "1000"),
    ("replica.fetch.backoff.ms", "50"),
    ("broker.heartbeat.interval.ms", "200"),
    ("broker.session.timeout.ms", "3000"),
    ("transaction.state.log.replication.factor", "3"),
    ("transaction.state.log.min.isr", "2"),
    ("transaction.state.log.num.partitions", "3"),
];

/// Three brokers, the first of which is the controller as well.
struct Three([TestBroker; 3]);

impl Three {
    async fn start() -> Self {
        let first = TestBroker::with(SETTINGS).await;
        let address = first.running().controller_address().unwrap().to_string();
        let join = async |id: &'static str| {
            let mut settings = SETTINGS.to_vec();
            settings.extend([
                ("node.id", id),
                ("process.roles", "broker"),
                ("controller.quorum.bootstrap.servers", address.as_str()),
            ]);
            TestBroker::with(&settings).await
        };
        let (second, third) = (join("2").await, join("3").await);
        let three = Three([first, second, third]);
        create_with(&three.0[0], "t", 3, 3, &[]).await;
        eventually("all brokers know the topic", async || {
            three.0.iter().all(|broker| leader(broker, "t", 2) > 0)
        })
        .await;
        three
    }

    fn of(&self, id: i32) -> &TestBroker {
        &self.0[usize::try_from(id - 1).unwrap()]
    }

    /// Who leads `t`-`partition`, by the first broker.
    fn leader_of(&self, partition: i32) -> &TestBroker {
        self.of(leader(&self.0[0], "t", partition))
    }

    fn coordinator_id(&self, id: &str) -> i32 {
        let node = self.0[0].running().node();
        let partition = node.transactions.partition_for(id).unwrap();
        leader(&self.0[0], "__transaction_state", partition)
    }

    fn coordinator(&self, id: &str) -> &TestBroker {
        self.of(self.coordinator_id(id))
    }
}

fn leader(broker: &TestBroker, topic: &str, index: i32) -> i32 {
    let image = broker.running().node().metadata.load();
    image
        .partition(topic, index)
        .map_or(-1, |partition| partition.leader)
}

/// A transactional id that broker `wanted` coordinates.
async fn id_at(three: &Three, wanted: i32) -> String {
    // The first question makes the topic.
    Writer::at(&three.0[0], "first", Protocol::New).await;
    eventually("all partitions are led", async || {
        (0..3).all(|index| leader(&three.0[0], "__transaction_state", index) > 0)
    })
    .await;
    let mut ids = (0..1000).map(|number| format!("id-{number}"));
    ids.find(|id| three.coordinator_id(id) == wanted).unwrap()
}

async fn initialised(three: &Three, id: &str, protocol: Protocol) -> Writer {
    let mut writer = Writer {
        id: id.to_owned(),
        protocol,
        producer_id: -1,
        epoch: -1,
        sequence: 0,
    };
    writer.initialise(three.coordinator(id)).await;
    writer
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_transaction_ends_in_partitions_of_all_brokers() {
    let three = Three::start().await;
    for (coordinator, protocol) in [(1, Protocol::New), (2, Protocol::Old), (3, Protocol::New)] {
        let id = id_at(&three, coordinator).await;
        let mut writer = initialised(&three, &id, protocol).await;
        for partition in 0..3 {
            writer.sequence = 0;
            if protocol == Protocol::Old {
                assert_eq!(writer.add(three.coordinator(&id), "t", partition).await, None);
            }
            let version = if protocol == Protocol::New { 12 } else { 11 };
            let leader = three.leader_of(partition);
            let written = writer.try_write(leader, version, ("t", partition), &[&id]).await;
            assert_eq!(written, None);
        }
        writer.end(three.coordinator(&id), true).await;
        for partition in 0..3 {
            let (_, read, _) = committed(three.leader_of(partition), "t", partition).await;
            assert_eq!(read.last(), Some(&id));
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_a_coordinator_decided_before_it_died_is_ended_by_the_next() {
    let mut three = Three::start().await;
    // The first is the controller: another one dies.
    let dying = 2;
    let id = id_at(&three, dying).await;
    let mut writer = initialised(&three, &id, Protocol::New).await;
    // Its marker cannot be written while the leader is away, so the transaction is decided and not over.
    let partition = (0..3)
        .find(|index| leader(&three.0[0], "t", *index) == dying)
        .unwrap();
    let written = writer
        .try_write(three.of(dying), 12, ("t", partition), &["kept"])
        .await;
    assert_eq!(written, None);
    let other = (0..3)
        .find(|index| leader(&three.0[0], "t", *index) != dying)
        .unwrap();
    writer.sequence = 0;
    let written = writer
        .try_write(three.leader_of(other), 12, ("t", other), &["kept"])
        .await;
    assert_eq!(written, None);
    let answer = writer.try_end(three.of(dying), true).await;
    assert_eq!(error(answer.error_code), None);
    three.0[1].kill().await;
    eventually("another broker coordinates", async || {
        three.coordinator_id(&id) != dying && leader(&three.0[0], "t", partition) != dying
    })
    .await;
    writer.is_over(three.coordinator(&id)).await;
    for partition in [partition, other] {
        eventually("what was committed is read", async || {
            let read = try_committed(three.leader_of(partition), "t", partition).await;
            read.is_ok_and(|(_, read, _)| read == ["kept"])
        })
        .await;
    }
    // The producer goes on there.
    writer.epoch = answer.producer_epoch;
    writer.sequence = 0;
    let written = writer
        .try_write(three.leader_of(other), 12, ("t", other), &["more"])
        .await;
    assert_eq!(written, None);
    writer.end(three.coordinator(&id), false).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn markers_wait_for_a_leader_that_is_away() {
    let mut three = Three::start().await;
    let id = id_at(&three, 3).await;
    create_with(&three.0[0], "alone", 3, 1, &[]).await;
    eventually("all brokers know the topic", async || {
        three.0.iter().all(|broker| leader(broker, "alone", 2) > 0)
    })
    .await;
    let partition = (0..3)
        .find(|index| leader(&three.0[0], "alone", *index) == 2)
        .unwrap();
    let mut writer = initialised(&three, &id, Protocol::New).await;
    let written = writer
        .try_write(three.of(2), 12, ("alone", partition), &["kept"])
        .await;
    assert_eq!(written, None);
    three.0[1].kill().await;
    let answer = writer.try_end(three.coordinator(&id), true).await;
    assert_eq!(error(answer.error_code), None);
    assert_eq!(writer.state(three.coordinator(&id)).await, "PrepareCommit");
    three.0[1].start_again().await;
    writer.is_over(three.coordinator(&id)).await;
    eventually("what was committed is read", async || {
        let read = try_committed(three.of(2), "alone", partition).await;
        read.is_ok_and(|(_, read, _)| read == ["kept"])
    })
    .await;
}
