//! `velo storm spout`: a spout on the station topic, as a process that Storm starts.
//!
//! It emits `[contract, number, partition, offset, station]`, so that the bolts can be grouped on contract and number; a record
//! that is no station has none of the two. A tuple that fails is emitted again, before any new one. Each command of Storm is
//! answered at once, by what there is to emit at that moment.

use super::frames::{Frames, Next};
use super::reply::Reply;
use super::setup::Setup;
use crate::exercises::storm::Sight;
use crate::exercises::storm::source::{Read, Source};
use crate::failure::{Failure, Kind, Outcome};
use crate::kafka::Connection;
use crate::kafka::group_consumer::{Received, Start};
use crate::ui::Ui;
use serde::Deserialize;
use serde_json::json;
use std::collections::{HashMap, VecDeque};
use std::io;
use std::time::{Duration, Instant};

/// How soon a signal is seen.
const GLANCE: Duration = Duration::from_millis(50);
/// How long a `next` waits for a record. Storm itself waits between two of them that brought nothing.
const MOMENT: Duration = Duration::from_millis(1);
/// Tuples for one `next`.
const AT_ONCE: usize = 100;
/// How often offsets are committed.
const COMMIT_EVERY: Duration = Duration::from_secs(1);
/// How long after one attempt to join the group the next is made.
const AGAIN: Duration = Duration::from_secs(1);

/// What the spout does.
#[derive(Debug, Clone)]
pub struct Plan {
    /// The stations' topic.
    pub topic: String,
    /// The spouts' group.
    pub group: String,
    /// Where to begin in partitions the group has committed nothing for.
    pub start: Start,
    /// How many tuples may be under way; more are emitted when some are acked or failed.
    pub max_pending: usize,
}

/// What Storm says to a spout.
#[derive(Deserialize)]
struct Command {
    command: String,
    #[serde(default)]
    id: serde_json::Value,
}

/// A tuple under way.
struct Pending {
    partition: i32,
    offset: i64,
    tuple: Vec<u8>,
}

/// The spout at work.
struct Spout<'a> {
    connection: &'a Connection,
    plan: &'a Plan,
    source: Option<Source>,
    /// Told by their ids, which no two tuples of this process share.
    pending: HashMap<String, Pending>,
    failed: VecDeque<Pending>,
    emitted: u64,
    began: bool,
    /// When the group is to be tried again, and why it could not be joined.
    away: Option<(Instant, String)>,
}

/// Runs the spout until Storm ends it (`go_on` fails) or closes the pipe.
///
/// # Errors
/// What `go_on` says; when the cluster does not let it read; when what Storm says is not what it says to a spout.
pub fn run(connection: &Connection, plan: &Plan, ui: Ui, go_on: &dyn Fn() -> Outcome) -> Outcome {
    // Storm asks one thing at a time, and waits for the answer.
    let frames = Frames::of(io::stdin(), Duration::ZERO, |_| ())?;
    let mut spout = Spout {
        connection,
        plan,
        source: None,
        pending: HashMap::new(),
        failed: VecDeque::new(),
        emitted: 0,
        began: false,
        away: None,
    };
    let mut reply = Reply::default();
    let ended = spout.serve(&frames, &mut reply, ui, go_on);
    if let Err(failure) = &ended
        && failure.kind() != Kind::Interrupted
    {
        reply.error(&failure.in_a_line());
        ui.bytes(&reply.take())?;
    }
    spout.commit()?;
    ended
}

impl Spout<'_> {
    fn serve(&mut self, frames: &Frames, reply: &mut Reply, ui: Ui, go_on: &dyn Fn() -> Outcome) -> Outcome {
        loop {
            go_on()?;
            match frames.next(GLANCE)? {
                Next::Chunk(chunk) => {
                    for message in chunk.messages() {
                        self.take(message, reply)?;
                        ui.bytes(&reply.take())?;
                    }
                }
                Next::Waiting => {}
                Next::End => return Ok(()),
            }
        }
    }

    fn take(&mut self, message: &[u8], reply: &mut Reply) -> Outcome {
        let odd = |error: String| {
            Failure::request("what stands on standard input is not what Storm says to a spout")
                .because(error)
                .hint("velo storm flux --spout shell    (writes the topology that starts this spout)")
        };
        if !self.began {
            Setup::read(message).map_err(odd)?.answer(reply);
            self.began = true;
            return Ok(());
        }
        if message.first() == Some(&b'[') {
            // Tasks that a tuple went to, which were not asked for.
            return Ok(());
        }
        let Command { command, id } =
            serde_json::from_slice(message).map_err(|error| odd(error.to_string()))?;
        let id = id.as_str().unwrap_or_default();
        match command.as_str() {
            "next" => self.next(reply)?,
            "ack" => {
                if let Some(acked) = self.pending.remove(id)
                    && let Some(source) = &mut self.source
                {
                    source.ack(acked.partition, acked.offset);
                }
            }
            "fail" => self.failed.extend(self.pending.remove(id)),
            "activate" | "deactivate" => self.commit()?,
            other => reply.info(&format!("`{other}` is no command that this spout knows")),
        }
        reply.sync();
        Ok(())
    }

    fn commit(&mut self) -> Outcome {
        self.source.as_mut().map_or(Ok(()), Source::commit)
    }

    /// Joins the group. A cluster that is away, or a topic that is not there yet, is told to Storm once and tried again: Storm
    /// starts its topologies without asking what they need.
    fn join(&mut self, reply: &mut Reply) -> Outcome {
        if self.away.as_ref().is_some_and(|(at, _)| Instant::now() < *at) {
            return Ok(());
        }
        let Plan {
            group, topic, start, ..
        } = self.plan;
        let told = self.away.take().map(|(_, why)| why);
        match Source::join(self.connection, group, topic, *start, COMMIT_EVERY) {
            Ok(joined) => self.source = Some(joined),
            Err(failure) if matches!(failure.kind(), Kind::Unreachable | Kind::Request) => {
                let why = failure.in_a_line();
                if told.as_ref() != Some(&why) {
                    reply.error(&format!("{why}; trying again"));
                }
                self.away = Some((Instant::now() + AGAIN, why));
            }
            Err(failure) => return Err(failure),
        }
        Ok(())
    }

    fn next(&mut self, reply: &mut Reply) -> Outcome {
        if self.source.is_none() {
            self.join(reply)?;
        }
        let Some(source) = &mut self.source else {
            return Ok(());
        };
        source.commit_in_time()?;
        let again = self
            .failed
            .drain(..self.failed.len().min(AT_ONCE))
            .collect::<Vec<_>>();
        let room = self
            .plan
            .max_pending
            .saturating_sub(self.pending.len() + again.len());
        let read = match again.is_empty() {
            true if room > 0 => source.read(room.min(AT_ONCE), MOMENT)?,
            _ => Read::Records(Vec::new()),
        };
        again.into_iter().for_each(|pending| self.emit(pending, reply));
        match read {
            Read::Records(records) => records
                .iter()
                .for_each(|record| self.emit(pending_of(record), reply)),
            Read::Assigned(_) => {
                let share = self.source.as_ref().map(Source::share).unwrap_or_default();
                reply.info(&format!("group `{}`: {share}", self.plan.group));
            }
            Read::Lost(why) => {
                self.pending.clear();
                self.failed.clear();
                why.into_iter().for_each(|why| reply.info(&why));
            }
            Read::Said(what) => reply.info(&what),
        }
        Ok(())
    }

    fn emit(&mut self, pending: Pending, reply: &mut Reply) {
        self.emitted += 1;
        let id = format!("{}-{}-{}", pending.partition, pending.offset, self.emitted);
        reply.emit(&id, &pending.tuple);
        self.pending.insert(id, pending);
    }
}

fn pending_of(record: &Received) -> Pending {
    let value = record.value.as_deref().unwrap_or_default();
    let (contract, number) = match Sight::read(value) {
        Ok(sight) => (Some(sight.contract.into_owned()), Some(sight.number)),
        Err(_) => (None, None),
    };
    let (partition, offset) = (record.partition, record.offset);
    let station = String::from_utf8_lossy(value);
    Pending {
        partition,
        offset,
        tuple: json!([contract, number, partition, offset, station])
            .to_string()
            .into_bytes(),
    }
}
