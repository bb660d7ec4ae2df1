//! One look at all partitions of a fetch: what can be read of each, within the limits.

use super::fetch_encoding::WORTH_A_PIECE;
use crate::broker::api::RequestContext;
use crate::broker::config::NodeConfig;
use crate::broker::log::ReadLimit;
use crate::broker::memory::MemoryPool;
use crate::broker::replication::fetch_session::FetchKey;
use crate::broker::replication::{Leadership, Partition, PartitionFetch, Partitions, TopicKey};
use crate::broker::world::fault::{self, Fault};
use crate::clock::Clock;
use bytes::Bytes;
use kafka_protocol::ResponseError;
use kafka_protocol::messages::FetchRequest;
use kafka_protocol::messages::fetch_response::{
    AbortedTransaction, EpochEndOffset, LeaderIdAndEpoch, PartitionData,
};
use std::sync::Arc;

/// `read_committed` on the wire.
const READ_COMMITTED: i8 = 1;
/// From this version on the replica's id stands in a field of its own (KIP-903).
const REPLICA_STATE: i16 = 15;
/// From this version on divergence and the current leader are told (KIP-595).
const TELLS_LEADER: i16 = 12;

/// What an answer may hold when other answers, not yet taken by their peers, hold all the memory there is for them.
const LEAST_ANSWER: usize = 64 << 10;

/// What a look found in one partition.
pub struct Read {
    /// The answer.
    pub data: PartitionData,
    /// The partition, unless something is wrong with it.
    pub partition: Option<Arc<Partition>>,
}

/// What a look found in all of them.
pub struct Pass {
    /// In the order of the request.
    pub reads: Vec<Read>,
    /// Bytes of all records.
    pub bytes: i64,
    /// There is an error or a divergence to tell, so waiting makes no sense.
    pub must_answer: bool,
}

/// What a fetch takes.
pub struct Fetching {
    /// What it reads.
    pub partitions: Partitions,
    /// Memory of the records in answers.
    pub memory: MemoryPool,
    /// The one clock.
    pub clock: Clock,
    /// The settings.
    pub config: Arc<NodeConfig>,
}

/// Reads for one request.
pub struct Reader<'a> {
    given: &'a Fetching,
    version: i16,
    /// -1 for a consumer.
    replica: i32,
    /// Epoch of the replica's registration, -1 where it does not say.
    broker_epoch: i64,
    limit: ReadLimit,
    max_bytes: usize,
}

impl<'a> Reader<'a> {
    /// A reader for that request.
    pub fn new(given: &'a Fetching, ctx: &RequestContext, request: &FetchRequest) -> Self {
        let (replica, broker_epoch) = match ctx.api_version {
            REPLICA_STATE.. => {
                let state = &request.replica_state;
                (state.replica_id.0, state.replica_epoch)
            }
            _ => (request.replica_id.0, -1),
        };
        let limit = match request.isolation_level {
            _ if replica >= 0 => ReadLimit::LogEnd,
            READ_COMMITTED => ReadLimit::LastStable,
            _ => ReadLimit::HighWatermark,
        };
        let broker_limit = usize::try_from(given.config.int("fetch.max.bytes")).unwrap_or(0);
        let max_bytes = usize::try_from(request.max_bytes).unwrap_or(0).min(broker_limit);
        Reader {
            given,
            version: ctx.api_version,
            replica,
            broker_epoch,
            limit,
            max_bytes,
        }
    }

    /// Whether a follower reads, not a consumer.
    pub fn is_follower(&self) -> bool {
        self.replica >= 0
    }

    /// Reads from all partitions in order until the limit is reached. The first batch found is returned even if it is
    /// larger than the limits, so that a consumer cannot get stuck (KIP-74).
    pub fn read_all(&self, fetches: &[(FetchKey, PartitionFetch)]) -> Pass {
        let mut pass = Pass {
            reads: Vec::with_capacity(fetches.len()),
            bytes: 0,
            must_answer: false,
        };
        let mut memory = self.given.memory.take_up_to(self.wanted(fetches));
        let mut left = self.max_bytes.min(memory.bytes().max(LEAST_ANSWER));
        for (key, fetch) in fetches {
            let mut read = match self.read(key, fetch, left, pass.bytes == 0) {
                Ok(read) => read,
                Err(error) => Read {
                    data: self.refusal(key, error),
                    partition: None,
                },
            };
            let bytes = read.data.records.as_ref().map_or(0, Bytes::len);
            if bytes >= WORTH_A_PIECE {
                let held = memory.split(bytes);
                read.data.records = read.data.records.take().map(|records| held.guard(records));
            }
            left = left.saturating_sub(bytes);
            pass.bytes = pass
                .bytes
                .saturating_add(i64::try_from(bytes).unwrap_or(i64::MAX));
            pass.must_answer |= read.data.error_code != 0 || read.data.diverging_epoch.epoch >= 0;
            pass.reads.push(read);
        }
        pass
    }

    /// The most that the answer can hold.
    fn wanted(&self, fetches: &[(FetchKey, PartitionFetch)]) -> usize {
        let each = fetches
            .iter()
            .map(|(_, fetch)| usize::try_from(fetch.max_bytes).unwrap_or(0));
        each.fold(0, usize::saturating_add).min(self.max_bytes)
    }

    fn read(
        &self,
        (key, index): &FetchKey,
        fetch: &PartitionFetch,
        left: usize,
        is_first: bool,
    ) -> Result<Read, ResponseError> {
        let (partition, leadership) = match key {
            TopicKey::Id(id) => self.given.partitions.led_by_id(*id, *index)?,
            TopicKey::Name(name) => self.given.partitions.led_by_name(name, *index)?,
        };
        leadership.check_epoch(fetch.current_leader_epoch)?;
        let diverging = self.divergence(&partition, leadership, fetch)?;
        let mut data = PartitionData::default().with_partition_index(*index);
        if let Some(diverging) = diverging {
            data.diverging_epoch = diverging;
        } else {
            if fetch.offset < partition.log.log_start_offset()
                || fetch.offset > partition.log.log_end_offset()
            {
                return Ok(out_of_range(&partition, data));
            }
            if self.is_follower() {
                let now_ms = self.given.clock.now_ms();
                if partition.follower_fetched(self.replica, self.broker_epoch, fetch.offset, now_ms)? {
                    self.given.partitions.replicas().isr_changed();
                }
            }
            let max_bytes = usize::try_from(fetch.max_bytes).unwrap_or(0).min(left);
            if max_bytes > 0 || is_first {
                data = self.read_records(&partition, leadership, fetch.offset, max_bytes, is_first, data)?;
            }
        }
        Ok(Read {
            data: with_offsets(&partition, data),
            partition: Some(partition),
        })
    }

    fn read_records(
        &self,
        partition: &Partition,
        leadership: Leadership,
        offset: i64,
        max_bytes: usize,
        is_first: bool,
        data: PartitionData,
    ) -> Result<PartitionData, ResponseError> {
        // Nearly every look that is to wait ends here, without touching the log's segments.
        let end = match self.limit {
            ReadLimit::LogEnd => partition.log.log_end_offset(),
            ReadLimit::HighWatermark => partition.log.high_watermark(),
            ReadLimit::LastStable => partition.log.last_stable_offset(),
        };
        if offset >= end {
            return Ok(data);
        }
        let fetched = match partition.log.read(offset, max_bytes, is_first, self.limit) {
            Ok(fetched) => fetched,
            Err(error) => {
                let epoch = leadership.epoch;
                tracing::debug!(topic = partition.topic, partition = partition.index, offset, epoch, %error, "cannot read");
                return Err(error.response_error());
            }
        };
        let aborted = fetched.aborted.into_iter().map(|(producer, first)| {
            AbortedTransaction::default()
                .with_producer_id(producer.into())
                .with_first_offset(first)
        });
        let aborted = (self.limit == ReadLimit::LastStable).then(|| aborted.collect());
        Ok(data
            .with_records(Some(fetched.records))
            .with_aborted_transactions(aborted))
    }

    /// Where the follower's log and ours part, if they do (KIP-595).
    fn divergence(
        &self,
        partition: &Partition,
        leadership: Leadership,
        fetch: &PartitionFetch,
    ) -> Result<Option<EpochEndOffset>, ResponseError> {
        if self.version < TELLS_LEADER || fetch.last_fetched_epoch < 0 {
            return Ok(None);
        }
        let (epoch, end) = partition.end_offset_for_epoch(leadership, fetch.last_fetched_epoch);
        if epoch < 0 || end < 0 {
            return Err(ResponseError::OffsetOutOfRange);
        }
        let parted = epoch < fetch.last_fetched_epoch || end < fetch.offset;
        let diverges = parted && !fault::is(Fault::TruncationLeftOut);
        Ok(diverges.then(|| EpochEndOffset::default().with_epoch(epoch).with_end_offset(end)))
    }

    fn refusal(&self, (key, index): &FetchKey, error: ResponseError) -> PartitionData {
        let data = PartitionData::default()
            .with_partition_index(*index)
            .with_error_code(error.code())
            .with_high_watermark(-1)
            .with_last_stable_offset(-1)
            .with_log_start_offset(-1)
            .with_records(Some(Bytes::new()));
        let moved = matches!(
            error,
            ResponseError::NotLeaderOrFollower | ResponseError::FencedLeaderEpoch
        );
        if !moved || self.version < TELLS_LEADER {
            return data;
        }
        let (name, id) = match key {
            TopicKey::Name(name) => (name.as_str(), uuid::Uuid::nil()),
            TopicKey::Id(id) => ("", *id),
        };
        let (leader, epoch) = self
            .given
            .partitions
            .current_leader(&self.given.partitions.topic_name(name, id), *index);
        data.with_current_leader(
            LeaderIdAndEpoch::default()
                .with_leader_id(leader.into())
                .with_leader_epoch(epoch),
        )
    }
}

fn out_of_range(partition: &Partition, data: PartitionData) -> Read {
    let data = data.with_error_code(ResponseError::OffsetOutOfRange.code());
    Read {
        data: with_offsets(partition, data),
        partition: None,
    }
}

fn with_offsets(partition: &Partition, mut data: PartitionData) -> PartitionData {
    let log = &partition.log;
    data.high_watermark = log.high_watermark();
    data.last_stable_offset = log.last_stable_offset();
    data.log_start_offset = log.log_start_offset();
    if data.records.is_none() {
        data.records = Some(Bytes::new());
    }
    data
}
