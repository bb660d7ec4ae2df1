//! The exercises' programs, as their users meet them.

mod markers;
mod mongo_course;
mod mongo_faults;
mod mongo_ferretdb;
mod mongo_file;
mod mongo_ingest;
mod mongo_refusals;
mod mongo_support;
mod people;
mod postgres;
mod readers;
mod storm_bolt;
mod storm_run;
mod storm_spout;
pub mod storm_support;
mod trips;
mod trips_faults;
pub mod trips_support;
mod velib_api;
mod velib_empty;
mod velib_monitor;
mod velib_produce;
mod velib_python;
mod velib_simulation;
pub mod velib_support;
