//! What the doctor sees on this machine: versions, places, disk, and what crashes left behind.

use super::Finding;
use crate::commands::Context;
use crate::commands::cluster::{ClusterFolder, Condition, nearby};
use crate::failure::{Failure, Outcome};
use crate::kafka;
use crate::places::Places;
use crate::ui::units;
use std::fs;
use std::path::{Path, PathBuf};
use std::time::SystemTime;
use sysinfo::Disks;

/// What the findings on clusters of this machine are called.
const CLUSTER: &str = "classroom cluster";
/// Below this much room a class of lessons may fill the disk.
const LITTLE_ROOM: u64 = 1 << 30;
/// How far the clocks of the file system and of this process may lie apart, in ms.
const CLOCK_TOLERANCE_MS: u128 = 2_000;

pub(super) fn look(context: &Context) -> Outcome<Vec<Finding>> {
    let folder = ClusterFolder::of(&Default::default(), context);
    let mut findings = vec![
        Finding::ok(
            "versions",
            format!(
                "velo {}, librdkafka {}",
                env!("CARGO_PKG_VERSION"),
                kafka::librdkafka_version()
            ),
        ),
        Finding::ok(
            "places",
            format!("{} (moved by VELO_HOME)", context.places.data.display()),
        ),
        disk(&context.places.data),
        file_clock()?,
    ];
    findings.extend(state(&folder, &context.places)?);
    findings.push(leftovers(&folder)?);
    Ok(findings)
}

fn disk(data: &Path) -> Finding {
    let existing = data.ancestors().find(|folder| folder.exists()).unwrap_or(data);
    let holds = |mount: &Path| existing.starts_with(mount).then_some(mount.as_os_str().len());
    let disks = Disks::new_with_refreshed_list();
    let mounted = disks.iter().flat_map(|disks| disks.iter());
    let Some(disk) = mounted.max_by_key(|disk| holds(disk.mount_point())) else {
        return Finding::warn("disk", "the system does not tell how much room there is", "df -h");
    };
    let room = disk.available_space();
    let found = format!(
        "{} free below {}",
        units::bytes(i64::try_from(room).unwrap_or(i64::MAX)),
        disk.mount_point().display()
    );
    if room < LITTLE_ROOM {
        return Finding::warn(
            "disk",
            found,
            "VELO_HOME=DIR velo cluster start    (with a folder on a larger disk)",
        );
    }
    Finding::ok("disk", found)
}

/// Retention compares file times and record times with this machine's clock.
fn file_clock() -> Outcome<Finding> {
    let looked = tempfile_time().map_err(|error| {
        Failure::request(format!("cannot write in {}", std::env::temp_dir().display()))
            .because(error)
            .hint("set TMPDIR to a folder that you can write to")
    })?;
    let now = SystemTime::now();
    let apart = now
        .duration_since(looked)
        .or_else(|_| looked.duration_since(now))
        .unwrap_or_default()
        .as_millis();
    if apart > CLOCK_TOLERANCE_MS {
        return Ok(Finding::warn(
            "file clock",
            format!("files are stamped {apart} ms off this machine's clock"),
            "date",
        ));
    }
    Ok(Finding::ok("file clock", "files carry this machine's time"))
}

fn tempfile_time() -> std::io::Result<SystemTime> {
    let path = std::env::temp_dir().join(format!("velo-doctor-{}", std::process::id()));
    fs::write(&path, b"")?;
    let modified = fs::metadata(&path).and_then(|metadata| metadata.modified());
    fs::remove_file(&path)?;
    modified
}

/// The clusters that run, and of each what has crashed; of the user's own also if none runs.
fn state(folder: &ClusterFolder, places: &Places) -> Outcome<Vec<Finding>> {
    let running = nearby::all(places)?;
    let mut each = Vec::new();
    for one in &running {
        each.push(format!(
            "runs at {} ({}), data in {}",
            one.shape.bootstrap(),
            one.processes()?,
            one.folder.root().display()
        ));
    }
    let mut findings = match each.is_empty() {
        true => Vec::new(),
        false => vec![Finding::ok(CLUSTER, each.join("; "))],
    };
    for one in &running {
        findings.extend(crashed(&one.folder)?);
    }
    if running.is_empty() {
        findings.extend(crashed(folder)?);
    }
    if findings.is_empty() {
        findings.push(Finding::ok(CLUSTER, "not running"));
    }
    Ok(findings)
}

/// The nodes of a cluster that ended without a clean stop.
fn crashed(folder: &ClusterFolder) -> Outcome<Vec<Finding>> {
    let Some(shape) = folder.shape()? else {
        return Ok(Vec::new());
    };
    let data = folder.data_option();
    let any_runs = folder.is_running()?;
    let mut findings = Vec::new();
    for (id, condition) in folder.conditions(&shape)? {
        if let Condition::Crashed(state) = condition {
            let option = if any_runs {
                shape.broker_option(id)
            } else {
                String::new()
            };
            findings.push(Finding::warn(
                CLUSTER,
                format!(
                    "{} (process {}) ended without a clean stop",
                    shape.name(id),
                    state.process.id()
                ),
                format!("velo cluster start{option}{data}   (checks the logs and goes on)"),
            ));
        }
    }
    Ok(findings)
}

fn leftovers(folder: &ClusterFolder) -> Outcome<Finding> {
    let mut found = temporary_clusters();
    if let Some(shape) = folder.shape()?
        && !folder.is_running()?
    {
        let nodes = shape.nodes().into_iter();
        found.extend(nodes.flat_map(|id| unfinished_files(&folder.node(id).log_dir())));
    }
    if found.is_empty() {
        return Ok(Finding::ok("leftovers", "none"));
    }
    let names: Vec<String> = found
        .iter()
        .take(3)
        .map(|path| path.display().to_string())
        .collect();
    let more = if found.len() > names.len() { ", …" } else { "" };
    Ok(Finding::warn(
        "leftovers",
        format!(
            "{} of a run that was killed: {}{more}",
            found.len(),
            names.join(", ")
        ),
        "`velo cluster start` finishes what was begun; folders of old lessons can be deleted",
    ))
}

/// Folders of `velo lesson play` that nobody holds any more.
fn temporary_clusters() -> Vec<PathBuf> {
    let Ok(entries) = fs::read_dir(std::env::temp_dir()) else {
        return Vec::new();
    };
    let ours = |path: &PathBuf| {
        path.file_name()
            .is_some_and(|name| name.to_string_lossy().starts_with("velo-lesson-"))
            && !ClusterFolder::at(path).is_running().unwrap_or(true)
    };
    entries
        .filter_map(|entry| Some(entry.ok()?.path()))
        .filter(ours)
        .collect()
}

/// Files that a crash left in the middle of deleting or compacting.
fn unfinished_files(node: &Path) -> Vec<PathBuf> {
    let Ok(partitions) = fs::read_dir(node) else {
        return Vec::new();
    };
    let unfinished = |path: &PathBuf| {
        path.extension()
            .is_some_and(|ending| ["deleted", "cleaned", "swap"].iter().any(|word| ending == *word))
    };
    partitions
        .filter_map(|entry| fs::read_dir(entry.ok()?.path()).ok())
        .flatten()
        .filter_map(|entry| Some(entry.ok()?.path()))
        .filter(unfinished)
        .collect()
}
