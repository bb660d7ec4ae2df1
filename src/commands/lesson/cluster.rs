//! Which cluster a lesson is on: the one that answers, or one that is started for it.

use super::{Desk, folder};
use crate::commands::cluster::launch::{self, Launched};
use crate::course::live::Live;
use crate::course::watch::own_port;
use crate::failure::{Failure, Kind, Outcome};
use crate::i18n::Words;
use crate::kafka::{Admin, Connection};
use std::path::PathBuf;
use std::process::{Command, Stdio};

/// The cluster that answers; where none does, the classroom cluster is started, with the learner's consent.
pub(super) fn answering(desk: &Desk<'_>, yes: bool) -> Outcome<Live> {
    let context = desk.context;
    let failure = match Admin::connect(&context.connection) {
        Ok(admin) => return Ok(Live::new(admin)),
        Err(failure) => failure,
    };
    let bootstrap = context.connection.bootstrap();
    let Some(port) = own_port(bootstrap).filter(|_| failure.kind() == Kind::Unreachable) else {
        return Err(failure);
    };
    if !yes {
        if !context.ui.interactive() {
            return Err(failure.hint(desk.words.say("error.start-hint")));
        }
        let question = desk
            .words
            .fill("runner.start-cluster", &[("bootstrap", bootstrap)]);
        if !context.ui.agrees(&question, true)? {
            return Err(failure);
        }
    }
    start(port, &desk.words)?;
    Admin::connect(&context.connection).map(Live::new)
}

/// As the learner would: `velo cluster start`.
fn start(port: &str, words: &Words) -> Outcome {
    let failed =
        || Failure::request(words.say("error.not-started")).hint(format!("velo cluster start --port {port}"));
    let status = std::env::current_exe()
        .and_then(|executable| {
            Command::new(executable)
                .args(["cluster", "start", "--port", port])
                .stdin(Stdio::null())
                .status()
        })
        .map_err(|error| failed().because(error))?;
    if status.success() { Ok(()) } else { Err(failed()) }
}

/// A cluster for one demonstration: on a free port, in a temporary folder; both go away with it.
pub(super) struct Own {
    launched: Option<Launched>,
    folder: PathBuf,
}

impl Own {
    /// Starts it.
    pub(super) fn start() -> Outcome<Self> {
        let folder = std::env::temp_dir().join(format!("velo-lesson-{}", uuid::Uuid::new_v4()));
        std::fs::create_dir(&folder)
            .map_err(|error| Failure::request(format!("cannot make {}", folder.display())).because(error))?;
        // The folder goes away even when the cluster does not start.
        let mut own = Own {
            launched: None,
            folder,
        };
        own.launched = Some(launch::temporary(&own.folder)?);
        Ok(own)
    }

    /// How to reach it.
    pub(super) fn connection(&self) -> Outcome<Connection> {
        let bootstrap = self.launched.as_ref().map_or("", Launched::bootstrap);
        Connection::new(bootstrap, None)
    }

    /// Stops it and removes its folder.
    pub(super) fn end(mut self) -> Outcome {
        let stopped = self.launched.take().map_or(Ok(()), Launched::stop);
        let removed = folder::remove(&self.folder);
        stopped.and(removed)
    }
}

impl Drop for Own {
    /// Only on the way out of a failure, whose own words matter more than those of the tidying.
    fn drop(&mut self) {
        if let Some(launched) = self.launched.take() {
            let _ = launched.stop();
        }
        let _ = folder::remove(&self.folder);
    }
}
