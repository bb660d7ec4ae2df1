//! Consuming: partitions or a group's share of them into one queue, and its records handed out without a copy.

use super::handle::{Handle, Topic, check, code_of, milliseconds};
use super::native::{
    Owned, PartitionEntry, PartitionList, out_of_memory, partition_entries, partition_list, partitions_mut,
    string,
};
use crate::kafka::errors::{Answer, ErrorCode, KafkaError};
use crate::kafka::types::{CommittedOffset, TopicPartition};
use rdkafka::bindings as rd;
use std::ffi::{CStr, c_int, c_void};
use std::marker::PhantomData;
use std::ops::ControlFlow;
use std::ptr::NonNull;
use std::time::Duration;

/// A queue that records arrive in.
pub(in crate::kafka) struct Queue {
    queue: NonNull<rd::rd_kafka_queue_t>,
}

/// What comes out of a queue.
pub enum Arrival<'a> {
    /// A record.
    Record(Record<'a>),
    /// A partition has no more records for now; the next will have `offset`.
    End {
        /// Topic name.
        topic: &'a str,
        /// Partition number.
        partition: i32,
        /// The offset that the next record gets.
        offset: i64,
    },
    /// Reading failed; librdkafka tries again by itself unless the failure is of a kind that cannot pass.
    Trouble(KafkaError),
}

/// A record, valid until the closure it was given to returns.
pub struct Record<'a> {
    message: &'a rd::rd_kafka_message_t,
}

/// The headers of a record, in order.
pub struct Headers<'a> {
    headers: *const rd::rd_kafka_headers_t,
    next: usize,
    record: PhantomData<&'a rd::rd_kafka_message_t>,
}

impl<'a> Record<'a> {
    /// Topic name.
    pub fn topic(&self) -> &'a str {
        // SAFETY: a message that holds a record has its topic.
        unsafe { topic_name(self.message) }
    }

    /// Partition number.
    pub fn partition(&self) -> i32 {
        self.message.partition
    }

    /// Its offset in the partition.
    pub fn offset(&self) -> i64 {
        self.message.offset
    }

    /// Its key, if any.
    pub fn key(&self) -> Option<&'a [u8]> {
        // SAFETY: librdkafka gives pointer and length of the key inside the message.
        unsafe { bytes(self.message.key, self.message.key_len) }
    }

    /// Its value; `None` is a null.
    pub fn value(&self) -> Option<&'a [u8]> {
        // SAFETY: as for the key.
        unsafe { bytes(self.message.payload, self.message.len) }
    }

    /// The epoch of the leader that appended it, if the broker tells.
    pub fn leader_epoch(&self) -> Option<i32> {
        // SAFETY: the message lives.
        let epoch = unsafe { rd::rd_kafka_message_leader_epoch(self.message) };
        (epoch >= 0).then_some(epoch)
    }

    /// Milliseconds since 1970-01-01 UTC, and whether the broker set it at the append (else the producer did).
    pub fn timestamp(&self) -> Option<(i64, bool)> {
        use rd::rd_kafka_timestamp_type_t as Stamp;
        let mut kind = Stamp::RD_KAFKA_TIMESTAMP_NOT_AVAILABLE;
        // SAFETY: the message lives; librdkafka writes one of the three kinds.
        let time = unsafe { rd::rd_kafka_message_timestamp(self.message, &raw mut kind) };
        match kind {
            Stamp::RD_KAFKA_TIMESTAMP_NOT_AVAILABLE => None,
            Stamp::RD_KAFKA_TIMESTAMP_CREATE_TIME => Some((time, false)),
            Stamp::RD_KAFKA_TIMESTAMP_LOG_APPEND_TIME => Some((time, true)),
        }
    }

    /// Names and values; a value may be null.
    pub fn headers(&self) -> Headers<'a> {
        let mut headers = std::ptr::null_mut();
        // SAFETY: the message lives; without headers the call fails and leaves the null.
        let _ = unsafe { rd::rd_kafka_message_headers(self.message, &raw mut headers) };
        Headers {
            headers,
            next: 0,
            record: PhantomData,
        }
    }
}

impl<'a> Iterator for Headers<'a> {
    type Item = (&'a [u8], Option<&'a [u8]>);

    fn next(&mut self) -> Option<Self::Item> {
        if self.headers.is_null() {
            return None;
        }
        let (mut name, mut value, mut size) = (std::ptr::null(), std::ptr::null(), 0);
        // SAFETY: the headers belong to the message, which outlives `'a`; what is written points into them.
        unsafe {
            let code = rd::rd_kafka_header_get_all(
                self.headers,
                self.next,
                &raw mut name,
                &raw mut value,
                &raw mut size,
            );
            check(code).ok()?;
            self.next += 1;
            Some((CStr::from_ptr(name).to_bytes(), bytes(value, size)))
        }
    }
}

impl Queue {
    /// A queue for partitions that are started one by one.
    pub fn new(handle: &Handle) -> Answer<Self> {
        // SAFETY: the client lives, and its owner drops the queue first.
        Self::of(unsafe { rd::rd_kafka_queue_new(handle.ptr()) })
    }

    /// The queue of the client's group.
    pub fn of_group(handle: &Handle) -> Answer<Self> {
        // SAFETY: as above; null without a group.
        Self::of(unsafe { rd::rd_kafka_queue_get_consumer(handle.ptr()) })
    }

    fn of(queue: *mut rd::rd_kafka_queue_t) -> Answer<Self> {
        NonNull::new(queue)
            .map(|queue| Queue { queue })
            .ok_or_else(|| KafkaError::new(ErrorCode::UnknownGroup, ""))
    }

    /// Reads a partition from `offset` into this queue.
    ///
    /// # Errors
    /// When the partition is being read already.
    pub fn start(&self, topic: &Topic, partition: i32, offset: i64) -> Answer {
        // SAFETY: topic and queue live as long as their client.
        let refused = unsafe {
            rd::rd_kafka_consume_start_queue(topic.rkt.as_ptr(), partition, offset, self.queue.as_ptr())
        };
        if refused == 0 {
            return Ok(());
        }
        // SAFETY: reads the thread's own last error.
        check(unsafe { rd::rd_kafka_last_error() })
    }

    /// Hands what has arrived to `take`, after waiting up to `timeout` for the first. On `Break` the rest stays in
    /// the queue. Answers whether anything had arrived.
    pub fn serve<F>(&self, handle: &Handle, timeout: Duration, take: F) -> bool
    where
        F: FnMut(Arrival<'_>) -> ControlFlow<()>,
    {
        let mut serving = Serving {
            client: handle.ptr(),
            take,
            broken: false,
        };
        // SAFETY: the queue lives; the callback gets the address of `serving`, which outlives the call, and its type.
        let served = unsafe {
            rd::rd_kafka_consume_callback_queue(
                self.queue.as_ptr(),
                milliseconds(timeout),
                Some(on_arrival::<F>),
                (&raw mut serving).cast(),
            )
        };
        served > 0
    }
}

struct Serving<F> {
    client: *mut rd::rd_kafka_t,
    take: F,
    broken: bool,
}

unsafe extern "C" fn on_arrival<F>(message: *mut rd::rd_kafka_message_t, opaque: *mut c_void)
where
    F: FnMut(Arrival<'_>) -> ControlFlow<()>,
{
    // SAFETY: `serve` passes its own `Serving<F>`; the message lives until this returns, and its error is read as a
    // number, since brokers may send codes newer than librdkafka.
    unsafe {
        let serving = &mut *opaque.cast::<Serving<F>>();
        if serving.broken {
            return;
        }
        let code = (&raw const (*message).err).cast::<c_int>().read();
        if (serving.take)(arrival(&*message, code)).is_break() {
            serving.broken = true;
            rd::rd_kafka_yield(serving.client);
        }
    }
}

/// # Safety
/// `message` must be live, with the error `code`.
unsafe fn arrival(message: &rd::rd_kafka_message_t, code: c_int) -> Arrival<'_> {
    if code == 0 {
        return Arrival::Record(Record { message });
    }
    // SAFETY: an error about a partition names its topic; the text of any error is its payload, NUL-terminated.
    unsafe {
        match code_of(code) {
            ErrorCode::PartitionEOF => Arrival::End {
                topic: topic_name(message),
                partition: message.partition,
                offset: message.offset,
            },
            code => Arrival::Trouble(KafkaError::new(
                code,
                string(rd::rd_kafka_message_errstr(message)),
            )),
        }
    }
}

impl Drop for Queue {
    fn drop(&mut self) {
        // SAFETY: held once, released once.
        unsafe { rd::rd_kafka_queue_destroy(self.queue.as_ptr()) };
    }
}

impl Handle {
    /// Joins the group of the client's configuration to read `topics`.
    pub fn subscribe(&self, topics: &[String]) -> Answer {
        let list: Vec<_> = topics
            .iter()
            .map(|topic| (TopicPartition::new(topic, -1), 0))
            .collect();
        let list = list_of(&list)?;
        // SAFETY: client and list live; librdkafka copies the list.
        check(unsafe { rd::rd_kafka_subscribe(self.ptr(), list.as_ptr()) })
    }

    /// The partitions that the group has given to this member, none before it has joined.
    pub fn assignment(&self) -> Answer<Vec<TopicPartition>> {
        let mut list = std::ptr::null_mut();
        // SAFETY: on success the list is ours to destroy, once.
        let list = unsafe {
            check(rd::rd_kafka_assignment(self.ptr(), &raw mut list))?;
            Owned::new(list, rd::rd_kafka_topic_partition_list_destroy, out_of_memory)?
        };
        Ok(entries_of(&list)?
            .into_iter()
            .map(|entry| entry.partition)
            .collect())
    }

    /// Remembers the next offsets to read; they are committed from time to time and on leaving.
    pub fn remember(&self, positions: &[(TopicPartition, CommittedOffset)]) -> Answer {
        let list = partition_list(positions.iter().map(|(at, position)| (at, position.offset)))?;
        // SAFETY: the list is alive, and has an entry for each position, in order.
        unsafe {
            for (entry, (_, position)) in partitions_mut(list.as_ptr()).iter_mut().zip(positions) {
                rd::rd_kafka_topic_partition_set_leader_epoch(entry, position.leader_epoch.unwrap_or(-1));
            }
        }
        // SAFETY: client and list live for the call.
        let code = unsafe { rd::rd_kafka_offsets_store(self.ptr(), list.as_ptr()) };
        match check(code) {
            // A partition that a rebalance has just taken away: its new owner reads those records again.
            Err(error) if error.code() == ErrorCode::State => Ok(()),
            answer => answer,
        }
    }

    /// The group's committed positions; `None` where it has none.
    pub fn committed(
        &self,
        partitions: &[TopicPartition],
        timeout: Duration,
    ) -> Answer<Vec<Option<CommittedOffset>>> {
        let list = partition_list(partitions.iter().map(|at| (at, 0)))?;
        // SAFETY: client and list live for the call, which fills in offsets.
        check(unsafe { rd::rd_kafka_committed(self.ptr(), list.as_ptr(), milliseconds(timeout)) })?;
        let committed = |entry: PartitionEntry| {
            (entry.offset >= 0).then_some(CommittedOffset {
                offset: entry.offset,
                leader_epoch: entry.leader_epoch,
            })
        };
        Ok(entries_of(&list)?.into_iter().map(committed).collect())
    }

    /// Offsets by time: for each partition the first at or after a time in ms since 1970-01-01 UTC, the first there
    /// is ([`EARLIEST`]) or the next to be written ([`LATEST`]). -1 where no record is that young.
    pub fn offsets(&self, wanted: &[(TopicPartition, i64)], timeout: Duration) -> Answer<Vec<i64>> {
        let list = list_of(wanted)?;
        // SAFETY: client and list live for the call, which replaces times by offsets.
        let code =
            unsafe { rd::rd_kafka_offsets_for_times(self.ptr(), list.as_ptr(), milliseconds(timeout)) };
        check(code)?;
        Ok(entries_of(&list)?.into_iter().map(|entry| entry.offset).collect())
    }

    /// Commits what was remembered and leaves the group.
    pub fn leave(&self) -> Answer {
        // SAFETY: the client lives and has a group.
        check(unsafe { rd::rd_kafka_consumer_close(self.ptr()) })
    }
}

/// The time that stands for the first offset there is.
pub(in crate::kafka) const EARLIEST: i64 = rd::RD_KAFKA_OFFSET_BEGINNING as i64;
/// The time that stands for the offset to be written next.
pub(in crate::kafka) const LATEST: i64 = rd::RD_KAFKA_OFFSET_END as i64;

/// Copies of the entries of a list, unless one of them failed.
fn entries_of(list: &PartitionList) -> Answer<Vec<PartitionEntry>> {
    // SAFETY: the list is alive.
    let entries = unsafe { partition_entries(list.as_ptr()) };
    match entries.iter().find_map(|entry| entry.outcome.clone().err()) {
        Some(error) => Err(error),
        None => Ok(entries),
    }
}

fn list_of(entries: &[(TopicPartition, i64)]) -> Answer<PartitionList> {
    partition_list(entries.iter().map(|(at, offset)| (at, *offset)))
}

/// # Safety
/// `at` must be null or point to `length` bytes that live as long as `'a`.
pub(super) unsafe fn bytes<'a>(at: *const c_void, length: usize) -> Option<&'a [u8]> {
    // SAFETY: the caller vouches for it.
    (!at.is_null()).then(|| unsafe { std::slice::from_raw_parts(at.cast::<u8>(), length) })
}

/// # Safety
/// `message` must be live and about a partition.
unsafe fn topic_name(message: &rd::rd_kafka_message_t) -> &str {
    if message.rkt.is_null() {
        return "";
    }
    // SAFETY: the topic lives as long as the message and has a NUL-terminated name; Kafka's names are ASCII.
    unsafe {
        CStr::from_ptr(rd::rd_kafka_topic_name(message.rkt))
            .to_str()
            .unwrap_or("")
    }
}
