//! The bolt's answers to single messages.

use super::bolt::Bolt;
use super::reply::Reply;
use super::tuples::Layout;
use crate::exercises::storm::Sight;
use serde_json::value::RawValue;
use serde_json::{Value, json};

/// A bolt that has been told of tuples with these fields.
fn bolt(fields: &[&str]) -> Bolt<'static> {
    let mut bolt = Bolt::default();
    let setup = json!({
        "conf": {"topology.workers": null}, "pidDir": null,
        "context": {"source->stream->fields": {"stations": {"default": fields}}},
    });
    let said = say(&mut bolt, &setup);
    assert_eq!(said[0], json!({"pid": std::process::id()}));
    bolt
}

/// What the bolt answers to a message.
fn say(bolt: &mut Bolt<'_>, message: &Value) -> Vec<Value> {
    let mut reply = Reply::default();
    bolt.take(message.to_string().as_bytes(), &mut reply).unwrap();
    let said = String::from_utf8(reply.take()).unwrap();
    said.split_terminator("\nend\n")
        .map(|one| serde_json::from_str(one).unwrap())
        .collect()
}

fn tuple(id: &str, tuple: Value) -> Value {
    json!({"id": id, "comp": "stations", "stream": "default", "task": 5, "tuple": tuple})
}

fn station(bikes: i64) -> String {
    json!({"number": 5, "contract_name": "Lyon \"é\" /", "available_bikes": bikes, "last_update": 1_463_949_010_000_i64})
        .to_string()
}

/// The commands, without those that only log.
fn commands(said: &[Value]) -> Vec<&str> {
    said.iter()
        .filter_map(|one| one["command"].as_str())
        .filter(|one| *one != "log")
        .collect()
}

#[test]
fn an_event_is_anchored_to_its_cause_and_acked_after_it() {
    let mut bolt = bolt(&["topic", "partition", "offset", "key", "value"]);
    let of = |id: &str, offset: i64, bikes: i64| tuple(id, json!(["t", 3, offset, "5", station(bikes)]));
    assert_eq!(commands(&say(&mut bolt, &of("-1", 10, 2))), ["ack"]);
    let said = say(&mut bolt, &of("-2", 11, 0));
    assert_eq!(
        said[0],
        json!({"command": "emit", "anchors": ["-2"], "need_task_ids": false,
               "tuple": ["Lyon \"é\" /", 5, "station is empty", 1_463_949_010_000_i64]})
    );
    assert_eq!(said[1], json!({"command": "ack", "id": "-2"}));
    assert_eq!(commands(&say(&mut bolt, &of("-3", 12, 4))), ["emit", "ack"]);
    assert_eq!(
        commands(&say(&mut bolt, &of("-4", 11, 0))),
        ["emit", "ack"],
        "replayed"
    );
    assert_eq!(
        commands(&say(&mut bolt, &of("-5", 13, 4))),
        ["ack"],
        "and not back in time"
    );
}

#[test]
fn what_is_no_station_is_acked_and_makes_no_event() {
    let mut bolt = bolt(&["offset", "station"]);
    for (number, poison) in [
        json!([1, "hello"]),
        json!([1, null]),
        json!([1]),
        json!([]),
        json!([null, station(3)]),
        json!(["x", station(3)]),
        json!([1, {"number": 5}]),
        json!([1, "[]"]),
    ]
    .into_iter()
    .enumerate()
    {
        let said = say(&mut bolt, &tuple(&number.to_string(), poison.clone()));
        assert_eq!(commands(&said), ["ack"], "{poison}");
        assert_eq!(said.last().unwrap()["id"], number.to_string());
    }
    for odd in [
        json!({"id": "7", "comp": "stations", "stream": "default", "task": 5}),
        json!({"id": "7", "comp": 3, "stream": "default", "tuple": "no list"}),
        json!({"id": 7, "tuple": null}),
    ] {
        assert_eq!(commands(&say(&mut bolt, &odd)), ["ack"], "{odd}");
    }
    for silent in [json!([2, 3]), json!({"id": null}), json!("x"), json!({})] {
        assert_eq!(commands(&say(&mut bolt, &silent)), Vec::<&str>::new(), "{silent}");
    }
}

#[test]
fn a_tick_is_acked_as_any_tuple() {
    let mut bolt = bolt(&["offset", "station"]);
    let tick = json!({"id": "-9", "comp": "__system", "stream": "__tick", "task": -1, "tuple": [1]});
    assert_eq!(say(&mut bolt, &tick), [json!({"command": "ack", "id": "-9"})]);
}

#[test]
fn without_offsets_a_station_s_own_time_tells_its_records_apart_and_that_is_said_once() {
    let mut bolt = bolt(&["word"]);
    let of = |id: &str, bikes: i64, at: i64| {
        let station =
            json!({"number": 5, "contract_name": "Lyon", "available_bikes": bikes, "last_update": at});
        tuple(id, json!([station]))
    };
    let said = say(&mut bolt, &of("1", 3, 10));
    assert!(said[0]["msg"].as_str().unwrap().contains("`offset`"), "{said:?}");
    assert_eq!(say(&mut bolt, &of("2", 0, 11)).len(), 2);
    assert_eq!(say(&mut bolt, &of("3", 2, 12)).len(), 2);
    assert_eq!(say(&mut bolt, &of("4", 0, 11)).len(), 2, "replayed");
}

#[test]
fn what_is_not_storm_s_is_told_with_what_to_type() {
    for message in ["{}", "{\"command\":\"next\"}", "hello", ""] {
        let failure = Bolt::default()
            .take(message.as_bytes(), &mut Reply::default())
            .unwrap_err();
        assert!(failure.hints()[0].starts_with("velo storm flux"), "{message}");
    }
}

#[test]
fn fields_are_found_by_their_names() {
    let names = |all: &[&str]| all.iter().map(|name| (*name).to_owned()).collect::<Vec<_>>();
    let json = station(3);
    let raws: Vec<Box<RawValue>> = ["\"Lyon\"", "5", "7", "42", &json!(json).to_string()]
        .iter()
        .map(|text| RawValue::from_string((*text).to_owned()).unwrap())
        .collect();
    let tuple: Vec<&RawValue> = raws.iter().map(|raw| &**raw).collect();
    let sight = Sight::read(json.as_bytes()).unwrap();
    let ours = Layout::of(&names(&["contract", "number", "partition", "offset", "station"]));
    let at = ours.position(&tuple, &sight).unwrap();
    assert_eq!((at.partition, at.offset), (7, 42));
    assert_eq!(ours.station(&tuple).as_deref(), Some(json.as_str()));
    assert_eq!(Layout::UNKNOWN.station(&tuple).as_deref(), Some(json.as_str()));
    let bare = Layout::of(&names(&["a", "b", "c", "offset"]))
        .position(&tuple, &sight)
        .unwrap();
    assert_eq!((bare.partition, bare.offset), (0, 42));
}
