//! Why a consumer shows nothing, and what to type: told to a person who waits, as far as it is known.

use super::plan::Plan;
use crate::commands::Context;
use crate::commands::select::typed;
use crate::kafka::consumer::{Consumer, Membership, Reset, Span, Start};
use crate::kafka::types::{CommittedOffset, TopicPartition};
use crate::ui::units::count;
use std::io::IsTerminal;

/// What is known of the reading so far.
pub struct Known<'a> {
    /// Where each partition was begun; empty in a group.
    pub spans: &'a [Span],
    /// How many partitions the topics have.
    pub partitions: usize,
    /// Records that came.
    pub seen: u64,
    /// Whether all partitions that are read were read to their end.
    pub ended: bool,
}

/// Says it on a terminal; false while nothing is known.
pub fn explain(context: &Context, plan: &Plan, consumer: &Consumer, known: &Known<'_>) -> bool {
    let reason = if !is_read(context) {
        return true;
    } else if known.seen > 0 {
        let grep = plan
            .grep
            .as_ref()
            .map_or_else(String::new, |grep| format!(" --grep {grep}"));
        Some(format!(
            "Nothing shown yet: none of {} read matches{grep}.",
            count(known.seen, "record")
        ))
    } else {
        match &plan.group {
            Some(group) => of_group(group, plan, consumer, known),
            None => of_start(plan, known),
        }
    };
    match reason {
        Some(reason) => {
            context.ui.say(reason);
            true
        }
        None => false,
    }
}

/// Says on a terminal that the group has not given this consumer a partition yet.
pub fn joining(context: &Context, group: &str) {
    if is_read(context) {
        context.ui.say(format!("joining group {group} …"));
    }
}

/// Says on a terminal why that may take long.
pub fn without_partition(context: &Context, group: &str) {
    if is_read(context) {
        context.ui.say(format!(
            "Nothing yet: group {group} has given this consumer no partition; it is sharing them out, or other members \
             hold them all.\n  velo group members {group}"
        ));
    }
}

fn is_read(context: &Context) -> bool {
    !context.ui.quiet && std::io::stderr().is_terminal()
}

fn of_group(membership: &Membership, plan: &Plan, consumer: &Consumer, known: &Known<'_>) -> Option<String> {
    let group = &membership.group;
    let assigned = consumer.assignment();
    if assigned.is_empty() {
        return None;
    }
    let spans = consumer.spans(&assigned, Start::Beginning).ok()?;
    if is_empty(&spans) {
        return Some(if assigned.len() < known.partitions {
            format!(
                "Nothing yet: of this member's partitions ({}) none holds a record.",
                listed(&assigned)
            )
        } else {
            empty(&plan.topics)
        });
    }
    let committed = consumer.committed(&assigned).ok()?;
    let goes_on_at_the_end = |(span, committed): (&Span, &Option<CommittedOffset>)| {
        span.low == span.high || committed.is_some_and(|committed| committed.offset >= span.high)
    };
    if spans.iter().zip(&committed).all(goes_on_at_the_end) {
        let again: Vec<String> = plan
            .topics
            .iter()
            .map(|topic| {
                format!(
                    "\n  velo group reset {group} --topic {} --to earliest --execute",
                    typed(std::slice::from_ref(topic))
                )
            })
            .collect();
        return Some(format!(
            "Nothing yet: group {group} has already read what is there, and goes on after it. To read it again, when no \
             member runs:{}",
            again.concat()
        ));
    }
    if membership.reset == Reset::Latest && committed.iter().all(Option::is_none) {
        return Some(format!(
            "Nothing yet: group {group} is new and starts at the end. To start a new group with what is there already, \
             add\n  --from-beginning"
        ));
    }
    known.ended.then(|| of_transactions(&plan.topics))
}

fn of_start(plan: &Plan, known: &Known<'_>) -> Option<String> {
    let topics = plan.topics.join(" ");
    if is_empty(known.spans) {
        return Some(empty(&plan.topics));
    }
    if known.spans.iter().all(|span| span.start >= span.high) {
        return Some(match plan.start {
            Start::Time(_) => format!(
                "Nothing yet: what is there in {topics} is older than that. To see it, add\n  --from-beginning"
            ),
            _ => format!(
                "Nothing yet: this consumer started at the end of {topics}, after what is there. To see it, add\n  \
                 --from-beginning"
            ),
        });
    }
    known.ended.then(|| of_transactions(&plan.topics))
}

fn is_empty(spans: &[Span]) -> bool {
    spans.iter().all(|span| span.low == span.high)
}

/// Offsets without a record to show are taken by transactions.
fn of_transactions(topics: &[String]) -> String {
    format!(
        "Nothing yet: what {} has at the offsets read are markers of transactions, or records of aborted ones. To see \
         those, add\n  --isolation read_uncommitted",
        topics.join(" ")
    )
}

fn listed(partitions: &[TopicPartition]) -> String {
    let names: Vec<String> = partitions.iter().map(ToString::to_string).collect();
    names.join(", ")
}

fn empty(topics: &[String]) -> String {
    let are = if topics.len() == 1 { "is" } else { "are" };
    let first = typed(topics.first().map_or(&[], std::slice::from_ref));
    format!(
        "Nothing yet: {} {are} empty. To write to it, in another terminal:\n  velo produce {first}",
        topics.join(" ")
    )
}
