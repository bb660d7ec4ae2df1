//! A native client that produces or consumes, with what librdkafka says of itself in between.

use super::login;
use super::native::{Words, c_string, string};
use super::refusals::Refusals;
use super::writing::{Delivery, Tally};
use crate::kafka::errors::{Answer, ErrorCode, KafkaError};
use rdkafka::ClientConfig;
use rdkafka::bindings as rd;
use std::cell::{Cell, RefCell};
use std::ffi::{c_char, c_int, c_void};
use std::ptr::NonNull;
use std::rc::Rc;
use std::time::Duration;

/// A native client. It is bound to the thread that made it: its callbacks run while that thread polls.
pub(in crate::kafka) struct Handle {
    rk: NonNull<rd::rd_kafka_t>,
    /// Behind a pointer, so that the address given to librdkafka stays when the handle moves.
    said: Rc<Said>,
}

/// What callbacks leave behind. They run on the polling thread only, hence cells and no locks.
#[derive(Default)]
pub(super) struct Said {
    pub(super) troubles: RefCell<Vec<KafkaError>>,
    pub(super) tally: RefCell<Tally>,
    /// Who is told of each delivery, in place of the tally.
    pub(super) reporter: RefCell<Option<Reporter>>,
    /// How many records were answered, written or not.
    pub(super) answered: Cell<u64>,
    /// The only part that librdkafka's own threads use.
    pub(super) refusals: Refusals,
}

/// Is told of each record that was written or lost.
pub(super) type Reporter = Box<dyn FnMut(&Delivery<'_>)>;

/// A topic as a native client knows it.
pub(in crate::kafka) struct Topic {
    pub(super) rkt: NonNull<rd::rd_kafka_topic_t>,
}

impl Handle {
    /// Makes a client that writes records; it connects by itself in the background.
    ///
    /// # Errors
    /// When a property is unknown or does not fit the others; the text is librdkafka's.
    pub fn producer(config: &ClientConfig) -> Answer<Self> {
        Self::new(rd::rd_kafka_type_t::RD_KAFKA_PRODUCER, config, Rc::default())
    }

    /// Makes a client that reads records; as [`Handle::producer`].
    pub fn consumer(config: &ClientConfig) -> Answer<Self> {
        Self::new(rd::rd_kafka_type_t::RD_KAFKA_CONSUMER, config, Rc::default())
    }

    /// Another producer, whose answers are counted and reported with those of this one.
    ///
    /// # Errors
    /// As [`Handle::producer`].
    pub fn successor(&self, config: &ClientConfig) -> Answer<Self> {
        Self::new(
            rd::rd_kafka_type_t::RD_KAFKA_PRODUCER,
            config,
            Rc::clone(&self.said),
        )
    }

    fn new(kind: rd::rd_kafka_type_t, config: &ClientConfig, said: Rc<Said>) -> Answer<Self> {
        let conf = config
            .create_native_config()
            .map_err(|error| KafkaError::from(&error))?;
        let opaque = std::ptr::from_ref::<Said>(&said).cast_mut().cast::<c_void>();
        // SAFETY: `conf` is a live configuration; `said` is behind a pointer that the client's owner holds.
        unsafe {
            rd::rd_kafka_conf_set_opaque(conf.ptr(), opaque);
            rd::rd_kafka_conf_set_error_cb(conf.ptr(), Some(on_error));
            rd::rd_kafka_conf_set_log_cb(conf.ptr(), Some(on_log));
            login::prepare(conf.ptr(), login::on_token_wanted);
            if kind == rd::rd_kafka_type_t::RD_KAFKA_PRODUCER {
                rd::rd_kafka_conf_set_dr_msg_cb(conf.ptr(), Some(super::writing::on_delivery));
            }
        }
        let mut words = Words::new();
        // SAFETY: rd_kafka_new owns a copy it may consume; `words` is as long as it is said to be.
        let rk = unsafe {
            let owned = rd::rd_kafka_conf_dup(conf.ptr());
            if kind == rd::rd_kafka_type_t::RD_KAFKA_PRODUCER {
                said.refusals.watch(owned);
            }
            let rk = rd::rd_kafka_new(kind, owned, words.as_mut_ptr(), words.len());
            if rk.is_null() {
                rd::rd_kafka_conf_destroy(owned);
            }
            rk
        };
        let rk = NonNull::new(rk).ok_or_else(|| words.error(ErrorCode::InvalidArgument))?;
        let handle = Handle { rk, said };
        // SAFETY: the client lives, and its configuration was prepared above.
        unsafe { login::serve(handle.ptr())? };
        Ok(handle)
    }

    pub(super) fn ptr(&self) -> *mut rd::rd_kafka_t {
        self.rk.as_ptr()
    }

    pub(super) fn said(&self) -> &Rc<Said> {
        &self.said
    }

    /// Runs the callbacks that wait, and waits up to `timeout` for the first of them.
    pub fn poll(&self, timeout: Duration) {
        // SAFETY: the client lives as long as `self`.
        unsafe { rd::rd_kafka_poll(self.ptr(), milliseconds(timeout)) };
    }

    /// What went wrong with connections since the last call, oldest first.
    pub fn troubles(&self) -> Vec<KafkaError> {
        std::mem::take(&mut *self.said.troubles.borrow_mut())
    }

    /// The topic `name`, which need not exist.
    ///
    /// # Errors
    /// When no topic can have that name.
    pub fn topic(&self, name: &str) -> Answer<Topic> {
        let wrong = || KafkaError::new(ErrorCode::InvalidTopic, "");
        let name = c_string(name)?;
        // SAFETY: the client lives; librdkafka copies the name; a null configuration means its default.
        let rkt = unsafe { rd::rd_kafka_topic_new(self.ptr(), name.as_ptr(), std::ptr::null_mut()) };
        NonNull::new(rkt).map(|rkt| Topic { rkt }).ok_or_else(wrong)
    }

    /// The partitions of a topic as a broker knows them, in order; never creates it.
    ///
    /// # Errors
    /// When no broker answers within `timeout`, or the topic does not exist.
    pub fn partitions(&self, topic: &Topic, timeout: Duration) -> Answer<Vec<i32>> {
        let mut answer = std::ptr::null();
        // SAFETY: client and topic live; `answer` is written on success only, and freed below.
        let code = unsafe {
            rd::rd_kafka_metadata(
                self.ptr(),
                0,
                topic.rkt.as_ptr(),
                &raw mut answer,
                milliseconds(timeout),
            )
        };
        check(code)?;
        // SAFETY: on success `answer` holds `topic_cnt` topics, each with `partition_cnt` partitions.
        unsafe {
            let found = Self::first_topic(&*answer);
            rd::rd_kafka_metadata_destroy(answer);
            found
        }
    }

    /// # Safety
    /// `metadata` must be an answer of librdkafka that is not destroyed yet.
    unsafe fn first_topic(metadata: &rd::rd_kafka_metadata) -> Answer<Vec<i32>> {
        if metadata.topic_cnt < 1 {
            return Err(KafkaError::new(ErrorCode::UnknownTopicOrPartition, ""));
        }
        // SAFETY: the caller vouches for the arrays and their lengths.
        unsafe {
            let topic = &*metadata.topics;
            check_at(&raw const topic.err)?;
            let count = usize::try_from(topic.partition_cnt).unwrap_or(0);
            let mut partitions: Vec<i32> = (0..count).map(|at| (*topic.partitions.add(at)).id).collect();
            partitions.sort_unstable();
            Ok(partitions)
        }
    }
}

impl Drop for Handle {
    fn drop(&mut self) {
        // SAFETY: nobody else holds the client; what was made from it (topics, queues) is dropped before, by field
        // order in its owners. A consumer that has a group closes before.
        unsafe { rd::rd_kafka_destroy_flags(self.ptr(), rd::RD_KAFKA_DESTROY_F_NO_CONSUMER_CLOSE) };
    }
}

impl Drop for Topic {
    fn drop(&mut self) {
        // SAFETY: made by rd_kafka_topic_new, destroyed once.
        unsafe { rd::rd_kafka_topic_destroy(self.rkt.as_ptr()) };
    }
}

unsafe extern "C" fn on_error(
    _rk: *mut rd::rd_kafka_t,
    code: c_int,
    reason: *const c_char,
    opaque: *mut c_void,
) {
    // SAFETY: the opaque is the `Said` of the handle that polls; the reason is NUL-terminated.
    let (said, reason) = unsafe { (&*opaque.cast::<Said>(), string(reason)) };
    said.troubles
        .borrow_mut()
        .push(KafkaError::new(code_of(code), reason));
}

unsafe extern "C" fn on_log(
    _rk: *const rd::rd_kafka_t,
    level: c_int,
    facility: *const c_char,
    words: *const c_char,
) {
    // SAFETY: both texts are NUL-terminated and live for the call.
    let (facility, words) = unsafe { (string(facility), string(words)) };
    match level {
        0..=3 => tracing::error!(target: "librdkafka", "{facility}: {words}"),
        4 => tracing::warn!(target: "librdkafka", "{facility}: {words}"),
        5 | 6 => tracing::info!(target: "librdkafka", "{facility}: {words}"),
        _ => tracing::debug!(target: "librdkafka", "{facility}: {words}"),
    }
}

/// A code as a broker may send it: one that librdkafka has no name for is `Unknown`.
pub(in crate::kafka) fn code_of(code: c_int) -> ErrorCode {
    rd::rd_kafka_resp_err_t::try_from(code).map_or(ErrorCode::Unknown, ErrorCode::from)
}

pub(super) fn check(code: rd::rd_kafka_resp_err_t) -> Answer {
    // SAFETY: null stands for no text.
    unsafe { super::native::check(code, std::ptr::null()) }
}

/// As [`check`], for a code inside an answer, read as the number it is: brokers may send codes newer than librdkafka.
///
/// # Safety
/// `at` must point to a live error code.
pub(super) unsafe fn check_at(at: *const rd::rd_kafka_resp_err_t) -> Answer {
    // SAFETY: the caller vouches for `at`; the enum is represented by a C int.
    match unsafe { at.cast::<c_int>().read() } {
        0 => Ok(()),
        code => Err(KafkaError::new(code_of(code), "")),
    }
}

pub(super) fn milliseconds(timeout: Duration) -> c_int {
    c_int::try_from(timeout.as_millis()).unwrap_or(c_int::MAX)
}
