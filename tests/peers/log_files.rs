//! Our files, read by Apache Kafka's own dump-log.

use super::*;
use crate::broker::record_layout::{self, FAMILIES};
use crate::support::velo::Home;
use std::path::Path;

const DUMP: &str = "org.apache.kafka.tools.DumpLogSegments";
const PRODUCER_PERF: &str = "org.apache.kafka.tools.ProducerPerformance";

fn files(folder: &Path, endings: &[&str]) -> Vec<String> {
    let mut found: Vec<String> = std::fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| {
            path.extension()
                .is_some_and(|ending| endings.contains(&ending.to_str().unwrap()))
        })
        .map(|path| path.to_str().unwrap().to_owned())
        .collect();
    found.sort();
    found
}

pub(super) fn folder_of(root: &Path, name: &str) -> PathBuf {
    let mut folders = vec![root.to_owned()];
    while let Some(folder) = folders.pop() {
        if folder.file_name().is_some_and(|found| found == name) {
            return folder;
        }
        let inside = std::fs::read_dir(&folder)
            .unwrap()
            .map(|entry| entry.unwrap().path());
        folders.extend(inside.filter(|path| path.is_dir()));
    }
    panic!("no folder {name} below {}", root.display());
}

#[test]
#[cfg_attr(
    not(peer = "kafka"),
    ignore = "Apache Kafka's tools are not here: scripts/dev/test fetches them"
)]
fn segments_and_indexes_are_read_without_complaint() {
    let cluster = Cluster::classroom_with(&["log.segment.bytes=1048576"]);
    let arguments = [
        "--topic",
        "t",
        "--num-records",
        "40000",
        "--record-size",
        "100",
        "--throughput",
        "-1",
    ];
    java_tool(&cluster, PRODUCER_PERF, &arguments).succeeded();
    let folder = folder_of(classroom(&cluster).data(), "t-0");
    let all = files(&folder, &["log", "index", "timeindex"]);
    assert!(all.len() > 6, "several segments: {all:?}");
    let said = run(
        java(DUMP).args(["--deep-iteration", "--files", &all.join(",")]),
        "",
    )
    .succeeded();
    assert!(
        !said.contains("Mismatches") && !said.contains("not valid") && !said.contains("isvalid: false"),
        "{}",
        &said[..2000.min(said.len())]
    );
    assert_eq!(
        said.lines().filter(|line| line.starts_with("| offset: ")).count(),
        40000
    );
    let indexes = files(&folder, &["index"]);
    let sane = run(
        java(DUMP).args(["--index-sanity-check", "--files", &indexes.join(",")]),
        "",
    )
    .succeeded();
    assert_eq!(
        sane.matches("passed sanity check").count() + sane.matches(".index is empty.").count(),
        indexes.len(),
        "{sane}"
    );
}

#[test]
#[cfg_attr(
    not(peer = "kafka"),
    ignore = "Apache Kafka's tools are not here: scripts/dev/test fetches them"
)]
fn the_metadata_log_is_decoded() {
    let cluster = Cluster::classroom();
    java_tool(
        &cluster,
        "org.apache.kafka.tools.TopicCommand",
        &["--create", "--topic", "velib-stations"],
    )
    .succeeded();
    let folder = folder_of(classroom(&cluster).data(), "__cluster_metadata-0");
    let log = files(&folder, &["log"]).join(",");
    let said = run(
        java(DUMP).args(["--cluster-metadata-decoder", "--files", &log]),
        "",
    )
    .succeeded();
    for record in ["REGISTER_BROKER_RECORD", "TOPIC_RECORD", "PARTITION_RECORD"] {
        assert!(said.contains(record), "{record}: {said}");
    }
}

/// Every record of every layout, in every version: Java's tool and ours say the same, and Java's finds nothing wrong.
#[test]
#[cfg_attr(
    not(peer = "kafka"),
    ignore = "Apache Kafka's tools are not here: scripts/dev/test fetches them"
)]
fn every_record_of_our_layouts_is_decoded_as_ours_decodes_it() {
    let home = Home::new();
    for layouts in FAMILIES {
        let log = record_layout::write_segment(home.path(), layouts);
        let theirs = run(java(DUMP).args([layouts.decoder, "--files", &log]), "").succeeded();
        let ours = home
            .velo(&["kafka-dump-log", layouts.decoder, "--files", &log])
            .succeeds()
            .stdout;
        let examples = record_layout::examples(layouts);
        let decoded = |said: &str| -> Vec<String> {
            let lines = said.lines().filter(|line| line.starts_with("| offset: "));
            lines.map(str::to_owned).collect()
        };
        let (theirs, ours) = (decoded(&theirs), decoded(&ours));
        assert_eq!((theirs.len(), ours.len()), (examples.len(), examples.len()));
        for ((theirs, ours), example) in theirs.iter().zip(&ours).zip(&examples) {
            assert_eq!(ours, theirs, "{}", example.name);
            assert!(theirs.contains("payload: {"), "{}: {theirs}", example.name);
        }
    }
}
