//! `kafka-consumer-groups --describe`: offsets, members or state.

use super::{descriptions, failed, groups, trouble};
use crate::kafka::{
    Admin, CommittedOffset, GroupDescription, GroupEpochs, GroupState, MemberDescription, OffsetSpec,
    TopicPartition,
};
use crate::scripts::options::Parsed;
use crate::scripts::{Ending, out};
use std::collections::{BTreeMap, BTreeSet};

const MISSING: &str = "-";

pub(super) fn run(admin: &Admin, parsed: &Parsed) -> Result<(), Ending> {
    let mut described = descriptions(admin, &groups(admin, parsed)?)?;
    described.sort_by(|one, other| one.group_id.cmp(&other.group_id));
    if let Some(gone) = described.iter().find(|group| !group.exists()) {
        return Err(trouble(format!(
            "org.apache.kafka.common.errors.GroupIdNotFoundException: Group {} not found.",
            gone.group_id
        )));
    }
    let verbose = parsed.has("verbose");
    let epochs = |group: &GroupDescription| match verbose {
        true => admin
            .group_epochs(group)
            .map_err(failed("describeConsumerGroups")),
        false => Ok(None),
    };
    if parsed.has("members") {
        for group in &described {
            print_members(group, verbose, epochs(group)?.as_ref());
        }
    } else if parsed.has("state") {
        for group in &described {
            print_state(group, verbose, epochs(group)?.as_ref());
        }
    } else {
        // All is asked before anything is printed, so that a failure is not hidden behind half a table.
        let rows = described
            .iter()
            .map(|group| rows_of(admin, group))
            .collect::<Result<Vec<_>, Ending>>()?;
        for (group, rows) in described.iter().zip(&rows) {
            print_offsets(group, rows, verbose);
        }
    }
    Ok(())
}

/// Says what state the group is in; whether there is more to print.
fn introduce(group: &GroupDescription, rows: usize) -> bool {
    let id = &group.group_id;
    match group.state {
        GroupState::Empty => eprintln!("\nConsumer group '{id}' has no active members."),
        GroupState::Stable | GroupState::Dead => {}
        GroupState::PreparingRebalance
        | GroupState::CompletingRebalance
        | GroupState::Assigning
        | GroupState::Reconciling
        | GroupState::Unknown => {
            eprintln!("\nWarning: Consumer group '{id}' is rebalancing.");
        }
    }
    rows > 0
}

fn or_missing(text: &str) -> &str {
    if text.is_empty() { MISSING } else { text }
}

fn number(number: Option<impl ToString>) -> String {
    number.map_or_else(|| MISSING.to_owned(), |number| number.to_string())
}

/// A line of the table of offsets.
struct Row {
    partition: TopicPartition,
    committed: Option<CommittedOffset>,
    end: Option<i64>,
    member: Option<MemberDescription>,
}

/// First what members read, the member with most first, then what nobody reads.
fn rows_of(admin: &Admin, group: &GroupDescription) -> Result<Vec<Row>, Ending> {
    let committed = admin
        .committed_offsets(&group.group_id)
        .map_err(failed("listConsumerGroupOffsets"))?;
    let mut members: Vec<&MemberDescription> = group
        .members
        .iter()
        .filter(|member| !member.assignment.is_empty())
        .collect();
    members.sort_by_key(|member| std::cmp::Reverse(member.assignment.len()));
    let assigned: BTreeSet<&TopicPartition> = members
        .iter()
        .flat_map(|member| member.assignment.iter())
        .collect();
    let unread: Vec<TopicPartition> = committed
        .keys()
        .filter(|partition| !assigned.contains(*partition))
        .cloned()
        .collect();
    let all: Vec<TopicPartition> = assigned.into_iter().chain(&unread).cloned().collect();
    let ends = admin
        .list_offsets(&all, OffsetSpec::Latest)
        .map_err(failed("listOffsets"))?;
    let row = |partition: &TopicPartition, member: Option<&MemberDescription>| Row {
        partition: partition.clone(),
        committed: committed.get(partition).copied(),
        end: ends
            .get(partition)
            .and_then(|answer| answer.as_ref().ok()?.offset),
        member: member.cloned(),
    };
    let mut rows = Vec::new();
    for member in members {
        rows.extend(
            member
                .assignment
                .iter()
                .map(|partition| row(partition, Some(member))),
        );
    }
    rows.extend(unread.iter().map(|partition| row(partition, None)));
    Ok(rows)
}

impl Row {
    fn cells(&self, group: &str, verbose: bool) -> Vec<String> {
        let committed = self.committed.map(|committed| committed.offset);
        let lag = self.end.zip(committed).map(|(end, committed)| end - committed);
        let of_member = |cell: fn(&MemberDescription) -> &String| {
            self.member
                .as_ref()
                .map_or_else(|| MISSING.to_owned(), |member| cell(member).clone())
        };
        let mut cells = vec![
            group.to_owned(),
            self.partition.topic.clone(),
            self.partition.partition.to_string(),
        ];
        if verbose {
            let epoch = self.committed.and_then(|committed| committed.leader_epoch);
            cells.push(number(epoch));
        }
        cells.extend([number(committed), number(self.end), number(lag)]);
        cells.push(of_member(|member| &member.member_id));
        cells.push(of_member(|member| &member.host));
        cells.push(of_member(|member| &member.client_id));
        cells
    }
}

fn print_offsets(group: &GroupDescription, rows: &[Row], verbose: bool) {
    if !introduce(group, rows.len()) {
        return;
    }
    let mut header = vec!["GROUP", "TOPIC", "PARTITION"];
    // The least width of each column; a column of `fixed` width does not grow.
    let mut widths = vec![(15, false), (15, false), (10, true)];
    if verbose {
        header.push("LEADER-EPOCH");
        widths.push((15, true));
    }
    header.extend([
        "CURRENT-OFFSET",
        "LOG-END-OFFSET",
        "LAG",
        "CONSUMER-ID",
        "HOST",
        "CLIENT-ID",
    ]);
    widths.extend([
        (15, true),
        (15, true),
        (15, true),
        (15, false),
        (15, false),
        (0, true),
    ]);
    let cells: Vec<Vec<String>> = rows
        .iter()
        .map(|row| row.cells(&group.group_id, verbose))
        .collect();
    let widths: Vec<usize> = widths
        .into_iter()
        .enumerate()
        .map(|(column, (least, fixed))| {
            if fixed {
                least
            } else {
                widest(&cells, column).max(least)
            }
        })
        .collect();
    out("");
    out(&line(&header, &widths));
    for cells in &cells {
        let cells: Vec<&str> = cells.iter().map(String::as_str).collect();
        out(&line(&cells, &widths));
    }
}

fn widest(rows: &[Vec<String>], column: usize) -> usize {
    rows.iter()
        .filter_map(|row| row.get(column).map(|cell| cell.chars().count()))
        .max()
        .unwrap_or(0)
}

/// Cells padded to their widths, one space between.
fn line(cells: &[&str], widths: &[usize]) -> String {
    let padded: Vec<String> = cells
        .iter()
        .zip(widths)
        .map(|(cell, width)| format!("{cell:width$}"))
        .collect();
    padded.join(" ")
}

fn print_members(group: &GroupDescription, verbose: bool, epochs: Option<&GroupEpochs>) {
    introduce(group, group.members.len());
    let with_instance = group.members.iter().any(|member| member.instance_id.is_some());
    let mut header = vec!["GROUP", "CONSUMER-ID"];
    let mut widths = vec![15, 15];
    if with_instance {
        header.push("GROUP-INSTANCE-ID");
        widths.push(17);
    }
    header.extend(["HOST", "CLIENT-ID"]);
    widths.extend([15, 15]);
    let growing = widths.len();
    header.push("#PARTITIONS");
    widths.push(15);
    if verbose {
        header.extend([
            "CURRENT-EPOCH",
            "CURRENT-ASSIGNMENT",
            "TARGET-EPOCH",
            "TARGET-ASSIGNMENT",
        ]);
        widths.extend([15, 20, 15, 20]);
    }
    let rows: Vec<Vec<String>> = group
        .members
        .iter()
        .map(|member| member_cells(&group.group_id, member, with_instance, verbose.then_some(epochs)))
        .collect();
    for (column, width) in widths.iter_mut().enumerate() {
        if column != growing {
            *width = widest(&rows, column).max(*width);
        }
    }
    // Without more columns the last one is followed by the space that would part it from them.
    let end = if verbose { "" } else { " " };
    out("");
    out(&format!("{}{end}", line(&header, &widths)));
    for cells in &rows {
        let cells: Vec<&str> = cells.iter().map(String::as_str).collect();
        out(&format!("{}{end}", line(&cells, &widths)));
    }
}

/// With the epochs, where they are wanted and there are some.
fn member_cells(
    group: &str,
    member: &MemberDescription,
    with_instance: bool,
    epochs: Option<Option<&GroupEpochs>>,
) -> Vec<String> {
    let mut cells = vec![group.to_owned(), member.member_id.clone()];
    if with_instance {
        cells.push(member.instance_id.clone().unwrap_or_default());
    }
    cells.extend([
        member.host.clone(),
        member.client_id.clone(),
        member.assignment.len().to_string(),
    ]);
    if let Some(epochs) = epochs {
        let own = epochs.and_then(|epochs| epochs.members.get(&member.member_id));
        cells.push(number(own));
        cells.push(assignment_words(&member.assignment));
        cells.push(number(epochs.map(|epochs| &epochs.assignment)));
        cells.push(assignment_words(member.target.as_deref().unwrap_or_default()));
    }
    cells
}

/// `topic:0,1;other:0`, or a dash.
fn assignment_words(assignment: &[TopicPartition]) -> String {
    let mut topics: BTreeMap<&str, Vec<i32>> = BTreeMap::new();
    for partition in assignment {
        topics
            .entry(&partition.topic)
            .or_default()
            .push(partition.partition);
    }
    let words: Vec<String> = topics
        .into_iter()
        .map(|(topic, mut partitions)| {
            partitions.sort_unstable();
            let partitions: Vec<String> = partitions.iter().map(ToString::to_string).collect();
            format!("{topic}:{}", partitions.join(","))
        })
        .collect();
    or_missing(&words.join(";")).to_owned()
}

fn print_state(group: &GroupDescription, verbose: bool, epochs: Option<&GroupEpochs>) {
    introduce(group, 1);
    let coordinator = group.coordinator.as_ref().map_or_else(
        || MISSING.to_owned(),
        |broker| format!("{}  ({})", broker.address(), broker.id),
    );
    let members = group.members.len().to_string();
    let mut header = vec!["GROUP", "COORDINATOR (ID)", "ASSIGNMENT-STRATEGY", "STATE"];
    let mut cells = vec![
        group.group_id.as_str(),
        &coordinator,
        or_missing(&group.assignor),
        group.state.kafka_name(),
    ];
    let mut widths = vec![group.group_id.len().max(15), coordinator.len().max(25), 20, 20];
    let reached = number(epochs.map(|epochs| &epochs.group));
    let assigned = number(epochs.map(|epochs| &epochs.assignment));
    if verbose {
        header.extend(["GROUP-EPOCH", "TARGET-ASSIGNMENT-EPOCH"]);
        cells.extend([reached.as_str(), &assigned]);
        widths.extend([15, 25]);
    }
    header.push("#MEMBERS");
    cells.push(&members);
    widths.push(0);
    out("");
    out(&line(&header, &widths));
    out(&line(&cells, &widths));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_member_of_kip_848_is_shown_with_the_epochs_of_its_own_and_of_its_group() {
        let member = MemberDescription {
            member_id: "m".to_owned(),
            client_id: "c".to_owned(),
            instance_id: None,
            host: "/h".to_owned(),
            assignment: vec![TopicPartition::new("t", 1), TopicPartition::new("t", 0)],
            target: Some(Vec::new()),
        };
        let epochs = GroupEpochs {
            state: "Reconciling".to_owned(),
            group: 4,
            assignment: 3,
            members: BTreeMap::from([("m".to_owned(), 2)]),
        };
        let cells = |epochs| member_cells("g", &member, false, Some(epochs)).split_off(4);
        assert_eq!(cells(Some(&epochs)), ["2", "2", "t:0,1", "3", "-"]);
        assert_eq!(cells(None), ["2", "-", "t:0,1", "-", "-"]);
    }
}
