//! Kafka Streams beside `velo trips assemble`: the same packets, the same trips.

use super::*;
use crate::exercises::trips_support::{Trips, guarantee, lines_of};
use crate::exercises::velib_support::{create, records};

/// The trips by Kafka Streams, on the packets of `trips` and a topic and group of its own.
fn by_kafka_streams(trips: &Trips<'_>, expected: usize) -> Vec<String> {
    let cluster = trips.cluster;
    let output = cluster.name("streams-trips");
    create(cluster, &output, 1);
    let state = tempfile::tempdir().unwrap();
    let program = Background::start(
        streams_program("StreamsTrips.java", state.path())
            .args([
                cluster.bootstrap(),
                &cluster.name("streams"),
                &trips.packets,
                &output,
            ])
            .arg(state.path()),
    );
    let values = || {
        let records = records(cluster, &output).into_iter();
        let mut values: Vec<String> = records
            .map(|record| String::from_utf8(record.value.unwrap()).unwrap())
            .collect();
        values.sort();
        values
    };
    let values = eventually(values, |values| values.len() >= expected);
    drop(program);
    values
}

#[test]
#[cfg_attr(
    not(all(peer = "streams", peer = "kafka")),
    ignore = "Kafka Streams is not here: scripts/dev/test fetches it"
)]
fn kafka_streams_puts_the_same_trips_together() {
    let cluster = Cluster::apache();
    assert_eq!(guarantee(&cluster), "exactly-once");
    let trips = Trips::on(&cluster);
    create(&cluster, &trips.packets, 4);
    let expect = trips.state.path().join("expected");
    let much = [
        "--missing",
        "0.03",
        "--broken",
        "0.03",
        "--twice",
        "0.1",
        "--again",
        "0.1",
        "--disagree",
        "0.2",
        "--out-of-range",
        "0.2",
        "--future",
        "0.1",
        "--expect",
        expect.to_str().unwrap(),
    ];
    trips.produce(10_000, &much);
    trips.run("assemble", "a", &[]);
    let ours = trips.emitted();
    assert_eq!(ours, lines_of(&expect));
    assert_eq!(by_kafka_streams(&trips, ours.len()), ours);
}
