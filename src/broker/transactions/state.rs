//! The transaction of one transactional id, and how it goes on. Pure: time and producer ids are handed in.

use crate::broker::machine::Producer;
use std::collections::BTreeSet;
use std::fmt;

/// `transaction.version` from which on each end of a transaction bumps the epoch (KIP-890).
pub const BUMPS_EPOCH: i16 = 2;
/// There is no such producer id.
pub const NO_PRODUCER_ID: i64 = -1;
/// There is no such epoch: that of an id that nobody has got yet.
pub const NO_EPOCH: i16 = -1;
/// A timeout that stands for none (KIP-939).
const NEVER: i32 = i32::MAX;

/// A partition in a transaction: topic and index.
pub type TopicPartition = (String, i32);

/// Where a transaction is, by Kafka's names and numbers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum State {
    /// None has begun since the id was initialised.
    Empty,
    /// One is open.
    Ongoing,
    /// It is committed; its markers are being written.
    PrepareCommit,
    /// It is aborted; its markers are being written.
    PrepareAbort,
    /// It was committed, with all markers.
    CompleteCommit,
    /// It was aborted, with all markers.
    CompleteAbort,
}

impl State {
    /// All of them, by their numbers.
    pub const ALL: [State; 6] = [
        State::Empty,
        State::Ongoing,
        State::PrepareCommit,
        State::PrepareAbort,
        State::CompleteCommit,
        State::CompleteAbort,
    ];

    /// The state with that number in a record.
    pub fn of(number: i8) -> Option<State> {
        let index = usize::try_from(number).ok()?;
        State::ALL.get(index).copied()
    }

    /// Its number in a record.
    pub fn number(self) -> i8 {
        self as i8
    }

    /// Whether its markers are being written: it is decided, and nothing else can be done.
    pub fn is_ending(self) -> bool {
        matches!(self, State::PrepareCommit | State::PrepareAbort)
    }

    /// Whether the last transaction has ended, with all markers.
    pub fn is_complete(self) -> bool {
        matches!(self, State::CompleteCommit | State::CompleteAbort)
    }
}

impl fmt::Display for State {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(self, f)
    }
}

/// Whether no epoch is left that a client could use: the last one is for fencing it.
pub fn is_exhausted(epoch: i16) -> bool {
    epoch >= i16::MAX - 1
}

/// The transaction of a transactional id.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Transaction {
    /// Its producer id.
    pub producer_id: i64,
    /// The producer id before the last change.
    pub previous_producer_id: i64,
    /// The producer id once the transaction has ended, where its epochs are used up; else -1.
    pub next_producer_id: i64,
    /// Epoch of the producer; -1 of an id that nobody has got yet.
    pub epoch: i16,
    /// `transaction.timeout.ms`
    pub timeout_ms: i32,
    /// Where it is.
    pub state: State,
    /// The partitions in it.
    pub partitions: BTreeSet<TopicPartition>,
    /// When it began, in ms; -1 before the first.
    pub started_ms: i64,
    /// When its record was last changed, in ms.
    pub updated_ms: i64,
    /// `transaction.version` that the client spoke last.
    pub client_version: i16,
    /// Where its record stands: an answer that tells of it waits for that.
    pub recorded_at: i64,
}

impl Transaction {
    /// A transactional id that nobody has initialised yet.
    pub fn new(producer_id: i64, timeout_ms: i32, now_ms: i64) -> Self {
        Transaction {
            producer_id,
            previous_producer_id: NO_PRODUCER_ID,
            next_producer_id: NO_PRODUCER_ID,
            epoch: NO_EPOCH,
            timeout_ms,
            state: State::Empty,
            partitions: BTreeSet::new(),
            started_ms: -1,
            updated_ms: now_ms,
            client_version: 0,
            recorded_at: -1,
        }
    }

    /// Who writes in it.
    pub fn producer(&self) -> Producer {
        Producer {
            id: self.producer_id,
            epoch: self.epoch,
        }
    }

    /// The same, in another state.
    fn to(&self, state: State) -> Self {
        Transaction {
            state,
            previous_producer_id: self.producer_id,
            next_producer_id: NO_PRODUCER_ID,
            ..self.clone()
        }
    }

    /// Initialised anew, by a producer with `epoch`.
    pub fn initialised(&self, producer: Producer, timeout_ms: i32, now_ms: i64) -> Self {
        Transaction {
            producer_id: producer.id,
            epoch: producer.epoch,
            timeout_ms,
            partitions: BTreeSet::new(),
            started_ms: -1,
            updated_ms: now_ms,
            ..self.to(State::Empty)
        }
    }

    /// With more partitions; the first begin it.
    pub fn with(
        &self,
        partitions: impl IntoIterator<Item = TopicPartition>,
        client_version: i16,
        now_ms: i64,
    ) -> Self {
        let mut next = self.to(State::Ongoing);
        next.partitions.extend(partitions);
        if self.state != State::Ongoing {
            next.started_ms = now_ms;
        }
        next.updated_ms = now_ms;
        next.client_version = client_version;
        next
    }

    /// Decided. Where the client's version bumps epochs the end does so, and a `next_producer_id` takes over if that leaves
    /// no epoch. A transaction without any partition, which only an abort can be, began now.
    pub fn ended(&self, commits: bool, client_version: i16, next_producer_id: i64, now_ms: i64) -> Self {
        let mut next = self.to(match commits {
            true => State::PrepareCommit,
            false => State::PrepareAbort,
        });
        if client_version >= BUMPS_EPOCH {
            next.epoch = self.epoch.saturating_add(1);
        }
        if self.state != State::Ongoing {
            next.started_ms = now_ms;
        }
        next.next_producer_id = next_producer_id;
        next.updated_ms = now_ms;
        next.client_version = client_version;
        next
    }

    /// Aborted against its producer's will: by a later one with the same transactional id, or by time. The producer's epoch is
    /// used up, whatever the version; no client ever gets the new one, so that the next initialisation bumps it again.
    pub fn fenced(&self, version: i16, now_ms: i64) -> Self {
        let fenced = Transaction {
            epoch: self.epoch.saturating_add(1),
            ..self.clone()
        };
        let version = if version >= BUMPS_EPOCH { version } else { 0 };
        fenced.ended(false, version, NO_PRODUCER_ID, now_ms)
    }

    /// Ended: all markers are in.
    pub fn completed(&self, now_ms: i64) -> Self {
        let mut next = self.to(match self.state {
            State::PrepareCommit => State::CompleteCommit,
            _ => State::CompleteAbort,
        });
        if self.client_version >= BUMPS_EPOCH && self.next_producer_id != NO_PRODUCER_ID {
            next.producer_id = self.next_producer_id;
            next.epoch = 0;
        }
        next.partitions.clear();
        next.updated_ms = now_ms;
        next
    }

    /// The epoch before the last end, which a client that did not hear of that end still has; -1 where ends do not bump it.
    pub fn epoch_before_end(&self) -> i16 {
        match self.epoch {
            _ if self.client_version < BUMPS_EPOCH || !self.state.is_complete() => NO_EPOCH,
            0 if self.producer_id != self.previous_producer_id => i16::MAX - 1,
            epoch => epoch.saturating_sub(1),
        }
    }

    /// Whether it has been open for too long.
    pub fn has_timed_out(&self, now_ms: i64) -> bool {
        self.state == State::Ongoing
            && self.timeout_ms != NEVER
            && self.started_ms.saturating_add(self.timeout_ms.into()) < now_ms
    }

    /// Whether nothing has been heard of it for so long that it is forgotten. What is open or being ended never is.
    pub fn has_expired(&self, expiration_ms: i64, now_ms: i64) -> bool {
        let idle = self.state == State::Empty || self.state.is_complete();
        idle && self.updated_ms <= now_ms.saturating_sub(expiration_ms)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ongoing(epoch: i16) -> Transaction {
        let new = Transaction::new(7, 1000, 5);
        let producer = Producer { id: 7, epoch };
        let partition = ("t".to_owned(), 0);
        new.initialised(producer, 1000, 6).with([partition], 2, 10)
    }

    #[test]
    fn each_end_bumps_the_epoch_from_version_2_on() {
        for (version, epoch) in [(0, 3), (1, 3), (2, 4)] {
            let ended = ongoing(3).ended(true, version, NO_PRODUCER_ID, 20);
            assert_eq!((ended.state, ended.epoch), (State::PrepareCommit, epoch));
            let completed = ended.completed(30);
            assert_eq!((completed.state, completed.epoch), (State::CompleteCommit, epoch));
            assert_eq!((completed.started_ms, completed.updated_ms), (10, 30));
            assert!(completed.partitions.is_empty());
        }
    }

    #[test]
    fn when_the_epochs_are_used_up_the_end_brings_a_new_producer_id() {
        let ended = ongoing(i16::MAX - 1).ended(false, 2, 8, 20);
        assert_eq!((ended.producer_id, ended.epoch), (7, i16::MAX));
        let completed = ended.completed(30);
        assert_eq!((completed.producer_id, completed.epoch), (8, 0));
        assert_eq!(completed.previous_producer_id, 7);
        assert_eq!(completed.epoch_before_end(), i16::MAX - 1);
    }

    #[test]
    fn fencing_uses_up_an_epoch_that_no_client_has() {
        for (version, epoch) in [(0, 4), (1, 4), (2, 5)] {
            let fenced = ongoing(3).fenced(version, 20);
            assert_eq!((fenced.state, fenced.epoch), (State::PrepareAbort, epoch));
        }
        // At the very end there is no epoch to bump, and the abort goes through all the same.
        assert_eq!(ongoing(i16::MAX - 1).fenced(2, 20).epoch, i16::MAX);
    }

    #[test]
    fn time_ends_only_what_is_open_and_expires_only_what_is_not() {
        let open = ongoing(0);
        assert!(!open.has_timed_out(1010) && open.has_timed_out(1011));
        assert!(!open.has_expired(1, i64::MAX));
        let ended = open.ended(true, 2, NO_PRODUCER_ID, 20);
        assert!(!ended.has_timed_out(i64::MAX) && !ended.has_expired(1, i64::MAX));
        let completed = ended.completed(30);
        assert!(!completed.has_expired(100, 129) && completed.has_expired(100, 130));
        let unlimited = Transaction {
            timeout_ms: NEVER,
            ..ongoing(0)
        };
        assert!(!unlimited.has_timed_out(i64::MAX));
    }
}
