//! `empties`: a bolt task. It finds which of its stations become empty and which are empty no longer.

use super::Shared;
use super::tuple::{EventTuple, Fields, Ids, Station, ToAcker, ToBolt, ToSink};
use crate::exercises::storm::{Memory, Report, Told};
use std::sync::mpsc::{Receiver, Sender};
use std::time::Instant;

/// Works until the spouts have ended.
pub(super) fn run(
    inbox: &Receiver<ToBolt>,
    events: &Sender<ToSink>,
    acker: &Sender<ToAcker>,
    shared: &Shared<'_>,
) {
    let mut memory = Memory::default();
    let mut ids = Ids::new();
    while let Ok(message) = inbox.recv() {
        match message {
            ToBolt::Tuples(tuples) => {
                let begun = Instant::now();
                let mut found = Vec::new();
                let mut acks = Vec::with_capacity(tuples.len());
                for tuple in &tuples {
                    let mut edges = tuple.edge;
                    for report in reports(&mut memory, &tuple.fields) {
                        let edge = ids.next();
                        edges ^= edge;
                        found.push(EventTuple {
                            root: tuple.root,
                            edge,
                            report,
                        });
                    }
                    acks.push((tuple.root, edges));
                }
                shared.counts.stations.settle(acks.len(), 0, begun.elapsed());
                shared.counts.events.emit(found.len());
                if !found.is_empty() {
                    // `events` and the acker outlive this, but for a panic that ends the run by itself.
                    let _ = events.send(ToSink::Tuples(found));
                }
                let _ = acker.send(ToAcker::Acked(acks));
            }
            ToBolt::Known(known) => known.iter().for_each(|fields| {
                reports(&mut memory, fields);
            }),
            ToBolt::Forget(partitions) => partitions.iter().for_each(|partition| memory.forget(*partition)),
            // Nothing of this bolt's waits for time to pass: it is acked, as an ordinary tuple.
            ToBolt::Tick => shared.counts.tick(),
        }
    }
}

fn reports(memory: &mut Memory, fields: &Fields) -> Vec<Report> {
    let Some(Station {
        contract,
        number,
        empty: Some(empty),
        last_update,
    }) = &fields.station
    else {
        return Vec::new();
    };
    let told = memory.look(contract, *number, fields.at, *empty, *last_update);
    let report = |told: Told| Report {
        contract: contract.clone(),
        number: *number,
        told,
        cause: fields.at,
    };
    told.into_iter().map(report).collect()
}
