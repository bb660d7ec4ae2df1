//! `__consumer_offsets`.

use super::frame::{KeyAndValue, Pair, write_keyed};
use super::wire::{Field, Message, NullableStruct, Reader, Result, Writer};
use bytes::Bytes;
use std::ops::RangeInclusive;
use uuid::Uuid;

include!(concat!(env!("OUT_DIR"), "/records/offsets.rs"));
