//! What brokers say of records that they refuse (KIP-467).
//!
//! librdkafka keeps those words only until it has queued the delivery reports: whoever asks for them there, as its manual
//! says, reads memory that is freed meanwhile. An interceptor is called before that, on the thread that has the answer.

use super::native::optional_string;
use parking_lot::Mutex;
use rdkafka::bindings as rd;
use std::collections::HashMap;
use std::ffi::{CStr, c_char, c_int, c_void};

const NAME: &CStr = c"velo";

/// Words by the address of the message that they are about.
#[derive(Default)]
pub(super) struct Refusals(Mutex<HashMap<usize, String>>);

impl Refusals {
    /// Takes what was said of a message that is reported now.
    pub fn take(&self, message: &rd::rd_kafka_message_t) -> Option<String> {
        self.0.lock().remove(&address(message))
    }

    /// Has the words of the producer that is made of this configuration kept here.
    ///
    /// # Safety
    /// `conf` is live and no copy of it is used, for that lacks interceptors; `self` lives until the producer is destroyed.
    pub unsafe fn watch(&self, conf: *mut rd::rd_kafka_conf_t) {
        let opaque = std::ptr::from_ref(self).cast_mut().cast::<c_void>();
        // SAFETY: as the caller promises; librdkafka copies the name.
        unsafe { rd::rd_kafka_conf_interceptor_add_on_new(conf, NAME.as_ptr(), Some(on_new), opaque) };
    }
}

fn address(message: *const rd::rd_kafka_message_t) -> usize {
    message.addr()
}

unsafe extern "C" fn on_new(
    rk: *mut rd::rd_kafka_t,
    _conf: *const rd::rd_kafka_conf_t,
    opaque: *mut c_void,
    _words: *mut c_char,
    _size: usize,
) -> rd::rd_kafka_resp_err_t {
    // SAFETY: librdkafka calls with the client that is being made, and the address given with the configuration.
    unsafe {
        rd::rd_kafka_interceptor_add_on_acknowledgement(rk, NAME.as_ptr(), Some(on_acknowledgement), opaque)
    }
}

unsafe extern "C" fn on_acknowledgement(
    _rk: *mut rd::rd_kafka_t,
    message: *mut rd::rd_kafka_message_t,
    opaque: *mut c_void,
) -> rd::rd_kafka_resp_err_t {
    // SAFETY: the message lives, and so do the words it points to, if any; the error is read as a number, since brokers may
    // send codes newer than librdkafka. `opaque` is a `Refusals`, which outlives the client and may be used by any thread.
    unsafe {
        if (&raw const (*message).err).cast::<c_int>().read() != 0
            && let Some(words) = optional_string(rd::rd_kafka_message_produce_errstr(message))
        {
            let refusals = &*opaque.cast::<Refusals>();
            refusals.0.lock().insert(address(message), words);
        }
    }
    rd::rd_kafka_resp_err_t::RD_KAFKA_RESP_ERR_NO_ERROR
}
