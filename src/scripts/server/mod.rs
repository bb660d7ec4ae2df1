//! `kafka-server-start` and `-stop`, `zookeeper-server-start` and `-stop`: nodes of our own, run as Kafka's scripts run
//! theirs.

mod node;
mod running;
mod settings;
pub mod shipped;
mod start;
mod stop;
pub mod storage;
mod zookeeper;

pub use start::run as start;
pub use stop::{stop_server, stop_zookeeper};
pub use zookeeper::run as start_zookeeper;
