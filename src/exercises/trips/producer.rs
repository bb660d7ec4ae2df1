//! `velo trips produce`: packets of a fleet, and what must come of them.

use super::fleet::Fleet;
use crate::clock::Clock;
use crate::exercises::stream::window::Session;
use crate::failure::{Failure, Outcome};
use crate::kafka::stream_producer::Assurance;
use crate::kafka::{Connection, StreamProducer};
use crate::ui::units::count;
use crate::ui::{Interrupt, Ui};
use std::collections::BTreeMap;
use std::fs::File;
use std::io::{BufWriter, Write};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

/// How often packets are sent at a rate.
const TICK: Duration = Duration::from_millis(50);
/// Most packets between two looks at the clock.
const MOST: u64 = 1_000;
/// How often it is told how far it is.
const LINE: Duration = Duration::from_secs(1);
/// One wait for the cluster.
const TRY: Duration = Duration::from_secs(1);

/// What to produce, and how fast.
#[derive(Debug, Clone)]
pub struct Plan {
    /// The topic to write to.
    pub topic: String,
    /// So many packets a second; none as fast as the cluster takes them.
    pub rate: Option<u64>,
    /// End after so many packets.
    pub count: Option<u64>,
    /// A file for the trips that must come out of them.
    pub expect: Option<PathBuf>,
    /// A file for the sessions that must.
    pub expect_sessions: Option<PathBuf>,
    /// The silence that divides those, in ms.
    pub gap_ms: i64,
}

/// What must come out.
struct Expected {
    trips: Option<Lines>,
    sessions: Option<Lines>,
    moments: BTreeMap<i64, Vec<i64>>,
    gap_ms: i64,
}

/// A file of JSON lines.
struct Lines {
    path: PathBuf,
    file: BufWriter<File>,
}

impl Lines {
    fn create(path: &Path) -> Outcome<Self> {
        let file = File::create(path).map_err(|error| unwritable(path, &error))?;
        Ok(Lines {
            path: path.to_owned(),
            file: BufWriter::new(file),
        })
    }

    fn write(&mut self, value: &serde_json::Value) -> Outcome {
        writeln!(self.file, "{value}").map_err(|error| unwritable(&self.path, &error))
    }

    fn finish(mut self) -> Outcome {
        self.file.flush().map_err(|error| unwritable(&self.path, &error))
    }
}

fn unwritable(path: &Path, error: &std::io::Error) -> Failure {
    Failure::request(format!("cannot write {}", path.display())).because(error)
}

/// How much went out.
#[derive(Default)]
struct Tally {
    packets: u64,
    trips: u64,
    told: u64,
}

/// Produces until the plan is done or Ctrl-C; each second a line tells how many packets the cluster has acknowledged.
///
/// # Errors
/// When a record is refused, a file cannot be written, or the user interrupts.
pub fn produce(
    connection: &Connection,
    plan: &Plan,
    mut fleet: Fleet,
    ui: Ui,
    interrupt: Interrupt,
) -> Outcome {
    let producer = StreamProducer::connect(connection, &Assurance::Idempotent)?;
    let open = |path: &Option<PathBuf>| path.as_deref().map(Lines::create).transpose();
    let mut expected = Expected {
        trips: open(&plan.expect)?,
        sessions: open(&plan.expect_sessions)?,
        moments: BTreeMap::new(),
        gap_ms: plan.gap_ms,
    };
    let mut tally = Tally::default();
    let ended = run(
        &producer,
        plan,
        &mut fleet,
        (&mut expected, &mut tally),
        ui,
        interrupt,
    );
    let flushed = arrive(&producer, ui, &|| Ok(()), &mut tally);
    expected.finish()?;
    ui.say(format!(
        "{}, {} whole",
        count(tally.packets, "packet"),
        count(tally.trips, "trip")
    ));
    ended.and(flushed)
}

fn run(
    producer: &StreamProducer,
    plan: &Plan,
    fleet: &mut Fleet,
    (expected, tally): (&mut Expected, &mut Tally),
    ui: Ui,
    interrupt: Interrupt,
) -> Outcome {
    let begun = Instant::now();
    let mut line = begun + LINE;
    let go_on = || interrupt.check();
    while plan.count.is_none_or(|count| tally.packets < count) {
        let due = match plan.rate {
            None => MOST,
            Some(rate) => {
                let seconds = (begun.elapsed() + TICK).as_secs_f64();
                // A rate times some seconds is far from 2^53.
                ((rate as f64 * seconds) as u64)
                    .saturating_sub(tally.packets)
                    .min(MOST)
            }
        };
        let left = plan.count.map_or(u64::MAX, |count| count - tally.packets);
        for _ in 0..due.min(left) {
            let Some(sent) = fleet.next() else {
                return Ok(());
            };
            let key = sent.device.to_string();
            let record = (key.as_bytes(), sent.value.as_deref());
            producer
                .send(&plan.topic, None, record, 0, &go_on)?
                .map_err(|failed| refused(&plan.topic, failed))?;
            tally.packets += 1;
            tally.trips += u64::from(sent.completes.is_some());
            expected.note(&sent)?;
        }
        producer.poll();
        if Instant::now() >= line {
            line = Instant::now() + LINE;
            arrive(producer, ui, &go_on, tally)?;
        }
        match plan.rate {
            Some(_) => interrupt.sleep(TICK)?,
            None => go_on()?,
        }
    }
    Ok(())
}

fn refused(topic: &str, failed: crate::kafka::transactions::TransactionError) -> Failure {
    failed
        .error()
        .clone()
        .into_failure(format!("a packet for `{topic}` is not written"))
}

/// Waits until all is acknowledged, and tells how much that was.
fn arrive(producer: &StreamProducer, ui: Ui, go_on: &dyn Fn() -> Outcome, tally: &mut Tally) -> Outcome {
    let waiting = ui.waiting_for("the cluster to take the packets");
    while !producer.flush(TRY)? {
        go_on()?;
    }
    drop(waiting);
    let packets = tally.packets - std::mem::replace(&mut tally.told, tally.packets);
    if packets == 0 {
        return Ok(());
    }
    let (time, trips) = (Clock::system().now_ms() / 1_000, tally.trips);
    if ui.is_json() {
        return ui.json_line(&serde_json::json!({ "time": time, "packets": packets, "trips": trips }));
    }
    ui.line(format!(
        "{time} Produced {}, {} whole so far",
        count(packets, "packet"),
        count(trips, "trip")
    ))
}

impl Expected {
    fn note(&mut self, sent: &super::fleet::Sent) -> Outcome {
        if let (Some(trips), Some(trip)) = (&mut self.trips, &sent.completes) {
            trips.write(&serde_json::json!(trip))?;
        }
        if let (Some(_), Some(moment)) = (&self.sessions, sent.moment) {
            self.moments.entry(sent.device).or_default().push(moment);
        }
        Ok(())
    }

    fn finish(self) -> Outcome {
        let Expected {
            trips,
            sessions,
            moments,
            gap_ms,
        } = self;
        trips.map_or(Ok(()), Lines::finish)?;
        let Some(mut lines) = sessions else {
            return Ok(());
        };
        for (device, moments) in moments {
            for Session { start, end, count } in sessions_of(moments, gap_ms) {
                lines.write(&serde_json::json!({
                    "device": device, "start": start, "end": end, "packets": count,
                }))?;
            }
        }
        lines.finish()
    }
}

/// The sessions of these moments, put in order and divided where the silence is longer than the gap.
fn sessions_of(mut moments: Vec<i64>, gap_ms: i64) -> Vec<Session> {
    moments.sort_unstable();
    let apart = |one: &i64, other: &i64| other - one <= gap_ms;
    let session = |moments: &[i64]| {
        let (start, end) = (*moments.first()?, *moments.last()?);
        let count = moments.len() as u64;
        Some(Session { start, end, count })
    };
    moments.chunk_by(apart).filter_map(session).collect()
}
