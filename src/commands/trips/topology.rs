//! `velo trips topology`: draw what runs.

use crate::commands::Context;
use crate::exercises::trips::topology::Topology;
use crate::failure::Outcome;
use crate::ui::OutputFormat;
use clap::Args;
use serde_json::json;

/// Options of `velo trips topology`.
#[derive(Debug, Args)]
pub struct TopologyArgs {}

/// Runs it; needs no cluster.
pub(super) fn run(_args: &TopologyArgs, context: &Context) -> Outcome {
    let ui = context.ui;
    if ui.format != OutputFormat::Table && ui.format != OutputFormat::Plain {
        let all = Topology::ALL.map(|topology| {
            json!({
                "command": topology.command,
                "group": topology.group,
                "source": topology.input,
                "processor": topology.processor,
                "store": topology.store,
                "changelog": topology.changelog(),
                "sink": topology.output,
            })
        });
        return ui.json(&all);
    }
    let mut text = "Topologies:\n".to_owned();
    for (number, topology) in Topology::ALL.iter().enumerate() {
        text.push_str(&topology.describe(number));
        text.push('\n');
    }
    for topology in &Topology::ALL {
        text.push_str(&format!(
            "{}, group {}: {} is kept in {}\n",
            topology.command,
            topology.group,
            topology.store,
            topology.changelog()
        ));
    }
    ui.line(text.trim_end())
}
