//! The options of `kafka-acls`, and which of them go together.

use super::failed;
use crate::kafka::wire::PatternType;
use crate::scripts::Ending;
use crate::scripts::connecting::bootstrap_controller;
use crate::scripts::options::{HELP, Opt, Options, Parsed, Takes, VERSION, flag, value};

const fn maybe_value(names: &'static [&'static str], describes: &'static str, help: &'static str) -> Opt {
    Opt {
        names,
        takes: Takes::MaybeValue(describes),
        help,
    }
}

pub(super) const OPTIONS: Options = Options {
    about: "This tool helps to manage acls on kafka.",
    abbreviations: false,
    all: &[
        HELP,
        VERSION,
        value(
            &["bootstrap-server"],
            "String: server to connect to",
            "The brokers to ask first, as HOST:PORT.",
        ),
        bootstrap_controller("String: controller to connect to"),
        maybe_value(
            &["command-config"],
            "String: command-config",
            "File of connection properties.",
        ),
        flag(&["add"], "Add ACLs."),
        flag(&["remove"], "Remove ACLs."),
        flag(&["list"], "List the ACLs of a resource, or all."),
        value(&["topic"], "String: topic", "The topic; '*' for all topics."),
        flag(&["cluster"], "The cluster as a resource."),
        value(&["group"], "String: group", "The group; '*' for all groups."),
        value(
            &["transactional-id"],
            "String: transactional-id",
            "The transactional id; '*' for all of them.",
        ),
        value(
            &["delegation-token"],
            "String: delegation-token",
            "The delegation token; '*' for all of them.",
        ),
        value(
            &["user-principal"],
            "String: user-principal",
            "The user as a resource: who may make tokens for it.",
        ),
        value(
            &["resource-pattern-type"],
            "ANY|MATCH|LITERAL|PREFIXED",
            "How the names are meant: literal, prefixed; when ACLs are listed or removed also any, for patterns of just \
             that name, and match, for all patterns that the name falls under. (default: LITERAL)",
        ),
        value(
            &["operation"],
            "String",
            "What is allowed or denied: Read, Write, Create, Delete, Alter, Describe, ClusterAction, DescribeConfigs, \
             AlterConfigs, IdempotentWrite, CreateTokens, DescribeTokens, TwoPhaseCommit or All. (default: All)",
        ),
        value(
            &["allow-principal"],
            "String: allow-principal",
            "Who is allowed, as User:name; 'User:*' for everybody.",
        ),
        value(
            &["deny-principal"],
            "String: deny-principal",
            "Who is denied, as User:name. What is denied stays so, whatever is allowed.",
        ),
        maybe_value(
            &["principal"],
            "String: principal",
            "With --list: only the ACLs of this principal. May be repeated.",
        ),
        value(
            &["allow-host"],
            "String: allow-host",
            "The address that --allow-principal comes from. (default: *)",
        ),
        value(
            &["deny-host"],
            "String: deny-host",
            "The address that --deny-principal comes from. (default: *)",
        ),
        flag(
            &["producer"],
            "What a producer needs: Write, Describe and Create on --topic, Write and Describe on --transactional-id.",
        ),
        flag(
            &["consumer"],
            "What a consumer needs: Read and Describe on --topic, Read on --group.",
        ),
        flag(
            &["idempotent"],
            "With --producer: IdempotentWrite on the cluster. Kafka 3.0 and later need it no more.",
        ),
        flag(&["force"], "Do not ask before removing."),
    ],
};

/// What Kafka checks in this order before anything is asked of the cluster.
pub(super) fn check(parsed: &Parsed) -> Result<(), Ending> {
    OPTIONS.help_or_version(parsed)?;
    let refuse = |message: &str| Err(OPTIONS.misuse(message));
    match (parsed.has("bootstrap-server"), parsed.has("bootstrap-controller")) {
        (true, true) => {
            return refuse("Only one of --bootstrap-server or --bootstrap-controller must be specified");
        }
        (false, false) => {
            return refuse("One of --bootstrap-server or --bootstrap-controller must be specified");
        }
        _ => {}
    }
    let actions = ["add", "remove", "list"];
    if actions.iter().filter(|action| parsed.has(action)).count() != 1 {
        return refuse("Command must include exactly one action: --list, --add, --remove. ");
    }
    check_exclusive(parsed)?;
    if parsed.has("principal") && !parsed.has("list") {
        return refuse("The --principal option is only available if --list is set");
    }
    if parsed.has("producer") && !parsed.has("topic") {
        return refuse("With --producer you must specify a --topic");
    }
    if parsed.has("idempotent") && !parsed.has("producer") {
        return refuse("The --idempotent option is only available if --producer is set");
    }
    let strange = !parsed.has("producer") && (parsed.has("cluster") || parsed.has("transactional-id"));
    if parsed.has("consumer") && (!parsed.has("topic") || !parsed.has("group") || strange) {
        return refuse(
            "With --consumer you must specify a --topic and a --group and no --cluster or --transactional-id option \
             should be specified.",
        );
    }
    Ok(())
}

fn check_exclusive(parsed: &Parsed) -> Result<(), Ending> {
    OPTIONS.forbid(
        parsed,
        "list",
        &[
            "producer",
            "consumer",
            "allow-host",
            "allow-principal",
            "deny-host",
            "deny-principal",
        ],
    )?;
    for role in ["producer", "consumer"] {
        OPTIONS.forbid(parsed, role, &["operation", "deny-principal", "deny-host"])?;
    }
    Ok(())
}

/// `--resource-pattern-type`
pub(super) fn pattern_type(parsed: &Parsed) -> Result<PatternType, Ending> {
    let given = parsed
        .value("resource-pattern-type")
        .map_err(|ending| failed(ending.stderr))?;
    let Some(name) = given else {
        return Ok(PatternType::Literal);
    };
    let known = PatternType::ALL
        .iter()
        .find(|kind| **kind != PatternType::Unknown && kind.java_name().eq_ignore_ascii_case(name));
    known.copied().ok_or_else(|| {
        failed(format!(
            "Cannot parse argument '{name}' of option resource-pattern-type"
        ))
    })
}
