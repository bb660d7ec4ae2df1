//! Trips of vehicles: whole ones out of chunks that come in any order, and sessions out of streams.

pub mod assemble;
pub mod fleet;
pub mod indexes;
pub mod packet;
pub mod producer;
pub mod rules;
pub mod run;
pub mod send;
pub mod sessions;
pub mod sketch;
pub mod state;
pub mod tally;
pub mod topology;

/// The topic of the packets.
pub const PACKETS_TOPIC: &str = "trip-packets";

/// The topic of the trips.
pub const TRIPS_TOPIC: &str = "trips";

/// The topic of the sessions.
pub const SESSIONS_TOPIC: &str = "trip-sessions";

/// The group that puts trips together.
pub const ASSEMBLE_GROUP: &str = "trips-assemble";

/// The group that divides streams.
pub const SESSIONS_GROUP: &str = "trips-sessions";

/// The store of the chunks that came.
pub const TRIPS_STORE: &str = "STORE-TRIPS";

/// The store of the sessions that are open.
pub const SESSIONS_STORE: &str = "STORE-SESSIONS";
