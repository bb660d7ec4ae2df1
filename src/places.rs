//! Where data, state and settings live: the platform's usual folders, all moved at once by `VELO_HOME`.

use crate::failure::{Failure, Outcome};
use etcetera::BaseStrategy;
use std::path::PathBuf;

/// The folders of this user's Velodrome.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Places {
    /// Logs of the classroom cluster: `$XDG_DATA_HOME/velodrome`.
    pub data: PathBuf,
    /// Running clusters and course progress: `$XDG_STATE_HOME/velodrome`.
    pub state: PathBuf,
    /// The settings file with the named contexts: `$XDG_CONFIG_HOME/velodrome`.
    pub settings: PathBuf,
}

impl Places {
    /// The folders for this process's environment; creates none of them.
    ///
    /// # Errors
    /// When neither `VELO_HOME` nor a home directory is set.
    pub fn from_environment() -> Outcome<Self> {
        if let Some(home) = std::env::var_os("VELO_HOME").filter(|home| !home.is_empty()) {
            let home = PathBuf::from(home);
            return Ok(Places {
                data: home.join("data"),
                state: home.join("state"),
                settings: home.join("settings"),
            });
        }
        let base = etcetera::choose_base_strategy().map_err(|error| {
            Failure::request("cannot tell where to keep data")
                .because(error)
                .hint("set VELO_HOME to a folder of yours")
        })?;
        let state = base.state_dir().unwrap_or_else(|| base.data_dir());
        Ok(Places {
            data: base.data_dir().join("velodrome"),
            state: state.join("velodrome"),
            settings: base.config_dir().join("velodrome"),
        })
    }
}
