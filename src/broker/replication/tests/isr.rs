//! What a leader knows of the in-sync replicas while the controller has not said what became of a change.

use super::{append, batch, image_of, manager, partition_image};
use crate::broker::replication::isr::{Due, settle};
use crate::broker::replication::partition::IsrProposal;
use crate::broker::replication::{Partition, ReplicaManager};
use kafka_protocol::ResponseError;
use kafka_protocol::messages::AlterPartitionResponse;
use kafka_protocol::messages::alter_partition_response::{PartitionData, TopicData};
use std::sync::Arc;
use tempfile::TempDir;

/// A partition of brokers 1, 2 and 3, led by 1, with some in sync.
struct Bench {
    _folder: TempDir,
    manager: ReplicaManager,
    partition: Arc<Partition>,
}

impl Bench {
    fn new(isr: &[i32]) -> Self {
        let folder = TempDir::new().unwrap();
        let manager = manager(folder.path());
        let image = partition_image(&[1, 2, 3], isr, 1, 4);
        manager.apply(&image_of(&[("t", 1, image)])).unwrap();
        let partition = manager.partition("t", 0).unwrap();
        Bench {
            _folder: folder,
            manager,
            partition,
        }
    }

    fn append(&self) {
        append(&self.partition, batch("a"), 1).unwrap();
    }

    /// A replica, whose broker is registered in 10 and its own id, has everything before an offset.
    fn fetches(&self, replica: i32, offset: i64) -> bool {
        let epoch = 10 + i64::from(replica);
        self.partition
            .follower_fetched(replica, epoch, offset, 0)
            .unwrap()
    }

    fn proposal(&self) -> Option<IsrProposal> {
        self.partition.propose_isr(0, 1_000, |_, _| true)
    }

    fn due(&self) -> Due {
        (Arc::clone(&self.partition), self.proposal().unwrap())
    }

    fn high_watermark(&self) -> i64 {
        self.partition.log.high_watermark()
    }

    /// The metadata tells who is in sync.
    fn learns(&self, isr: &[i32], partition_epoch: i32) {
        let mut image = partition_image(&[1, 2, 3], isr, 1, 4);
        image.partition_epoch = partition_epoch;
        self.manager.apply(&image_of(&[("t", 1, image)])).unwrap();
    }
}

/// What the controller answers about that partition.
fn answer(due: &Due, error: Option<ResponseError>) -> AlterPartitionResponse {
    let code = error.map_or(0, |error| error.code());
    let data = PartitionData::default()
        .with_partition_index(due.0.index)
        .with_error_code(code);
    let topic = TopicData::default()
        .with_topic_id(due.0.topic_id)
        .with_partitions(vec![data]);
    AlterPartitionResponse::default().with_topics(vec![topic])
}

#[test]
fn a_change_that_was_not_answered_stands_until_the_metadata_tells() {
    let bench = Bench::new(&[1, 2]);
    bench.append();
    assert!(!bench.fetches(2, 1), "it is in sync already");
    assert!(bench.fetches(3, 1));
    let asked = bench.proposal().unwrap();
    assert_eq!(asked.isr, [(1, -1), (2, 12), (3, 13)]);
    bench.append();
    bench.fetches(2, 2);
    assert_eq!(
        bench.high_watermark(),
        1,
        "3 may be in sync by now, and may lead next"
    );
    assert_eq!(
        bench.proposal().unwrap(),
        asked,
        "it is asked for again, the same"
    );
    bench.fetches(2, 2);
    assert_eq!(bench.high_watermark(), 1);

    bench.learns(&[1, 2], 5);
    assert_eq!(bench.high_watermark(), 2, "the controller has decided otherwise");
}

#[test]
fn whoever_is_to_leave_holds_back_until_that_is_sure() {
    let bench = Bench::new(&[1, 2, 3]);
    bench.append();
    bench.fetches(3, 1);
    let lags = || bench.partition.propose_isr(i64::MAX, 1_000, |_, _| true);
    let asked = lags().unwrap();
    assert_eq!(asked.isr, [(1, -1), (3, 13)], "2 has never fetched");
    bench.fetches(3, 1);
    assert_eq!(bench.high_watermark(), 0, "2 may still lead next");
    bench.partition.isr_granted(&asked);
    assert_eq!(
        lags(),
        None,
        "nothing more is to be asked until the metadata comes"
    );
    bench.learns(&[1, 3], 5);
    assert_eq!(bench.high_watermark(), 1);
}

#[test]
fn only_a_refusal_for_good_lets_go_of_a_change() {
    let open = [
        ResponseError::InvalidUpdateVersion,
        ResponseError::FencedLeaderEpoch,
        ResponseError::UnknownTopicId,
        ResponseError::NotController,
        ResponseError::UnknownServerError,
    ];
    for error in open.map(Some).into_iter().chain([None]) {
        let bench = Bench::new(&[1, 2]);
        bench.fetches(3, 0);
        let due = bench.due();
        let settled = settle(std::slice::from_ref(&due), &answer(&due, error));
        assert_eq!(settled, error.is_none(), "{error:?}");
        bench.append();
        bench.fetches(2, 1);
        assert_eq!(bench.high_watermark(), 0, "{error:?}");
    }
    let bench = Bench::new(&[1]);
    bench.fetches(3, 0);
    let due = bench.due();
    bench.append();
    assert_eq!(bench.high_watermark(), 0);
    assert!(!settle(
        std::slice::from_ref(&due),
        &AlterPartitionResponse::default()
    ));
    assert_eq!(bench.high_watermark(), 0, "it was not spoken of");
    let refused = answer(&due, Some(ResponseError::IneligibleReplica));
    assert!(settle(std::slice::from_ref(&due), &refused));
    assert_eq!(bench.high_watermark(), 1, "nobody else has to come for it");
    assert_eq!(bench.proposal(), None, "3 lags now");
}

#[test]
fn what_an_earlier_process_had_lets_nobody_join() {
    let bench = Bench::new(&[1, 2]);
    bench.append();
    bench.fetches(2, 1);
    assert!(bench.fetches(3, 1));
    // Broker 3 has started again, and may have lost what it had.
    let registered_anew = |_, epoch| epoch == 99;
    assert_eq!(bench.partition.propose_isr(0, 1_000, registered_anew), None);
    let fetched = |epoch, offset| bench.partition.follower_fetched(3, epoch, offset, 0);
    assert_eq!(fetched(99, 0), Ok(false));
    assert_eq!(fetched(13, 1), Err(ResponseError::NotLeaderOrFollower));
    assert_eq!(bench.partition.propose_isr(0, 1_000, registered_anew), None);
    assert_eq!(fetched(99, 1), Ok(true));
    let asked = bench.partition.propose_isr(0, 1_000, registered_anew).unwrap();
    assert_eq!(asked.isr, [(1, -1), (2, 12), (3, 99)]);
}
