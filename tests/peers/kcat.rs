//! kcat (librdkafka): metadata, every codec, groups, and what survives a kill.

use super::log_files::folder_of;
use super::*;
use velodrome::broker::batch::intact;

fn kcat(cluster: &Cluster, arguments: &[&str], input: &str) -> Said {
    run(
        Command::new("kcat")
            .args(["-b", cluster.bootstrap()])
            .args(arguments),
        input,
    )
}

#[test]
#[cfg_attr(not(peer = "kcat"), ignore = "kcat is not here: scripts/dev/test fetches it")]
fn metadata_shows_one_broker_and_no_topics() {
    let cluster = Cluster::classroom();
    let said = kcat(&cluster, &["-L"], "").succeeded();
    assert!(
        said.contains(" 1 brokers:\n") && said.contains(" 0 topics:\n"),
        "{said}"
    );
}

#[test]
#[cfg_attr(not(peer = "kcat"), ignore = "kcat is not here: scripts/dev/test fetches it")]
fn every_codec_passes_through() {
    let cluster = Cluster::classroom();
    for (number, codec) in ["none", "gzip", "snappy", "lz4", "zstd"].into_iter().enumerate() {
        // What does not become smaller is sent as it is.
        let long = "a".repeat(200);
        let lines: String = (0..500).map(|n| format!("{codec} {n} {long}\n")).collect();
        kcat(&cluster, &["-P", "-t", codec, "-z", codec], &lines).succeeded();
        assert_eq!(
            kcat(&cluster, &["-C", "-t", codec, "-e", "-q"], "").succeeded(),
            lines
        );
        // So does a client that thinks the broker unable to take compressed batches.
        assert_eq!(
            codecs(&cluster, codec),
            [i16::try_from(number).unwrap()],
            "{codec}"
        );
    }
}

/// By which codecs the batches of a topic's only partition are compressed, as they lie on the disk.
fn codecs(cluster: &Cluster, topic: &str) -> Vec<i16> {
    let folder = folder_of(classroom(cluster).data(), &format!("{topic}-0"));
    let content = std::fs::read(folder.join("00000000000000000000.log")).unwrap();
    let batches = intact(content.into()).unwrap().into_iter();
    let mut codecs: Vec<i16> = batches.map(|batch| batch.header.codec()).collect();
    codecs.dedup();
    codecs
}

#[test]
#[cfg_attr(not(peer = "kcat"), ignore = "kcat is not here: scripts/dev/test fetches it")]
fn keys_headers_and_partitions_are_kept() {
    let cluster = Cluster::classroom();
    kcat(
        &cluster,
        &["-P", "-t", "t", "-p", "0", "-K", ":", "-H", "course=velib"],
        "k:v:w\n",
    )
    .succeeded();
    assert_eq!(
        kcat(
            &cluster,
            &["-C", "-t", "t", "-e", "-q", "-f", "%p %o %k %s %h\n"],
            ""
        )
        .succeeded(),
        "0 0 k v:w course=velib\n"
    );
}

#[test]
#[cfg_attr(not(peer = "kcat"), ignore = "kcat is not here: scripts/dev/test fetches it")]
fn what_was_acknowledged_survives_a_kill() {
    let mut cluster = Cluster::classroom();
    let lines: String = (0..2000).map(|n| format!("{n}\n")).collect();
    kcat(&cluster, &["-P", "-t", "t", "-X", "acks=all"], &lines).succeeded();
    if let Cluster::Classroom(classroom) = &mut cluster {
        classroom.kill_and_restart();
    }
    assert_eq!(
        kcat(&cluster, &["-C", "-t", "t", "-e", "-q"], "").succeeded(),
        lines
    );
    kcat(&cluster, &["-P", "-t", "t"], "after\n").succeeded();
    assert_eq!(
        kcat(&cluster, &["-C", "-t", "t", "-e", "-q", "-o", "2000"], "").succeeded(),
        "after\n"
    );
}
