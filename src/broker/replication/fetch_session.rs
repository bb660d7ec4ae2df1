//! Fetch sessions (KIP-227): the broker remembers what a client fetches, so that requests name only changes and
//! answers hold only news.

use crate::broker::world::Dice;
use kafka_protocol::ResponseError;
use kafka_protocol::messages::TopicName;
use kafka_protocol::messages::fetch_response::PartitionData;
use kafka_protocol::protocol::StrBytes;
use parking_lot::Mutex;
use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;
use uuid::Uuid;

/// Epoch of a request that opens a session.
const INITIAL_EPOCH: i32 = 0;
/// Epoch of a request without a session.
const FINAL_EPOCH: i32 = -1;
/// Sessions that are kept at once (`max.incremental.fetch.session.cache.slots`).
const MAX_SESSIONS: usize = 1000;
/// Partitions that all sessions together may remember: bounds the memory that clients can fill.
const MAX_CACHED_PARTITIONS: usize = 200_000;
/// How long a session must have been idle before another may take its place.
const EVICTION_MS: i64 = 120_000;

/// A topic as the request names it: by id from version 13 on, by name before.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum TopicKey {
    /// By id.
    Id(Uuid),
    /// By name.
    Name(TopicName),
}

impl TopicKey {
    /// A copy that doesn't keep the request's whole frame in memory.
    fn detached(&self) -> Self {
        match self {
            TopicKey::Id(id) => TopicKey::Id(*id),
            TopicKey::Name(name) => TopicKey::Name(StrBytes::from_string(name.to_string()).into()),
        }
    }
}

/// What is asked of one partition.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PartitionFetch {
    /// First offset wanted.
    pub offset: i64,
    /// At most so many bytes.
    pub max_bytes: i32,
    /// The client's idea of the leader epoch, -1 for none.
    pub current_leader_epoch: i32,
    /// Epoch of the last record the client has, -1 for none.
    pub last_fetched_epoch: i32,
}

/// One partition of one topic.
pub type FetchKey = (TopicKey, i32);

/// What a request says about sessions.
#[derive(Debug)]
pub struct SessionRequest {
    /// 0 for none.
    pub id: i32,
    /// 0 opens a session, -1 does without, anything else goes on with one.
    pub epoch: i32,
    /// The topics are named by id.
    pub by_id: bool,
    /// Partitions to fetch, or those that changed.
    pub fetches: Vec<(FetchKey, PartitionFetch)>,
    /// Partitions to fetch no longer.
    pub forgotten: Vec<FetchKey>,
}

/// What one request is to fetch, and how its answer relates to a session.
#[derive(Debug)]
pub struct FetchContext {
    /// The partitions in the order they are to be read.
    pub fetches: Vec<(FetchKey, PartitionFetch)>,
    kind: Kind,
}

#[derive(Debug)]
enum Kind {
    Sessionless,
    Full {
        by_id: bool,
    },
    Incremental {
        id: i32,
        epoch: i32,
        session: Arc<Mutex<FetchSession>>,
    },
}

#[derive(Debug)]
struct FetchSession {
    by_id: bool,
    /// The epoch that the next request must have.
    epoch: i32,
    order: BTreeMap<u64, (FetchKey, Cached)>,
    places: HashMap<FetchKey, u64>,
    next_place: u64,
}

#[derive(Debug, Clone, Copy)]
struct Cached {
    fetch: PartitionFetch,
    high_watermark: i64,
    log_start_offset: i64,
}

impl FetchSession {
    fn new(by_id: bool) -> Self {
        FetchSession {
            by_id,
            epoch: 1,
            order: BTreeMap::new(),
            places: HashMap::new(),
            next_place: 0,
        }
    }

    fn put(&mut self, key: &FetchKey, fetch: PartitionFetch) {
        let known = self.places.get(key).and_then(|place| self.order.get_mut(place));
        if let Some((_, cached)) = known {
            cached.fetch = fetch;
            return;
        }
        let key = (key.0.detached(), key.1);
        let cached = Cached {
            fetch,
            high_watermark: -1,
            log_start_offset: -1,
        };
        self.places.insert(key.clone(), self.next_place);
        self.order.insert(self.next_place, (key, cached));
        self.next_place += 1;
    }

    fn remove(&mut self, key: &FetchKey) {
        if let Some(place) = self.places.remove(key) {
            self.order.remove(&place);
        }
    }

    /// Takes note of an answer and says whether it holds news. One with records goes to the end of the order, so
    /// that a busy partition cannot starve the others.
    fn note(&mut self, key: &FetchKey, data: &PartitionData) -> bool {
        let Some(place) = self.places.get(key).copied() else {
            return true;
        };
        let Some((_, cached)) = self.order.get_mut(&place) else {
            return true;
        };
        let has_records = data.records.as_ref().is_some_and(|records| !records.is_empty());
        let news = has_records
            || data.error_code != 0
            || data.diverging_epoch.epoch >= 0
            || cached.high_watermark != data.high_watermark
            || cached.log_start_offset != data.log_start_offset;
        // After an error the partition is told again even if nothing else changes.
        cached.high_watermark = if data.error_code == 0 {
            data.high_watermark
        } else {
            -1
        };
        cached.log_start_offset = data.log_start_offset;
        if has_records && let Some(entry) = self.order.remove(&place) {
            self.places.insert(entry.0.clone(), self.next_place);
            self.order.insert(self.next_place, entry);
            self.next_place += 1;
        }
        news
    }

    fn len(&self) -> usize {
        self.order.len()
    }
}

#[derive(Debug, Default)]
struct Slots {
    by_id: BTreeMap<i32, Slot>,
    cached_partitions: usize,
}

#[derive(Debug)]
struct Slot {
    session: Arc<Mutex<FetchSession>>,
    partitions: usize,
    last_used_ms: i64,
}

impl Slots {
    fn remove(&mut self, id: i32) {
        if let Some(slot) = self.by_id.remove(&id) {
            self.cached_partitions -= slot.partitions;
        }
    }

    /// Makes room for a session of that size, if a slot is free or one has been idle long enough.
    fn make_room(&mut self, partitions: usize, now_ms: i64) -> bool {
        while self.by_id.len() >= MAX_SESSIONS || self.cached_partitions + partitions > MAX_CACHED_PARTITIONS
        {
            let oldest = self.by_id.iter().min_by_key(|(_, slot)| slot.last_used_ms);
            match oldest {
                Some((id, slot)) if now_ms.saturating_sub(slot.last_used_ms) > EVICTION_MS => {
                    let id = *id;
                    self.remove(id);
                }
                _ => return false,
            }
        }
        true
    }

    fn free_id(&self, dice: &Dice) -> i32 {
        loop {
            let id = dice.number(1..=i32::MAX);
            if !self.by_id.contains_key(&id) {
                return id;
            }
        }
    }
}

/// All fetch sessions of a broker: at most 1000, the longest idle gives way.
#[derive(Debug, Default)]
pub struct FetchSessionCache {
    slots: Mutex<Slots>,
    dice: Dice,
}

impl FetchSessionCache {
    /// No sessions yet; their ids are by these dice.
    pub fn new(dice: Dice) -> Self {
        FetchSessionCache {
            slots: Mutex::default(),
            dice,
        }
    }

    /// Finds out what a request is to fetch.
    ///
    /// # Errors
    /// `FETCH_SESSION_ID_NOT_FOUND`, `INVALID_FETCH_SESSION_EPOCH`, `FETCH_SESSION_TOPIC_ID_ERROR`: the client then
    /// starts again with a full fetch.
    pub fn begin(&self, request: SessionRequest, now_ms: i64) -> Result<FetchContext, ResponseError> {
        if request.epoch == INITIAL_EPOCH || request.epoch == FINAL_EPOCH {
            if request.id != 0 {
                self.slots.lock().remove(request.id);
            }
            let kind = match request.epoch {
                INITIAL_EPOCH => Kind::Full { by_id: request.by_id },
                _ => Kind::Sessionless,
            };
            return Ok(FetchContext {
                fetches: request.fetches,
                kind,
            });
        }
        self.go_on(request, now_ms)
    }

    fn go_on(&self, request: SessionRequest, now_ms: i64) -> Result<FetchContext, ResponseError> {
        let mut slots = self.slots.lock();
        let slot = slots.by_id.get_mut(&request.id);
        let slot = slot.ok_or(ResponseError::FetchSessionIdNotFound)?;
        slot.last_used_ms = now_ms;
        let shared = Arc::clone(&slot.session);
        let mut session = shared.lock();
        if session.epoch != request.epoch {
            return Err(ResponseError::InvalidFetchSessionEpoch);
        }
        if session.by_id != request.by_id {
            return Err(ResponseError::FetchSessionTopicIdError);
        }
        for (key, fetch) in &request.fetches {
            session.put(key, *fetch);
        }
        for key in &request.forgotten {
            session.remove(key);
        }
        let (before, after) = (slot.partitions, session.len());
        slot.partitions = after;
        slots.cached_partitions = slots.cached_partitions - before + after;
        if slots.cached_partitions > MAX_CACHED_PARTITIONS && after > before {
            slots.remove(request.id);
            return Err(ResponseError::FetchSessionIdNotFound);
        }
        let fetches = session.order.values();
        let fetches = fetches.map(|(key, cached)| (key.clone(), cached.fetch)).collect();
        if after == 0 {
            slots.remove(request.id);
            return Ok(FetchContext {
                fetches,
                kind: Kind::Sessionless,
            });
        }
        session.epoch = next_epoch(session.epoch);
        let kind = Kind::Incremental {
            id: request.id,
            epoch: session.epoch,
            session: Arc::clone(&shared),
        };
        Ok(FetchContext { fetches, kind })
    }

    /// Cuts an answer down to what the client doesn't know yet, opening a session if the request asked for one and
    /// there is room. Returns the session id, 0 for none.
    ///
    /// # Errors
    /// `INVALID_FETCH_SESSION_EPOCH` when the session went on without this request.
    pub fn finish(
        &self,
        context: FetchContext,
        answers: &mut Vec<(FetchKey, PartitionData)>,
        now_ms: i64,
    ) -> Result<i32, ResponseError> {
        match context.kind {
            Kind::Sessionless => Ok(0),
            Kind::Full { by_id } => Ok(self.open(by_id, &context.fetches, answers, now_ms)),
            Kind::Incremental { id, epoch, session } => {
                let mut session = session.lock();
                if session.epoch != epoch {
                    return Err(ResponseError::InvalidFetchSessionEpoch);
                }
                answers.retain(|(key, data)| session.note(key, data));
                Ok(id)
            }
        }
    }

    fn open(
        &self,
        by_id: bool,
        fetches: &[(FetchKey, PartitionFetch)],
        answers: &[(FetchKey, PartitionData)],
        now_ms: i64,
    ) -> i32 {
        if fetches.is_empty() {
            return 0;
        }
        let mut session = FetchSession::new(by_id);
        for (key, fetch) in fetches {
            session.put(key, *fetch);
        }
        for (key, data) in answers {
            session.note(key, data);
        }
        let partitions = session.len();
        let mut slots = self.slots.lock();
        if !slots.make_room(partitions, now_ms) {
            return 0;
        }
        let id = slots.free_id(&self.dice);
        slots.cached_partitions += partitions;
        let slot = Slot {
            session: Arc::new(Mutex::new(session)),
            partitions,
            last_used_ms: now_ms,
        };
        slots.by_id.insert(id, slot);
        id
    }
}

/// Epochs go from 1 to the greatest integer and then to 1 again: 0 and -1 have a meaning of their own.
fn next_epoch(epoch: i32) -> i32 {
    epoch.checked_add(1).unwrap_or(1)
}

#[cfg(test)]
mod tests;
