//! Facts: each is true on a cluster where it is so, and false on one where it is otherwise.

use crate::support::cluster::Cluster;
use crate::support::velo::Home;
use std::collections::{BTreeMap, BTreeSet};
use velodrome::course::check::{self, Check};
use velodrome::course::facts::{
    ClusterFacts, ClusterView, Fact, Group, Member, Partition, PartitionOffsets, Seen,
};
use velodrome::course::live::Live;
use velodrome::course::look::Look;
use velodrome::failure::Outcome;
use velodrome::kafka::{Admin, Connection};

/// A cluster in memory that has everything that facts are about.
#[derive(Debug, Clone, Default)]
struct World {
    view: ClusterView,
    offsets: Vec<PartitionOffsets>,
    topic_configs: BTreeMap<String, String>,
    broker_configs: BTreeMap<String, String>,
    groups: BTreeMap<String, Group>,
    /// By topic.
    records: BTreeMap<String, Vec<Seen>>,
    /// How many records of a topic a reader of uncommitted ones sees.
    uncommitted: usize,
    open_transactions: usize,
}

impl ClusterFacts for World {
    fn cluster(&self) -> Outcome<ClusterView> {
        Ok(self.view.clone())
    }

    fn groups(&self) -> Outcome<BTreeSet<String>> {
        Ok(self.groups.keys().cloned().collect())
    }

    fn topic_configs(&self, _topic: &str) -> Outcome<BTreeMap<String, String>> {
        Ok(self.topic_configs.clone())
    }

    fn broker_configs(&self, _broker: i32) -> Outcome<BTreeMap<String, String>> {
        Ok(self.broker_configs.clone())
    }

    fn offsets(&self, _topic: &str) -> Outcome<Option<Vec<PartitionOffsets>>> {
        Ok(Some(self.offsets.clone()))
    }

    fn group(&self, group: &str) -> Outcome<Option<Group>> {
        Ok(self.groups.get(group).cloned())
    }

    fn records(&self, topic: &str, _per_partition: i64) -> Outcome<Vec<Seen>> {
        Ok(self.records.get(topic).cloned().unwrap_or_default())
    }

    fn uncommitted(&self, _topic: &str, _per_partition: i64) -> Outcome<usize> {
        Ok(self.uncommitted)
    }

    fn open_transactions(&self, _topic: &str) -> Outcome<usize> {
        Ok(self.open_transactions)
    }

    fn create_topic(&self, _: &str, _: i32, _: Option<i32>) -> Outcome {
        Ok(())
    }

    fn remove_topics(&self, _: &[String]) -> Outcome {
        Ok(())
    }

    fn remove_groups(&self, _: &[String]) -> Outcome<Vec<String>> {
        Ok(Vec::new())
    }
}

fn partition(leader: Option<i32>, replicas: &[i32], isr: &[i32]) -> Partition {
    Partition {
        leader,
        replicas: replicas.to_vec(),
        isr: isr.to_vec(),
    }
}

fn offsets(ranges: &[(i64, i64)]) -> Vec<PartitionOffsets> {
    let numbered = (0..).zip(ranges);
    numbered
        .map(|(partition, (start, end))| PartitionOffsets {
            partition,
            start: *start,
            end: *end,
        })
        .collect()
}

fn group(state: &str, members: &[(&str, &[i32])], committed: &[(i32, i64)]) -> Group {
    let of_topic = |partition: &i32| ("t".to_owned(), *partition);
    Group {
        state: state.to_owned(),
        members: members
            .iter()
            .map(|(id, owns)| Member {
                id: (*id).to_owned(),
                owns: owns.iter().map(of_topic).collect(),
            })
            .collect(),
        committed: committed
            .iter()
            .map(|(partition, offset)| (of_topic(partition), *offset))
            .collect(),
    }
}

fn record(at: (i32, i64), timestamp: i64, key: Option<&str>, value: &str) -> Seen {
    Seen {
        partition: at.0,
        offset: at.1,
        timestamp,
        key: key.map(|key| key.as_bytes().to_vec()),
        value: value.as_bytes().to_vec(),
    }
}

fn settings(name: &str, value: &str) -> BTreeMap<String, String> {
    [(name.to_owned(), value.to_owned())].into()
}

/// The topics beside `t`: what `t` was made from, a changelog, stations, and the events that were told of them.
const BESIDE: [&str; 4] = ["from", "changelog", "stations", "events"];

/// These partitions of `t`, and one of each topic beside it.
fn topics(partitions: Vec<Partition>) -> BTreeMap<String, Vec<Partition>> {
    let beside = BESIDE.map(|name| (name.to_owned(), vec![partition(Some(1), &[1], &[1])]));
    beside.into_iter().chain([("t".to_owned(), partitions)]).collect()
}

/// The records of `t`, and of each topic beside it.
fn records(of_t: Vec<Seen>, beside: [Vec<Seen>; 4]) -> BTreeMap<String, Vec<Seen>> {
    let beside = BESIDE.into_iter().zip(beside);
    let all = beside.chain([("t", of_t)]);
    all.map(|(name, records)| (name.to_owned(), records)).collect()
}

/// A station that becomes empty with its second record.
fn stations() -> Vec<Seen> {
    let station = |bikes| format!("{{\"contract_name\":\"T\",\"number\":1,\"available_bikes\":{bikes}}}");
    (0..)
        .zip([3, 0])
        .map(|(offset, bikes)| record((0, offset), offset, Some("1"), &station(bikes)))
        .collect()
}

/// Three brokers, and a topic of two partitions that a group of three reads.
fn busy() -> World {
    let partitions = vec![
        partition(Some(1), &[1, 2], &[1, 2]),
        partition(Some(3), &[2, 3], &[3]),
    ];
    World {
        view: ClusterView {
            brokers: [1, 2, 3].into(),
            topics: topics(partitions),
        },
        offsets: offsets(&[(2, 5), (0, 1)]),
        topic_configs: settings("retention.ms", "4000"),
        broker_configs: settings("num.partitions", "3"),
        groups: [(
            "g".to_owned(),
            group(
                "Stable",
                &[("m1", &[0]), ("m2", &[]), ("m3", &[1])],
                &[(0, 4), (1, 1)],
            ),
        )]
        .into(),
        uncommitted: 8,
        open_transactions: 1,
        records: records(
            vec![
                record((0, 2), 0, Some("a"), "{\"id\":1,\"n\":3}"),
                record((0, 3), 10, Some("b"), "{\"id\":2,\"n\":1}"),
                record((1, 0), 20, Some("a"), "{\"id\":1,\"n\":3}"),
                record((0, 4), 30, None, "x"),
                record((0, 5), 40, Some("a"), "{\"id\":1,\"n\":4}"),
                record((1, 1), 50, Some("a"), "{\"id\":1,\"n\":4}"),
            ],
            [
                (0..7).map(|offset| record((0, offset), 0, None, "v")).collect(),
                vec![
                    record((0, 0), 0, Some("trip"), "{\"count\":2}"),
                    record((0, 1), 0, Some("old"), "{\"count\":2}"),
                    record((0, 2), 0, Some("old"), ""),
                ],
                stations(),
                Vec::new(),
            ],
        ),
    }
}

/// One broker, and a topic of one partition that one member reads: nothing is as in the busy one.
fn small() -> World {
    World {
        view: ClusterView {
            brokers: [1].into(),
            topics: topics(vec![partition(Some(1), &[1], &[1])]),
        },
        offsets: offsets(&[(0, 0)]),
        topic_configs: settings("retention.ms", "5000"),
        broker_configs: settings("num.partitions", "1"),
        groups: [("g".to_owned(), group("Empty", &[("m1", &[0])], &[(0, 0)]))].into(),
        uncommitted: 3,
        open_transactions: 0,
        records: records(
            vec![
                record((0, 0), 0, Some("c"), "{\"id\":9,\"n\":0}"),
                record((0, 1), 1, Some("b"), "{\"id\":9,\"n\":0}"),
                record((0, 2), 2, Some("a"), "{\"id\":9,\"n\":0}"),
            ],
            [
                (0..3).map(|offset| record((0, offset), 0, None, "v")).collect(),
                vec![record((0, 0), 0, Some("trip"), "{\"mark\":1}")],
                stations(),
                vec![record(
                    (0, 0),
                    0,
                    Some("1"),
                    "{\"contract\":\"T\",\"number\":1,\"partition\":0,\"offset\":1}",
                )],
            ],
        ),
    }
}

/// The busy cluster without the broker that leads partition 1.
fn headless() -> World {
    let mut world = busy();
    world.view.brokers.remove(&3);
    if let Some(partitions) = world.view.topics.get_mut("t") {
        partitions[1].leader = None;
    }
    world
}

fn holds(world: &World, check: &Check) -> bool {
    let look = Look::at(world, ["m1".to_owned()].into());
    let found = check::one(&look, check).unwrap();
    found.passed
}

/// A fact, what it is about, and what it is on the busy cluster.
const ON_THE_BUSY_ONE: &[(&str, &str, &str)] = &[
    ("partitions", "topic = \"t\"", "2"),
    ("topic-config", "topic = \"t\"\nconfig = \"retention.ms\"", "4000"),
    ("written", "topic = \"t\"", "6"),
    ("kept", "topic = \"t\"", "4"),
    ("gone", "topic = \"t\"", "2"),
    ("partitions-used", "topic = \"t\"", "2"),
    ("end-offset", "topic = \"t\"\npartition = 0", "5"),
    ("replicas", "topic = \"t\"", "2"),
    ("under-replicated", "topic = \"t\"", "1"),
    ("leaders", "topic = \"t\"", "2"),
    ("not-preferred", "topic = \"t\"", "1"),
    ("leads", "topic = \"t\"\nbroker = 3", "1"),
    ("in-isr", "topic = \"t\"\nbroker = 3", "1"),
    ("brokers", "", "3"),
    ("serves", "broker = 3", "true"),
    ("broker-config", "broker = 1\nconfig = \"num.partitions\"", "3"),
    ("group-state", "group = \"g\"", "\"Stable\""),
    ("in-group", "group = \"g\"", "3"),
    ("idle-members", "group = \"g\"", "1"),
    ("members", "topic = \"t\"\ngroup = \"g\"", "2"),
    ("taken-over", "topic = \"t\"\ngroup = \"g\"", "1"),
    ("smallest-share", "topic = \"t\"\ngroup = \"g\"", "0"),
    ("committed", "topic = \"t\"\ngroup = \"g\"", "5"),
    ("committed-at", "topic = \"t\"\ngroup = \"g\"\npartition = 0", "4"),
    ("lag", "topic = \"t\"\ngroup = \"g\"", "1"),
    ("read-by-a-group", "topic = \"t\"", "5"),
    ("keys", "topic = \"t\"", "2"),
    ("keys-scattered", "topic = \"t\"", "1"),
    ("records-of-key", "topic = \"t\"\nrecord-key = \"a\"", "4"),
    ("partitions-of-key", "topic = \"t\"\nrecord-key = \"a\"", "2"),
    ("records-of-value", "topic = \"t\"\nvalue = \"x\"", "1"),
    (
        "field-of-key",
        "topic = \"t\"\nrecord-key = \"a\"\nfield = \"n\"",
        "4",
    ),
    ("things", "topic = \"t\"\nkey = [\"id\"]", "2"),
    ("unkeyed", "topic = \"t\"", "1"),
    ("scattered", "topic = \"t\"\nkey = [\"id\"]", "1"),
    ("changes", "topic = \"t\"\nkey = [\"id\"]\nfield = \"n\"", "1"),
    ("visible", "topic = \"t\"", "6"),
    ("hidden", "topic = \"t\"", "2"),
    ("repeated", "topic = \"t\"", "2"),
    ("lost", "topic = \"t\"\nfrom = \"from\"", "3"),
    ("open-transactions", "topic = \"t\"", "1"),
    ("trips-waiting", "topic = \"changelog\"", "1"),
    ("forgotten", "topic = \"changelog\"", "1"),
    ("events-missed", "topic = \"events\"\nfrom = \"stations\"", "1"),
    (
        "over-count",
        "topic = \"t\"\ngroup = \"g\"\nkey = [\"id\"]\nfield = \"n\"",
        "1",
    ),
];

/// Those that are the same on the small one: where they are otherwise.
const ELSEWHERE: &[(&str, &str, &str)] = &[
    ("topic-exists", "topic = \"t\"", "true"),
    ("group-exists", "group = \"g\"", "true"),
    ("in-sync", "topic = \"t\"", "1"),
    ("partition-of-key", "topic = \"t\"\nrecord-key = \"b\"", "0"),
];

fn read((name, about, want): &(&str, &str, &str)) -> Check {
    let text = format!("name = \"n\"\nfact = \"{name}\"\n{about}\nwant = {want}");
    Check::try_from(text.parse::<toml::Table>().unwrap()).unwrap()
}

#[test]
fn each_fact_shows_where_it_is_so_and_not_where_it_is_otherwise() {
    let (busy, small, nothing) = (busy(), small(), World::default());
    for case in ON_THE_BUSY_ONE {
        let check = read(case);
        assert!(holds(&busy, &check), "{case:?} is not so on the busy cluster");
        assert!(!holds(&small, &check), "{case:?} is so on the small cluster");
        assert!(!holds(&nothing, &check), "{case:?} is so where nothing is");
    }
    for case in ELSEWHERE {
        let check = read(case);
        assert!(holds(&busy, &check), "{case:?} is not so on the busy cluster");
        assert!(!holds(&nothing, &check), "{case:?} is so where nothing is");
    }
    let leaderless = read(&("leaderless", "topic = \"t\"", "1"));
    assert!(holds(&headless(), &leaderless) && !holds(&busy, &leaderless));
}

#[test]
fn no_fact_is_left_out() {
    let tried: BTreeSet<&str> = ON_THE_BUSY_ONE
        .iter()
        .chain(ELSEWHERE)
        .map(|(name, _, _)| *name)
        .chain(["leaderless"])
        .collect();
    let all: BTreeSet<&str> = Fact::names().collect();
    assert_eq!(tried, all);
}

on_both_clusters! {
    fn what_readers_of_committed_records_do_not_see_is_counted_as_it_comes(cluster) {
        hidden_records_are_counted(cluster);
    }
}

fn hidden_records_are_counted(cluster: &Cluster) {
    let home = Home::new();
    let (topic, id) = (cluster.name("hidden"), cluster.name("till"));
    let at = ["--bootstrap-server", cluster.bootstrap(), "--lang", "en"];
    let velo = |words: &[&str], typed: &str| {
        let mut command = home.command(&[words, &at].concat());
        let output = command.write_stdin(typed.to_owned()).output().unwrap();
        assert!(output.status.success(), "{output:?}");
    };
    let create = ["topic", "create", &topic, "--partitions", "1"];
    velo(&create, "");
    // One that looks again and again, as a lesson does: what it has read it does not read again.
    let live = Live::new(Admin::connect(&Connection::new(cluster.bootstrap(), None).unwrap()).unwrap());
    let is = |visible: usize, hidden: usize| {
        for (fact, want) in [("visible", visible), ("hidden", hidden)] {
            let text = format!("name = \"n\"\nfact = \"{fact}\"\ntopic = \"{topic}\"\nwant = {want}");
            let check = Check::try_from(text.parse::<toml::Table>().unwrap()).unwrap();
            let found = check::one(&Look::at(&live, BTreeSet::new()), &check).unwrap();
            assert!(found.passed, "{found:?}");
        }
    };
    let transaction = ["produce", &topic, "--transactional-id", &id];
    let aborted = [&transaction[..], &["--abort"]].concat();
    is(0, 0);
    velo(&transaction, "a\nb\n");
    is(2, 0);
    velo(&aborted, "c\nd\ne\n");
    is(2, 3);
    is(2, 3);
    velo(&["produce", &topic], "f\n");
    velo(&aborted, "g\n");
    is(3, 4);
    // Another topic of that name is another topic.
    velo(&["topic", "delete", &topic, "--yes"], "");
    velo(&create, "");
    velo(&aborted, "h\n");
    is(0, 1);
}
