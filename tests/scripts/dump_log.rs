//! `kafka-dump-log` on files of our own cluster, and beside Java's.

use crate::support::ending;
use crate::support::velo::{Ended, Home};
use std::path::{Path, PathBuf};

/// A stopped node's log directory: a topic with records, a group that has read them.
fn data() -> (Home, PathBuf) {
    let home = Home::new();
    home.velo(&["cluster", "start", "--port", "0"]).succeeds();
    let bootstrap = home.bootstrap();
    let with = |arguments: &[&str], input: &str| {
        home.command(&[arguments, &["--bootstrap-server", &bootstrap]].concat())
            .write_stdin(input.to_owned())
            .assert()
            .success();
    };
    with(&["topic", "create", "lines"], "");
    with(
        &["produce", "lines", "--key-separator", ":"],
        "a:one\nb:dos ñ\na:three\n",
    );
    with(
        &[
            "consume",
            "lines",
            "--group",
            "readers",
            "--from-beginning",
            "--count",
            "3",
        ],
        "",
    );
    home.velo(&["cluster", "stop"]).succeeds();
    let node = home.path().join("data/cluster/node-1");
    (home, node)
}

fn dump(home: &Home, arguments: &[&str]) -> Ended {
    home.velo(&[&["kafka-dump-log"], arguments].concat())
}

fn file(node: &Path, folder: &str, ending: &str) -> String {
    let path = node.join(folder).join(format!("00000000000000000000.{ending}"));
    path.to_str().unwrap().to_owned()
}

/// The folder of `__consumer_offsets` that holds the group's records.
fn offsets_log(node: &Path) -> String {
    let folders = (0..50).map(|partition| file(node, &format!("__consumer_offsets-{partition}"), "log"));
    let mut written = folders.filter(|path| std::fs::metadata(path).is_ok_and(|log| log.len() > 0));
    written.next().unwrap()
}

#[test]
fn a_segment_shows_its_batches_and_with_print_data_log_its_records() {
    let (home, node) = data();
    let log = file(&node, "lines-0", "log");
    let shown = dump(&home, &["--print-data-log", "--files", &log])
        .succeeds()
        .stdout;
    assert!(shown.starts_with(&format!("Dumping {log}\nLog starting offset: 0\nbaseOffset: 0 ")));
    for record in [
        "key: a payload: one",
        "key: b payload: dos ñ",
        "key: a payload: three",
    ] {
        assert!(shown.contains(record), "{shown}");
    }
    let shallow = dump(&home, &["--files", &log]).succeeds().stdout;
    assert!(!shallow.contains("\n| "), "{shallow}");
}

#[test]
fn kafkas_own_records_are_shown_as_json() {
    let (home, node) = data();
    let offsets = dump(&home, &["--offsets-decoder", "--files", &offsets_log(&node)])
        .succeeds()
        .stdout;
    assert!(
        offsets.contains(r#"key: {"type":"1","data":{"group":"readers","topic":"lines","partition":0}}"#),
        "{offsets}"
    );
    assert!(offsets.contains(r#""data":{"offset":3,"#), "{offsets}");
    let metadata = file(&node, "__cluster_metadata-0", "log");
    let metadata = dump(&home, &["--cluster-metadata-decoder", "--files", &metadata])
        .succeeds()
        .stdout;
    assert!(
        metadata.contains(r#"payload: {"type":"TOPIC_RECORD","version":0,"data":{"name":"lines","#),
        "{metadata}"
    );
    assert!(!metadata.contains("skipping"), "{metadata}");
}

#[test]
fn what_cannot_be_read_is_told_and_what_came_before_is_kept() {
    let home = Home::new();
    let ended = dump(&home, &["--files", "/nowhere/00000000000000000007.log"]).fails_with(1);
    assert_eq!(
        ended.stdout,
        "Dumping /nowhere/00000000000000000007.log\nLog starting offset: 7\n"
    );
    assert_eq!(
        ended.stderr,
        "/nowhere/00000000000000000007.log (No such file or directory)\n"
    );
    let ended = dump(&home, &["--print-data-log"]).fails_with(1);
    assert!(
        ended
            .stderr
            .starts_with("Missing required argument \"[files]\"\n"),
        "{}",
        ended.stderr
    );
    let folder = tempfile::tempdir().unwrap();
    let torn = folder.path().join("00000000000000000000.log");
    std::fs::write(&torn, [0; 40]).unwrap();
    let ended = dump(&home, &["--files", torn.to_str().unwrap()]).fails_with(1);
    assert!(
        ended.stderr.starts_with("Found record size 0 smaller than"),
        "{}",
        ended.stderr
    );
}

#[test]
fn batches_of_before_kafka_0_11_are_refused_by_name() {
    let folder = tempfile::tempdir().unwrap();
    let old = folder.path().join("00000000000000000000.log");
    let mut bytes = [0_u8; 72];
    bytes[11] = 60; // the size of what follows
    bytes[16] = 1; // the format's version
    std::fs::write(&old, bytes).unwrap();
    let ended = dump(&Home::new(), &["--files", old.to_str().unwrap()]).fails_with(1);
    assert!(
        ended.stderr.contains("a batch of format version 1 at position 0"),
        "{}",
        ended.stderr
    );
}

#[test]
#[cfg_attr(
    not(peer = "kafka"),
    ignore = "Apache Kafka's tools are not here: scripts/dev/test fetches them"
)]
fn java_shows_the_same() {
    let (home, node) = data();
    let log = file(&node, "lines-0", "log");
    let [index, times] = ["index", "timeindex"].map(|ending| file(&node, "lines-0", ending));
    let metadata = file(&node, "__cluster_metadata-0", "log");
    let indexes = format!("{index},{times}");
    for arguments in [
        &["--print-data-log", "--files", &log][..],
        &["--skip-record-metadata", "--print-data-log", "--files", &log],
        &["--deep-iteration", "--max-bytes", "100", "--files", &log],
        &["--files", &indexes],
        &["--index-sanity-check", "--files", &indexes],
        &["--verify-index-only", "--files", &indexes],
        &["--cluster-metadata-decoder", "--files", &metadata],
        &["--offsets-decoder", "--files", &offsets_log(&node)],
    ] {
        let mut java = crate::peers::java("org.apache.kafka.tools.DumpLogSegments");
        let java = ending::output(java.args(arguments));
        let ours = dump(&home, arguments);
        assert_eq!(
            ours.stdout,
            String::from_utf8(java.stdout).unwrap(),
            "{arguments:?}"
        );
        assert_eq!(Some(ours.code), java.status.code(), "{arguments:?}");
    }
}
