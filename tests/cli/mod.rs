//! What a user sees who types `velo`.

mod cluster;
mod consume;
mod contexts;
mod doctor;
mod produce;
