//! The course: lessons as data, each step checked against the live cluster.
//!
//! `load` reads lessons (from the binary, or from an author's folder), `facts` and `check` compare what a step wants with
//! what the cluster has, `runner` teaches, `play` demonstrates, `lint` tells an author what is wrong.

pub mod asking;
pub mod began;
pub mod beliefs;
pub mod book;
pub mod certificate;
pub mod check;
pub mod class;
pub mod clerk;
pub mod dress;
pub mod facts;
pub mod hint;
mod kept;
pub mod lint;
pub mod lint_live;
mod lint_questions;
pub mod live;
pub mod load;
pub mod look;
pub mod mailbox;
pub mod model;
pub mod needs;
pub mod own;
pub mod picture;
pub mod play;
mod predict;
pub mod program;
pub mod progress;
pub mod prose;
pub mod python;
pub mod question;
pub mod quiz;
pub mod render;
pub mod report;
pub mod review;
pub mod runner;
pub mod scaffold;
pub mod shown;
pub mod site;
pub mod slip;
pub mod snapshot;
pub mod stage;
pub mod talk;
pub mod typed;
pub mod watch;
