//! Access control lists: DescribeAcls, CreateAcls and DeleteAcls (KIP-140, KIP-290).

use super::{To, Wire, check, text};
use crate::kafka::errors::Answer;
use kafka_protocol::messages::create_acls_request::AclCreation;
use kafka_protocol::messages::delete_acls_request::DeleteAclsFilter;
use kafka_protocol::messages::{CreateAclsRequest, DeleteAclsRequest, DescribeAclsRequest};

/// An enumeration that the protocol numbers, with Java's names.
macro_rules! numbered {
    ($(#[$doc:meta])* $name:ident { $($(#[$of:meta])* $variant:ident = $number:literal $java:literal,)* }) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum $name {
            $($(#[$of])* $variant = $number,)*
        }

        impl $name {
            /// All of them, in the protocol's order.
            pub const ALL: &'static [$name] = &[$($name::$variant,)*];

            /// The one of that number; what is newer than this program is unknown.
            pub fn of(number: i8) -> Self {
                match number {
                    $($number => $name::$variant,)*
                    _ => $name::Unknown,
                }
            }

            /// Java's name of it.
            pub fn java_name(self) -> &'static str {
                match self {
                    $($name::$variant => $java,)*
                }
            }
        }
    };
}

numbered! {
    /// What an access control list is about.
    ResourceType {
        /// Newer than this program.
        Unknown = 0 "UNKNOWN",
        /// Of a filter: all.
        Any = 1 "ANY",
        /// A topic.
        Topic = 2 "TOPIC",
        /// A group.
        Group = 3 "GROUP",
        /// The cluster.
        Cluster = 4 "CLUSTER",
        /// A transactional id.
        TransactionalId = 5 "TRANSACTIONAL_ID",
        /// A delegation token.
        DelegationToken = 6 "DELEGATION_TOKEN",
        /// A user.
        User = 7 "USER",
    }
}

numbered! {
    /// How a resource's name is meant.
    PatternType {
        /// Newer than this program.
        Unknown = 0 "UNKNOWN",
        /// Of a filter: all patterns of just that name.
        Any = 1 "ANY",
        /// Of a filter: all patterns that the name falls under.
        Match = 2 "MATCH",
        /// The name itself; `*` means all names.
        Literal = 3 "LITERAL",
        /// All names that begin so.
        Prefixed = 4 "PREFIXED",
    }
}

numbered! {
    /// What is allowed or denied.
    AclOperation {
        /// Newer than this program.
        Unknown = 0 "UNKNOWN",
        /// Of a filter: each.
        Any = 1 "ANY",
        /// All of them.
        All = 2 "ALL",
        /// To read.
        Read = 3 "READ",
        /// To write.
        Write = 4 "WRITE",
        /// To create.
        Create = 5 "CREATE",
        /// To delete.
        Delete = 6 "DELETE",
        /// To alter.
        Alter = 7 "ALTER",
        /// To describe.
        Describe = 8 "DESCRIBE",
        /// What brokers do among themselves.
        ClusterAction = 9 "CLUSTER_ACTION",
        /// To describe settings.
        DescribeConfigs = 10 "DESCRIBE_CONFIGS",
        /// To alter settings.
        AlterConfigs = 11 "ALTER_CONFIGS",
        /// To write idempotently.
        IdempotentWrite = 12 "IDEMPOTENT_WRITE",
        /// To make delegation tokens.
        CreateTokens = 13 "CREATE_TOKENS",
        /// To describe delegation tokens.
        DescribeTokens = 14 "DESCRIBE_TOKENS",
        /// To take part in a two-phase commit (KIP-939).
        TwoPhaseCommit = 15 "TWO_PHASE_COMMIT",
    }
}

numbered! {
    /// Whether it is allowed or denied.
    AclPermission {
        /// Newer than this program.
        Unknown = 0 "UNKNOWN",
        /// Of a filter: both.
        Any = 1 "ANY",
        /// Denied, whatever is allowed elsewhere.
        Deny = 2 "DENY",
        /// Allowed.
        Allow = 3 "ALLOW",
    }
}

/// A kind of resource, and a pattern of names. In a filter the name may be left out.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct ResourcePattern {
    /// The kind.
    pub resource_type: ResourceType,
    /// The name.
    pub name: Option<String>,
    /// How the name is meant.
    pub pattern_type: PatternType,
}

/// Who may or may not do what from where. In a filter the principal and the host may be left out.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct AclEntry {
    /// `User:name`
    pub principal: Option<String>,
    /// An address, or `*`.
    pub host: Option<String>,
    /// What.
    pub operation: AclOperation,
    /// Whether.
    pub permission: AclPermission,
}

impl AclEntry {
    /// A filter that every entry passes.
    pub fn any() -> Self {
        AclEntry {
            principal: None,
            host: None,
            operation: AclOperation::Any,
            permission: AclPermission::Any,
        }
    }
}

impl ResourcePattern {
    /// A filter that every resource passes.
    pub fn any() -> Self {
        ResourcePattern {
            resource_type: ResourceType::Any,
            name: None,
            pattern_type: PatternType::Any,
        }
    }
}

impl Wire {
    /// The entries that pass a filter.
    ///
    /// # Errors
    /// When the cluster does not answer, or has no authorizer (`SECURITY_DISABLED`).
    pub fn describe_acls(
        &mut self,
        pattern: &ResourcePattern,
        entry: &AclEntry,
    ) -> Answer<Vec<(ResourcePattern, AclEntry)>> {
        let request = DescribeAclsRequest::default()
            .with_resource_type_filter(pattern.resource_type as i8)
            .with_resource_name_filter(pattern.name.as_deref().map(text))
            .with_pattern_type_filter(pattern.pattern_type as i8)
            .with_principal_filter(entry.principal.as_deref().map(text))
            .with_host_filter(entry.host.as_deref().map(text))
            .with_operation(entry.operation as i8)
            .with_permission_type(entry.permission as i8);
        let answer = self.ask(To::Any, &request)?;
        check(answer.error_code, answer.error_message)?;
        let mut found = Vec::new();
        for resource in answer.resources {
            let pattern = ResourcePattern {
                resource_type: ResourceType::of(resource.resource_type),
                name: Some(resource.resource_name.to_string()),
                pattern_type: PatternType::of(resource.pattern_type),
            };
            found.extend(resource.acls.into_iter().map(|acl| {
                let entry = AclEntry {
                    principal: Some(acl.principal.to_string()),
                    host: Some(acl.host.to_string()),
                    operation: AclOperation::of(acl.operation),
                    permission: AclPermission::of(acl.permission_type),
                };
                (pattern.clone(), entry)
            }));
        }
        Ok(found)
    }

    /// Adds entries to a resource.
    ///
    /// # Errors
    /// The first refusal.
    pub fn create_acls(&mut self, pattern: &ResourcePattern, entries: &[AclEntry]) -> Answer {
        let creation = |entry: &AclEntry| {
            AclCreation::default()
                .with_resource_type(pattern.resource_type as i8)
                .with_resource_name(text(pattern.name.as_deref().unwrap_or_default()))
                .with_resource_pattern_type(pattern.pattern_type as i8)
                .with_principal(text(entry.principal.as_deref().unwrap_or_default()))
                .with_host(text(entry.host.as_deref().unwrap_or_default()))
                .with_operation(entry.operation as i8)
                .with_permission_type(entry.permission as i8)
        };
        let request = CreateAclsRequest::default().with_creations(entries.iter().map(creation).collect());
        let answer = self.ask(To::Controller, &request)?;
        answer
            .results
            .into_iter()
            .try_for_each(|result| check(result.error_code, result.error_message))
    }

    /// Removes all entries that pass one of the filters.
    ///
    /// # Errors
    /// The first refusal.
    pub fn delete_acls(&mut self, pattern: &ResourcePattern, entries: &[AclEntry]) -> Answer {
        let filter = |entry: &AclEntry| {
            DeleteAclsFilter::default()
                .with_resource_type_filter(pattern.resource_type as i8)
                .with_resource_name_filter(pattern.name.as_deref().map(text))
                .with_pattern_type_filter(pattern.pattern_type as i8)
                .with_principal_filter(entry.principal.as_deref().map(text))
                .with_host_filter(entry.host.as_deref().map(text))
                .with_operation(entry.operation as i8)
                .with_permission_type(entry.permission as i8)
        };
        let request = DeleteAclsRequest::default().with_filters(entries.iter().map(filter).collect());
        let answer = self.ask(To::Controller, &request)?;
        for result in answer.filter_results {
            check(result.error_code, result.error_message)?;
            for acl in result.matching_acls {
                check(acl.error_code, acl.error_message)?;
            }
        }
        Ok(())
    }
}
