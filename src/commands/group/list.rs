//! `velo group list`

use crate::commands::{Context, candidates, select};
use crate::failure::Outcome;
use crate::kafka::{Admin, GroupListing};
use crate::ui::table::{Grid, text};
use clap::Args;
use serde_json::{Value, json};

/// Options of `velo group list`.
#[derive(Debug, Args)]
pub struct ListArgs {
    /// Only these names; globs such as 'iabd-*' work
    #[arg(value_name = "GROUP", add = candidates::groups())]
    names: Vec<String>,
}

/// Lists groups.
///
/// # Errors
/// When the cluster does not answer, or a pattern is malformed.
pub fn run(args: &ListArgs, context: &Context) -> Outcome {
    let patterns = args
        .names
        .iter()
        .map(|name| select::matcher(name))
        .collect::<Outcome<Vec<_>>>()?;
    let (mut groups, errors) = Admin::connect(&context.connection)?.list_groups()?;
    groups.retain(|group| patterns.is_empty() || patterns.iter().any(|glob| glob.is_match(&group.group_id)));
    if groups.is_empty() && errors.is_empty() {
        context.ui.say(if patterns.is_empty() {
            "There are no groups yet: one comes to be when a consumer joins it.\nhint: velo consume TOPIC --group NAME"
        } else {
            "No group matches.\nhint: velo group list"
        });
    }
    let value: Vec<Value> = groups
        .iter()
        .map(|group| {
            json!({
                "group": group.group_id,
                "state": group.state.kafka_name(),
                "type": group.group_type.kafka_name(),
            })
        })
        .collect();
    context.ui.show(&value, || to_grid(&groups))?;
    match errors.into_iter().next() {
        Some(error) => Err(error.into_failure("the list lacks the groups of one broker")),
        None => Ok(()),
    }
}

fn to_grid(groups: &[GroupListing]) -> Grid {
    let mut grid = Grid::new([text("GROUP"), text("STATE"), text("TYPE")]);
    for group in groups {
        grid.row([
            group.group_id.clone(),
            group.state.kafka_name().to_owned(),
            group.group_type.kafka_name().to_owned(),
        ]);
    }
    grid
}
