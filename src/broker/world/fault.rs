//! Mistakes that can be put in on purpose, one at a time, to see that the simulation finds them (`docs/simulation.md`). A node
//! makes them only where it is built with the feature `sim-faults`, which no release is; otherwise nothing is left of them.

/// A mistake.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fault {
    /// The high watermark moves before the followers have what is below it.
    EarlyHighWatermark,
    /// A leader epoch is not written down with its first batch.
    EpochNotWritten,
    /// A follower is not told that its log has parted from its leader's, and does not cut it back.
    TruncationLeftOut,
    /// A coordinator answers before every in-sync replica has what the answer rests on.
    EarlyAnswer,
    /// A leader changes the in-sync replicas without waiting for the controller.
    OwnInSyncReplicas,
    /// A log takes more after a change of it has failed.
    PoisonIgnored,
    /// A record of the metadata that is read is applied twice.
    AppliedTwice,
}

/// Whether that mistake is to be made here and now.
#[cfg(not(feature = "sim-faults"))]
pub const fn is(_: Fault) -> bool {
    false
}

#[cfg(feature = "sim-faults")]
pub use put_in::{is, put_in};

#[cfg(feature = "sim-faults")]
mod put_in {
    use super::Fault;
    use std::cell::Cell;

    thread_local! {
        /// A simulated cluster is one thread, with all of its nodes.
        static PUT_IN: Cell<Option<Fault>> = const { Cell::new(None) };
    }

    impl Fault {
        /// All of them, by the names by which they are asked for.
        pub const ALL: [(&str, Fault); 7] = [
            ("early-high-watermark", Fault::EarlyHighWatermark),
            ("epoch-not-written", Fault::EpochNotWritten),
            ("truncation-left-out", Fault::TruncationLeftOut),
            ("early-answer", Fault::EarlyAnswer),
            ("own-in-sync-replicas", Fault::OwnInSyncReplicas),
            ("poison-ignored", Fault::PoisonIgnored),
            ("applied-twice", Fault::AppliedTwice),
        ];
    }

    /// From now on the nodes of this thread make that mistake, or none.
    pub fn put_in(fault: Option<Fault>) {
        PUT_IN.set(fault);
    }

    /// Whether that mistake is to be made here and now.
    pub fn is(fault: Fault) -> bool {
        PUT_IN.get() == Some(fault)
    }
}
