//! The options of `kafka-configs`, and which of them go together.

use crate::scripts::Ending;
use crate::scripts::connecting::{bootstrap_controller, bootstrap_server, command_config};
use crate::scripts::options::{HELP, Options, Parsed, VERSION, flag, value};
use std::collections::BTreeSet;
use std::net::ToSocketAddrs;

/// The entity types, and the option that names one of each.
const TYPES: [(&str, &str); 8] = [
    ("topic", "topics"),
    ("client", "clients"),
    ("user", "users"),
    ("broker", "brokers"),
    ("broker-logger", "broker-loggers"),
    ("ip", "ips"),
    ("client-metrics", "client-metrics"),
    ("group", "groups"),
];
/// The options that mean an entity type's defaults.
const DEFAULTS: [(&str, &str); 4] = [
    ("client-defaults", "clients"),
    ("user-defaults", "users"),
    ("broker-defaults", "brokers"),
    ("ip-defaults", "ips"),
];
/// In the order in which Kafka's tool names them.
const VALID: &str = "broker-loggers, topics, clients, users, brokers, ips, client-metrics, groups";

pub(super) const OPTIONS: Options = Options {
    about: "This tool helps to manipulate and describe entity config for a topic, client, user, broker, ip, client-metrics \
            or group",
    abbreviations: false,
    all: &[
        HELP,
        VERSION,
        bootstrap_server("String: server to connect to"),
        bootstrap_controller("String: controller to connect to"),
        command_config("String: command config property file"),
        flag(
            &["describe"],
            "Show the settings of an entity, or of all of its type.",
        ),
        flag(&["alter"], "Change the settings of an entity."),
        flag(
            &["all"],
            "With --describe: all settings, not only those set on the entity itself.",
        ),
        value(
            &["entity-type"],
            "String",
            "topics, clients, users, brokers, broker-loggers, ips, client-metrics or groups.",
        ),
        value(
            &["entity-name"],
            "String",
            "The topic, client id, user, broker id, address, metrics subscription or group.",
        ),
        flag(
            &["entity-default"],
            "The defaults of all brokers, clients, users or addresses.",
        ),
        value(
            &["add-config"],
            "String",
            "Settings to give: k1=v1,k2=[v1,v2,v2],k3=v3. Brackets hold values with commas together.",
        ),
        value(
            &["add-config-file"],
            "String",
            "A properties file of settings to give.",
        ),
        value(&["delete-config"], "String", "Settings to take back: k1,k2."),
        value(&["topic"], "String", "The topic's name."),
        value(&["broker"], "String", "The broker's id."),
        flag(&["broker-defaults"], "The defaults of all brokers."),
        value(
            &["broker-logger"],
            "String",
            "The id of the broker whose loggers are meant.",
        ),
        value(&["group"], "String", "The group's id."),
        value(&["client"], "String", "The client id."),
        flag(&["client-defaults"], "The defaults of all clients."),
        value(&["user"], "String", "The user: its quotas and passwords."),
        flag(&["user-defaults"], "The defaults of all users."),
        value(&["ip"], "String", "The address."),
        flag(&["ip-defaults"], "The defaults of all addresses."),
        value(
            &["client-metrics"],
            "String",
            "The subscription of client metrics (KIP-714).",
        ),
    ],
};

/// What a command line is about: entity types, and names where they are given (empty means the default entity).
pub(super) struct Entities {
    pub(super) types: Vec<String>,
    pub(super) names: Vec<String>,
}

impl Entities {
    fn types(parsed: &Parsed) -> Vec<String> {
        let flags = TYPES
            .iter()
            .chain(&DEFAULTS)
            .filter(|(option, _)| parsed.has(option));
        let mut types = parsed.values("entity-type").to_vec();
        types.extend(flags.map(|(_, kind)| (*kind).to_owned()));
        types
    }

    fn names(parsed: &Parsed) -> Result<Vec<String>, Ending> {
        // A default stands for a name where it stands.
        let mut named = parsed.values("entity-name").iter();
        let mut names: Vec<String> = parsed
            .order
            .iter()
            .filter_map(|option| match *option {
                "entity-name" => named.next().cloned(),
                "entity-default" => Some(String::new()),
                _ => None,
            })
            .collect();
        for (option, _) in TYPES {
            names.extend(parsed.value(option)?.map(str::to_owned));
        }
        let defaults = DEFAULTS.iter().filter(|(option, _)| parsed.has(option));
        names.extend(defaults.map(|_| String::new()));
        Ok(names)
    }

    pub(super) fn is_about(&self, kinds: &[&str]) -> bool {
        self.types.iter().any(|kind| kinds.contains(&kind.as_str()))
    }

    fn has_name(&self) -> bool {
        self.names.iter().any(|name| !name.is_empty())
    }
}

/// What Kafka checks in this order before anything is asked of the cluster.
pub(super) fn check(parsed: &Parsed) -> Result<Entities, Ending> {
    OPTIONS.help_or_version(parsed)?;
    if parsed.has("alter") == parsed.has("describe") {
        return Err(OPTIONS.misuse("Command must include exactly one action: --describe, --alter"));
    }
    OPTIONS.forbid(parsed, "describe", &["alter", "add-config", "delete-config"])?;
    let types = Entities::types(parsed);
    check_types(parsed, &types)?;
    let names = Entities::names(parsed)?;
    let entities = Entities { types, names };
    if parsed.has("bootstrap-server") && parsed.has("bootstrap-controller") {
        return Err(Ending::failure(
            "Only one of --bootstrap-server or --bootstrap-controller can be specified",
        ));
    }
    check_names(parsed, &entities)?;
    if parsed.has("describe") {
        check_describe(parsed, &entities)?;
    } else {
        check_alter(parsed, &entities)?;
    }
    Ok(entities)
}

fn check_types(parsed: &Parsed, types: &[String]) -> Result<(), Ending> {
    let mut seen = BTreeSet::new();
    let twice: Vec<&str> = types
        .iter()
        .filter(|kind| !seen.insert(kind.as_str()))
        .map(String::as_str)
        .collect();
    let refused = |message: String| Err(Ending::failure(message));
    if !twice.is_empty() {
        return refused(format!("Duplicate entity type(s) specified: {}", twice.join(",")));
    }
    if !parsed.has("bootstrap-server") && !parsed.has("bootstrap-controller") {
        return refused("Either --bootstrap-server or --bootstrap-controller must be specified.".to_owned());
    }
    if let Some(unknown) = types
        .iter()
        .find(|kind| TYPES.iter().all(|(_, known)| known != kind))
    {
        return refused(format!(
            "Invalid entity type {unknown}, the entity type must be one of {VALID} with a --bootstrap-server or \
             --bootstrap-controller argument"
        ));
    }
    if types.is_empty() {
        return refused("At least one entity type must be specified".to_owned());
    }
    if types.len() > 1 && seen != BTreeSet::from(["users", "clients"]) {
        return refused("Only 'users' and 'clients' entity types may be specified together".to_owned());
    }
    let general = ["entity-type", "entity-name", "entity-default"];
    let mut specific = TYPES.iter().chain(&DEFAULTS);
    if general.iter().any(|option| parsed.has(option)) && specific.any(|(option, _)| parsed.has(option)) {
        return refused(
            "--entity-{type,name,default} should not be used in conjunction with specific entity flags"
                .to_owned(),
        );
    }
    Ok(())
}

/// Brokers' ids are numbers, addresses are known.
fn check_names(parsed: &Parsed, entities: &Entities) -> Result<(), Ending> {
    let refused = |kind: &str, wanted: &str, name: &str| {
        Err(Ending::failure(format!(
            "The entity name for {kind} must be a valid {wanted}, but it is: {name}"
        )))
    };
    let (true, Some(kind)) = (entities.has_name(), entities.types.first()) else {
        return Ok(());
    };
    // Java takes one name only, and says so of another here already.
    let given = |option| parsed.value(option);
    if ["brokers", "broker-loggers"].contains(&kind.as_str()) {
        for option in ["entity-name", "broker", "broker-logger"] {
            if let Some(name) = given(option)?.filter(|name| name.parse::<i32>().is_err()) {
                return refused(kind, "integer broker id", name);
            }
        }
    } else if kind == "ips" {
        for option in ["entity-name", "ip"] {
            let is_none = |name: &&str| !name.is_empty() && (*name, 0).to_socket_addrs().is_err();
            if let Some(name) = given(option)?.filter(is_none) {
                return refused(kind, "IP or resolvable host", name);
            }
        }
    }
    Ok(())
}

fn check_describe(parsed: &Parsed, entities: &Entities) -> Result<(), Ending> {
    let all = entities.types.join(",");
    if !entities.is_about(&["users", "clients", "brokers", "ips"]) && parsed.has("entity-default") {
        return Err(Ending::failure(format!(
            "--entity-default must not be specified with --describe of {all}"
        )));
    }
    if entities.is_about(&["broker-loggers"]) && !entities.has_name() {
        return Err(Ending::failure(format!(
            "An entity name must be specified with --describe of {all}"
        )));
    }
    Ok(())
}

fn check_alter(parsed: &Parsed, entities: &Entities) -> Result<(), Ending> {
    if entities.is_about(&["users", "clients", "brokers", "ips"]) {
        if entities.names.is_empty() {
            return Err(Ending::failure(
                "An entity-name or default entity must be specified with --alter of users, clients, brokers or ips",
            ));
        }
    } else if !entities.has_name() {
        return Err(Ending::failure(format!(
            "An entity name must be specified with --alter of {}",
            entities.types.join(",")
        )));
    }
    if parsed.has("add-config") && parsed.has("add-config-file") {
        return Err(Ending::failure(
            "Only one of --add-config or --add-config-file must be specified",
        ));
    }
    if !["add-config", "add-config-file", "delete-config"]
        .iter()
        .any(|option| parsed.has(option))
    {
        return Err(Ending::failure(
            "At least one of --add-config, --add-config-file, or --delete-config must be specified with --alter",
        ));
    }
    if entities.types.len() != entities.names.len() {
        return Err(Ending::failure(
            "An entity name must be specified for every entity type",
        ));
    }
    Ok(())
}
