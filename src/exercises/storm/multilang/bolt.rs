//! `velo storm bolt`: the bolt that finds which stations become empty and which are empty no longer, as a process that Storm
//! starts.
//!
//! One process is one task. It emits `[contract, number, event, last_update]`, anchored to the tuple that is its cause, and acks
//! every tuple: what is no station as well, for it would not become one by coming again. What there is to say goes to Storm's
//! log by the protocol: nobody reads stderr while no tuple comes, and a full pipe would hold the bolt up.

use super::frames::{Chunk, Frames, Next};
use super::reply::Reply;
use super::setup::Setup;
use super::tuples::Layout;
use crate::exercises::storm::{Memory, Position, Sight, Told};
use crate::failure::{Failure, Outcome};
use crate::kafka::Connection;
use crate::kafka::group_consumer::Received;
use crate::kafka::topic_reader::read_between;
use crate::ui::Ui;
use crate::ui::units::counted;
use memchr::memmem;
use serde::Deserialize;
use serde_json::value::RawValue;
use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::io::Read;
use std::time::Duration;

/// How soon a signal is seen.
const GLANCE: Duration = Duration::from_millis(50);
/// How long tuples may gather before they are read: as long as Storm itself lets them gather before it sends them on.
const TOGETHER: Duration = Duration::from_millis(1);
/// The stream of heartbeats.
const HEARTBEAT: &str = "__heartbeat";
/// The component that sends ticks and the like.
const SYSTEM: &str = "__system";

/// A tuple, a heartbeat or a tick, as Storm sends it.
#[derive(Deserialize)]
struct Incoming<'a> {
    #[serde(borrow, default)]
    id: Option<&'a RawValue>,
    #[serde(borrow, default)]
    comp: Option<Cow<'a, str>>,
    #[serde(borrow, default)]
    stream: Option<Cow<'a, str>>,
    #[serde(borrow, default)]
    tuple: Option<Vec<&'a RawValue>>,
}

/// What a partition holds around a place: as many records as are needed to know the stations by.
pub type Around<'a> = Box<dyn Fn(Position) -> Outcome<Vec<Received>> + 'a>;

/// The bolt: messages in, commands out. Pure but for the pid file, and for what it asks of the time before its own.
#[derive(Default)]
pub struct Bolt<'a> {
    layouts: Option<HashMap<String, HashMap<String, Layout>>>,
    memory: Memory,
    around: Option<Around<'a>>,
    /// The partitions that tuples have come from.
    begun: BTreeSet<i32>,
    /// How many tuples were no station.
    strange: u64,
    /// The tuples' places are missing, and that was said.
    warned: bool,
}

/// Where the bolt finds what it missed: records of the spouts' topic.
#[derive(Debug, Clone)]
pub struct Past {
    /// The topic that the spouts read.
    pub topic: String,
    /// How many records before the first tuple of each partition. As many after it are read as well, as far as they are
    /// there: what was under way when a bolt died comes again in any order.
    pub records: i64,
}

impl Past {
    fn looked_into<'a>(&'a self, connection: &'a Connection) -> Around<'a> {
        Box::new(move |at| self.around(connection, at))
    }

    fn around(&self, connection: &Connection, at: Position) -> Outcome<Vec<Received>> {
        let first = at.offset.saturating_sub(self.records).max(0);
        let span = (first, at.offset.saturating_add(self.records));
        let mut known = Vec::new();
        let spans = BTreeMap::from([(at.partition, span)]);
        read_between(connection, &self.topic, &spans, |record| known.push(record))?;
        Ok(known)
    }
}

/// Runs the bolt until Storm ends it (`go_on` fails) or closes the pipe.
///
/// # Errors
/// What `go_on` says; when what Storm says first is not what it says to a bolt.
pub fn run(
    source: impl Read + Send + 'static,
    past: Option<(&Connection, &Past)>,
    ui: Ui,
    go_on: &dyn Fn() -> Outcome,
) -> Outcome {
    // Heartbeats are answered where they are read, before the tuples that came with them are worked on.
    let frames = Frames::of(source, TOGETHER, move |chunk| {
        let mut beats = Reply::default();
        (0..heartbeats(chunk)).for_each(|_| beats.sync());
        if !beats.is_empty() {
            // A closed pipe ends the process there; another trouble the next answer meets as well.
            let _ = ui.bytes(&beats.take());
        }
    })?;
    let mut bolt = Bolt {
        around: past.map(|(connection, past)| past.looked_into(connection)),
        ..Bolt::default()
    };
    let mut reply = Reply::default();
    loop {
        go_on()?;
        match frames.next(GLANCE)? {
            Next::Chunk(chunk) => {
                chunk
                    .messages()
                    .try_for_each(|message| bolt.take(message, &mut reply))?;
                if !reply.is_empty() {
                    ui.bytes(&reply.take())?;
                }
            }
            Next::Waiting => {}
            Next::End => return Ok(()),
        }
    }
}

/// How many heartbeats are among these messages.
fn heartbeats(chunk: &Chunk) -> usize {
    let beat = memmem::Finder::new(HEARTBEAT);
    if !chunk.holds(&beat) {
        return 0;
    }
    let is_one = |message: &&[u8]| {
        let incoming = serde_json::from_slice::<Incoming<'_>>(message);
        beat.find(message).is_some() && incoming.is_ok_and(|it| it.is_heartbeat())
    };
    chunk.messages().filter(is_one).count()
}

impl Incoming<'_> {
    fn is_heartbeat(&self) -> bool {
        self.stream.as_deref() == Some(HEARTBEAT)
    }
}

impl Bolt<'_> {
    /// Takes in a message and adds what there is to answer. Heartbeats are answered elsewhere.
    ///
    /// # Errors
    /// When the first message is not Storm's.
    pub fn take(&mut self, message: &[u8], reply: &mut Reply) -> Outcome {
        if self.layouts.is_none() {
            return self.begin(message, reply);
        }
        if message.iter().find(|byte| !byte.is_ascii_whitespace()) == Some(&b'[') {
            // Tasks that a tuple went to, which were not asked for.
            return Ok(());
        }
        match serde_json::from_slice::<Incoming<'_>>(message) {
            Ok(incoming) if incoming.is_heartbeat() => {}
            Ok(incoming) => self.work(&incoming, reply),
            Err(error) => self.take_odd(message, &error, reply),
        }
        Ok(())
    }

    fn begin(&mut self, message: &[u8], reply: &mut Reply) -> Outcome {
        let setup = Setup::read(message).map_err(|error| {
            Failure::request("what stands on standard input is not Storm's multilang protocol")
                .because(error)
                .hint("velo storm flux    (writes the topology that starts this bolt)")
        })?;
        setup.answer(reply);
        let layouts = setup.fields().into_iter().map(|(component, streams)| {
            let streams = streams.into_iter();
            let streams = streams.map(|(stream, names)| (stream, Layout::of(&names)));
            (component, streams.collect())
        });
        self.layouts = Some(layouts.collect());
        Ok(())
    }

    fn layout(&self, incoming: &Incoming<'_>) -> Layout {
        let streams = self
            .layouts
            .as_ref()
            .and_then(|all| all.get(incoming.comp.as_deref()?));
        let named = streams.and_then(|streams| streams.get(incoming.stream.as_deref()?));
        named.copied().unwrap_or(Layout::UNKNOWN)
    }

    /// A tuple: its event if it is the cause of one, and its ack.
    fn work(&mut self, incoming: &Incoming<'_>, reply: &mut Reply) {
        let Some(id) = incoming.id else {
            return self.complain("a message has no id", reply);
        };
        let is_ours = incoming.comp.as_deref() != Some(SYSTEM);
        if is_ours && let Err(why) = self.look(incoming, id, reply) {
            self.complain(&why, reply);
        }
        reply.ack(id);
    }

    fn look(&mut self, incoming: &Incoming<'_>, id: &RawValue, reply: &mut Reply) -> Result<(), String> {
        let layout = self.layout(incoming);
        let tuple = incoming.tuple.as_deref().unwrap_or_default();
        let json = layout
            .station(tuple)
            .ok_or("it holds no text that is a station")?;
        let sight = Sight::read(json.as_bytes())?;
        let at = layout
            .position(tuple, &sight)
            .ok_or("it does not say where its record stands")?;
        if !layout.has_position() && !self.warned {
            self.warned = true;
            reply.warn(
                "no field of the tuples is called `offset`: records are told apart by `last_update`; name a field \
                 `offset` (and one `partition`), as KafkaSpout does",
            );
        }
        if layout.has_position() && self.begun.insert(at.partition) {
            self.remember(at, reply);
        }
        let Some(empty) = sight.is_empty() else {
            return Ok(());
        };
        let told = self
            .memory
            .look(&sight.contract, sight.number, at, empty, sight.last_update);
        for one in told {
            reply.emit_anchored(id, tuple_of(&sight, one).as_bytes());
        }
        Ok(())
    }

    /// What the partition says of the stations around its first tuple: a bolt that was started anew has seen none of it.
    fn remember(&mut self, at: Position, reply: &mut Reply) {
        let Some(around) = &self.around else {
            return;
        };
        let known = match around(at) {
            Ok(known) => known,
            Err(failure) => {
                let why = failure.in_a_line();
                return reply.warn(&format!("nothing is known of what came before {at}: {why}"));
            }
        };
        for record in known {
            let at = Position {
                partition: record.partition,
                offset: record.offset,
            };
            let sight = Sight::read(record.value.as_deref().unwrap_or_default());
            if let Ok(sight) = sight
                && let Some(empty) = sight.is_empty()
            {
                self.memory
                    .look(&sight.contract, sight.number, at, empty, sight.last_update);
            }
        }
    }

    /// What cannot be read as a message. If it has an id that can be told, it is acked: it would be no other when it came again.
    fn take_odd(&mut self, message: &[u8], error: &serde_json::Error, reply: &mut Reply) {
        #[derive(Deserialize)]
        struct Named<'a> {
            #[serde(borrow)]
            id: &'a RawValue,
        }
        self.complain(&format!("it is no message of Storm's: {error}"), reply);
        if let Ok(named) = serde_json::from_slice::<Named<'_>>(message) {
            reply.ack(named.id);
        }
    }

    /// Counts a tuple that is no station, and names it once in a while.
    fn complain(&mut self, why: &str, reply: &mut Reply) {
        self.strange += 1;
        if self.strange.is_power_of_two() {
            let words = counted(self.strange, "tuple is no station", "tuples are no stations");
            reply.warn(&format!("{words}, the last since {why}; acked without an event"));
        }
    }
}

/// `[contract, number, event, last_update]`
fn tuple_of(sight: &Sight<'_>, told: Told) -> String {
    serde_json::json!([sight.contract, sight.number, told.event.words(), told.last_update]).to_string()
}
