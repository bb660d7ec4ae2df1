//! What the doctor sees of the cluster: who answers, its brokers, its partitions, its clock.

use super::{Finding, Verdict};
use crate::clock::Clock;
use crate::commands::Context;
use crate::commands::cluster::nearby::{self, WayOut};
use crate::failure::Outcome;
use crate::kafka::probe::{Found, look as look_at};
use crate::kafka::{Admin, ClusterMetadata, OffsetSpec, TopicPartition};
use crate::ui::units;

/// How far in the future a record's timestamp may lie, in ms.
const CLOCK_TOLERANCE_MS: i64 = 1_000;
/// Partitions asked for their newest record: enough to see a wrong clock, few enough for a large cluster.
const ASKED_PARTITIONS: usize = 200;

/// Which address commands talk to, and what decided that.
pub(super) fn address(context: &Context) -> Finding {
    match context.connection.servers() {
        Ok(_) => Finding::ok(
            "address",
            format!("{}, {}", context.connection.bootstrap(), context.address.words()),
        ),
        Err(failure) => Finding::bad(
            "address",
            failure.in_a_line(),
            failure
                .hints()
                .first()
                .map_or("velo cluster start", String::as_str),
        ),
    }
}

pub(super) fn ports(context: &Context) -> Outcome<Vec<Finding>> {
    // Without an address there is no port to look at; the finding on the address says so.
    let servers = context.connection.servers().unwrap_or_default();
    let found: Vec<_> = servers
        .into_iter()
        .map(|(host, port)| {
            let found = look_at(&host, port, &context.connection);
            (host, port, found)
        })
        .collect();
    let serves = |(_, _, found): &(String, u16, Found)| matches!(found, Found::Broker | Found::Listener);
    let any_serves = found.iter().any(serves);
    found
        .into_iter()
        .map(|(host, port, found)| {
            let is_one_of_several = any_serves && matches!(found, Found::Nothing(_));
            let mut finding = port_finding(&host, port, found, context)?;
            if is_one_of_several {
                // Commands get through by the others.
                finding.verdict = Verdict::Warn;
            }
            Ok(finding)
        })
        .collect()
}

fn port_finding(host: &str, port: u16, found: Found, context: &Context) -> Outcome<Finding> {
    let address = format!("{host}:{port}");
    let bad = |found: String, hint: &str| Finding::bad("port", format!("{address}: {found}"), hint);
    Ok(match found {
        Found::Broker => Finding::ok(
            "port",
            format!("{address}: a Kafka broker answers{}", owner(host, port)),
        ),
        Found::Listener => Finding::ok("port", format!("{address}: accepts connections (TLS)")),
        Found::Controller => bad(
            "a controller's port, which serves no clients".to_owned(),
            "--bootstrap-server HOST:PORT, as `listeners` in a broker's server.properties says",
        ),
        Found::Tls => bad(
            "speaks TLS".to_owned(),
            "--command-config FILE with security.protocol=SSL",
        ),
        Found::Login => bad(
            "a Kafka broker that wants a login (SASL)".to_owned(),
            "--command-config FILE with security.protocol=SASL_PLAINTEXT, sasl.mechanism and sasl.jaas.config",
        ),
        Found::Stranger(what) => bad(
            format!("{what}{}", owner(host, port)),
            &way_out(host, port, context)?,
        ),
        Found::Nothing(why) => bad(why, &way_out(host, port, context)?),
    })
}

/// What to type where no broker answers.
fn way_out(host: &str, port: u16, context: &Context) -> Outcome<String> {
    // A broker of a cluster of this machine is helped by itself, whoever else does not answer.
    if let WayOut::Stuck(line) = nearby::way_out(&context.places, &[(host.to_owned(), port)])? {
        return Ok(line);
    }
    let hint = context.address.way_out(&context.connection, &context.places)?;
    Ok(hint
        .unwrap_or_else(|| "--bootstrap-server HOST:PORT, with the address of a broker that runs".to_owned()))
}

/// The process behind a port of this machine, if it can be seen.
fn owner(host: &str, port: u16) -> String {
    if !["localhost", "127.0.0.1", "::1"].contains(&host) {
        return String::new();
    }
    listeners::get_process_by_port(port, listeners::Protocol::TCP).map_or_else(
        |_| String::new(),
        |process| format!(" ({}, process {})", process.name, process.pid),
    )
}

pub(super) fn look(admin: &Admin) -> Vec<Finding> {
    let failed =
        |failure: crate::failure::Failure| Finding::bad("cluster", failure.what(), "velo cluster status");
    let mut findings = match admin.describe_cluster() {
        Ok(cluster) => vec![Finding::ok(
            "cluster",
            format!(
                "{}, {}",
                cluster.cluster_id.unwrap_or_else(|| "without id".to_owned()),
                units::count(cluster.brokers.len(), "broker")
            ),
        )],
        Err(failure) => return vec![failed(failure)],
    };
    match admin.metadata() {
        Ok(metadata) => {
            findings.push(partitions(&metadata));
            findings.push(groups(admin).unwrap_or_else(failed));
            findings.push(record_clock(admin, &metadata).unwrap_or_else(failed));
        }
        Err(failure) => findings.push(failed(failure)),
    }
    findings
}

fn partitions(metadata: &ClusterMetadata) -> Finding {
    let all = || {
        metadata
            .topics
            .iter()
            .flat_map(|topic| topic.partitions.iter().map(move |p| (topic, p)))
    };
    let names =
        |wrong: Vec<String>| format!("{}: {}", units::count(wrong.len(), "partition"), wrong.join(", "));
    let leaderless: Vec<String> = all()
        .filter(|(_, partition)| partition.leader.is_none())
        .map(|(topic, partition)| format!("{}-{}", topic.name, partition.partition))
        .collect();
    if !leaderless.is_empty() {
        return Finding::bad(
            "partitions",
            format!("no leader for {}", names(leaderless)),
            "velo topic describe TOPIC",
        );
    }
    let behind: Vec<String> = all()
        .filter(|(_, partition)| partition.isr.len() < partition.replicas.len())
        .map(|(topic, partition)| format!("{}-{}", topic.name, partition.partition))
        .collect();
    if !behind.is_empty() {
        return Finding::warn(
            "partitions",
            format!("replicas out of sync for {}", names(behind)),
            "velo topic describe TOPIC",
        );
    }
    Finding::ok(
        "partitions",
        format!("{}, all with leader and replicas in sync", all().count()),
    )
}

/// Whether consumer groups can work.
fn groups(admin: &Admin) -> Outcome<Finding> {
    Ok(match admin.lack_of_coordinators()? {
        None => Finding::ok("groups", "consumer groups can have a coordinator"),
        Some(lack) => Finding::bad(
            "groups",
            lack.in_a_line(),
            lack.hints()
                .first()
                .map_or("velo topic list --internal", String::as_str),
        ),
    })
}

/// A record stamped in the future tells of a producer's clock ahead, or of this machine's behind: retention and
/// offsets by time then surprise.
fn record_clock(admin: &Admin, metadata: &ClusterMetadata) -> Outcome<Finding> {
    let asked: Vec<TopicPartition> = metadata.partitions().take(ASKED_PARTITIONS).collect();
    let newest = admin
        .list_offsets(&asked, OffsetSpec::MaxTimestamp)?
        .into_iter()
        .filter_map(|(partition, answer)| Some((answer.ok()?.timestamp?, partition)))
        .max();
    let ahead_ms = newest
        .as_ref()
        .map_or(0, |(timestamp, _)| timestamp - Clock::system().now_ms());
    Ok(match newest {
        Some((_, partition)) if ahead_ms > CLOCK_TOLERANCE_MS => Finding::warn(
            "record clock",
            format!(
                "{partition} has a record stamped {} ahead of this machine's clock",
                units::duration(ahead_ms)
            ),
            "date   (compare with the producers' machines)",
        ),
        _ => Finding::ok("record clock", "no record is stamped in the future"),
    })
}
