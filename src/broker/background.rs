//! What a node does beside answering requests: named tasks that run as long as it does, and whose end is told.

use std::collections::HashMap;
use tokio::task::{Id, JoinSet};

/// Tasks that end with the node, or when dropped.
#[derive(Debug, Default)]
pub struct Background {
    tasks: JoinSet<()>,
    names: HashMap<Id, &'static str>,
}

impl Background {
    /// Runs a task that is not to end by itself.
    pub fn spawn(&mut self, name: &'static str, task: impl Future<Output = ()> + Send + 'static) {
        let id = self.tasks.spawn(task).id();
        self.names.insert(id, name);
    }

    /// Waits until a task has ended by itself, which is a mistake of ours, and says which and how.
    pub async fn failed(&mut self) -> String {
        let Some(ended) = self.tasks.join_next_with_id().await else {
            return std::future::pending().await;
        };
        let (id, how) = match ended {
            Ok((id, ())) => (id, "it ended by itself".to_owned()),
            Err(error) => (error.id(), error.to_string()),
        };
        let name = self.names.get(&id).copied().unwrap_or("a task");
        tracing::error!(task = name, "a task of this node has ended: {how}");
        format!("{name} has ended: {how}")
    }

    /// Ends all of them.
    pub async fn shutdown(&mut self) {
        self.tasks.shutdown().await;
    }

    /// Waits until all have ended by themselves, as those do that have been told to stop.
    pub async fn ended(&mut self) {
        while self.tasks.join_next().await.is_some() {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_task_that_panics_is_named() {
        let mut background = Background::default();
        background.spawn("the quiet one", std::future::pending());
        background.spawn("the housekeeping", async { panic!("a mistake") });
        let why = background.failed().await;
        assert!(
            why.starts_with("the housekeeping has ended: ") && why.contains("a mistake"),
            "{why}"
        );
        background.shutdown().await;
    }
}
