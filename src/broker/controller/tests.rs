use super::plan::Step;
use super::*;
use crate::broker::metadata::MetadataRecord;
use crate::broker::records::metadata::ClientQuotaRecord;
use crate::broker::wanted::{PeerGone, Wanted};
use crate::broker::world::disk::refusing::{Refused, Refusing};
use kafka_protocol::messages::fetch_request::{FetchPartition, FetchTopic};
use kafka_protocol::messages::{FetchRequest, TopicName};
use std::collections::BTreeMap;
use std::sync::mpsc;
use std::time::Duration;
use tempfile::TempDir;
use uuid::Uuid;

/// Nothing here takes longer.
const DEADLINE: Duration = Duration::from_secs(60);
const NODE: i32 = 1;
const SESSION: Duration = Duration::from_millis(9_000);

struct Bench {
    folder: TempDir,
    clock: Clock,
}

impl Bench {
    fn new() -> Self {
        Bench {
            folder: TempDir::new().unwrap(),
            clock: Clock::manual(1_700_000_000_000),
        }
    }

    fn config(&self) -> NodeConfig {
        let properties = BTreeMap::from([
            ("node.id".to_owned(), NODE.to_string()),
            ("log.dirs".to_owned(), self.folder.path().display().to_string()),
        ]);
        NodeConfig::from_properties(properties).unwrap()
    }

    fn open(&self, voters: &[i32]) -> Arc<Controller> {
        let config = self.config();
        let voters = Voters::new(voters.iter().copied());
        let address = ("localhost".to_owned(), 0);
        Arc::new(Controller::open_among(voters, config, "here", address, self.clock.clone().into()).unwrap())
    }
}

async fn until(what: &str, mut fact: impl FnMut() -> bool) {
    let waiting = async {
        while !fact() {
            tokio::task::yield_now().await;
        }
    };
    assert!(tokio::time::timeout(DEADLINE, waiting).await.is_ok(), "{what}");
}

fn topic(name: &str) -> Vec<NewTopic> {
    vec![NewTopic {
        name: name.to_owned(),
        partitions: 1,
        replication_factor: 1,
        ..NewTopic::default()
    }]
}

/// By somebody who waits as long as anything here takes.
fn wanted() -> Wanted {
    Wanted::during(DEADLINE, PeerGone::default())
}

async fn create(controller: &Arc<Controller>, name: &str) -> Option<ResponseError> {
    match controller.create_topics(topic(name), false, wanted()).await {
        Ok(outcomes) => outcomes
            .into_iter()
            .find_map(|one| one.err())
            .map(|error| error.error),
        Err(error) => Some(error.response_error()),
    }
}

fn registration(id: i32) -> Registration {
    Registration {
        broker_id: id,
        incarnation_id: Uuid::from_u128(1),
        ..Registration::default()
    }
}

/// A broker that is registered and serves, on a connection that is its id.
async fn serving(controller: &Arc<Controller>, id: i32) -> i64 {
    let connection = u64::from(id.unsigned_abs());
    let registered =
        controller.register_broker("here".to_owned(), (registration(id), None), connection, |_| true);
    let epoch = registered.await.unwrap();
    let state = controller.heartbeat(beat(id, epoch)).await.unwrap();
    assert!(state.caught_up && !state.fenced);
    epoch
}

fn beat(broker_id: i32, broker_epoch: i64) -> Heartbeat {
    Heartbeat {
        broker_id,
        broker_epoch,
        metadata_offset: broker_epoch,
        want_fence: false,
        want_shut_down: false,
        connection: u64::from(broker_id.unsigned_abs()),
    }
}

/// High watermark and size of what a broker is told of the log from an offset on.
async fn fetched(controller: &Controller, offset: i64) -> (i64, usize) {
    let partition = FetchPartition::default()
        .with_fetch_offset(offset)
        .with_partition_max_bytes(1 << 20);
    let name = kafka_protocol::protocol::StrBytes::from_static_str(METADATA_TOPIC);
    let topic = FetchTopic::default()
        .with_topic(TopicName(name))
        .with_partitions(vec![partition]);
    let answer = controller
        .fetch(&FetchRequest::default().with_topics(vec![topic]))
        .await;
    let partition = &answer.responses[0].partitions[0];
    let records = partition.records.as_ref().map_or(0, |records| records.len());
    (partition.high_watermark, records)
}

#[tokio::test]
async fn what_is_written_but_not_committed_is_neither_answered_nor_shown() {
    let bench = Bench::new();
    let controller = bench.open(&[NODE, 2, 3]);
    assert_eq!(controller.image().features.len(), 0, "one of three has it");
    let voted = |voter| {
        let end = controller.log.next_offset();
        controller.written_by(&mut controller.writer.lock(), voter, end);
    };
    voted(2);
    assert_eq!(controller.image().metadata_version(), Some(33));

    let before = controller.log.next_offset();
    let register = |incarnation: u128| {
        let process = Registration {
            incarnation_id: Uuid::from_u128(incarnation),
            ..registration(7)
        };
        let controller = Arc::clone(&controller);
        tokio::spawn(async move {
            controller
                .register_broker("here".to_owned(), (process, None), 9, |_| true)
                .await
        })
    };
    let registering = register(1);
    until("the registration is written", || {
        controller.log.settled_end() > before
    })
    .await;
    assert!(controller.image().brokers.is_empty());
    assert_eq!(fetched(&controller, before).await, (before, 0));
    // Planned on what is written: the same id, of another process.
    let again = register(2);
    until("the other is registered behind it", || {
        controller.log.settled_end() > before + 1
    })
    .await;
    assert!(!registering.is_finished() && !again.is_finished());
    let state = controller.quorum_state().await.unwrap();
    assert_eq!((state.end_offset, state.committed), (before + 2, before));

    // Of the two changes the first is committed.
    controller.written_by(&mut controller.writer.lock(), 3, before + 1);
    assert_eq!(controller.image().brokers[&7].epoch, before);
    assert_eq!(fetched(&controller, before).await.0, before + 1);
    assert_eq!(registering.await.unwrap().unwrap(), before);
    assert!(!again.is_finished());
    voted(3);
    assert_eq!(again.await.unwrap().unwrap(), before + 1);
    assert_eq!(controller.image().brokers[&7].epoch, before + 1);
}

#[tokio::test]
async fn an_answer_that_changes_nothing_waits_for_what_it_speaks_of() {
    let bench = Bench::new();
    let controller = bench.open(&[NODE, 2, 3]);
    let asking = tokio::spawn({
        let controller = Arc::clone(&controller);
        async move {
            let election = ElectionType::Preferred;
            controller.elect_leaders(election, None, wanted()).await
        }
    });
    tokio::task::yield_now().await;
    assert!(!asking.is_finished());
    let end = controller.log.next_offset();
    controller.written_by(&mut controller.writer.lock(), 2, end);
    assert!(asking.await.unwrap().unwrap().is_empty());
}

#[tokio::test]
async fn what_the_log_does_not_take_leaves_everything_as_it_was() {
    let bench = Bench::new();
    let controller = bench.open(&[NODE]);
    serving(&controller, NODE).await;
    assert_eq!(create(&controller, "kept").await, None);
    let (image, end) = (controller.image(), controller.log.next_offset());
    let refusing = Refusing::new(&bench.folder.path().join("__cluster_metadata-0"), Refused::Sync);
    let refused = Some(ResponseError::KafkaStorageError);
    assert_eq!(create(&controller, "refused").await, refused);
    drop(refusing);
    assert!(Arc::ptr_eq(&image, &controller.image()));
    assert!(Arc::ptr_eq(&image, &controller.writer.lock().newest()));
    assert_eq!(
        (controller.log.next_offset(), controller.log.committed()),
        (end, end)
    );
    let why = tokio::time::timeout(DEADLINE, controller.failed()).await.unwrap();
    assert!(why.starts_with("the metadata log cannot be written: "), "{why}");
    assert_eq!(create(&controller, "refused-too").await, refused);
}

#[tokio::test]
async fn what_cannot_be_applied_is_not_written() {
    let bench = Bench::new();
    let controller = bench.open(&[NODE]);
    let end = controller.log.next_offset();
    let quota = MetadataRecord::ClientQuota(ClientQuotaRecord::default());
    let step = Step {
        records: vec![quota],
        answer: (),
    };
    let refused = controller.write(&mut controller.writer.lock(), step).unwrap_err();
    assert_eq!(refused.response_error(), ResponseError::UnsupportedVersion);
    assert_eq!(controller.log.next_offset(), end);
    serving(&controller, NODE).await;
    assert_eq!(create(&controller, "t").await, None, "the controller goes on");
}

#[tokio::test]
async fn what_its_client_has_given_up_on_is_not_done_when_its_turn_comes() {
    let bench = Bench::new();
    let controller = bench.open(&[NODE]);
    serving(&controller, NODE).await;
    assert_eq!(create(&controller, "t").await, None);
    // Somebody else's change takes its time.
    let (done, awaited) = mpsc::channel();
    let (locked, begun) = mpsc::channel();
    let other = std::thread::spawn({
        let controller = Arc::clone(&controller);
        move || {
            let _writer = controller.writer.lock();
            locked.send(()).unwrap();
            awaited.recv().unwrap();
        }
    });
    begun.recv().unwrap();
    let gone = PeerGone::default();
    let deleting = tokio::spawn({
        let (controller, wanted) = (Arc::clone(&controller), Wanted::during(DEADLINE, gone.clone()));
        let named = NamedTopic {
            name: Some("t".to_owned()),
            id: Uuid::nil(),
        };
        async move { controller.delete_topics(vec![named], wanted).await }
    });
    tokio::task::yield_now().await;
    gone.tell();
    done.send(()).unwrap();
    other.join().unwrap();
    let refused = deleting.await.unwrap().unwrap_err();
    assert_eq!(refused.response_error(), ResponseError::RequestTimedOut);
    assert!(controller.image().topics.contains_key("t"));
}

#[tokio::test]
async fn a_controller_that_starts_again_reads_what_it_had_written() {
    let bench = Bench::new();
    let controller = bench.open(&[NODE]);
    serving(&controller, NODE).await;
    for name in ["a", "b"] {
        assert_eq!(create(&controller, name).await, None);
    }
    let named = NamedTopic {
        name: Some("a".to_owned()),
        id: Uuid::nil(),
    };
    assert_eq!(
        controller.delete_topics(vec![named], wanted()).await.unwrap()[0].outcome,
        Ok(())
    );
    let before = controller.image();
    controller.close().unwrap();
    let after = bench.open(&[NODE]);
    assert_eq!(after.epoch(), controller.epoch() + 1);
    let image = after.image();
    assert_eq!(image.topics, before.topics);
    assert_eq!(
        (&image.brokers, &image.configs),
        (&before.brokers, &before.configs)
    );
}

#[tokio::test]
async fn a_broker_that_falls_silent_is_fenced_when_the_clock_has_moved_by_a_session() {
    let bench = Bench::new();
    let controller = bench.open(&[NODE]);
    let epochs = [serving(&controller, 1).await, serving(&controller, 2).await];
    assert_eq!(create(&controller, "t").await, None);
    let led = controller.image().topics["t"].partitions[0].leader;
    let (silent, other) = if led == 1 { (1, 2) } else { (2, 1) };
    let watching = tokio::spawn(Arc::clone(&controller).keep_time());
    bench.clock.advance(SESSION / 2);
    let epoch = epochs[usize::try_from(other - 1).unwrap()];
    controller.heartbeat(beat(other, epoch)).await.unwrap();
    bench.clock.advance(SESSION / 2);
    until("the silent one is fenced", || {
        controller.image().brokers[&silent].fenced
    })
    .await;
    let image = controller.image();
    assert!(!image.brokers[&other].fenced);
    assert_eq!(
        image.topics["t"].partitions[0].leader, -1,
        "it had the only replica"
    );
    bench.clock.advance(SESSION / 2);
    until("so is the other", || controller.image().brokers[&other].fenced).await;
    assert!(!watching.is_finished());
    watching.abort();

    // Who is heard of again is let in again.
    let epoch = epochs[usize::try_from(silent - 1).unwrap()];
    assert!(!controller.heartbeat(beat(silent, epoch)).await.unwrap().fenced);
    assert_eq!(controller.image().topics["t"].partitions[0].leader, silent);
}

#[tokio::test]
async fn a_broker_that_is_known_from_the_log_alone_has_a_whole_session() {
    let bench = Bench::new();
    let controller = bench.open(&[NODE]);
    serving(&controller, NODE).await;
    controller.close().unwrap();
    bench.clock.advance(Duration::from_secs(86_400));
    let controller = bench.open(&[NODE]);
    let watching = tokio::spawn(Arc::clone(&controller).keep_time());
    bench.clock.advance(SESSION - Duration::from_millis(1));
    tokio::task::yield_now().await;
    assert!(!controller.image().brokers[&NODE].fenced);
    bench.clock.advance(Duration::from_millis(1));
    until("it is fenced", || controller.image().brokers[&NODE].fenced).await;
    watching.abort();
}

#[tokio::test]
async fn an_id_whose_process_died_is_given_to_the_next_one_at_once() {
    let bench = Bench::new();
    let controller = bench.open(&[NODE]);
    serving(&controller, 7).await;
    let other = || Registration {
        incarnation_id: Uuid::from_u128(2),
        ..registration(7)
    };
    let open = controller.register_broker("here".to_owned(), (other(), None), 9, |connection| {
        connection == 7
    });
    let refused = open.await.unwrap_err();
    assert_eq!(
        refused.response_error(),
        ResponseError::DuplicateBrokerRegistration
    );
    let closed = controller.register_broker("here".to_owned(), (other(), None), 9, |_| false);
    closed.await.unwrap();
}

#[tokio::test]
async fn the_state_of_the_quorum_is_the_old_one_or_the_new_one() {
    let bench = Bench::new();
    let file = bench
        .folder
        .path()
        .join("__cluster_metadata-0")
        .join("quorum-state");
    let state = || std::fs::read_to_string(&file).unwrap();
    bench.open(&[NODE]).close().unwrap();
    let before = state();
    assert!(before.contains("\"leaderEpoch\":1"), "{before}");
    let refusing = Refusing::new(&file, Refused::Rename);
    let address = ("localhost".to_owned(), 0);
    let refused = Controller::open(bench.config(), "here", address, bench.clock.clone());
    assert!(refused.is_err());
    drop(refusing);
    assert_eq!(state(), before);
    let epoch = bench.open(&[NODE]).epoch();
    assert!(epoch > 1 && state().contains(&format!("\"leaderEpoch\":{epoch}")));
}
