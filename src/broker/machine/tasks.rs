//! What shards do beside answering: timers, loading, answers that wait for the replicas.

use parking_lot::Mutex;
use std::sync::{Arc, Weak};
use tokio::task::JoinSet;

/// Tasks that end with their owner.
#[derive(Debug, Default)]
pub struct Tasks(Arc<Mutex<JoinSet<()>>>);

impl Tasks {
    /// By what they are started; does nothing any more when their owner is gone.
    pub fn starter(&self) -> Starter {
        Starter(Arc::downgrade(&self.0))
    }
}

/// Starts tasks.
#[derive(Debug, Clone, Default)]
pub struct Starter(Weak<Mutex<JoinSet<()>>>);

impl Starter {
    /// Runs `task` until it ends or its owner does.
    pub(super) fn spawn(&self, task: impl Future<Output = ()> + Send + 'static) {
        self.start(|tasks| {
            tasks.spawn(task);
        });
    }

    /// Runs what touches the disk off the threads that serve requests.
    pub(super) fn spawn_blocking(&self, task: impl FnOnce() + Send + 'static) {
        self.start(|tasks| {
            tasks.spawn_blocking(task);
        });
    }

    fn start(&self, start: impl FnOnce(&mut JoinSet<()>)) {
        let Some(tasks) = self.0.upgrade() else {
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
