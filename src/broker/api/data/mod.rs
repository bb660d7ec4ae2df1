//! Records: written, read, deleted, and the offsets they have.

pub(super) mod delete_records;
pub(super) mod describe_producers;
pub(super) mod fetch;
pub(super) mod fetch_encoding;
pub(super) mod fetch_reading;
pub(super) mod list_offsets;
pub(super) mod offset_for_leader_epoch;
pub(super) mod produce;
pub(super) mod produce_verification;
