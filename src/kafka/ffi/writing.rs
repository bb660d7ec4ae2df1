//! Producing: records into librdkafka's queue, and what became of them out of its delivery reports.

use super::handle::{Handle, Said, Topic, check, code_of, milliseconds};
use super::native::Words;
use crate::kafka::errors::{Answer, ErrorCode, KafkaError};
use rdkafka::bindings as rd;
use rdkafka::bindings::rd_kafka_vtype_t as Kind;
use std::ffi::{CString, c_int, c_void};
use std::marker::PhantomData;
use std::rc::Rc;
use std::time::Duration;

/// A partition that librdkafka shall choose, by key or at random.
const ANY_PARTITION: i32 = -1;

/// How many failed records are remembered with their reason; the rest is only counted.
const REMEMBERED: usize = 10;

/// A record to write; nothing is owned.
#[derive(Debug, Clone, Copy, Default)]
pub struct NewRecord<'a> {
    /// Its key, if any.
    pub key: Option<&'a [u8]>,
    /// Its value; `None` writes a null (a tombstone on a compacted topic).
    pub value: Option<&'a [u8]>,
    /// Names and values; a value may be null.
    pub headers: &'a [(String, Option<Vec<u8>>)],
    /// Milliseconds since 1970-01-01 UTC; `None` is now.
    pub timestamp: Option<i64>,
}

/// The most that a batch of one record has beside key, value and headers: its header, and the record's lengths.
const OVERHEAD: usize = 61 + 21;

impl NewRecord<'_> {
    /// The most bytes that it may take when it is sent alone, as Java's clients reckon it to hold it against
    /// `max.request.size`.
    pub fn size(&self) -> usize {
        let headers = self
            .headers
            .iter()
            .map(|(name, value)| encoded(Some(name.len())) + encoded(value.as_ref().map(Vec::len)));
        bare_size(self.key.map(<[u8]>::len), self.value.map(<[u8]>::len)) + varint(self.headers.len())
            - varint(0)
            + headers.sum::<usize>()
    }
}

/// The same of a record without headers, by the lengths of key and value.
fn bare_size(key: Option<usize>, value: Option<usize>) -> usize {
    OVERHEAD + encoded(key) + encoded(value) + varint(0)
}

/// A length and that many bytes; the length of nothing alone, where there is none.
fn encoded(length: Option<usize>) -> usize {
    length.map_or(1, |length| varint(length) + length)
}

/// How many bytes a length takes: seven bits of it, doubled for its sign, to a byte.
fn varint(length: usize) -> usize {
    let bits = usize::BITS - (length << 1).leading_zeros();
    bits.max(1).div_ceil(7) as usize
}

/// Where the records of one partition went.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Written {
    /// How many were acknowledged.
    pub records: u64,
    /// The smallest and the greatest offset; `None` when the broker gives none (acks=0).
    pub offsets: Option<(i64, i64)>,
}

/// A record that was not written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Lost {
    /// The number that [`Handle::enqueue`] was given with it.
    pub tag: usize,
    /// Why.
    pub error: KafkaError,
}

/// Records without headers or timestamp that are queued together, which takes the locks and the time once for all.
#[derive(Default)]
pub struct Batch<'a> {
    messages: Vec<rd::rd_kafka_message_t>,
    /// The largest [`NewRecord::size`] among all that were added.
    largest: usize,
    bytes: PhantomData<&'a [u8]>,
}

impl<'a> Batch<'a> {
    /// Adds a record; `tag` comes back with its failure.
    pub fn push(&mut self, key: Option<&'a [u8]>, value: Option<&'a [u8]>, tag: usize) {
        self.largest = self
            .largest
            .max(bare_size(key.map(<[u8]>::len), value.map(<[u8]>::len)));
        let (payload, len) = parts(value);
        let (key, key_len) = parts(key);
        self.messages.push(rd::rd_kafka_message_t {
            err: rd::rd_kafka_resp_err_t::RD_KAFKA_RESP_ERR_NO_ERROR,
            rkt: std::ptr::null_mut(),
            partition: ANY_PARTITION,
            payload,
            len,
            key,
            key_len,
            offset: 0,
            _private: tag as *mut c_void,
        });
    }

    /// Takes out the records that are larger than `limit`, and hands their tags and sizes to `refused`.
    pub fn refuse_larger(&mut self, limit: usize, mut refused: impl FnMut(usize, usize)) {
        if self.largest <= limit {
            return;
        }
        let length = |at: *mut c_void, length| (!at.is_null()).then_some(length);
        self.messages.retain(|message| {
            let size = bare_size(
                length(message.key, message.key_len),
                length(message.payload, message.len),
            );
            if size > limit {
                refused(message._private as usize, size);
            }
            size <= limit
        });
    }

    /// How many records there are.
    pub fn len(&self) -> usize {
        self.messages.len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.messages.is_empty()
    }
}

/// What became of one record.
pub struct Delivery<'a> {
    message: &'a rd::rd_kafka_message_t,
    /// Why it was not written, if so.
    pub error: Option<KafkaError>,
}

impl<'a> Delivery<'a> {
    /// The number that it was queued with.
    pub fn tag(&self) -> usize {
        self.message._private as usize
    }

    /// Its key, if any.
    pub fn key(&self) -> Option<&'a [u8]> {
        // SAFETY: librdkafka gives pointer and length of the key inside the message, which lives for `'a`.
        unsafe { super::reading::bytes(self.message.key, self.message.key_len) }
    }

    /// Its value; `None` is a null.
    pub fn value(&self) -> Option<&'a [u8]> {
        // SAFETY: as for the key.
        unsafe { super::reading::bytes(self.message.payload, self.message.len) }
    }

    /// The partition it was for, -1 when none was chosen yet.
    pub fn partition(&self) -> i32 {
        self.message.partition
    }

    /// Its offset, -1 when the broker gives none (acks=0).
    pub fn offset(&self) -> i64 {
        self.message.offset.max(-1)
    }
}

/// What became of the records so far.
#[derive(Debug, Clone, Default)]
pub struct Tally {
    /// By partition number.
    pub partitions: Vec<Option<Written>>,
    /// Acknowledged records.
    pub written: u64,
    /// Records that were not written.
    pub lost: u64,
    /// The first few of them.
    pub first_lost: Vec<Lost>,
}

impl Tally {
    fn add(&mut self, partition: usize, offset: i64) {
        self.written += 1;
        if partition >= self.partitions.len() {
            self.partitions.resize(partition + 1, None);
        }
        let place = self.partitions[partition].get_or_insert(Written {
            records: 0,
            offsets: None,
        });
        place.records += 1;
        if offset >= 0 {
            place.offsets = Some(place.offsets.map_or((offset, offset), |(low, high)| {
                (low.min(offset), high.max(offset))
            }));
        }
    }

    fn lose(&mut self, tag: usize, error: impl FnOnce() -> KafkaError) {
        self.lost += 1;
        if self.first_lost.len() < REMEMBERED {
            self.first_lost.push(Lost { tag, error: error() });
        }
    }
}

impl Handle {
    /// Puts a record into the queue, copying it; `tag` comes back with its failure.
    ///
    /// # Errors
    /// `QueueFull` when it must be tried again after a poll; else the record can never be written.
    pub fn enqueue(
        &self,
        topic: &Topic,
        partition: Option<i32>,
        record: &NewRecord<'_>,
        tag: usize,
    ) -> Answer {
        let partition = partition.unwrap_or(ANY_PARTITION);
        if record.headers.is_empty() && record.timestamp.is_none() {
            return Self::enqueue_plain(topic, partition, record, tag);
        }
        self.enqueue_full(topic, partition, record, tag)
    }

    /// Puts records into the queue, copying them, and takes them out of the batch. What stays in it must be tried again
    /// after a poll, since the queue is full. Those that can never be written go to `refused` with their tag.
    pub fn enqueue_batch(
        &self,
        topic: &Topic,
        partition: Option<i32>,
        batch: &mut Batch<'_>,
        mut refused: impl FnMut(usize, KafkaError),
    ) {
        let count = c_int::try_from(batch.messages.len()).unwrap_or(c_int::MAX);
        // SAFETY: topic and messages live for the call, and what the messages point to lives as long as the batch;
        // with the copy flag librdkafka keeps none of it. Tags are never followed as pointers.
        unsafe {
            rd::rd_kafka_produce_batch(
                topic.rkt.as_ptr(),
                partition.unwrap_or(ANY_PARTITION),
                rd::RD_KAFKA_MSG_F_COPY,
                batch.messages.as_mut_ptr(),
                count,
            );
        }
        batch.messages.retain(|message| match check(message.err) {
            Ok(()) => false,
            Err(error) if error.code() == ErrorCode::QueueFull => true,
            Err(error) => {
                refused(message._private as usize, error);
                false
            }
        });
    }

    fn enqueue_plain(topic: &Topic, partition: i32, record: &NewRecord<'_>, tag: usize) -> Answer {
        let (value, value_size) = parts(record.value);
        let (key, key_size) = parts(record.key);
        // SAFETY: topic and slices live for the call, and with the copy flag librdkafka keeps none of them; the
        // tag is a number that is never followed as a pointer.
        let refused = unsafe {
            rd::rd_kafka_produce(
                topic.rkt.as_ptr(),
                partition,
                rd::RD_KAFKA_MSG_F_COPY,
                value,
                value_size,
                key,
                key_size,
                tag as *mut c_void,
            )
        };
        if refused == 0 {
            return Ok(());
        }
        // SAFETY: reads the thread's own last error.
        check(unsafe { rd::rd_kafka_last_error() })
    }

    fn enqueue_full(&self, topic: &Topic, partition: i32, record: &NewRecord<'_>, tag: usize) -> Answer {
        let names = names_of(record.headers)?;
        let mut arguments = Vec::with_capacity(7 + names.len());
        arguments.push(argument(Kind::RD_KAFKA_VTYPE_RKT, |u| u.rkt = topic.rkt.as_ptr()));
        arguments.push(argument(Kind::RD_KAFKA_VTYPE_PARTITION, |u| u.i32_ = partition));
        arguments.push(argument(Kind::RD_KAFKA_VTYPE_MSGFLAGS, |u| {
            u.i = rd::RD_KAFKA_MSG_F_COPY;
        }));
        arguments.push(argument(Kind::RD_KAFKA_VTYPE_OPAQUE, |u| {
            u.ptr = tag as *mut c_void
        }));
        for (kind, part) in [
            (Kind::RD_KAFKA_VTYPE_VALUE, record.value),
            (Kind::RD_KAFKA_VTYPE_KEY, record.key),
        ] {
            let (ptr, size) = parts(part);
            arguments.push(argument(kind, |u| {
                u.mem = rd::rd_kafka_vu_s__bindgen_ty_1__bindgen_ty_1 { ptr, size };
            }));
        }
        if let Some(timestamp) = record.timestamp {
            arguments.push(argument(Kind::RD_KAFKA_VTYPE_TIMESTAMP, |u| u.i64_ = timestamp));
        }
        for (name, (_, value)) in names.iter().zip(record.headers) {
            let (val, size) = parts(value.as_deref());
            let size = isize::try_from(size).unwrap_or(isize::MAX);
            arguments.push(argument(Kind::RD_KAFKA_VTYPE_HEADER, |u| {
                u.header = rd::rd_kafka_vu_s__bindgen_ty_1__bindgen_ty_2 {
                    name: name.as_ptr(),
                    val,
                    size,
                };
            }));
        }
        // SAFETY: the arguments and all they point to live for the call; librdkafka copies record and headers.
        unsafe {
            let error = rd::rd_kafka_produceva(self.ptr(), arguments.as_ptr(), arguments.len());
            if error.is_null() {
                return Ok(());
            }
            let code = rd::rd_kafka_error_code(error);
            rd::rd_kafka_error_destroy(error);
            check(code)
        }
    }

    /// Sends what waits without lingering, and waits up to `timeout` for the answers; whether all came.
    pub fn flush(&self, timeout: Duration) -> bool {
        // SAFETY: the client lives; delivery callbacks run on this thread.
        let code = unsafe { rd::rd_kafka_flush(self.ptr(), milliseconds(timeout)) };
        code == rd::rd_kafka_resp_err_t::RD_KAFKA_RESP_ERR_NO_ERROR
    }

    /// How many records wait for an answer, or have one that no poll has taken in.
    pub fn waiting(&self) -> usize {
        // SAFETY: the client lives.
        usize::try_from(unsafe { rd::rd_kafka_outq_len(self.ptr()) }).unwrap_or(0)
    }

    /// Gives up all records that have no answer: they are reported as not acknowledged in time before this returns. What
    /// was under way may be written all the same. Their numbers are missing from an idempotent producer's sequence then,
    /// so it needs a [`Handle::successor`].
    pub fn give_up(&self) {
        let all = rd::RD_KAFKA_PURGE_F_QUEUE | rd::RD_KAFKA_PURGE_F_INFLIGHT;
        while self.waiting() > 0 {
            // SAFETY: the client lives. Its threads answer without waiting for any broker.
            unsafe { rd::rd_kafka_purge(self.ptr(), all) };
            self.poll(Duration::from_millis(20));
        }
    }

    /// What is told of deliveries.
    pub fn reports(&self) -> Reports {
        Reports(Rc::clone(self.said()))
    }
}

/// What a producer and its successors tell of deliveries.
pub(in crate::kafka) struct Reports(Rc<Said>);

impl Reports {
    /// From now on `report` is told of each delivery, while the producer's thread polls; the tally stays as it is. It must
    /// not call the producer.
    pub fn to(&self, report: impl FnMut(&Delivery<'_>) + 'static) {
        *self.0.reporter.borrow_mut() = Some(Box::new(report));
    }

    /// What became of the records so far.
    pub fn tally(&self) -> std::cell::Ref<'_, Tally> {
        self.0.tally.borrow()
    }

    /// How many records were answered, written or not.
    pub fn answered(&self) -> u64 {
        self.0.answered.get()
    }
}

pub(super) unsafe extern "C" fn on_delivery(
    rk: *mut rd::rd_kafka_t,
    message: *const rd::rd_kafka_message_t,
    opaque: *mut c_void,
) {
    // SAFETY: librdkafka hands out a live message and the `Said` of the handle that polls; the error is read
    // as a number, since brokers may send codes newer than librdkafka.
    let (said, message, code) = unsafe {
        let code = (&raw const (*message).err).cast::<c_int>().read();
        (&*opaque.cast::<Said>(), &*message, code)
    };
    said.answered.set(said.answered.get() + 1);
    if let Some(report) = said.reporter.borrow_mut().as_mut() {
        // SAFETY: librdkafka calls back with its live client.
        let error = (code != 0).then(|| unsafe { failure(rk, code, said.refusals.take(message)) });
        report(&Delivery { message, error });
        return;
    }
    let words = match code {
        0 => None,
        _ => said.refusals.take(message),
    };
    let mut tally = said.tally.borrow_mut();
    match usize::try_from(message.partition) {
        Ok(partition) if code == 0 => tally.add(partition, message.offset),
        _ => tally.lose(message._private as usize, || {
            // SAFETY: librdkafka calls back with its live client.
            unsafe { failure(rk, code, words) }
        }),
    }
}

/// The failure of a record, with what the broker said of it; when that is the producer's own, what broke the producer.
///
/// # Safety
/// `rk` must be live.
unsafe fn failure(rk: *mut rd::rd_kafka_t, code: c_int, said: Option<String>) -> KafkaError {
    let mut words = Words::new();
    if code_of(code) == ErrorCode::Fatal {
        // SAFETY: the caller vouches for the client; `words` is as long as it is said to be.
        let cause = unsafe { rd::rd_kafka_fatal_error(rk, words.as_mut_ptr(), words.len()) };
        return words.error(cause.into());
    }
    match code_of(code) {
        // Given up, see `Handle::give_up`.
        ErrorCode::PurgeQueue | ErrorCode::PurgeInflight => KafkaError::new(ErrorCode::MessageTimedOut, ""),
        code => KafkaError::new(code, said.unwrap_or_default()),
    }
}

/// Pointer and length; null for what is absent, which librdkafka writes as null. An empty slice is not null.
fn parts(bytes: Option<&[u8]>) -> (*mut c_void, usize) {
    bytes.map_or((std::ptr::null_mut(), 0), |bytes| {
        (bytes.as_ptr().cast_mut().cast(), bytes.len())
    })
}

fn names_of(headers: &[(String, Option<Vec<u8>>)]) -> Answer<Vec<CString>> {
    headers
        .iter()
        .map(|(name, _)| {
            CString::new(name.as_str()).map_err(|_| {
                KafkaError::new(
                    ErrorCode::InvalidArgument,
                    "a header's name holds a NUL character",
                )
            })
        })
        .collect()
}

fn argument(vtype: Kind, fill: impl FnOnce(&mut rd::rd_kafka_vu_s__bindgen_ty_1)) -> rd::rd_kafka_vu_t {
    let mut u = rd::rd_kafka_vu_s__bindgen_ty_1 { _pad: [0; 64] };
    fill(&mut u);
    rd::rd_kafka_vu_t { vtype, u }
}
