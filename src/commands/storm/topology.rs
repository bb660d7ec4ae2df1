//! `velo storm topology`: the drawing, with the counts of what runs on this machine.

use crate::commands::{Context, candidates};
use crate::exercises::storm::run::{Shown, running};
use crate::exercises::storm::topology::draw;
use crate::failure::{Failure, Outcome};
use crate::ui::table::{Grid, number, text};
use crate::ui::{Interrupt, OutputFormat};
use clap::Args;
use std::time::Duration;

/// How often the counts are looked at again.
const EVERY: Duration = Duration::from_secs(1);

/// Options of `velo storm topology`.
#[derive(Debug, Args)]
pub struct TopologyArgs {
    /// Only what runs in this group
    #[arg(long, add = candidates::groups())]
    group: Option<String>,
    /// Draw it again every second, until it has ended
    #[arg(long)]
    watch: bool,
}

/// Runs it.
pub(super) fn run(args: &TopologyArgs, context: &Context) -> Outcome {
    let found = find(args, context)?;
    if found.is_empty() && (args.watch || args.group.is_some()) {
        return Err(Failure::request("no such topology runs on this machine")
            .because("`velo storm run` notes what it counts while it runs, and nothing is noted")
            .hint("velo storm run"));
    }
    show(&found, context)?;
    if !args.watch {
        return Ok(());
    }
    let interrupt = Interrupt::watch()?;
    loop {
        interrupt.sleep(EVERY)?;
        let found = find(args, context)?;
        if found.is_empty() {
            return Ok(());
        }
        if context.ui.format == OutputFormat::Table {
            context.ui.line("")?;
        }
        show(&found, context)?;
    }
}

fn find(args: &TopologyArgs, context: &Context) -> Outcome<Vec<Shown>> {
    let mut found = running(&context.places.state)?;
    found.retain(|shown| {
        args.group
            .as_ref()
            .is_none_or(|group| *group == shown.about.group)
    });
    Ok(found)
}

fn show(found: &[Shown], context: &Context) -> Outcome {
    match context.ui.format {
        OutputFormat::Table if found.is_empty() => context.ui.line(draw(None)),
        OutputFormat::Table => {
            let drawn: Vec<String> = found.iter().map(|shown| draw(Some(shown))).collect();
            context.ui.line(drawn.join("\n\n"))
        }
        _ => context.ui.show(&found, || to_grid(found)),
    }
}

fn to_grid(found: &[Shown]) -> Grid {
    let mut grid = Grid::new([
        text("GROUP"),
        text("FROM"),
        text("TO"),
        number("EMITTED"),
        number("ACKED"),
        number("FAILED"),
        number("LATENCY"),
    ]);
    for shown in found {
        for stream in &shown.streams {
            grid.row([
                shown.about.group.clone(),
                stream.from.clone(),
                stream.to.clone(),
                stream.emitted.to_string(),
                stream.acked.to_string(),
                stream.failed.to_string(),
                stream.latency_ms.map_or_else(String::new, |ms| ms.to_string()),
            ]);
        }
    }
    grid
}
