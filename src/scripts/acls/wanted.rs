//! Which access control entries a command line means, and of which resources.

use super::failed;
use super::options::{OPTIONS, pattern_type};
use crate::kafka::wire::{
    AclEntry, AclOperation as Operation, AclPermission, PatternType, ResourcePattern, ResourceType,
};
use crate::scripts::Ending;
use crate::scripts::options::Parsed;
use std::collections::{BTreeMap, BTreeSet};

/// Entries by their resources.
pub(super) type Acls = BTreeMap<ResourcePattern, BTreeSet<AclEntry>>;

/// Kafka's name of the cluster as a resource.
const CLUSTER: &str = "kafka-cluster";

/// The options that name resources.
const RESOURCES: [(&str, ResourceType); 5] = [
    ("topic", ResourceType::Topic),
    ("group", ResourceType::Group),
    ("transactional-id", ResourceType::TransactionalId),
    ("delegation-token", ResourceType::DelegationToken),
    ("user-principal", ResourceType::User),
];

/// The resources that are named.
pub(super) fn resources(parsed: &Parsed) -> Result<BTreeSet<ResourcePattern>, Ending> {
    let pattern_type = pattern_type(parsed)?;
    let mut resources = BTreeSet::new();
    for (option, resource_type) in RESOURCES {
        resources.extend(parsed.values(option).iter().map(|name| ResourcePattern {
            resource_type,
            name: Some(name.trim().to_owned()),
            pattern_type,
        }));
    }
    if pattern_type == PatternType::Literal && (parsed.has("cluster") || parsed.has("idempotent")) {
        resources.insert(cluster());
    }
    Ok(resources)
}

fn cluster() -> ResourcePattern {
    ResourcePattern {
        resource_type: ResourceType::Cluster,
        name: Some(CLUSTER.to_owned()),
        pattern_type: PatternType::Literal,
    }
}

/// The entries to add.
pub(super) fn to_add(parsed: &Parsed) -> Result<Acls, Ending> {
    let pattern_type = pattern_type(parsed)?;
    if !matches!(pattern_type, PatternType::Literal | PatternType::Prefixed) {
        return Err(OPTIONS.misuse(format!(
            "A '--resource-pattern-type' value of '{}' is not valid when adding acls.",
            pattern_type.java_name()
        )));
    }
    let acls = to_remove(parsed)?;
    if acls.values().any(BTreeSet::is_empty) {
        return Err(OPTIONS.misuse(
            "You must specify one of: --allow-principal, --deny-principal when trying to add ACLs.",
        ));
    }
    Ok(acls)
}

/// The entries to remove; none of a resource means all of it.
pub(super) fn to_remove(parsed: &Parsed) -> Result<Acls, Ending> {
    let resources = resources(parsed)?;
    if resources.is_empty() {
        return Err(OPTIONS.misuse(
            "You must provide at least one resource: --topic <topic> or --cluster or --group <group> or \
             --delegation-token <Delegation Token ID>",
        ));
    }
    let mut acls = Acls::new();
    let roles = parsed.has("producer") || parsed.has("consumer");
    for resource in resources {
        if !roles {
            let entries = entries(parsed, &operations(parsed)?)?;
            acls.insert(resource, entries);
            continue;
        }
        if parsed.has("producer")
            && let Some(operations) = of_producers(resource.resource_type)
        {
            let entries = entries(parsed, operations)?;
            acls.entry(resource.clone()).or_default().extend(entries);
        }
        if parsed.has("consumer")
            && let Some(operations) = of_consumers(resource.resource_type)
        {
            let entries = entries(parsed, operations)?;
            acls.entry(resource).or_default().extend(entries);
        }
    }
    if parsed.has("producer") && parsed.has("idempotent") {
        acls.insert(cluster(), entries(parsed, &[Operation::IdempotentWrite])?);
    }
    check_operations(&acls)?;
    Ok(acls)
}

fn of_producers(resource: ResourceType) -> Option<&'static [Operation]> {
    match resource {
        ResourceType::Topic => Some(&[Operation::Write, Operation::Describe, Operation::Create]),
        ResourceType::TransactionalId => Some(&[Operation::Write, Operation::Describe]),
        _ => None,
    }
}

fn of_consumers(resource: ResourceType) -> Option<&'static [Operation]> {
    match resource {
        ResourceType::Topic => Some(&[Operation::Read, Operation::Describe]),
        ResourceType::Group => Some(&[Operation::Read]),
        _ => None,
    }
}

fn operations(parsed: &Parsed) -> Result<Vec<Operation>, Ending> {
    let names = parsed.values("operation");
    if names.is_empty() {
        return Ok(vec![Operation::All]);
    }
    let named = |name: &String| {
        let known = Operation::ALL
            .iter()
            .find(|operation| shown(**operation).eq_ignore_ascii_case(name.trim()));
        known.copied().unwrap_or(Operation::Unknown)
    };
    Ok(names.iter().map(named).collect())
}

/// As `--operation` names it: `ClusterAction`.
fn shown(operation: Operation) -> String {
    operation
        .java_name()
        .split('_')
        .map(|word| {
            let (first, rest) = word.split_at(1);
            format!("{first}{}", rest.to_ascii_lowercase())
        })
        .collect()
}

fn entries(parsed: &Parsed, operations: &[Operation]) -> Result<BTreeSet<AclEntry>, Ending> {
    let mut entries = BTreeSet::new();
    for (principals, hosts, permission) in [
        ("allow-principal", "allow-host", AclPermission::Allow),
        ("deny-principal", "deny-host", AclPermission::Deny),
    ] {
        let any_host = ["*".to_owned()];
        let hosts = match parsed.values(hosts) {
            [] => &any_host[..],
            hosts => hosts,
        };
        for principal in self::principals(parsed, principals)? {
            for host in hosts {
                entries.extend(operations.iter().map(|operation| AclEntry {
                    principal: Some(principal.clone()),
                    host: Some(host.trim().to_owned()),
                    operation: *operation,
                    permission,
                }));
            }
        }
    }
    Ok(entries)
}

/// The principals that an option names, each once.
pub(super) fn principals(parsed: &Parsed, option: &str) -> Result<BTreeSet<String>, Ending> {
    let principal = |text: &String| {
        let text = text.trim();
        if text.contains(':') {
            return Ok(text.to_owned());
        }
        Err(failed(format!(
            "expected a string in format principalType:principalName but got {text}"
        )))
    };
    parsed.values(option).iter().map(principal).collect()
}

fn check_operations(acls: &Acls) -> Result<(), Ending> {
    for (resource, entries) in acls {
        let supported = supported(resource.resource_type);
        if entries.iter().all(|entry| supported.contains(&entry.operation)) {
            continue;
        }
        let names: Vec<&str> = supported.iter().map(|operation| operation.java_name()).collect();
        return Err(OPTIONS.misuse(format!(
            "ResourceType {} only supports operations [{}]",
            resource.resource_type.java_name(),
            names.join(", ")
        )));
    }
    Ok(())
}

/// What may be allowed or denied on a kind of resource.
fn supported(resource: ResourceType) -> &'static [Operation] {
    use Operation as Op;
    match resource {
        ResourceType::Topic => &[
            Op::Read,
            Op::Write,
            Op::Create,
            Op::Describe,
            Op::Delete,
            Op::Alter,
            Op::DescribeConfigs,
            Op::AlterConfigs,
            Op::All,
        ],
        ResourceType::Group => &[
            Op::Read,
            Op::Describe,
            Op::Delete,
            Op::DescribeConfigs,
            Op::AlterConfigs,
            Op::All,
        ],
        ResourceType::Cluster => &[
            Op::Create,
            Op::ClusterAction,
            Op::DescribeConfigs,
            Op::AlterConfigs,
            Op::IdempotentWrite,
            Op::Alter,
            Op::Describe,
            Op::All,
        ],
        ResourceType::TransactionalId => &[Op::Describe, Op::Write, Op::TwoPhaseCommit, Op::All],
        ResourceType::DelegationToken => &[Op::Describe, Op::All],
        ResourceType::User => &[Op::CreateTokens, Op::DescribeTokens, Op::All],
        ResourceType::Unknown | ResourceType::Any => &[],
    }
}
