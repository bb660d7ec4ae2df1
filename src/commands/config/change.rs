//! Changing settings: checked by name first, told with the value before and after, and with what will come of it.

use super::{name, noun};
use crate::commands::{Context, settings};
use crate::course::asking;
use crate::failure::{Failure, Outcome};
use crate::kafka::{Admin, ConfigChange, ConfigEntry, ConfigResource, ConfigSource};
use crate::ui::table::{Grid, text};
use crate::ui::{OutputFormat, units};
use serde_json::{Value, json};
use std::time::{Duration, Instant};

/// How long a change may take to show.
const READ_BACK: Duration = Duration::from_secs(1);

/// One change asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Change {
    /// Give it this value.
    Set(String, String),
    /// Put it back to its default.
    Unset(String),
}

impl Change {
    fn name(&self) -> &str {
        match self {
            Change::Set(name, _) | Change::Unset(name) => name,
        }
    }
}

/// A setting that was changed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Changed {
    name: String,
    before: Option<String>,
    after: Option<String>,
}

/// Changes settings of one thing and shows the result.
///
/// # Errors
/// When there is no such thing or no such setting, or the cluster refuses the value.
pub fn run(resource: &ConfigResource, changes: &[Change], dry_run: bool, context: &Context) -> Outcome {
    let admin = Admin::connect(&context.connection)?;
    if let ConfigResource::Topic(name) = resource {
        // An unknown topic is asked for by name, so that the nearest one can be told.
        admin.describe_topic(name)?;
    }
    let changed = apply(&admin, resource, changes, dry_run)?;
    if context.ui.format == OutputFormat::Table {
        say(context, resource, &changed, dry_run);
        return advise(&admin, context, resource, &changed);
    }
    let value = json!({
        "kind": noun(resource),
        "name": name(resource),
        "dry_run": dry_run,
        "settings": to_json(&changed),
    });
    context.ui.show(&value, || to_grid(&changed))
}

/// Checks the names, changes the values (unless `dry_run`), and answers what was before and is after.
///
/// # Errors
/// When a setting is not there or cannot be changed while the broker runs, or the cluster refuses a value.
pub fn apply(
    admin: &Admin,
    resource: &ConfigResource,
    changes: &[Change],
    dry_run: bool,
) -> Outcome<Vec<Changed>> {
    let known = admin.describe_configs(resource)?;
    let mut natives = Vec::new();
    let mut changed = Vec::new();
    for change in changes {
        let entry = find(&known, change.name(), resource)?;
        natives.push(match change {
            Change::Set(name, value) => ConfigChange::Set(name.clone(), value.clone()),
            Change::Unset(name) => ConfigChange::Delete(name.clone()),
        });
        changed.push(Changed {
            name: entry.name.clone(),
            before: entry.value.clone(),
            after: match change {
                Change::Set(_, value) => Some(value.clone()),
                Change::Unset(_) => fallback(entry, resource),
            },
        });
    }
    admin.alter_configs(resource, &natives, dry_run)?;
    if !dry_run {
        read_back(admin, resource, changes, &mut changed)?;
    }
    Ok(changed)
}

/// Waits until the broker itself tells the new values, so that whoever asks next sees them; what counts once a setting
/// was put back may be told by nothing else.
fn read_back(
    admin: &Admin,
    resource: &ConfigResource,
    changes: &[Change],
    changed: &mut [Changed],
) -> Outcome {
    let deadline = Instant::now() + READ_BACK;
    loop {
        let mut settled = true;
        for entry in admin.describe_configs(resource)? {
            let asked = changes.iter().zip(changed.iter_mut());
            for (change, one) in asked.filter(|(change, _)| change.name() == entry.name) {
                match change {
                    Change::Set(_, value) => {
                        settled &= entry.sensitive || entry.value.as_ref() == Some(value)
                    }
                    Change::Unset(_) if is_own(&entry, resource) => settled = false,
                    Change::Unset(_) => one.after.clone_from(&entry.value),
                }
            }
        }
        if settled || Instant::now() >= deadline {
            return Ok(());
        }
    }
}

/// Whether the value was set on the thing itself, while it runs.
fn is_own(entry: &ConfigEntry, resource: &ConfigResource) -> bool {
    let own = match resource {
        ConfigResource::Topic(_) => ConfigSource::Topic,
        ConfigResource::Broker(_) => ConfigSource::Broker,
        ConfigResource::Group(_) => ConfigSource::Group,
    };
    entry.source == own
}

fn find<'a>(known: &'a [ConfigEntry], name: &str, resource: &ConfigResource) -> Outcome<&'a ConfigEntry> {
    let entry = known.iter().find(|entry| entry.name == name).ok_or_else(|| {
        settings::unknown(
            name,
            noun(resource),
            known.iter().map(|entry| entry.name.as_str()),
        )
    })?;
    if entry.read_only {
        return Err(
            Failure::request(format!("`{name}` cannot be changed while the broker runs"))
                .because("the broker reads it once, from its properties file, when it starts")
                .hint(format!(
                    "velo cluster stop, then velo cluster start --set {name}=VALUE"
                )),
        );
    }
    Ok(entry)
}

/// The value that counts once the setting itself is gone: that of the next place in line.
fn fallback(entry: &ConfigEntry, resource: &ConfigResource) -> Option<String> {
    let next = entry.synonyms.get(usize::from(is_own(entry, resource)));
    next.and_then(|next| next.value.clone())
        .or_else(|| settings::default_value(entry))
}

/// Tells what was changed.
pub fn say(context: &Context, resource: &ConfigResource, changed: &[Changed], dry_run: bool) {
    for one in changed {
        let value = |value: &Option<String>| {
            value
                .as_deref()
                .map_or_else(|| "not set".to_owned(), |value| settings::shown(&one.name, value))
        };
        context.ui.say(format!(
            "{} of {} `{}`: {} -> {}",
            one.name,
            noun(resource),
            name(resource),
            value(&one.before),
            value(&one.after)
        ));
    }
    if dry_run && !changed.is_empty() {
        context.ui.say("The cluster would do it. Nothing was changed.");
    }
}

/// What was changed, as JSON.
pub fn to_json(changed: &[Changed]) -> Value {
    changed
        .iter()
        .map(|one| json!({"name": one.name, "before": one.before, "after": one.after}))
        .collect()
}

/// What was changed, as rows.
pub fn to_grid(changed: &[Changed]) -> Grid {
    let mut grid = Grid::new([text("SETTING"), text("BEFORE"), text("AFTER")]);
    for one in changed {
        let shown = |value: &Option<String>| value.clone().unwrap_or_else(|| "-".to_owned());
        grid.row([one.name.clone(), shown(&one.before), shown(&one.after)]);
    }
    grid
}

/// Says what a new retention will do when segments stay open for longer; to a learner whose lesson asks just that about the
/// topic, nothing.
///
/// # Errors
/// When the topic's settings cannot be read again.
pub fn advise(admin: &Admin, context: &Context, resource: &ConfigResource, changed: &[Changed]) -> Outcome {
    let ConfigResource::Topic(topic) = resource else {
        return Ok(());
    };
    if asking::about(&context.places.state, topic) {
        return Ok(());
    }
    let Some(retention) = new_number(changed, "retention.ms").filter(|retention| *retention >= 0) else {
        return Ok(());
    };
    let entries = admin.describe_configs(resource)?;
    let number = |name: &str| -> Option<i64> {
        new_number(changed, name).or_else(|| {
            let entry = entries.iter().find(|entry| entry.name == name)?;
            entry.value.as_ref()?.parse().ok()
        })
    };
    let Some(segment) = number("segment.ms").filter(|segment| *segment > retention) else {
        return Ok(());
    };
    let size = number("segment.bytes").unwrap_or_default();
    context.ui.say(format!(
        "Records do not go one by one: whole segments do, once the newest record in them is older than {}. While \
         records keep coming, the last segment is closed only after {} (segment.ms) or {} (segment.bytes), so old \
         records may stay that long.",
        units::duration(retention),
        units::duration(segment),
        units::exact_bytes(size),
    ));
    let suggested = units::duration((retention / 2).max(1_000));
    context.ui.say(format!(
        "hint: velo config set topic {topic} segment.ms={suggested}"
    ));
    Ok(())
}

fn new_number(changed: &[Changed], name: &str) -> Option<i64> {
    let one = changed.iter().find(|one| one.name == name)?;
    one.after.as_ref()?.parse().ok()
}
