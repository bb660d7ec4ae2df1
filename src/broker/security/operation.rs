//! What can be asked of a resource, by Kafka's names and numbers (KIP-11).

use kafka_protocol::ResponseError;

/// An operation on a resource.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Operation {
    /// Read records, join a group.
    Read = 3,
    /// Write records.
    Write = 4,
    /// Make it.
    Create = 5,
    /// Delete it, or of a topic's records.
    Delete = 6,
    /// Change it.
    Alter = 7,
    /// See that it is there.
    Describe = 8,
    /// Act as one of the cluster's brokers.
    ClusterAction = 9,
    /// See its settings.
    DescribeConfigs = 10,
    /// Change its settings.
    AlterConfigs = 11,
    /// Write idempotently.
    IdempotentWrite = 12,
}

/// What an operation is done with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ResourceType {
    /// A topic.
    Topic,
    /// A group.
    Group,
    /// The cluster, of which there is one.
    Cluster,
    /// A `transactional.id`.
    TransactionalId,
}

/// What an API asks for: an operation on resources of a type, the cluster or those that the request names.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Ask {
    /// What is done.
    pub operation: Operation,
    /// With what.
    pub on: ResourceType,
}

impl ResourceType {
    /// All that can be done with such a resource.
    pub const fn operations(self) -> &'static [Operation] {
        use Operation as Op;
        match self {
            Self::Topic => &[
                Op::Read,
                Op::Write,
                Op::Create,
                Op::Delete,
                Op::Alter,
                Op::Describe,
                Op::DescribeConfigs,
                Op::AlterConfigs,
            ],
            Self::Group => &[
                Op::Read,
                Op::Delete,
                Op::Describe,
                Op::DescribeConfigs,
                Op::AlterConfigs,
            ],
            Self::Cluster => &[
                Op::Create,
                Op::Alter,
                Op::Describe,
                Op::ClusterAction,
                Op::DescribeConfigs,
                Op::AlterConfigs,
                Op::IdempotentWrite,
            ],
            Self::TransactionalId => &[Op::Write, Op::Describe],
        }
    }

    /// What somebody is told who may not do what they ask with any of them.
    pub const fn refusal(self) -> ResponseError {
        match self {
            Self::Topic => ResponseError::TopicAuthorizationFailed,
            Self::Group => ResponseError::GroupAuthorizationFailed,
            Self::Cluster => ResponseError::ClusterAuthorizationFailed,
            Self::TransactionalId => ResponseError::TransactionalIdAuthorizationFailed,
        }
    }
}
