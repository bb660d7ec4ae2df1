//! `velo topic elect`

use crate::commands::settle::settle;
use crate::commands::{Context, candidates, select};
use crate::failure::{Failure, Outcome};
use crate::kafka::{Admin, Answer, ErrorCode, KafkaError, TopicPartition};
use crate::ui::table::{Grid, number, text};
use clap::Args;
use serde_json::{Value, json};

/// Options of `velo topic elect`.
#[derive(Debug, Args)]
pub struct ElectArgs {
    /// Names of the topics; globs such as 'velib-*' work
    #[arg(required = true, value_name = "NAME", add = candidates::topics())]
    names: Vec<String>,
    /// Only these partitions, as in 0,2
    #[arg(long, value_name = "N", value_delimiter = ',')]
    partition: Vec<i32>,
    /// Where no replica in sync is left, let one lead that is not: what it lacks is lost
    #[arg(long)]
    unclean: bool,
    /// Do not ask
    #[arg(short, long, requires = "unclean")]
    yes: bool,
}

/// Makes the preferred replicas lead, or with `--unclean` any where none can.
///
/// # Errors
/// When a topic or partition is not there, nobody confirmed, or a partition got no leader.
pub fn run(args: &ElectArgs, context: &Context) -> Outcome {
    let admin = Admin::connect(&context.connection)?;
    let topics = select::topics(&admin, &args.names)?;
    let partitions = partitions(args, &topics, &admin)?;
    if args.unclean && !args.yes && !confirmed(args, context)? {
        context.ui.say("Nothing was changed.");
        return Ok(());
    }
    let answers = admin.elect_leaders(&partitions, args.unclean)?;
    show(&answers, context)?;
    let tried = answers.len();
    let failures = answers
        .into_iter()
        .filter_map(|(partition, answer)| {
            let error = answer.err().filter(|error| !is_needless(error))?;
            let failure = error.into_failure(format!("cannot elect a leader of {partition}"));
            Some(failure.hint(format!("velo topic describe {}", partition.topic)))
        })
        .collect();
    settle(failures, tried)
}

fn partitions(args: &ElectArgs, topics: &[String], admin: &Admin) -> Outcome<Vec<TopicPartition>> {
    let mut chosen = Vec::new();
    for topic in topics {
        let all = admin.partitions_of(topic)?;
        for number in &args.partition {
            if !all.iter().any(|partition| partition.partition == *number) {
                return Err(
                    Failure::request(format!("topic `{topic}` has no partition {number}"))
                        .hint(format!("velo topic describe {topic}")),
                );
            }
        }
        let named =
            |one: &TopicPartition| args.partition.is_empty() || args.partition.contains(&one.partition);
        chosen.extend(all.into_iter().filter(named));
    }
    Ok(chosen)
}

fn confirmed(args: &ElectArgs, context: &Context) -> Outcome<bool> {
    context.ui.confirm(
        "Let replicas lead that are not in sync? Records that they lack are lost for good.",
        &format!("velo topic elect {} --unclean --yes", select::typed(&args.names)),
    )
}

/// The leader is already the one that would be elected.
fn is_needless(error: &KafkaError) -> bool {
    error.code() == ErrorCode::ElectionNotNeeded
}

fn state(answer: &Answer) -> &'static str {
    match answer {
        Ok(()) => "elected",
        Err(error) if is_needless(error) => "not needed",
        Err(_) => "failed",
    }
}

fn show(answers: &[(TopicPartition, Answer)], context: &Context) -> Outcome {
    let error = |answer: &Answer| {
        let error = answer.as_ref().err().filter(|error| !is_needless(error));
        error.map(KafkaError::to_string)
    };
    let value: Vec<Value> = answers
        .iter()
        .map(|(partition, answer)| {
            json!({
                "topic": partition.topic,
                "partition": partition.partition,
                "state": state(answer),
                "error": error(answer),
            })
        })
        .collect();
    context.ui.show(&value, || {
        let mut grid = Grid::new([text("TOPIC"), number("PARTITION"), text("ELECTION")]);
        for (partition, answer) in answers {
            grid.row([
                partition.topic.clone(),
                partition.partition.to_string(),
                state(answer).to_owned(),
            ]);
        }
        grid
    })
}
