//! librdkafka's admin calls that `rdkafka` has no safe form of, turned into owned values.
//!
//! The only unsafe code of this crate. The rules that every block relies on, besides what it states itself:
//! - A [`Client`] or [`Handle`] destroys its native handle only when dropped, and everything made from the handle is dropped before.
//! - What a result points to belongs to its event; it is copied before the event is dropped.
//! - librdkafka copies every string and list it is given before a call returns.
#![allow(unsafe_code)]

mod client;
mod configs;
mod groups;
mod handle;
mod login;
mod native;
mod offsets;
mod reading;
mod refusals;
mod topics;
mod transactions;
mod writing;

pub(super) use client::{Ask, Client, Refusal};
pub(super) use handle::{Handle, Topic, code_of};
pub use reading::{Arrival, Record};
pub(super) use reading::{EARLIEST, LATEST, Queue};
pub(super) use writing::Reports;
pub use writing::{Batch, Delivery, Lost, NewRecord, Tally, Written};

use super::errors::ErrorCode;
use std::ffi::CStr;

/// librdkafka's own words for an error code.
pub(super) fn describe(code: ErrorCode) -> &'static str {
    let native = rdkafka::bindings::rd_kafka_resp_err_t::try_from(code as i32);
    let Ok(native) = native else {
        return "unknown error";
    };
    // SAFETY: rd_kafka_err2str answers a static, NUL-terminated string for every code.
    let words = unsafe { CStr::from_ptr(rdkafka::bindings::rd_kafka_err2str(native)) };
    words.to_str().unwrap_or("unknown error")
}

/// A line of librdkafka's log without the thread and broker names in front, or the advice it ends with.
pub(super) fn without_prefixes(line: &str) -> String {
    let text = line.rsplit_once("]: ").map_or(line, |(_, text)| text);
    let text = text.split_once("/bootstrap: ").map_or(text, |(_, text)| text);
    text.split(" (after ").next().unwrap_or(text).trim().to_owned()
}
