//! Why a consumer shows nothing, and what to add: told to a person who waits.

use super::plan::Plan;
use crate::commands::Context;
use crate::kafka::consumer::{Consumer, Membership, Reset, Span, Start};
use std::io::IsTerminal;

/// Says it on a terminal.
pub fn explain(context: &Context, plan: &Plan, consumer: &Consumer, spans: &[Span], seen: u64) {
    if context.ui.quiet || !std::io::stderr().is_terminal() {
        return;
    }
    let topics = plan.topics.join(" ");
    if seen > 0 {
        let grep = plan
            .grep
            .as_ref()
            .map_or_else(String::new, |grep| format!(" --grep {grep}"));
        context.ui.say(format!(
            "Nothing shown yet: none of {seen} records read matches{grep}."
        ));
        return;
    }
    let reason = match &plan.group {
        Some(group) => of_group(group, &topics, consumer),
        None => of_start(plan, &topics, spans),
    };
    context.ui.say(reason);
}

fn of_group(membership: &Membership, topics: &str, consumer: &Consumer) -> String {
    let group = &membership.group;
    let assigned = consumer.assignment();
    if assigned.is_empty() {
        return format!(
            "Nothing yet: group {group} has given this consumer no partition; it is sharing them out, or other members \
             hold them all.\n  velo group members {group}"
        );
    }
    let committed = consumer.committed(&assigned).unwrap_or_default();
    if committed.iter().any(Option::is_some) {
        return format!(
            "Nothing yet: group {group} has already read what is there, and goes on after it. To read it again, stop \
             here and\n  velo group reset {group} --topic {topics} --to-earliest --execute"
        );
    }
    if membership.reset == Reset::Earliest {
        return empty(topics);
    }
    format!(
        "Nothing yet: group {group} is new and starts at the end. To start a new group with what is there already, add\n  \
         --from-beginning"
    )
}

fn of_start(plan: &Plan, topics: &str, spans: &[Span]) -> String {
    let there: i64 = spans.iter().map(|span| span.high - span.low).sum();
    if there == 0 {
        return empty(topics);
    }
    let records = match there {
        1 => "the 1 record".to_owned(),
        count => format!("the {count} records"),
    };
    match plan.start {
        Start::Time(_) => format!(
            "Nothing yet: {records} of {topics} are older than that. To see them, add\n  --from-beginning"
        ),
        _ => format!(
            "Nothing yet: this consumer started at the end of {topics}, after {records} there. To see them, add\n  \
             --from-beginning"
        ),
    }
}

fn empty(topics: &str) -> String {
    let first = topics.split(' ').next().unwrap_or(topics);
    format!("Nothing yet: {topics} is empty. To write to it, in another terminal:\n  velo produce {first}")
}
