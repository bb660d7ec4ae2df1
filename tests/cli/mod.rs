//! What a user sees who types `velo`.

mod cluster;
mod contexts;
mod doctor;
