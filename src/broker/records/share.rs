//! `__share_group_state` (KIP-932).

use super::frame::{KeyAndValue, Pair, write_keyed};
use super::wire::{Field, Message, NullableStruct, Reader, Result, Writer};
use std::ops::RangeInclusive;
use uuid::Uuid;

include!(concat!(env!("OUT_DIR"), "/records/share.rs"));
