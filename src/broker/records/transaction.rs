//! `__transaction_state` (KIP-98).

use super::frame::{KeyAndValue, Pair, write_keyed};
use super::wire::{Field, Message, NullableStruct, Reader, Result, Writer};
use std::ops::RangeInclusive;

include!(concat!(env!("OUT_DIR"), "/records/transaction.rs"));
