//! Where the reader is in each partition, and where it is to stop.

use super::consumer::Record;
use super::types::{CommittedOffset, TopicPartition};

/// The state of one partition.
#[derive(Debug, Clone)]
struct Place {
    at: TopicPartition,
    /// The offset to stop before, if any.
    stop: Option<i64>,
    /// The next offset to read, if it changed since it was taken.
    next: Option<i64>,
    /// The leader epoch of the last record passed.
    leader_epoch: Option<i32>,
    /// Nothing more to read: the stop is reached, or the end of a partition of a group.
    done: bool,
}

/// All partitions. Records come in runs of one partition, so the last place found is looked at first.
#[derive(Debug, Clone, Default)]
pub struct Places {
    places: Vec<Place>,
    current: usize,
}

impl Places {
    /// Adds a partition that is read up to the offset `stop`.
    pub fn add(&mut self, at: TopicPartition, stop: Option<i64>) {
        self.places.push(Place {
            at,
            stop,
            next: None,
            leader_epoch: None,
            done: false,
        });
    }

    /// Sets the offset to stop before; done at once where `position`, the next offset to read, is there already.
    pub fn set_stop(&mut self, at: &TopicPartition, stop: i64, position: i64) {
        if let Some(place) = self.places.iter_mut().find(|place| place.at == *at) {
            place.stop = Some(stop);
            place.done = place.next.unwrap_or(position) >= stop;
        }
    }

    /// Takes note of a record; whether it is to be shown, that is lies before the stop.
    pub fn pass(&mut self, record: &Record<'_>) -> bool {
        let offset = record.offset();
        let place = self.find(record.topic(), record.partition());
        if place.stop.is_some_and(|stop| offset >= stop) {
            place.done = true;
            return false;
        }
        place.next = Some(offset + 1);
        place.leader_epoch = record.leader_epoch();
        place.done = place.stop.is_some_and(|stop| offset + 1 >= stop);
        true
    }

    /// Takes note of a partition's end at `offset`, the next one to be read: done when it has no stop beyond.
    pub fn end(&mut self, topic: &str, partition: i32, offset: i64) {
        let place = self.find(topic, partition);
        place.next = Some(offset);
        place.done = place.stop.is_none_or(|stop| offset >= stop);
    }

    /// Whether all partitions are done.
    pub fn all_done(&self) -> bool {
        self.places.iter().all(|place| place.done)
    }

    /// Whether all of these are done, of which there is at least one.
    pub fn done(&self, assigned: &[TopicPartition]) -> bool {
        let done = |at: &TopicPartition| self.places.iter().any(|place| place.done && place.at == *at);
        !assigned.is_empty() && assigned.iter().all(done)
    }

    /// Whether a partition is known.
    pub fn contains(&self, at: &TopicPartition) -> bool {
        self.places.iter().any(|place| place.at == *at)
    }

    /// Takes the positions that changed since the last call: behind the last record passed, or at the end of a partition that
    /// had none.
    pub fn take_positions(&mut self) -> Vec<(TopicPartition, CommittedOffset)> {
        let position = |place: &mut Place| {
            let offset = place.next.take()?;
            let leader_epoch = place.leader_epoch;
            Some((place.at.clone(), CommittedOffset { offset, leader_epoch }))
        };
        self.places.iter_mut().filter_map(position).collect()
    }

    fn find(&mut self, topic: &str, partition: i32) -> &mut Place {
        let is_it = |place: &Place| place.at.partition == partition && place.at.topic == topic;
        if !self.places.get(self.current).is_some_and(is_it) {
            self.current = self.places.iter().position(is_it).unwrap_or_else(|| {
                self.add(TopicPartition::new(topic, partition), None);
                self.places.len() - 1
            });
        }
        &mut self.places[self.current]
    }
}
