//! `velo config get`

use super::{Whose, noun};
use crate::commands::{Context, candidates, settings};
use crate::failure::Outcome;
use crate::kafka::{Admin, ConfigEntry};
use crate::ui::OutputFormat;
use crate::ui::table::{Grid, text};
use crate::ui::units::count;
use clap::Args;
use serde_json::{Value, json};

/// Options of `velo config get`.
#[derive(Debug, Args)]
pub struct GetArgs {
    #[command(flatten)]
    whose: Whose,
    /// Only these settings [default: those that differ from Kafka's default]
    #[arg(value_name = "SETTING", add = candidates::settings_of(false))]
    settings: Vec<String>,
    /// All settings, those with their default value too
    #[arg(short, long, conflicts_with = "settings")]
    all: bool,
}

/// Shows settings.
///
/// # Errors
/// When there is no such thing or no such setting, or the cluster does not answer.
pub fn run(args: &GetArgs, context: &Context) -> Outcome {
    let resource = args.whose.resource()?;
    let admin = Admin::connect(&context.connection)?;
    if let crate::kafka::ConfigResource::Topic(name) = &resource {
        // An unknown topic is asked for by name, so that the nearest one can be told.
        admin.describe_topic(name)?;
    }
    let all = admin.describe_configs(&resource)?;
    for name in &args.settings {
        if all.iter().all(|entry| entry.name != *name) {
            let names = all.iter().map(|entry| entry.name.as_str());
            return Err(settings::unknown(name, noun(&resource), names));
        }
    }
    let wanted = |entry: &&ConfigEntry| {
        if args.settings.is_empty() {
            args.all || !entry.is_default
        } else {
            args.settings.contains(&entry.name)
        }
    };
    let chosen: Vec<&ConfigEntry> = all.iter().filter(wanted).collect();
    let value: Vec<Value> = chosen.iter().map(|entry| to_json(entry)).collect();
    context.ui.show(&value, || to_grid(&chosen, context))?;
    let hidden = all.len() - chosen.len();
    if args.settings.is_empty() && hidden > 0 && context.ui.format == OutputFormat::Table {
        context.ui.say(format!(
            "{} left at Kafka's default; --all shows them too.",
            count(hidden, "more setting")
        ));
    }
    Ok(())
}

fn to_json(entry: &ConfigEntry) -> Value {
    let human = entry
        .value
        .as_deref()
        .and_then(|value| settings::human(&entry.name, value));
    let synonyms: Vec<Value> = entry
        .synonyms
        .iter()
        .map(|synonym| {
            json!({"name": synonym.name, "value": synonym.value, "source": synonym.source.kafka_name()})
        })
        .collect();
    json!({
        "name": entry.name,
        "value": entry.value,
        "human": human,
        "source": entry.source.kafka_name(),
        "default": settings::default_value(entry),
        "is_default": entry.is_default,
        "read_only": entry.read_only,
        "sensitive": entry.sensitive,
        "synonyms": synonyms,
    })
}

fn to_grid(entries: &[&ConfigEntry], context: &Context) -> Grid {
    let plain = context.ui.format == OutputFormat::Plain;
    let shown = |name: &str, value: Option<&str>| match value {
        None => "-".to_owned(),
        Some(value) if plain => value.to_owned(),
        Some(value) => settings::shown(name, value),
    };
    let mut grid = Grid::new([text("SETTING"), text("VALUE"), text("FROM"), text("DEFAULT")]);
    for entry in entries {
        let value = if entry.sensitive {
            "[hidden]".to_owned()
        } else {
            shown(&entry.name, entry.value.as_deref())
        };
        let source = if plain {
            entry.source.kafka_name()
        } else {
            entry.source.words()
        };
        grid.row([
            entry.name.clone(),
            value,
            source.to_owned(),
            shown(&entry.name, settings::default_value(entry).as_deref()),
        ]);
    }
    grid
}
