//! `kafka-acls`: who may do what, of a cluster with an authorizer.

mod options;
mod wanted;

use super::connecting::{self, Unanswered};
use super::options::Parsed;
use super::{Ending, out};
use crate::kafka::Answer;
use crate::kafka::wire::{AclEntry, ResourcePattern, Wire};
use options::OPTIONS;
use std::io::BufRead;
use wanted::Acls;

/// Runs the script.
///
/// # Errors
/// Usage mistakes on stderr, what the cluster refuses on stdout; exit code 1.
pub fn run(arguments: &[String]) -> Result<u8, Ending> {
    // jopt-simple's own mistakes come with the help here.
    let parsed = OPTIONS
        .parse(arguments)
        .map_err(|ending| OPTIONS.misuse(ending.stderr))?;
    options::check(&parsed)?;
    options::pattern_type(&parsed)?;
    if parsed.has("add") {
        let acls = wanted::to_add(&parsed)?;
        add(&mut connect(&parsed, "describeAcls")?, &acls)?;
    } else if parsed.has("remove") {
        let acls = wanted::to_remove(&parsed)?;
        remove(&parsed, &acls)?;
    } else {
        list(&parsed)?;
    }
    Ok(0)
}

/// Kafka's tool tells on stdout what goes wrong once its options are read.
fn failed(message: impl std::fmt::Display) -> Ending {
    Ending::on_stdout(1, format!("Error while executing ACL command: {message}"))
}

fn connect(parsed: &Parsed, call: &str) -> Result<Wire, Ending> {
    let late = |ending: Ending| failed(ending.stderr);
    connecting::wire(parsed, late, call, |told| failed(&told.exception))
}

fn answered<T>(answer: Answer<T>, call: &str) -> Result<T, Ending> {
    answer.map_err(|refusal| Unanswered::of_error(&refusal, call).ending(|told| failed(&told.exception)))
}

/// As Java prints a resource, with a name or as a filter.
fn shown(resource: &ResourcePattern) -> String {
    format!(
        "ResourcePattern(resourceType={}, name={}, patternType={})",
        resource.resource_type.java_name(),
        resource.name.as_deref().unwrap_or("<any>"),
        resource.pattern_type.java_name()
    )
}

/// As Java prints an entry, with all of it or as a filter.
fn told(entry: &AclEntry) -> String {
    format!(
        "(principal={}, host={}, operation={}, permissionType={})",
        entry.principal.as_deref().unwrap_or("<any>"),
        entry.host.as_deref().unwrap_or("<any>"),
        entry.operation.java_name(),
        entry.permission.java_name()
    )
}

/// One entry a line.
fn lines<'a>(entries: impl IntoIterator<Item = &'a AclEntry>) -> String {
    let lines: Vec<String> = entries
        .into_iter()
        .map(|entry| format!("\t{}", told(entry)))
        .collect();
    lines.join("\n")
}

fn add(wire: &mut Wire, acls: &Acls) -> Result<(), Ending> {
    for (resource, entries) in acls {
        let there = answered(wire.describe_acls(resource, &AclEntry::any()), "describeAcls")?;
        let mut new = Vec::new();
        for entry in entries {
            if there.iter().any(|(_, known)| known == entry) {
                out(&format!(
                    "Acl (pattern={}, entry={}) already exists.",
                    shown(resource),
                    told(entry)
                ));
            } else {
                new.push(entry.clone());
            }
        }
        if !new.is_empty() {
            out(&format!(
                "Adding ACLs for resource `{}`: \n {}\n",
                shown(resource),
                lines(&new)
            ));
            answered(wire.create_acls(resource, &new), "createAcls")?;
        }
    }
    Ok(())
}

fn remove(parsed: &Parsed, acls: &Acls) -> Result<(), Ending> {
    let mut wire = connect(parsed, "deleteAcls")?;
    for (resource, entries) in acls {
        let question = if entries.is_empty() {
            format!(
                "Are you sure you want to delete all ACLs for resource filter `{}`? (y/n)",
                shown(resource)
            )
        } else {
            format!(
                "Are you sure you want to remove ACLs: \n {}\n from resource filter `{}`? (y/n)",
                lines(entries),
                shown(resource)
            )
        };
        if !parsed.has("force") && !is_confirmed(&question)? {
            continue;
        }
        let mut filters: Vec<AclEntry> = entries.iter().cloned().collect();
        if filters.is_empty() {
            filters.push(AclEntry::any());
        }
        answered(wire.delete_acls(resource, &filters), "deleteAcls")?;
    }
    Ok(())
}

/// Java's tool wants a terminal for the answer; any standard input will do here.
fn is_confirmed(question: &str) -> Result<bool, Ending> {
    out(question);
    let mut answer = String::new();
    std::io::stdin().lock().read_line(&mut answer).map_err(failed)?;
    Ok(answer.trim().eq_ignore_ascii_case("y"))
}

fn list(parsed: &Parsed) -> Result<(), Ending> {
    let resources = wanted::resources(parsed)?;
    let principals = wanted::principals(parsed, "principal")?;
    let mut wire = connect(parsed, "describeAcls")?;
    let mut acls = Acls::new();
    let filters = if resources.is_empty() {
        vec![ResourcePattern::any()]
    } else {
        resources.into_iter().collect()
    };
    for filter in filters {
        let found = answered(wire.describe_acls(&filter, &AclEntry::any()), "describeAcls")?;
        for (resource, entry) in found {
            acls.entry(resource).or_default().insert(entry);
        }
    }
    if principals.is_empty() {
        print(&acls);
    }
    for principal in principals {
        out(&format!("ACLs for principal `{principal}`"));
        let mut of_principal = acls.clone();
        of_principal.retain(|_, entries| {
            entries.retain(|entry| entry.principal.as_ref() == Some(&principal));
            !entries.is_empty()
        });
        print(&of_principal);
    }
    Ok(())
}

fn print(acls: &Acls) {
    for (resource, entries) in acls {
        out(&format!(
            "Current ACLs for resource `{}`:\n{}\n",
            shown(resource),
            lines(entries)
        ));
    }
}
