//! Quotas of users, clients and addresses, and users' SCRAM passwords: what `kafka-configs` does not keep as settings.

use super::options::Entities;
use super::{Command, changes, completed};
use crate::kafka::ConfigChange;
use crate::kafka::wire::{QuotaEntity, QuotaMatch, Quotas, ScramChange, ScramMechanism, Wire};
use crate::scripts::java_format::{double, parsed_double};
use crate::scripts::java_order::{JavaHash, hash_map_order, sized_hash_map_order};
use crate::scripts::java_words::java_exception;
use crate::scripts::{Ending, out};
use std::num::NonZeroU32;

const OF_USERS: [&str; 4] = [
    "producer_byte_rate",
    "consumer_byte_rate",
    "request_percentage",
    "controller_mutation_rate",
];
const OF_ADDRESSES: [&str; 1] = ["connection_creation_rate"];
/// Rounds of hashing when the command line does not say, and at least.
const ROUNDS: i32 = 4096;

/// Whether these entities have quotas in place of settings.
pub(super) fn are_meant(entities: &Entities) -> bool {
    entities.is_about(&["users", "clients", "ips"])
}

/// The protocol's name of an entity type.
fn quota_type(kind: &str) -> &'static str {
    match kind {
        "users" => "user",
        "clients" => "client-id",
        _ => "ip",
    }
}

fn wanted(entities: &Entities) -> Vec<(&'static str, QuotaMatch)> {
    let mut names = entities.names.iter();
    let wanted = entities.types.iter().map(|kind| {
        let wanted = match names.next() {
            Some(name) if name.is_empty() => QuotaMatch::Default,
            Some(name) => QuotaMatch::Exactly(name.clone()),
            None => QuotaMatch::All,
        };
        (quota_type(kind), wanted)
    });
    wanted.collect()
}

pub(super) fn describe(command: &Command<'_>, entities: &Entities) -> Result<(), Ending> {
    let mut wire = command.wire("describeClientQuotas")?;
    for (entity, mut values) in quotas(command, &mut wire, entities)? {
        sized_hash_map_order(&mut values, |(name, _)| name.java_hash());
        let values: Vec<String> = values
            .iter()
            .map(|(name, value)| format!("{name}={}", double(*value)))
            .collect();
        out(&format!(
            "Quota configs for {} are {}",
            shown(&entity),
            values.join(", ")
        ));
    }
    if !entities.is_about(&["clients", "ips"]) && !entities.names.iter().any(String::is_empty) {
        describe_passwords(command, &mut wire, &entities.names)?;
    }
    Ok(())
}

/// The quotas that are meant, in Java's order.
fn quotas(command: &Command<'_>, wire: &mut Wire, entities: &Entities) -> Result<Vec<Quotas>, Ending> {
    if entities.names.len() > entities.types.len() {
        return Err(Ending::failure("More entity names specified than entity types"));
    }
    let wanted = wanted(entities);
    let mut quotas = command.ask(wire, "describeClientQuotas", |wire| wire.describe_quotas(&wanted))?;
    sized_hash_map_order(&mut quotas, |(entity, _)| {
        let hashes = entity.iter().map(|(kind, name)| {
            let name = name.as_deref().map_or(0, JavaHash::java_hash);
            kind.java_hash() ^ name
        });
        hashes.fold(31, i32::wrapping_add)
    });
    Ok(quotas)
}

fn shown(entity: &QuotaEntity) -> String {
    let part = |(kind, called): (&str, &str)| {
        Some(match entity.get(kind)? {
            Some(name) => format!("{called} '{name}'"),
            None => format!("the default {called}"),
        })
    };
    let parts = [
        ("user", "user-principal"),
        ("client-id", "client-id"),
        ("ip", "ip"),
    ];
    let parts: Vec<String> = parts.into_iter().filter_map(part).collect();
    parts.join(", ")
}

fn describe_passwords(command: &Command<'_>, wire: &mut Wire, users: &[String]) -> Result<(), Ending> {
    let users = command.ask(wire, "describeUserScramCredentials", |wire| {
        wire.describe_scram_users(users)
    })?;
    for (user, passwords) in users {
        match passwords {
            Ok(passwords) => {
                let told: Vec<String> = passwords
                    .iter()
                    .map(|(mechanism, rounds)| format!("{}=iterations={rounds}", mechanism.name()))
                    .collect();
                out(&format!(
                    "SCRAM credential configs for user-principal '{user}' are {}",
                    told.join(", ")
                ));
            }
            Err(refusal) => out(&format!(
                "Error retrieving SCRAM credential configs for user-principal '{user}': ExecutionException: {}",
                java_exception(&refusal)
            )),
        }
    }
    Ok(())
}

pub(super) fn alter(
    command: &Command<'_>,
    entities: &Entities,
    changes: &[ConfigChange],
) -> Result<(), Ending> {
    if check(entities, changes)? {
        alter_quotas(command, entities, changes)?;
    } else {
        let changes = scram_changes(changes)?;
        let user = entities.names.first().map_or("", String::as_str);
        let call = "alterUserScramCredentials";
        command.ask(&mut command.wire(call)?, call, |wire| {
            wire.alter_scram_user(user, &changes)
        })?;
    }
    completed(entities);
    Ok(())
}

fn mechanism(name: &str) -> Option<ScramMechanism> {
    ScramMechanism::ALL
        .into_iter()
        .find(|mechanism| mechanism.name() == name)
}

/// Whether quotas change, and not passwords; they cannot change together.
fn check(entities: &Entities, changes: &[ConfigChange]) -> Result<bool, Ending> {
    let refuse = |words: String| Err(Ending::failure(words));
    let (added, deleted) = changes::divided(changes);
    if entities.is_about(&["ips"]) {
        let mut unknown = names(&added, |name| !OF_ADDRESSES.contains(&name));
        unknown.extend(names(&deleted, |name| !OF_ADDRESSES.contains(&name)));
        hash_map_order(&mut unknown, |name| *name);
        if !unknown.is_empty() {
            return refuse(format!(
                "Only connection quota configs can be added for 'ips' using --bootstrap-server. Unexpected config names: {}",
                unknown.join(", ")
            ));
        }
        return Ok(true);
    }
    let of_clients = entities.is_about(&["clients"]);
    let (what, whom) = if of_clients {
        ("quota", "clients")
    } else {
        ("quota and SCRAM credential", "users")
    };
    let is_password = |name: &str| mechanism(name).is_some();
    let is_quota = |name: &str| OF_USERS.contains(&name);
    for (changes, verb) in [(&added, "added"), (&deleted, "deleted")] {
        let mut unknown = names(changes, |name| !is_quota(name) && !is_password(name));
        if of_clients {
            unknown.extend(names(changes, is_password));
        }
        hash_map_order(&mut unknown, |name| *name);
        if !unknown.is_empty() {
            return refuse(format!(
                "Only {what} configs can be {verb} for '{whom}' using --bootstrap-server. Unexpected config names: \
                 {}",
                unknown.join(",")
            ));
        }
    }
    let of = |wanted: &dyn Fn(&str) -> bool| changes.iter().any(|change| wanted(change.name()));
    let (passwords, quotas) = (of(&is_password), of(&is_quota));
    if passwords && entities.names.iter().any(String::is_empty) {
        return refuse(
            "The use of --entity-default or --user-defaults is not allowed with User SCRAM Credentials using \
             --bootstrap-server."
                .to_owned(),
        );
    }
    if passwords && quotas {
        return refuse(
            "Cannot alter both quota and SCRAM credential configs simultaneously for 'users' using --bootstrap-server."
                .to_owned(),
        );
    }
    Ok(quotas)
}

fn names<'a>(changes: &[&'a ConfigChange], wanted: impl Fn(&str) -> bool) -> Vec<&'a str> {
    let names = changes.iter().map(|change| change.name());
    names.filter(|name| wanted(name)).collect()
}

fn scram_changes(changes: &[ConfigChange]) -> Result<Vec<ScramChange>, Ending> {
    changes
        .iter()
        .filter_map(|change| Some((mechanism(change.name())?, change)))
        .map(|(mechanism, change)| match change {
            ConfigChange::Set(_, value) => password(mechanism, value).map_err(Ending::failure),
            _ => Ok(ScramChange::Delete(mechanism)),
        })
        .collect()
}

/// `iterations=8192,password=…`; without rounds, Kafka's own number of them.
fn password(mechanism: ScramMechanism, text: &str) -> Result<ScramChange, String> {
    let java = mechanism.name().replace('-', "_");
    // What is wrong is named, but not the password in it.
    let invalid = || {
        format!(
            "Invalid credential property {java}={}",
            super::without_passwords(text)
        )
    };
    let counted = text
        .strip_prefix("iterations=")
        .and_then(|rest| rest.split_once(','))
        .filter(|(rounds, _)| {
            let digits = rounds.strip_prefix('-').unwrap_or(rounds);
            digits.chars().all(|digit| digit.is_ascii_digit())
        });
    let (rounds, rest) = counted.map_or(("-1", text), |(rounds, rest)| (rounds, rest));
    let password = rest.strip_prefix("password=").ok_or_else(invalid)?;
    let rounds = match rounds
        .parse()
        .map_err(|_| format!("For input string: \"{rounds}\""))?
    {
        -1 => ROUNDS,
        rounds => rounds,
    };
    let rounds = u32::try_from(rounds)
        .ok()
        .filter(|_| rounds >= ROUNDS)
        .and_then(NonZeroU32::new)
        .ok_or_else(|| {
            format!(
                "Iterations {rounds} is less than the minimum {ROUNDS} required for {}",
                mechanism.name()
            )
        })?;
    Ok(ScramChange::Set(mechanism, rounds, password.to_owned()))
}

fn alter_quotas(command: &Command<'_>, entities: &Entities, changes: &[ConfigChange]) -> Result<(), Ending> {
    let mut wire = command.wire("describeClientQuotas")?;
    let old = quotas(command, &mut wire, entities)?;
    let has = |name: &str| {
        let first = old.first();
        first.is_some_and(|(_, values)| values.iter().any(|(known, _)| known == name))
    };
    let (_, deleted) = changes::divided(changes);
    let missing = names(&deleted, |name| !has(name));
    if !missing.is_empty() {
        return Err(Ending::failure(format!(
            "Invalid config(s): {}",
            missing.join(",")
        )));
    }
    let entity: QuotaEntity = entities
        .types
        .iter()
        .zip(&entities.names)
        .map(|(kind, name)| {
            let name = Some(name.clone()).filter(|name| !name.is_empty());
            (quota_type(kind).to_owned(), name)
        })
        .collect();
    let changes = changes.iter().map(quota_change).collect::<Result<Vec<_>, _>>()?;
    command.ask(&mut wire, "alterClientQuotas", |wire| {
        wire.alter_quotas(&entity, &changes)
    })
}

fn quota_change(change: &ConfigChange) -> Result<(String, Option<f64>), Ending> {
    let name = change.name().to_owned();
    match change {
        ConfigChange::Set(_, value) => match parsed_double(value) {
            Some(number) => Ok((name, Some(number))),
            None => Err(Ending::failure(format!(
                "Cannot parse quota configuration value for {name}: {value}"
            ))),
        },
        _ => Ok((name, None)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_password_needs_enough_rounds_and_is_never_repeated() {
        let told = |text: &str| password(ScramMechanism::Sha256, text).err();
        assert_eq!(told("password=hush"), None);
        assert_eq!(told("iterations=8192,password=a,b"), None);
        assert_eq!(
            told("iterations=3,password=a").as_deref(),
            Some("Iterations 3 is less than the minimum 4096 required for SCRAM-SHA-256")
        );
        assert_eq!(
            told("iterations=8192").as_deref(),
            Some("Invalid credential property SCRAM_SHA_256=iterations=8192")
        );
        assert!(
            !told("iterations=x,password=hush")
                .unwrap_or_default()
                .contains("hush")
        );
    }
}
