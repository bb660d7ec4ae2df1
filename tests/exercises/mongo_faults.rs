//! `velo mongo ingest`: every record a document, once, whatever dies and whenever.

use super::mongo_support::{MongoServer, arguments, people};
use super::velib_support::{Running, create, eventually, lag, records, write};
use crate::support::cluster::Cluster;
use serde_json::json;
use std::collections::BTreeSet;

/// What is done to two ingests of one group and their server while records come in.
struct Trial {
    /// How often an ingest is killed and started again, one and the other in turn.
    ingest_kills: usize,
    /// How often the server is killed and started again.
    server_kills: usize,
    /// How often what the server keeps its documents in crashes and starts again.
    store_crashes: usize,
    /// How often an ingest leaves in order and comes back.
    departures: usize,
    /// Good records written before each of these; each time a bad one goes with them.
    records: usize,
    /// Most records written at once.
    batch: &'static str,
}

/// What happens next.
#[derive(Clone, Copy, PartialEq)]
enum Fault {
    KillIngest,
    KillServer,
    CrashStore,
    Leave,
}

impl Trial {
    /// The faults, evenly mixed.
    fn faults(&self) -> Vec<Fault> {
        let kinds = [
            (Fault::KillIngest, self.ingest_kills),
            (Fault::KillServer, self.server_kills),
            (Fault::CrashStore, self.store_crashes),
            (Fault::Leave, self.departures),
        ];
        let mut at: Vec<(f64, Fault)> = kinds
            .iter()
            .flat_map(|(fault, times)| {
                (0..*times).map(move |time| ((time as f64 + 0.5) / *times as f64, *fault))
            })
            .collect();
        at.sort_by(|(one, _), (other, _)| one.total_cmp(other));
        at.into_iter().map(|(_, fault)| fault).collect()
    }

    fn run(&self, mut server: MongoServer) {
        let cluster = Cluster::classroom();
        let topic = "people";
        create(&cluster, topic, 4);
        let uri = server.uri();
        let start = || Running::start(&cluster, &arguments(topic, &uri, &["--batch", self.batch]));
        let mut ingests = [start(), start()];
        let mut sent = 0;
        for (round, fault) in self.faults().into_iter().enumerate() {
            let before = server.about();
            let mut values = people(sent..sent + self.records);
            values.push(json!([round]));
            write(&cluster, topic, &values);
            sent += self.records;
            // In the middle of the work, not before it and not after.
            let middle = before + self.records as u64 / 10;
            progress(|| server.about() >= middle, &ingests);
            let which = round % 2;
            match fault {
                Fault::KillIngest => {
                    ingests[which].kill();
                    ingests[which] = start();
                }
                Fault::Leave => {
                    assert_eq!(ingests[which].interrupt(), 130);
                    ingests[which] = start();
                }
                Fault::KillServer => {
                    server.kill();
                    server.restart();
                }
                Fault::CrashStore => server.crash_store(),
            }
        }
        let mut rest = lag(&cluster, topic, topic);
        while rest > 0 {
            let least = (rest - 5_000).max(0);
            progress(|| lag(&cluster, topic, topic) <= least, &ingests);
            rest = lag(&cluster, topic, topic);
        }
        let documents = server.documents();
        let numbers: BTreeSet<i32> = documents.iter().map(|one| one.get_i32("n").unwrap()).collect();
        assert_eq!((documents.len(), numbers.len()), (sent, sent));
        let letters = records(&cluster, &format!("{topic}-dead-letter"));
        let bad: BTreeSet<Option<Vec<u8>>> = letters.iter().map(|letter| letter.value.clone()).collect();
        let rounds = self.faults().len();
        assert_eq!((letters.len(), bad.len()), (rounds, rounds));
    }
}

#[track_caller]
fn progress(fact: impl FnMut() -> bool, ingests: &[Running; 2]) {
    eventually(fact, || {
        format!("{}\n{}", ingests[0].stderr(), ingests[1].stderr())
    });
}

/// What every run of the tests has time for.
const SHORT: Trial = Trial {
    ingest_kills: 3,
    server_kills: 2,
    store_crashes: 0,
    departures: 1,
    records: 500,
    batch: "100",
};

/// What takes minutes: `cargo test --test suite -- --ignored a_hundred_thousand`.
const LONG: Trial = Trial {
    ingest_kills: 20,
    server_kills: 5,
    store_crashes: 0,
    departures: 7,
    records: 3_125,
    batch: "1000",
};

#[test]
#[cfg_attr(
    not(peer = "mongo"),
    ignore = "no MongoDB server is here: scripts/dev/test fetches one"
)]
fn two_ingests_killed_and_a_server_killed_lose_nothing_and_double_nothing() {
    SHORT.run(MongoServer::start());
}

#[test]
#[cfg_attr(
    not(peer = "ferretdb"),
    ignore = "FerretDB is not here: scripts/dev/test builds it"
)]
fn the_same_on_ferretdb_and_sqlite() {
    SHORT.run(MongoServer::ferretdb_on_sqlite());
}

#[test]
#[cfg_attr(
    not(all(peer = "ferretdb", peer = "postgresql")),
    ignore = "FerretDB or PostgreSQL is not here: scripts/dev/test fetches them"
)]
fn the_same_on_ferretdb_and_a_postgresql_that_crashes() {
    let trial = Trial {
        store_crashes: 2,
        ..SHORT
    };
    trial.run(MongoServer::ferretdb_on_postgresql());
}

#[test]
#[ignore = "takes minutes, and a MongoDB server that scripts/dev/peers fetches"]
fn a_hundred_thousand_records_survive_twenty_five_deaths() {
    LONG.run(MongoServer::start());
}

#[test]
#[ignore = "takes minutes, and FerretDB, which scripts/dev/peers builds"]
fn a_hundred_thousand_records_survive_twenty_five_deaths_on_ferretdb_and_sqlite() {
    LONG.run(MongoServer::ferretdb_on_sqlite());
}

#[test]
#[ignore = "takes minutes, and FerretDB and PostgreSQL, which scripts/dev/peers fetches"]
fn a_hundred_thousand_records_survive_thirty_deaths_on_ferretdb_and_postgresql() {
    let trial = Trial {
        store_crashes: 5,
        ..LONG
    };
    trial.run(MongoServer::ferretdb_on_postgresql());
}
