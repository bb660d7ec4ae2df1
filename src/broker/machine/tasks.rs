//! What shards do beside answering: timers, loading, answers that wait for the replicas.

use crate::broker::world::Jobs;
use parking_lot::Mutex;
use std::sync::{Arc, Weak};
use tokio::task::JoinSet;

/// Tasks that end with their owner.
#[derive(Debug, Default)]
pub struct Tasks {
    running: Arc<Mutex<JoinSet<()>>>,
    jobs: Jobs,
}

impl Tasks {
    /// Tasks of an owner in whose world `jobs` do what touches the disk.
    pub fn new(jobs: Jobs) -> Self {
        Tasks {
            running: Arc::default(),
            jobs,
        }
    }

    /// By what they are started; does nothing any more when their owner is gone.
    pub fn starter(&self) -> Starter {
        Starter {
            running: Arc::downgrade(&self.running),
            jobs: self.jobs.clone(),
        }
    }
}

/// Starts tasks.
#[derive(Debug, Clone, Default)]
pub struct Starter {
    running: Weak<Mutex<JoinSet<()>>>,
    jobs: Jobs,
}

impl Starter {
    /// Runs `task` until it ends or its owner does.
    pub(super) fn spawn(&self, task: impl Future<Output = ()> + Send + 'static) {
        self.start(|tasks| {
            tasks.spawn(task);
        });
    }

    /// Runs what touches the disk off the threads that serve requests.
    pub(super) fn spawn_job(&self, job: impl FnOnce() + Send + 'static) {
        let jobs = self.jobs.clone();
        self.spawn(async move {
            if let Err(error) = jobs.run(job).await {
                tracing::error!("a task of a coordinator failed: {error}");
            }
        });
    }

    fn start(&self, start: impl FnOnce(&mut JoinSet<()>)) {
        let Some(tasks) = self.running.upgrade() else {
            return;
        };
        let mut tasks = tasks.lock();
        while let Some(ended) = tasks.try_join_next() {
            if let Err(error) = ended {
                tracing::error!("a task of a coordinator failed: {error}");
            }
        }
        start(&mut tasks);
    }
}
