//! What the tests of the trips share: packets by hand, the programs, and what came out.

use super::velib_support::{Running, connection, eventually, records, velo};
use crate::support::cluster::Cluster;
use crate::support::velo::Ended;
use serde_json::Value;
use std::collections::BTreeSet;
use std::path::Path;
use velodrome::clock::Clock;
use velodrome::exercises::trips::packet::{Chunk, Heard};
use velodrome::kafka::RecordProducer;
use velodrome::kafka::record_producer::Outgoing;
use velodrome::kafka::transactions::no_coordinator;

/// The strongest guarantee that the cluster offers.
pub fn guarantee(cluster: &Cluster) -> &'static str {
    match no_coordinator(&connection(cluster), "velo-test") {
        None => "exactly-once",
        Some(_) => "at-least-once",
    }
}

/// Topics, group and state of one test.
pub struct Trips<'a> {
    pub cluster: &'a Cluster,
    pub packets: String,
    pub output: String,
    pub group: String,
    pub state: tempfile::TempDir,
}

impl<'a> Trips<'a> {
    pub fn on(cluster: &'a Cluster) -> Self {
        Trips {
            cluster,
            packets: cluster.name("packets"),
            output: cluster.name("trips"),
            group: cluster.name("assemble"),
            state: tempfile::tempdir().unwrap(),
        }
    }

    /// The folder of that instance's state.
    pub fn folder(&self, instance: &str) -> String {
        self.state.path().join(instance).display().to_string()
    }

    /// The words of a program of `velo trips`, with the cluster's strongest guarantee.
    pub fn words(&self, program: &str, instance: &str, more: &[&str]) -> Vec<String> {
        let folder = self.folder(instance);
        let words = [
            "trips",
            program,
            "--input",
            &self.packets,
            "--output",
            &self.output,
            "--group",
            &self.group,
            "--state",
            &folder,
        ];
        let strongest = ["--guarantee", guarantee(self.cluster)];
        let strongest = if more.contains(&"--guarantee") {
            &[]
        } else {
            &strongest[..]
        };
        let words = words.iter().chain(strongest).chain(more);
        words.map(|word| (*word).to_owned()).collect()
    }

    /// Runs a program until it has dealt with all there is.
    pub fn run(&self, program: &str, instance: &str, more: &[&str]) -> Ended {
        let words = self.words(program, instance, &[&["--exit-at-end"], more].concat());
        let words: Vec<&str> = words.iter().map(String::as_str).collect();
        velo(self.cluster, &words).succeeds()
    }

    /// Starts a program.
    pub fn start(&self, program: &str, instance: &str, more: &[&str]) -> Running {
        let words = self.words(program, instance, more);
        let words: Vec<&str> = words.iter().map(String::as_str).collect();
        Running::start(self.cluster, &words)
    }

    /// Writes packets of the fleet.
    pub fn produce(&self, count: u32, more: &[&str]) {
        let count = count.to_string();
        let words = [
            "trips",
            "produce",
            "--topic",
            &self.packets,
            "--rate",
            "0",
            "--count",
            &count,
        ];
        velo(self.cluster, &[&words, more].concat()).succeeds();
    }

    /// What came out, as committed records have it, in order of the text.
    pub fn emitted(&self) -> Vec<String> {
        let records = records(self.cluster, &self.output);
        let mut lines: Vec<String> = records
            .into_iter()
            .map(|record| {
                let text = String::from_utf8(record.value.unwrap()).unwrap();
                let value: Value = serde_json::from_str(&text).unwrap();
                let key = String::from_utf8(record.key.unwrap()).unwrap();
                assert_eq!(value["device"].to_string(), key);
                text
            })
            .collect();
        lines.sort();
        lines
    }

    /// Waits until so much came out.
    #[track_caller]
    pub fn await_emitted(&self, count: usize, running: &Running) {
        eventually(|| self.emitted().len() >= count, || running.stderr());
    }
}

/// Trips that came out, by what is expected: each once where transactions see to it, else each at least once.
#[track_caller]
pub fn assert_expected(trips: &Trips<'_>, expected: &[String]) {
    let emitted = trips.emitted();
    if guarantee(trips.cluster) == "exactly-once" {
        assert!(
            emitted == expected,
            "{} of {} trips",
            emitted.len(),
            expected.len()
        );
    }
    let each: BTreeSet<&String> = emitted.iter().collect();
    let missing = expected.iter().filter(|trip| !each.contains(trip)).count();
    assert_eq!((missing, each.len()), (0, expected.len()));
}

/// The lines of a file, in order of the text.
pub fn lines_of(path: &Path) -> Vec<String> {
    let mut lines: Vec<String> = std::fs::read_to_string(path)
        .unwrap()
        .lines()
        .map(str::to_owned)
        .collect();
    lines.sort();
    lines
}

/// Now, in ms since 1970-01-01 UTC.
pub fn now() -> i64 {
    Clock::system().now_ms()
}

/// A packet of a trip.
pub fn part(device: i64, start: i64, chunk: u32, chunks: u32) -> Heard {
    let end = start + 1_000;
    let trip = Chunk {
        start,
        end,
        chunk,
        chunks,
    };
    Heard {
        ts: end,
        device,
        trip: Some(trip),
    }
}

/// A packet of a stream.
pub fn moment(device: i64, ts: i64) -> Heard {
    let trip = None;
    Heard { ts, device, trip }
}

/// Writes these values, keyed by a device.
pub fn write_values(cluster: &Cluster, topic: &str, values: &[(i64, Option<Vec<u8>>)]) {
    let producer = RecordProducer::connect(&connection(cluster)).unwrap();
    for (device, value) in values {
        let key = device.to_string();
        producer
            .send(Outgoing {
                topic,
                key: Some(key.as_bytes()),
                value: value.as_deref(),
                headers: &[],
            })
            .unwrap();
    }
    producer.flush().unwrap();
}

/// Writes packets.
pub fn write_packets(cluster: &Cluster, topic: &str, packets: &[Heard]) {
    let values: Vec<_> = packets
        .iter()
        .map(|packet| (packet.device, Some(packet.write(None))))
        .collect();
    write_values(cluster, topic, &values);
}
