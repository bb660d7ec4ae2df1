//! Owners of native objects, and the passage between Rust's and C's strings, arrays and partition lists.

use crate::kafka::errors::{Answer, ErrorCode, KafkaError};
use crate::kafka::types::{Broker, TopicPartition};
use rdkafka::bindings as rd;
use std::ffi::{CStr, CString, c_char};
use std::ptr::NonNull;

/// A native object that is freed when dropped.
pub(super) struct Owned<T> {
    object: NonNull<T>,
    free: unsafe extern "C" fn(*mut T),
}

impl<T> Owned<T> {
    /// Takes over `object`, or answers the error in case librdkafka made none.
    ///
    /// # Safety
    /// `object` is null or owned by nobody else, and `free` is the function that librdkafka names to destroy it.
    pub unsafe fn new(
        object: *mut T,
        free: unsafe extern "C" fn(*mut T),
        missing: impl FnOnce() -> KafkaError,
    ) -> Answer<Self> {
        NonNull::new(object)
            .map(|object| Owned { object, free })
            .ok_or_else(missing)
    }

    pub fn as_ptr(&self) -> *mut T {
        self.object.as_ptr()
    }
}

impl<T> Drop for Owned<T> {
    fn drop(&mut self) {
        // SAFETY: `new` promised that `free` destroys this object, which nobody else owns, and this is its one drop.
        unsafe { (self.free)(self.object.as_ptr()) }
    }
}

/// What it means when librdkafka makes no object.
pub(super) fn out_of_memory() -> KafkaError {
    KafkaError::new(ErrorCode::Fail, "out of memory")
}

/// A buffer for the sentence that librdkafka writes beside an error.
pub(super) struct Words([c_char; 512]);

impl Words {
    pub fn new() -> Self {
        Words([0; 512])
    }

    pub fn as_mut_ptr(&mut self) -> *mut c_char {
        self.0.as_mut_ptr()
    }

    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// What was written, as an error with that code.
    pub fn error(&self, code: ErrorCode) -> KafkaError {
        // SAFETY: the buffer was zeroed and librdkafka writes at most `len` bytes with a NUL at the end.
        KafkaError::new(code, unsafe { string(self.0.as_ptr()) })
    }
}

/// A Rust string as C wants it.
pub(super) fn c_string(text: &str) -> Answer<CString> {
    CString::new(text)
        .map_err(|_| KafkaError::new(ErrorCode::InvalidArgument, "a name or value holds a zero byte"))
}

/// A copy of a C string, empty for null; bytes that are no UTF-8 are replaced.
///
/// # Safety
/// `text` is null or points to a NUL-terminated string.
pub(super) unsafe fn string(text: *const c_char) -> String {
    // SAFETY: the caller promises it, and null is looked for first.
    unsafe { optional_string(text) }.unwrap_or_default()
}

/// A copy of a C string, `None` for null.
///
/// # Safety
/// `text` is null or points to a NUL-terminated string.
pub(super) unsafe fn optional_string(text: *const c_char) -> Option<String> {
    // SAFETY: the caller promises that what is not null is a NUL-terminated string.
    (!text.is_null()).then(|| unsafe { CStr::from_ptr(text) }.to_string_lossy().into_owned())
}

/// An array that librdkafka answers, as a slice.
///
/// # Safety
/// `items` points to at least `count` items that live for `'a`, unless `count` is zero.
pub(super) unsafe fn slice<'a, T>(items: *const T, count: usize) -> &'a [T] {
    if items.is_null() || count == 0 {
        return &[];
    }
    // SAFETY: the caller promises that the array has `count` items and outlives `'a`.
    unsafe { std::slice::from_raw_parts(items, count) }
}

/// The array that an accessor of the form `f(object, &mut count)` answers.
///
/// # Safety
/// `object` is one that `accessor` takes, and stays alive for `'a`.
pub(super) unsafe fn array<'a, O, T>(
    object: *const O,
    accessor: unsafe extern "C" fn(*const O, *mut usize) -> *mut *const T,
) -> &'a [*const T] {
    let mut count = 0;
    // SAFETY: the caller promises that the accessor takes the object; it answers an array of `count` pointers.
    unsafe {
        let items = accessor(object, &raw mut count);
        slice(items, count)
    }
}

/// Answers an error unless the code is none.
///
/// # Safety
/// `text` is null or points to a NUL-terminated string.
pub(super) unsafe fn check(code: rd::rd_kafka_resp_err_t, text: *const c_char) -> Answer {
    if code == rd::rd_kafka_resp_err_t::RD_KAFKA_RESP_ERR_NO_ERROR {
        return Ok(());
    }
    // SAFETY: as the caller promises.
    Err(KafkaError::new(code.into(), unsafe { string(text) }))
}

/// Answers an error unless `error` is null; `error` stays with its owner.
///
/// # Safety
/// `error` is null or a live error object.
pub(super) unsafe fn check_error(error: *const rd::rd_kafka_error_t) -> Answer {
    if error.is_null() {
        return Ok(());
    }
    // SAFETY: the error is alive, and its string lives as long as itself.
    unsafe { check(rd::rd_kafka_error_code(error), rd::rd_kafka_error_string(error)) }
}

/// A broker, `None` for null.
///
/// # Safety
/// `node` is null or a live node.
pub(super) unsafe fn broker(node: *const rd::rd_kafka_Node_t) -> Option<Broker> {
    if node.is_null() {
        return None;
    }
    // SAFETY: the node is alive, and its strings live as long as itself.
    unsafe {
        Some(Broker {
            id: rd::rd_kafka_Node_id(node),
            host: string(rd::rd_kafka_Node_host(node)),
            port: rd::rd_kafka_Node_port(node),
            rack: optional_string(rd::rd_kafka_Node_rack(node)).filter(|rack| !rack.is_empty()),
        })
    }
}

/// The ids of live nodes, without those that librdkafka gives no id.
///
/// # Safety
/// Every node is alive.
pub(super) unsafe fn broker_ids(nodes: &[*const rd::rd_kafka_Node_t]) -> Vec<i32> {
    nodes
        .iter()
        // SAFETY: as the caller promises.
        .map(|node| unsafe { rd::rd_kafka_Node_id(*node) })
        .filter(|id| *id >= 0)
        .collect()
}

/// A native list of partitions.
pub(super) type PartitionList = Owned<rd::rd_kafka_topic_partition_list_t>;

/// A native list of partitions, each with an offset.
pub(super) fn partition_list<'a>(
    partitions: impl IntoIterator<Item = (&'a TopicPartition, i64)>,
) -> Answer<PartitionList> {
    // SAFETY: a new list belongs to us, and is destroyed by the function named.
    let list = unsafe {
        Owned::new(
            rd::rd_kafka_topic_partition_list_new(0),
            rd::rd_kafka_topic_partition_list_destroy,
            out_of_memory,
        )?
    };
    for (partition, offset) in partitions {
        let topic = c_string(&partition.topic)?;
        // SAFETY: the list is alive and the topic's name is copied; the entry belongs to the list.
        unsafe {
            let entry =
                rd::rd_kafka_topic_partition_list_add(list.as_ptr(), topic.as_ptr(), partition.partition);
            (*entry).offset = offset;
        }
    }
    Ok(list)
}

/// The entries of a native list of partitions, to be filled in.
///
/// # Safety
/// `list` is alive for `'a`, and nobody else looks at it meanwhile.
pub(super) unsafe fn partitions_mut<'a>(
    list: *mut rd::rd_kafka_topic_partition_list_t,
) -> &'a mut [rd::rd_kafka_topic_partition_t] {
    // SAFETY: the list is alive and has `cnt` entries; without any, their address may be null.
    unsafe {
        match usize::try_from((*list).cnt) {
            Ok(count @ 1..) => std::slice::from_raw_parts_mut((*list).elems, count),
            _ => &mut [],
        }
    }
}

/// One entry of a native list of partitions.
pub(super) struct PartitionEntry {
    pub partition: TopicPartition,
    pub offset: i64,
    pub leader_epoch: Option<i32>,
    pub outcome: Answer,
}

/// A copy of a native partition.
///
/// # Safety
/// `entry` is alive.
pub(super) unsafe fn partition_entry(entry: *const rd::rd_kafka_topic_partition_t) -> PartitionEntry {
    // SAFETY: the entry is alive, as is its topic's name.
    unsafe {
        let epoch = rd::rd_kafka_topic_partition_get_leader_epoch(entry);
        PartitionEntry {
            partition: TopicPartition::new(string((*entry).topic), (*entry).partition),
            offset: (*entry).offset,
            leader_epoch: (epoch >= 0).then_some(epoch),
            outcome: check((*entry).err, std::ptr::null()),
        }
    }
}

/// A copy of a native list of partitions, empty for null.
///
/// # Safety
/// `list` is null or alive.
pub(super) unsafe fn partition_entries(
    list: *const rd::rd_kafka_topic_partition_list_t,
) -> Vec<PartitionEntry> {
    if list.is_null() {
        return Vec::new();
    }
    // SAFETY: the list is alive and has `cnt` entries.
    unsafe {
        slice((*list).elems, usize::try_from((*list).cnt).unwrap_or(0))
            .iter()
            .map(|entry| partition_entry(entry))
            .collect()
    }
}
