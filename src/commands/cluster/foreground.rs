//! `velo cluster start --foreground`: runs the node in this process until it is told to stop.

use super::folder::{ClusterFolder, Settings, State};
use crate::commands::Context;
use crate::failure::Outcome;

/// Runs the node.
///
/// # Errors
/// When it cannot start.
pub fn run(folder: &ClusterFolder, settings: Settings, context: &Context) -> Outcome {
    let _lock = folder.lock()?;
    let state = State {
        pid: std::process::id(),
        bootstrap: format!("localhost:{}", settings.port),
        started_ms: crate::clock::Clock::system().now_ms(),
        version: env!("CARGO_PKG_VERSION").to_owned(),
        settings,
    };
    folder.save(&state)?;
    context.ui.say("not yet");
    todo!()
}
