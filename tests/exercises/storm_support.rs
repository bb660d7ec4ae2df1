//! The parent's side of Storm's multilang protocol, as strict as Storm: what would end a worker there ends the test here. And
//! the slow and simple way to find which stations become empty.

use crate::support::ending;
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet};
use std::io::{BufRead, BufReader, Read, Write};
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::time::Duration;
use tempfile::TempDir;

/// How long an answer may take.
const PATIENCE: Duration = Duration::from_secs(60);

pub const EMPTY: &str = "station is empty";
pub const NO_LONGER: &str = "station is no longer empty";

/// A station's record: its number, and how many bikes it has at which time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Seen {
    pub number: i64,
    pub bikes: i64,
    pub at: i64,
}

impl Seen {
    pub fn json(&self) -> Value {
        json!({
            "number": self.number, "contract_name": "Toulouse", "name": format!("{:05} - É/À", self.number),
            "address": "1 RUE \"LEDUC\"", "position": {"lat": 43.6, "lng": 1.4}, "banking": true, "bonus": false,
            "bike_stands": 20, "available_bike_stands": 20 - self.bikes, "available_bikes": self.bikes,
            "status": "OPEN", "last_update": self.at,
        })
    }
}

/// An event: number, what happened, when.
pub type Event = (i64, String, i64);

/// The events of records in this order: for each, the last one before it of the same station is looked for.
pub fn expected(records: &[Seen]) -> BTreeSet<Event> {
    let mut events = BTreeSet::new();
    for (place, record) in records.iter().enumerate() {
        let before = records[..place]
            .iter()
            .rfind(|before| before.number == record.number);
        match before.map(|before| before.bikes) {
            Some(1..) if record.bikes == 0 => {
                events.insert((record.number, EMPTY.to_owned(), record.at));
            }
            Some(0) if record.bikes > 0 => {
                events.insert((record.number, NO_LONGER.to_owned(), record.at));
            }
            _ => {}
        }
    }
    events
}

/// Records of some stations that run empty and are filled again, each with a time of its own.
pub fn a_day(count: i64, seed: u64) -> Vec<Seen> {
    let mut chance = Chance(seed);
    let mut bikes: BTreeMap<i64, i64> = BTreeMap::new();
    let record = |at| {
        let number = 1 + chance.below(9);
        let now = bikes.entry(number).or_insert(2);
        *now = (*now + chance.below(3) - 1).clamp(0, 3);
        Seen {
            number,
            bikes: *now,
            at: 1_463_949_000_000 + at,
        }
    };
    (0..count).map(record).collect()
}

/// A simple source of chance that gives the same for the same seed.
pub struct Chance(pub u64);

impl Chance {
    pub fn number(&mut self) -> u64 {
        self.0 = self
            .0
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        self.0 >> 16
    }

    pub fn below(&mut self, limit: i64) -> i64 {
        (self.number() % limit.unsigned_abs()) as i64
    }
}

/// Settings as long as Storm's, with nulls, nested lists and texts that look like the protocol's own words.
fn conf() -> Value {
    let mut conf = serde_json::Map::new();
    for number in 0..600 {
        conf.insert(
            format!("storm.setting.{number}"),
            json!([null, {"a": [1, 2.5, "end", "\nend\n"]}, "x".repeat(80)]),
        );
    }
    conf.insert("topology.debug".to_owned(), Value::Null);
    Value::Object(conf)
}

/// A tuple under way.
#[derive(Clone, Debug, PartialEq)]
pub struct Sent {
    /// What it holds, so that it can be sent again.
    pub tuple: Value,
    pub comp: String,
    pub stream: String,
}

/// A component that Storm has started.
pub struct FakeStorm {
    child: Child,
    stdin: Option<ChildStdin>,
    said: Receiver<Value>,
    pids: TempDir,
    chance: Chance,
    /// By id: what was sent and is neither acked nor failed.
    pub live: BTreeMap<String, Sent>,
    /// What was emitted: the anchor's tuple, and the emitted one.
    pub emitted: Vec<(Sent, Value)>,
    /// How many heartbeats were answered.
    pub syncs: usize,
    pub logged: Vec<String>,
}

impl FakeStorm {
    /// Starts it and shakes hands. The tuples of `stations` have these fields.
    pub fn start(mut command: Command, fields: &[&str]) -> Self {
        let pids = tempfile::tempdir().unwrap();
        let mut child = command
            .env("VELO_HOME", pids.path().join("home"))
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let stdin = child.stdin.take();
        let lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let (sender, said) = channel();
        std::thread::spawn(move || {
            read(lines.map_while(Result::ok), |message| {
                sender.send(message).is_ok()
            })
        });
        let mut storm = FakeStorm {
            child,
            stdin,
            said,
            pids,
            chance: Chance(7),
            live: BTreeMap::new(),
            emitted: Vec::new(),
            syncs: 0,
            logged: Vec::new(),
        };
        storm.write(&json!({
            "conf": conf(),
            "pidDir": storm.pids.path(),
            "context": {
                "task->component": {"1": "__acker", "2": "stations", "3": "empties"}, "taskid": 3,
                "componentid": "empties", "streams": ["default"],
                "stream->outputfields": {"default": ["contract", "number", "event", "last_update"]},
                "source->stream->fields": {"stations": {"default": fields}},
            },
        }));
        let pid = storm.hear();
        assert_eq!(pid, json!({"pid": storm.child.id()}));
        let file = storm.pids.path().join(storm.child.id().to_string());
        assert_eq!(
            std::fs::metadata(file).unwrap().len(),
            0,
            "an empty file named by the pid"
        );
        storm
    }

    /// One of `velo`'s own components.
    pub fn velo(arguments: &[&str], fields: &[&str]) -> Self {
        let mut command = Command::new(env!("CARGO_BIN_EXE_velo"));
        command.args(arguments).env_remove("VELO_BOOTSTRAP_SERVER");
        Self::start(command, fields)
    }

    pub fn write(&mut self, message: &Value) {
        let text = format!("{message}\nend\n").replace('/', "\\/");
        let stdin = self.stdin.as_mut().unwrap();
        stdin
            .write_all(text.as_bytes())
            .and_then(|()| stdin.flush())
            .unwrap();
    }

    /// Sends a tuple, under an id that no other has; answers it.
    pub fn send(&mut self, sent: Sent) -> String {
        // Random, 64 bits, negative as often as not: what Storm takes.
        let id = (self.chance.number() as i64)
            .wrapping_mul(-7_046_029_254_386_353_131)
            .to_string();
        self.write(&json!({
            "id": id, "comp": sent.comp, "stream": sent.stream, "task": 2, "tuple": sent.tuple,
        }));
        self.live.insert(id.clone(), sent);
        id
    }

    /// Sends a tuple of the stations.
    pub fn station(&mut self, tuple: Value) -> String {
        self.send(Sent {
            tuple,
            comp: "stations".into(),
            stream: "default".into(),
        })
    }

    pub fn tick(&mut self) -> String {
        self.send(Sent {
            tuple: json!([1]),
            comp: "__system".into(),
            stream: "__tick".into(),
        })
    }

    pub fn heartbeat(&mut self) {
        let id = self.chance.number().to_string();
        self.write(&json!({"id": id, "comp": null, "stream": "__heartbeat", "task": -1, "tuple": []}));
    }

    /// The next message, whatever it is.
    pub fn hear(&mut self) -> Value {
        self.said.recv_timeout(PATIENCE).unwrap_or_else(|error| {
            let status = self.child.try_wait();
            panic!("the component says nothing: {error}; {status:?}")
        })
    }

    /// Takes in one command, as strictly as Storm's ShellBolt.
    pub fn serve(&mut self) -> Value {
        let command = self.hear();
        self.take(&command);
        command
    }

    fn take(&mut self, command: &Value) {
        match command["command"].as_str() {
            Some("emit") => {
                let tuple = command["tuple"]
                    .as_array()
                    .unwrap_or_else(|| panic!("no tuple: {command}"));
                assert_eq!(tuple.len(), 4, "as long as the declared fields: {command}");
                assert_eq!(command["need_task_ids"], false, "{command}");
                assert!(
                    command.get("task").is_none() && command.get("stream").is_none(),
                    "{command}"
                );
                let anchors = command["anchors"]
                    .as_array()
                    .unwrap_or_else(|| panic!("no anchors: {command}"));
                assert_eq!(anchors.len(), 1, "{command}");
                let anchor = self.live.get(anchors[0].as_str().unwrap());
                let anchor = anchor.unwrap_or_else(|| panic!("anchored to what is acked: {command}"));
                self.emitted.push((anchor.clone(), command["tuple"].clone()));
            }
            Some("ack" | "fail") => {
                let id = command["id"]
                    .as_str()
                    .unwrap_or_else(|| panic!("no id: {command}"));
                assert!(
                    self.live.remove(id).is_some(),
                    "answered twice, or never sent: {command}"
                );
            }
            Some("sync") => self.syncs += 1,
            Some("log" | "error") => self.logged.push(command["msg"].as_str().unwrap().to_owned()),
            _ => panic!("no command of Storm's: {command}"),
        }
    }

    /// Serves until everything that was sent is answered.
    pub fn settle(&mut self) {
        while !self.live.is_empty() {
            self.serve();
        }
    }

    /// The events so far.
    pub fn events(&self) -> Vec<Event> {
        self.emitted.iter().map(|(_, tuple)| event(tuple)).collect()
    }

    /// SIGTERM, as Storm's `cleanup` sends it; answers the exit code and what stands on stderr.
    pub fn cleanup(mut self) -> (i32, String) {
        ending::terminate(&self.child);
        self.end()
    }

    /// Closes the pipe, and answers likewise.
    pub fn hang_up(mut self) -> (i32, String) {
        drop(self.stdin.take());
        self.end()
    }

    /// Ends it as a fault would; answers what it had not acked, and the events of all that it had.
    pub fn kill(mut self) -> (Vec<Sent>, Vec<Event>) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
        // What it had said by then is heard.
        while let Ok(message) = self.said.recv_timeout(PATIENCE) {
            self.take(&message);
        }
        let unanswered: Vec<Sent> = self.live.values().cloned().collect();
        let whole = self
            .emitted
            .iter()
            .filter(|(anchor, _)| !unanswered.contains(anchor));
        let events = whole.map(|(_, tuple)| event(tuple)).collect();
        (unanswered, events)
    }

    fn end(&mut self) -> (i32, String) {
        let code = ending::ended(&mut self.child).code().unwrap_or(-1);
        let mut said = String::new();
        self.child
            .stderr
            .take()
            .unwrap()
            .read_to_string(&mut said)
            .unwrap();
        (code, said)
    }
}

impl Drop for FakeStorm {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// `[contract, number, event, last_update]`
pub fn event(tuple: &Value) -> Event {
    assert_eq!(tuple[0], "Toulouse");
    (
        tuple[1].as_i64().unwrap(),
        tuple[2].as_str().unwrap().to_owned(),
        tuple[3].as_i64().unwrap(),
    )
}

/// Storm's way to read: lines until one that says `end`.
fn read(lines: impl Iterator<Item = String>, mut take: impl FnMut(Value) -> bool) {
    let mut message = String::new();
    for line in lines {
        if line != "end" {
            message.push_str(&line);
            continue;
        }
        let value = serde_json::from_str(&message);
        let value = value.unwrap_or_else(|error| panic!("no JSON: {error}: {message}"));
        message.clear();
        if !take(value) {
            return;
        }
    }
}
