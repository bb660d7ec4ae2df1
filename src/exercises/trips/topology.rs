//! `velo trips topology`: what runs, as Kafka Streams describes its topologies.

use super::{
    ASSEMBLE_GROUP, PACKETS_TOPIC, SESSIONS_GROUP, SESSIONS_STORE, SESSIONS_TOPIC, TRIPS_STORE, TRIPS_TOPIC,
};

/// One program: from a topic by a processor with a store to another topic.
pub struct Topology<'a> {
    /// The command that runs it.
    pub command: &'a str,
    /// Its group.
    pub group: &'a str,
    /// The topic that is read.
    pub input: &'a str,
    /// The processor's name.
    pub processor: &'a str,
    /// Its store.
    pub store: &'a str,
    /// The topic that is written.
    pub output: &'a str,
}

impl Topology<'_> {
    /// The two programs by their defaults.
    pub const ALL: [Topology<'static>; 2] = [
        Topology {
            command: "velo trips assemble",
            group: ASSEMBLE_GROUP,
            input: PACKETS_TOPIC,
            processor: "assemble",
            store: TRIPS_STORE,
            output: TRIPS_TOPIC,
        },
        Topology {
            command: "velo trips sessions",
            group: SESSIONS_GROUP,
            input: PACKETS_TOPIC,
            processor: "sessions",
            store: SESSIONS_STORE,
            output: SESSIONS_TOPIC,
        },
    ];

    /// The changelog of its store.
    pub fn changelog(&self) -> String {
        format!("{}-{}-changelog", self.group, self.store)
    }

    /// As `Topology.describe()` of Kafka Streams would print it, with the changelog behind.
    pub fn describe(&self, number: usize) -> String {
        let Topology {
            input,
            processor,
            store,
            output,
            ..
        } = self;
        format!(
            "   Sub-topology: {number}\n\
             \x20   Source: packets (topics: [{input}])\n\
             \x20     --> {processor}\n\
             \x20   Processor: {processor} (stores: [{store}])\n\
             \x20     --> {output}\n\
             \x20     <-- packets\n\
             \x20   Sink: {output} (topic: {output})\n\
             \x20     <-- {processor}\n"
        )
    }
}
