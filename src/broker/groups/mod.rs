//! Consumer groups: the coordinator, its members, and their offsets in `__consumer_offsets`.

/// Coordinates the groups whose `__consumer_offsets` partition this broker leads.
#[derive(Debug, Default)]
pub struct GroupCoordinator;
