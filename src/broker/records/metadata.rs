//! The metadata log (KIP-631).

use super::frame::{Frame, write_framed};
use super::wire::{Field, Message, NullableStruct, Reader, Result, Writer};
use bytes::Bytes;
use std::ops::RangeInclusive;
use uuid::Uuid;

include!(concat!(env!("OUT_DIR"), "/records/metadata.rs"));
