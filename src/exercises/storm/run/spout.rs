//! `stations`: a spout task. It reads its share of the topic, and emits a tuple for each record; the fields grouping on contract
//! and number decides which task of `empties` gets it.

use super::Shared;
use super::acker::ByNumber;
use super::tuple::{Fields, Ids, Station, StationTuple, ToAcker, ToBolt, ToSpout};
use crate::exercises::storm::source::{Read, Source};
use crate::exercises::storm::{Position, Sight};
use crate::failure::Outcome;
use crate::kafka::Connection;
use crate::kafka::group_consumer::{Assigned, Received};
use crate::kafka::topic_reader::read_between;
use std::collections::{BTreeMap, HashMap, VecDeque};
use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::Arc;
use std::sync::mpsc::{Receiver, Sender};
use std::time::{Duration, Instant};

/// Records that one read brings at most.
const BATCH: usize = 1_000;
/// How long to wait for records when nothing is under way, and for acks when too much is.
const GLANCE: Duration = Duration::from_millis(20);
/// The same for records while acks may come at any moment.
const MOMENT: Duration = Duration::from_millis(1);

/// A spout task.
pub(super) struct Spout<'a> {
    pub(super) index: usize,
    pub(super) source: Source,
    pub(super) connection: &'a Connection,
    pub(super) shared: &'a Shared<'a>,
    pub(super) inbox: Receiver<ToSpout>,
    pub(super) bolts: Vec<Sender<ToBolt>>,
    pub(super) acker: Sender<ToAcker>,
    pub(super) work: Work,
}

/// What a spout has under way.
pub(super) struct Work {
    ids: Ids,
    /// Each contract's name once, for all tuples.
    contracts: HashMap<Box<str>, Arc<str>>,
    pending: ByNumber<Fields>,
    failed: VecDeque<Fields>,
}

impl Work {
    pub(super) fn new() -> Self {
        Work {
            ids: Ids::new(),
            contracts: HashMap::new(),
            pending: ByNumber::default(),
            failed: VecDeque::new(),
        }
    }

    fn contract(&mut self, name: &str) -> Arc<str> {
        if let Some(known) = self.contracts.get(name) {
            return Arc::clone(known);
        }
        let new: Arc<str> = Arc::from(name);
        self.contracts.insert(Box::from(name), Arc::clone(&new));
        new
    }

    fn fields(&mut self, record: &Received) -> Result<Fields, (Fields, String)> {
        let at = Position {
            partition: record.partition,
            offset: record.offset,
        };
        let fields = |station| Fields { at, station };
        let sight =
            Sight::read(record.value.as_deref().unwrap_or_default()).map_err(|why| (fields(None), why))?;
        Ok(fields(Some(Station {
            contract: self.contract(&sight.contract),
            number: sight.number,
            empty: sight.is_empty(),
            last_update: sight.last_update,
        })))
    }
}

impl Spout<'_> {
    /// Emits until the topology is told to end and nothing more is under way, or for no longer than its patience.
    pub(super) fn run(&mut self) -> Outcome {
        let ended = self.emit_all();
        let committed = self.source.commit();
        ended.and(committed)
    }

    fn emit_all(&mut self) -> Outcome {
        let mut farewell = None;
        loop {
            self.hear();
            self.source.commit_in_time()?;
            if self.shared.is_ending() {
                // Acks are waited for; what has failed, the next run emits again.
                let patience = self.shared.plan.farewell;
                let until = *farewell.get_or_insert_with(|| Instant::now() + patience);
                if self.work.pending.is_empty() || Instant::now() > until {
                    return Ok(());
                }
                self.wait_for_acks();
                continue;
            }
            let room = self
                .shared
                .plan
                .max_spout_pending
                .saturating_sub(self.work.pending.len());
            match (room, self.work.failed.is_empty()) {
                (0, _) => self.wait_for_acks(),
                (_, false) => self.emit_again(room),
                _ => self.read(room)?,
            }
            let complete = self.is_complete()?;
            self.shared.tell_complete(self.index, complete);
        }
    }

    fn is_complete(&mut self) -> Outcome<bool> {
        let idle = self.work.pending.is_empty() && self.work.failed.is_empty();
        if !self.shared.plan.exit_at_end || !idle {
            return Ok(false);
        }
        self.source.commit()?;
        Ok(self.source.is_complete())
    }

    /// What the acker says by now.
    fn hear(&mut self) {
        while let Ok(message) = self.inbox.try_recv() {
            self.settle(message);
        }
    }

    fn wait_for_acks(&mut self) {
        if let Ok(message) = self.inbox.recv_timeout(GLANCE) {
            self.settle(message);
        }
    }

    fn settle(&mut self, message: ToSpout) {
        match message {
            ToSpout::Acked(roots) => {
                for root in roots {
                    if let Some(Fields { at, .. }) = self.work.pending.remove(&root) {
                        self.source.ack(at.partition, at.offset);
                    }
                }
            }
            ToSpout::Failed(roots) => {
                let failed = roots.iter().filter_map(|root| self.work.pending.remove(root));
                self.work.failed.extend(failed);
            }
        }
    }

    fn emit_again(&mut self, room: usize) {
        let count = self.work.failed.len().min(room).min(BATCH);
        self.shared.counts.replay(count);
        let again: Vec<Fields> = self.work.failed.drain(..count).collect();
        self.emit(again);
    }

    fn read(&mut self, room: usize) -> Outcome {
        let wait = if self.work.pending.is_empty() {
            GLANCE
        } else {
            MOMENT
        };
        match self.source.read(room.min(BATCH), wait)? {
            Read::Records(records) => {
                let mut strange = None;
                let mut tuples = Vec::with_capacity(records.len());
                for record in &records {
                    tuples.push(self.work.fields(record).unwrap_or_else(|(fields, why)| {
                        let seen = strange.get_or_insert((0, fields.at, why));
                        seen.0 += 1;
                        fields
                    }));
                }
                if let Some((count, at, why)) = strange {
                    self.shared.tell_strange(count, at, &why);
                }
                self.emit(tuples);
            }
            Read::Assigned(assigned) => self.begin(&assigned)?,
            Read::Lost(why) => {
                self.work.pending.clear();
                self.work.failed.clear();
                why.into_iter().for_each(|why| self.shared.ui.say(why));
            }
            Read::Said(what) => self.shared.ui.say(what),
        }
        Ok(())
    }

    /// Before the first record of a partition: what its newest records before it say of the stations.
    fn begin(&mut self, assigned: &[Assigned]) -> Outcome {
        self.shared.ui.say(format!(
            "group `{}`: {}",
            self.shared.plan.group,
            self.source.share()
        ));
        let partitions: Vec<i32> = assigned.iter().map(|given| given.partition).collect();
        for bolt in &self.bolts {
            // The bolts outlive the spouts, but for a panic that ends the run by itself.
            let _ = bolt.send(ToBolt::Forget(partitions.clone()));
        }
        let back = self.shared.plan.look_back;
        let spans: BTreeMap<i32, (i64, i64)> = assigned
            .iter()
            .map(|given| {
                (
                    given.partition,
                    (given.start.saturating_sub(back).max(0), given.start),
                )
            })
            .collect();
        let mut known = Vec::new();
        read_between(self.connection, &self.shared.plan.topic, &spans, |record| {
            known.extend(self.work.fields(&record));
        })?;
        let bolts = &self.bolts;
        for (bolt, known) in shared_out(known, bolts.len(), |fields| fields)
            .into_iter()
            .enumerate()
        {
            if let Some(bolt) = bolts.get(bolt).filter(|_| !known.is_empty()) {
                let _ = bolt.send(ToBolt::Known(known));
            }
        }
        Ok(())
    }

    fn emit(&mut self, batch: Vec<Fields>) {
        if batch.is_empty() {
            return;
        }
        let work = &mut self.work;
        let tuples: Vec<StationTuple> = batch
            .into_iter()
            .map(|fields| StationTuple {
                root: work.ids.next(),
                edge: work.ids.next(),
                fields,
            })
            .collect();
        work.pending
            .extend(tuples.iter().map(|tuple| (tuple.root, tuple.fields.clone())));
        self.shared.counts.stations.emit(tuples.len());
        // The acker hears of a tree before a bolt can ack a part of it.
        let _ = self.acker.send(ToAcker::Begun {
            spout: self.index,
            at: Instant::now(),
            trees: tuples.iter().map(|tuple| (tuple.root, tuple.edge)).collect(),
        });
        let shares = shared_out(tuples, self.bolts.len(), |tuple| &tuple.fields);
        for (bolt, tuples) in self.bolts.iter().zip(shares) {
            if !tuples.is_empty() {
                let _ = bolt.send(ToBolt::Tuples(tuples));
            }
        }
    }
}

/// Fields grouping on (contract, number): the same station always goes to the same task. What is no station may go to any.
fn shared_out<T>(all: Vec<T>, tasks: usize, fields: impl Fn(&T) -> &Fields) -> Vec<Vec<T>> {
    let mut shares: Vec<Vec<T>> = (0..tasks)
        .map(|_| Vec::with_capacity(all.len() / tasks + 1))
        .collect();
    for one in all {
        let task = task_of(fields(&one), tasks);
        if let Some(share) = shares.get_mut(task) {
            share.push(one);
        }
    }
    shares
}

fn task_of(fields: &Fields, tasks: usize) -> usize {
    let mut hasher = DefaultHasher::new();
    if let Some(station) = &fields.station {
        (&*station.contract, station.number).hash(&mut hasher);
    }
    usize::try_from(hasher.finish() % tasks.max(1) as u64).unwrap_or(0)
}
