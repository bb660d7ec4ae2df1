//! What librdkafka asks while it logs in: tokens for SASL/OAUTHBEARER, and why a broker's certificate is refused.

use super::native::{Words, c_string, optional_string};
#[cfg(feature = "tls")]
use super::native::{slice, string};
use crate::kafka::errors::{Answer, ErrorCode, KafkaError};
use crate::kafka::oauth::{self, Token};
use rdkafka::bindings as rd;
#[cfg(feature = "tls")]
use std::ffi::c_int;
use std::ffi::{CString, c_char, c_void};

/// What librdkafka calls when it wants a token.
pub(super) type TokenWanted = unsafe extern "C" fn(*mut rd::rd_kafka_t, *const c_char, *mut c_void);

/// Has tokens asked for on a thread of librdkafka's own, so that nobody need poll for the first connection.
///
/// # Safety
/// `conf` is a live configuration that no client has taken over yet.
pub(super) unsafe fn prepare(conf: *mut rd::rd_kafka_conf_t, on_token_wanted: TokenWanted) {
    // SAFETY: the caller vouches for `conf`; the callback lives as long as the program.
    unsafe {
        rd::rd_kafka_conf_set_oauthbearer_token_refresh_cb(conf, Some(on_token_wanted));
        rd::rd_kafka_conf_enable_sasl_queue(conf, 1);
    }
}

/// Starts to answer what [`prepare`] made ready; without SASL there is nothing to answer.
///
/// # Errors
/// When librdkafka cannot start its thread.
///
/// # Safety
/// `client` is alive and was made of a prepared configuration.
pub(super) unsafe fn serve(client: *mut rd::rd_kafka_t) -> Answer {
    // SAFETY: the caller vouches for the client; the queue is looked at and given back; an error is ours, read once and freed.
    unsafe {
        let queue = rd::rd_kafka_queue_get_sasl(client);
        if queue.is_null() {
            return Ok(());
        }
        rd::rd_kafka_queue_destroy(queue);
        let error = rd::rd_kafka_sasl_background_callbacks_enable(client);
        if error.is_null() {
            return Ok(());
        }
        let words = optional_string(rd::rd_kafka_error_string(error)).unwrap_or_default();
        rd::rd_kafka_error_destroy(error);
        Err(KafkaError::new(ErrorCode::Fail, words))
    }
}

/// Gets a token for a client that keeps no notes. Runs on librdkafka's background thread, so it leaves the client's
/// opaque alone.
pub(super) unsafe extern "C" fn on_token_wanted(
    client: *mut rd::rd_kafka_t,
    config: *const c_char,
    _opaque: *mut c_void,
) {
    // SAFETY: librdkafka calls back for a client that lives; the configuration is null or lives for the call. The failure
    // reaches whoever polls the client.
    let _ = unsafe { bring_token(client, config) };
}

/// Gets a token and hands it to librdkafka, or tells it why there is none; answers that too.
///
/// # Safety
/// `client` is alive; `config` is null or a NUL-terminated string.
pub(super) unsafe fn bring_token(client: *mut rd::rd_kafka_t, config: *const c_char) -> Result<(), String> {
    // SAFETY: the caller vouches for both.
    let answer = unsafe {
        let config = optional_string(config);
        oauth::token(config.as_deref()).and_then(|token| hand_over(client, &token))
    };
    if let Err(why) = &answer {
        let why = CString::new(why.replace('\0', " ")).unwrap_or_default();
        // SAFETY: as above; the text is copied.
        unsafe { rd::rd_kafka_oauthbearer_set_token_failure(client, why.as_ptr()) };
    }
    answer
}

/// # Safety
/// `client` is alive.
unsafe fn hand_over(client: *mut rd::rd_kafka_t, token: &Token) -> Result<(), String> {
    let as_c = |text: &str| c_string(text).map_err(|error| error.to_string());
    let (value, principal) = (as_c(&token.value)?, as_c(&token.principal)?);
    let mut extensions = Vec::new();
    for (name, value) in &token.extensions {
        extensions.push(as_c(name)?);
        extensions.push(as_c(value)?);
    }
    let mut pointers: Vec<*const c_char> = extensions.iter().map(|text| text.as_ptr()).collect();
    let mut words = Words::new();
    // SAFETY: the caller vouches for the client; all strings live until the call returns, which copies them.
    let code = unsafe {
        rd::rd_kafka_oauthbearer_set_token(
            client,
            value.as_ptr(),
            token.expires_ms,
            principal.as_ptr(),
            pointers.as_mut_ptr(),
            pointers.len(),
            words.as_mut_ptr(),
            words.len(),
        )
    };
    match code {
        rd::rd_kafka_resp_err_t::RD_KAFKA_RESP_ERR_NO_ERROR => Ok(()),
        _ => Err(words.error(ErrorCode::Authentication).to_string()),
    }
}

/// Whether certificates matter: without `enable.ssl.certificate.verification` OpenSSL still has its verdict on them, which
/// nobody is to hear.
///
/// # Safety
/// `conf` is a live configuration.
#[cfg(feature = "tls")]
pub(super) unsafe fn verifies_certificates(conf: *const rd::rd_kafka_conf_t) -> bool {
    let name = c"enable.ssl.certificate.verification";
    let mut value = Words::new();
    let mut length = value.len();
    // SAFETY: the caller vouches for `conf`; librdkafka writes at most `length` bytes, with a NUL at the end.
    unsafe {
        rd::rd_kafka_conf_get(conf, name.as_ptr(), value.as_mut_ptr(), &raw mut length);
        string(value.as_mut_ptr()) != "false"
    }
}

/// Keeps OpenSSL's verdict on a certificate for the error message, and changes nothing about it: librdkafka itself tells
/// a wrong name and an unknown authority by the same words.
#[cfg(feature = "tls")]
pub(super) unsafe extern "C" fn on_certificate(
    _client: *mut rd::rd_kafka_t,
    _broker: *const c_char,
    _broker_id: i32,
    verdict: *mut c_int,
    _depth: c_int,
    certificate: *const c_char,
    size: usize,
    words: *mut c_char,
    room: usize,
    opaque: *mut c_void,
) -> c_int {
    // SAFETY: librdkafka hands over a verdict, a certificate of `size` bytes, and our notes, which outlive the client.
    let (verdict, certificate, notes) = unsafe {
        let certificate: &[u8] = slice(certificate.cast::<u8>(), size);
        (
            *verdict,
            certificate,
            opaque.cast::<super::client::Notes>().as_ref(),
        )
    };
    if verdict == 0 {
        return 1;
    }
    // SAFETY: any number is a verdict; OpenSSL has words for those it does not know.
    let verdict = unsafe { openssl::x509::X509VerifyResult::from_raw(verdict) };
    let certificate = openssl::x509::X509::from_der(certificate).ok();
    let why = crate::kafka::certificate::refusal(verdict, certificate.as_deref());
    let copied = why.as_bytes().iter().take(room.saturating_sub(1)).enumerate();
    for (at, byte) in copied {
        // SAFETY: `words` has room for `room` bytes, of which the last stays zero as librdkafka made it.
        unsafe { words.add(at).cast::<u8>().write(*byte) };
    }
    if let Some(notes) = notes {
        notes.refuse(super::client::Refusal::Certificate(why));
    }
    0
}
