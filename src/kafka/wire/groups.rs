//! All groups with their protocols: ListGroups (KIP-518, KIP-848). librdkafka lists them without the protocol, and has
//! no name for the types that are neither classic nor consumer.

use super::{To, Wire, check};
use crate::kafka::errors::Answer;
use kafka_protocol::messages::ListGroupsRequest;

/// A group in a list, in the broker's own words.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ListedGroup {
    /// `group.id`
    pub id: String,
    /// What its members speak (`consumer`, `connect`, `share` …); empty when it has only offsets.
    pub protocol: String,
    /// `Classic`, `Consumer`, `Share`, `Streams`; empty when the broker is too old to say.
    pub kind: String,
    /// `Stable`, `Empty` …; empty when the broker is too old to say.
    pub state: String,
}

impl Wire {
    /// The groups of all brokers, as the brokers come.
    ///
    /// # Errors
    /// When a broker does not answer, or cannot list its groups.
    pub fn list_groups(&mut self) -> Answer<Vec<ListedGroup>> {
        let mut groups = Vec::new();
        for broker in self.nodes()? {
            let answer = self.ask(To::Node(broker.id), &ListGroupsRequest::default())?;
            check(answer.error_code, None)?;
            groups.extend(answer.groups.into_iter().map(|group| ListedGroup {
                id: group.group_id.to_string(),
                protocol: group.protocol_type.to_string(),
                kind: group.group_type.to_string(),
                state: group.group_state.to_string(),
            }));
        }
        Ok(groups)
    }
}
