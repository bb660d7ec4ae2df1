//! A librdkafka client, and the way a request goes through it.

use super::login;
use super::native::{Owned, Words, c_string, check, out_of_memory, slice, string};
use crate::kafka::errors::{Answer, ErrorCode, KafkaError};
use crate::kafka::types::{Broker, ClusterMetadata, PartitionDescription, TopicMetadata};
use rdkafka::bindings as rd;
use rdkafka::bindings::rd_kafka_admin_op_t as Op;
use std::ffi::{c_char, c_int, c_void};
use std::sync::{Mutex, OnceLock, PoisonError};
use std::time::Duration;

/// How a request is made.
#[derive(Debug, Clone, Copy)]
pub(in crate::kafka) struct Ask {
    /// How long to wait for the answer.
    pub timeout: Duration,
    /// Check only, change nothing.
    pub validate_only: bool,
    /// The broker to send it to, when that matters.
    pub broker: Option<i32>,
}

impl Ask {
    /// Waits at most `timeout`.
    pub fn within(timeout: Duration) -> Self {
        Ask {
            timeout,
            validate_only: false,
            broker: None,
        }
    }

    fn timeout_ms(&self) -> c_int {
        c_int::try_from(self.timeout.as_millis()).unwrap_or(c_int::MAX)
    }
}

/// One of librdkafka's admin calls that take several objects.
pub(super) type AdminCall<T> = unsafe extern "C" fn(
    *mut rd::rd_kafka_t,
    *mut *mut T,
    usize,
    *const rd::rd_kafka_AdminOptions_t,
    *mut rd::rd_kafka_queue_t,
);

/// What librdkafka said that explains a failure.
#[derive(Default)]
pub(super) struct Notes {
    last_failure: Mutex<Option<String>>,
    refusal: Mutex<Option<Refusal>>,
}

/// Why nobody will ever be let in, in words.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::kafka) enum Refusal {
    /// The cluster's certificate is not trusted.
    #[cfg(feature = "tls")]
    Certificate(String),
    /// There is no token to be had for this user.
    Token(String),
}

impl Notes {
    /// Keeps why nobody will ever be let in.
    pub(super) fn refuse(&self, why: Refusal) {
        *self.refusal.lock().unwrap_or_else(PoisonError::into_inner) = Some(why);
    }
}

/// A librdkafka client that only administers: it neither produces nor consumes. It starts its threads, three of them,
/// when it is first asked something.
pub(in crate::kafka) struct Client {
    // Dropped first: destroying it joins librdkafka's threads, which write to the notes.
    native: OnceLock<Answer<Owned<rd::rd_kafka_t>>>,
    /// What it is to be started with.
    conf: Mutex<Option<Owned<rd::rd_kafka_conf_t>>>,
    /// What the log callback writes to; librdkafka holds its address until the client is destroyed.
    notes: Box<Notes>,
}

// SAFETY: librdkafka's handle may be used from any thread, by several at once, as its manual says; a configuration may
// move between threads and is used behind a lock; `Notes` has a lock.
unsafe impl Send for Client {}
// SAFETY: as above.
unsafe impl Sync for Client {}

impl Client {
    /// Makes a client and checks its properties; it starts and connects when first asked something.
    pub fn new<'a>(properties: impl IntoIterator<Item = (&'a str, &'a str)>) -> Answer<Self> {
        // SAFETY: a new configuration belongs to us until rd_kafka_new takes it over.
        let mut conf =
            unsafe { Owned::new(rd::rd_kafka_conf_new(), rd::rd_kafka_conf_destroy, out_of_memory)? };
        for (name, value) in properties {
            set(&mut conf, name, value)?;
        }
        let notes = Box::<Notes>::default();
        // SAFETY: the configuration is alive; the notes' address stays good until the client is dropped, which
        // joins librdkafka's threads before it frees the notes.
        unsafe {
            rd::rd_kafka_conf_set_opaque(conf.as_ptr(), (&raw const *notes).cast_mut().cast());
            rd::rd_kafka_conf_set_log_cb(conf.as_ptr(), Some(on_log));
            login::prepare(conf.as_ptr(), on_token_wanted);
            #[cfg(feature = "tls")]
            if login::verifies_certificates(conf.as_ptr()) {
                rd::rd_kafka_conf_set_ssl_cert_verify_cb(conf.as_ptr(), Some(login::on_certificate));
            }
        }
        Ok(Client {
            native: OnceLock::new(),
            conf: Mutex::new(Some(conf)),
            notes,
        })
    }

    /// librdkafka's handle, started if need be; it stays good as long as the client is borrowed.
    fn native(&self) -> Answer<*mut rd::rd_kafka_t> {
        let native = self.native.get_or_init(|| {
            let conf = self.conf.lock().unwrap_or_else(PoisonError::into_inner).take();
            conf.map_or_else(|| Err(KafkaError::new(ErrorCode::Fail, "")), started)
        });
        native.as_ref().map(Owned::as_ptr).map_err(Clone::clone)
    }

    /// Why the cluster's certificate or this user's token will not do, if that is known by now.
    pub fn refusal(&self) -> Option<Refusal> {
        self.notes
            .refusal
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }

    /// The last connection failure that librdkafka logged.
    pub fn last_failure(&self) -> Option<String> {
        self.notes
            .last_failure
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }

    /// Brokers and all topics.
    pub fn metadata(&self, ask: Ask) -> Answer<ClusterMetadata> {
        let native = self.native()?;
        let mut answer: *const rd::rd_kafka_metadata = std::ptr::null();
        // SAFETY: the client is alive; on success `answer` points to metadata that is ours, and is destroyed once,
        // after it was copied.
        unsafe {
            let code =
                rd::rd_kafka_metadata(native, 1, std::ptr::null_mut(), &raw mut answer, ask.timeout_ms());
            check(code, std::ptr::null())?;
            let copy = copy_metadata(&*answer);
            rd::rd_kafka_metadata_destroy(answer);
            Ok(copy)
        }
    }

    /// Sends an admin request about some objects, which librdkafka's `call` copies, and waits for its result.
    pub(super) fn request_about<T>(
        &self,
        op: Op,
        ask: Ask,
        call: AdminCall<T>,
        objects: &[Owned<T>],
    ) -> Answer<Event> {
        let mut pointers: Vec<*mut T> = objects.iter().map(Owned::as_ptr).collect();
        self.request(op, ask, |client, options, queue| {
            // SAFETY: all of them are alive for the call.
            unsafe { call(client, pointers.as_mut_ptr(), pointers.len(), options, queue) }
        })
    }

    /// Sends an admin request and waits for its result. `start` makes the call, given the client, options and queue.
    pub(super) fn request(
        &self,
        op: Op,
        ask: Ask,
        start: impl FnOnce(*mut rd::rd_kafka_t, *const rd::rd_kafka_AdminOptions_t, *mut rd::rd_kafka_queue_t),
    ) -> Answer<Event> {
        let native = self.native()?;
        let options = options(native, op, ask)?;
        // SAFETY: the client is alive; a new queue belongs to us and goes before the client.
        let queue = unsafe {
            Owned::new(
                rd::rd_kafka_queue_new(native),
                rd::rd_kafka_queue_destroy,
                out_of_memory,
            )?
        };
        start(native, options.as_ptr(), queue.as_ptr());
        // librdkafka gives up by itself at its request timeout; the margin lets it tell us so.
        let patience = ask.timeout_ms().saturating_add(2_000);
        // SAFETY: the queue is alive; an event from it belongs to us.
        let event = unsafe {
            Owned::new(
                rd::rd_kafka_queue_poll(queue.as_ptr(), patience),
                rd::rd_kafka_event_destroy,
                || KafkaError::new(ErrorCode::OperationTimedOut, ""),
            )?
        };
        // SAFETY: the event is alive, and so is its error's text.
        unsafe {
            check(
                rd::rd_kafka_event_error(event.as_ptr()),
                rd::rd_kafka_event_error_string(event.as_ptr()),
            )?;
        }
        Ok(Event(event))
    }
}

fn options(native: *mut rd::rd_kafka_t, op: Op, ask: Ask) -> Answer<Owned<rd::rd_kafka_AdminOptions_t>> {
    let mut words = Words::new();
    // SAFETY: the client is alive, the new options are ours, and each setter copies what it is given.
    unsafe {
        let options = Owned::new(
            rd::rd_kafka_AdminOptions_new(native, op),
            rd::rd_kafka_AdminOptions_destroy,
            || KafkaError::new(ErrorCode::InvalidArgument, ""),
        )?;
        let (to, len) = (words.as_mut_ptr(), words.len());
        let mut codes = vec![rd::rd_kafka_AdminOptions_set_request_timeout(
            options.as_ptr(),
            ask.timeout_ms(),
            to,
            len,
        )];
        if waits_for_the_cluster(op) {
            codes.push(rd::rd_kafka_AdminOptions_set_operation_timeout(
                options.as_ptr(),
                ask.timeout_ms(),
                to,
                len,
            ));
        }
        if ask.validate_only {
            codes.push(rd::rd_kafka_AdminOptions_set_validate_only(
                options.as_ptr(),
                1,
                to,
                len,
            ));
        }
        if let Some(broker) = ask.broker {
            codes.push(rd::rd_kafka_AdminOptions_set_broker(
                options.as_ptr(),
                broker,
                to,
                len,
            ));
        }
        let refused = codes
            .into_iter()
            .find(|code| *code != rd::rd_kafka_resp_err_t::RD_KAFKA_RESP_ERR_NO_ERROR);
        match refused {
            Some(code) => Err(words.error(code.into())),
            None => Ok(options),
        }
    }
}

/// Starts a client, which takes the configuration over.
fn started(conf: Owned<rd::rd_kafka_conf_t>) -> Answer<Owned<rd::rd_kafka_t>> {
    let mut words = Words::new();
    // SAFETY: rd_kafka_new takes the configuration over only when it succeeds; then it must not be destroyed. It was
    // prepared for logins when it was made. The client is ours, and all that is made from it borrows the `Client` that owns it.
    unsafe {
        let native = Owned::new(
            // A producer's metadata requests make missing topics; a consumer's do not.
            rd::rd_kafka_new(
                rd::rd_kafka_type_t::RD_KAFKA_CONSUMER,
                conf.as_ptr(),
                words.as_mut_ptr(),
                words.len(),
            ),
            rd::rd_kafka_destroy,
            || words.error(ErrorCode::InvalidArgument),
        )?;
        std::mem::forget(conf);
        login::serve(native.as_ptr())?;
        Ok(native)
    }
}

/// The result of an admin request.
pub(super) struct Event(Owned<rd::rd_kafka_event_t>);

impl Event {
    /// What the result of a request of that kind points to.
    ///
    /// # Errors
    /// When the event is of another kind, which librdkafka never delivers for the request made.
    pub fn result<R>(
        &self,
        accessor: unsafe extern "C" fn(*mut rd::rd_kafka_event_t) -> *const R,
    ) -> Answer<*const R> {
        // SAFETY: the event is alive; an accessor answers null for an event of another kind.
        let result = unsafe { accessor(self.0.as_ptr()) };
        if result.is_null() {
            return Err(KafkaError::new(ErrorCode::Fail, "an answer to another question"));
        }
        Ok(result)
    }
}

fn waits_for_the_cluster(op: Op) -> bool {
    matches!(
        op,
        Op::RD_KAFKA_ADMIN_OP_CREATETOPICS
            | Op::RD_KAFKA_ADMIN_OP_DELETETOPICS
            | Op::RD_KAFKA_ADMIN_OP_CREATEPARTITIONS
            | Op::RD_KAFKA_ADMIN_OP_DELETERECORDS
            | Op::RD_KAFKA_ADMIN_OP_ELECTLEADERS
    )
}

fn set(conf: &mut Owned<rd::rd_kafka_conf_t>, name: &str, value: &str) -> Answer {
    let (c_name, c_value) = (c_string(name)?, c_string(value)?);
    let mut words = Words::new();
    // SAFETY: the configuration is alive and copies the strings.
    let result = unsafe {
        rd::rd_kafka_conf_set(
            conf.as_ptr(),
            c_name.as_ptr(),
            c_value.as_ptr(),
            words.as_mut_ptr(),
            words.len(),
        )
    };
    match result {
        rd::rd_kafka_conf_res_t::RD_KAFKA_CONF_OK => Ok(()),
        // The sentence may quote the value, and the value may be a password.
        _ if crate::kafka::connection::is_secret(name) => Err(KafkaError::new(
            ErrorCode::InvalidArgument,
            format!("the value of `{name}` is refused"),
        )),
        _ => Err(words.error(ErrorCode::InvalidArgument)),
    }
}

/// Gets a token, and keeps why there is none.
unsafe extern "C" fn on_token_wanted(
    client: *mut rd::rd_kafka_t,
    config: *const c_char,
    opaque: *mut c_void,
) {
    // SAFETY: librdkafka calls back for a client that lives, with its configuration and our notes, which outlive it.
    let (answer, notes) = unsafe {
        (
            login::bring_token(client, config),
            opaque.cast::<Notes>().as_ref(),
        )
    };
    if let (Err(why), Some(notes)) = (answer, notes) {
        notes.refuse(Refusal::Token(why));
    }
}

/// Keeps connection failures for the error message, and passes everything to `tracing`, where `-v` shows it.
unsafe extern "C" fn on_log(
    client: *const rd::rd_kafka_t,
    level: c_int,
    facility: *const c_char,
    message: *const c_char,
) {
    // SAFETY: librdkafka hands over live strings, and a client whose opaque is null or our notes, which outlive it.
    let (facility, message, notes) = unsafe {
        let notes = rd::rd_kafka_opaque(client).cast::<Notes>();
        (string(facility), string(message), notes.as_ref())
    };
    if level <= 3 {
        tracing::warn!(target: "librdkafka", "{facility}: {message}");
    } else {
        tracing::debug!(target: "librdkafka", "{facility}: {message}");
    }
    if let Some(notes) = notes.filter(|_| facility == "FAIL") {
        *notes.last_failure.lock().unwrap_or_else(PoisonError::into_inner) = Some(message);
    }
}

/// # Safety
/// The arrays and strings that `metadata` points to are alive.
unsafe fn copy_metadata(metadata: &rd::rd_kafka_metadata) -> ClusterMetadata {
    // SAFETY: librdkafka's counts tell the lengths of its arrays.
    unsafe {
        let mut brokers: Vec<Broker> = slice(metadata.brokers, count(metadata.broker_cnt))
            .iter()
            .map(|broker| Broker {
                id: broker.id,
                host: string(broker.host),
                port: u16::try_from(broker.port).unwrap_or_default(),
                rack: None,
            })
            .collect();
        brokers.sort_by_key(|broker| broker.id);
        let mut topics: Vec<TopicMetadata> = slice(metadata.topics, count(metadata.topic_cnt))
            .iter()
            .filter(|topic| topic.err != rd::rd_kafka_resp_err_t::RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART)
            .map(|topic| TopicMetadata {
                name: string(topic.topic),
                partitions: slice(topic.partitions, count(topic.partition_cnt))
                    .iter()
                    .map(|partition| copy_partition(partition))
                    .collect(),
            })
            .collect();
        topics.sort_by(|one, other| one.name.cmp(&other.name));
        ClusterMetadata { brokers, topics }
    }
}

/// # Safety
/// The arrays that `partition` points to are alive.
unsafe fn copy_partition(partition: &rd::rd_kafka_metadata_partition) -> PartitionDescription {
    // SAFETY: librdkafka's counts tell the lengths of its arrays.
    unsafe {
        PartitionDescription {
            partition: partition.id,
            leader: (partition.leader >= 0).then_some(partition.leader),
            replicas: slice(partition.replicas, count(partition.replica_cnt)).to_vec(),
            isr: slice(partition.isrs, count(partition.isr_cnt)).to_vec(),
        }
    }
}

fn count(native: c_int) -> usize {
    usize::try_from(native).unwrap_or(0)
}
