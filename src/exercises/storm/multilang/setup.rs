//! The first message: settings, the place of the pid file, and what is around this component.

use super::reply::Reply;
use serde::Deserialize;
use serde::de::IgnoredAny;
use std::collections::HashMap;
use std::path::Path;

/// What Storm says first. The settings are long and none of them is ours.
#[derive(Debug, Deserialize)]
pub(super) struct Setup {
    #[expect(dead_code, reason = "that it is there tells this message from others")]
    conf: IgnoredAny,
    #[serde(rename = "pidDir", default)]
    pid_dir: Option<String>,
    #[serde(default)]
    context: Option<Surroundings>,
}

/// What Storm calls the topology's context.
#[derive(Debug, Default, Deserialize)]
struct Surroundings {
    /// By component and stream, the names of what a tuple holds.
    #[serde(rename = "source->stream->fields", default)]
    fields: Option<HashMap<String, HashMap<String, Vec<String>>>>,
}

impl Setup {
    /// Reads it.
    ///
    /// # Errors
    /// When it is something else, in words.
    pub(super) fn read(message: &[u8]) -> Result<Self, String> {
        serde_json::from_slice(message).map_err(|error| error.to_string())
    }

    /// Leaves the file by which Storm finds this process again, and says its id.
    pub(super) fn answer(&self, reply: &mut Reply) {
        let id = std::process::id();
        let made = self
            .pid_dir
            .as_deref()
            .map(|folder| std::fs::write(Path::new(folder).join(id.to_string()), ""));
        reply.pid(id);
        reply.info(&format!(
            "version {} of the bike stations' program serves as process {id}",
            env!("CARGO_PKG_VERSION")
        ));
        if let Some(Err(error)) = made {
            reply.warn(&format!(
                "cannot leave a pid file, so Storm cannot end this process if it loses it: {error}"
            ));
        }
    }

    /// The names of what the tuples of each component and stream hold.
    pub(super) fn fields(self) -> HashMap<String, HashMap<String, Vec<String>>> {
        self.context
            .and_then(|context| context.fields)
            .unwrap_or_default()
    }
}
