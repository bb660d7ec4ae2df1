//! kcat (librdkafka): metadata, every codec, groups, and what survives a kill.

use super::*;

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
    for codec in ["none", "gzip", "snappy", "lz4", "zstd"] {
        let lines: String = (0..500).map(|n| format!("{codec} {n}\n")).collect();
        kcat(&cluster, &["-P", "-t", codec, "-z", codec], &lines).succeeded();
        assert_eq!(
            kcat(&cluster, &["-C", "-t", codec, "-e", "-q"], "").succeeded(),
            lines
        );
    }
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
