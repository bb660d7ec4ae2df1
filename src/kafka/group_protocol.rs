//! Whether a cluster has the group protocol that a consumer is to use: librdkafka waits for ever for one that does not.

use super::{Connection, Wire};
use crate::failure::{Failure, Outcome};

/// Makes sure that members can join groups by `protocol`, as `group.protocol` names it. A cluster that cannot be asked
/// is not asked: the consumer finds out by itself what keeps it away.
///
/// # Errors
/// When the cluster does not offer it, in the words of Java's clients.
pub fn check_group_protocol(connection: &Connection, protocol: &str) -> Outcome {
    let new = protocol.eq_ignore_ascii_case("consumer");
    if !new || Wire::connect(connection).map_or(true, |wire| wire.has_new_groups()) {
        return Ok(());
    }
    Err(Failure::request(
        "The cluster does not support the new CONSUMER group protocol. Set group.protocol=classic on the consumer configs \
         to revert to the CLASSIC protocol until the cluster is upgraded.",
    ))
}
