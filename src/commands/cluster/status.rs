//! `velo cluster status`

use super::DataArgs;
use super::folder::ClusterFolder;
use crate::commands::Context;
use crate::failure::{Failure, Outcome};
use crate::ui::OutputFormat;
use serde_json::json;

/// Says whether the cluster runs; a cluster that does not is a failure, so that scripts can ask.
///
/// # Errors
/// When none runs.
pub fn run(args: &DataArgs, context: &Context) -> Outcome {
    let folder = ClusterFolder::meant(args, context)?;
    let Some(state) = folder.running()? else {
        if context.ui.is_json() {
            context
                .ui
                .json(&json!({"running": false, "data": folder.root()}))?;
        }
        let failure = Failure::request("no cluster runs");
        let failure = match folder.last_state()? {
            Some(last) => failure.because(format!("process {} ended without a clean stop", last.pid)),
            None => failure,
        };
        return Err(failure.hint(format!("velo cluster start{}", folder.data_option())));
    };
    let up_s = (crate::clock::Clock::system().now_ms() - state.started_ms).max(0) / 1000;
    match context.ui.format {
        OutputFormat::Json | OutputFormat::Jsonl => context.ui.json(&json!({
            "running": true, "bootstrap": state.bootstrap, "class": state.class, "pid": state.pid, "uptime_s": up_s,
            "version": state.version, "data": folder.root(), "log": folder.log_file(),
        })),
        OutputFormat::Plain => context
            .ui
            .line(format!("{}\t{}\t{up_s}", state.bootstrap, state.pid)),
        OutputFormat::Table => {
            context.ui.line(format!(
                "running  {} (process {}), for {up_s} s",
                state.bootstrap, state.pid
            ))?;
            if !state.class.is_empty() {
                context.ui.line(format!("class    {}", state.class.join(",")))?;
            }
            context.ui.line(format!("data     {}", folder.root().display()))?;
            context
                .ui
                .line(format!("log      {}", folder.log_file().display()))
        }
    }
}
