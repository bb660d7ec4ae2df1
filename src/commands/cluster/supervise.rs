//! `velo cluster start --foreground` of several nodes: each is a process of its own; this one starts them, tells of those that
//! end, and ends all when it is asked to.

use super::folder::{Changing, ClusterFolder};
use super::launch::{self, Launched};
use super::node::Condition;
use super::shape::Shape;
use super::{start, stop};
use crate::commands::Context;
use crate::failure::{Failure, Outcome};
use crate::process::stop_requested;
use std::io;
use std::process::ExitStatus;
use std::time::Duration;
use tokio::runtime::Builder;
use tokio::sync::mpsc::{UnboundedReceiver, unbounded_channel};

/// How often it is looked whether nodes still run that were started again by others.
const LOOK_EVERY: Duration = Duration::from_secs(1);

/// A node that has ended, and how.
type Ended = (i32, io::Result<ExitStatus>);

/// Runs all nodes of a cluster; `ready` and the addresses are printed once all serve.
///
/// # Errors
/// When one cannot start, or all have ended without being asked to.
pub fn run(folder: &ClusterFolder, shape: Shape, changing: Changing, context: &Context) -> Outcome {
    let runtime = Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(|error| Failure::request("the cluster could not start").because(error))?;
    runtime.block_on(async {
        let stopped =
            stop_requested().map_err(|error| Failure::request("cannot listen for signals").because(error))?;
        tokio::pin!(stopped);
        let supervisor = Supervisor { folder, context };
        let mut launching = tokio::task::spawn_blocking({
            let (folder, mut shape) = (folder.clone(), shape.clone());
            move || {
                let nodes = shape.nodes();
                let launched = launch::nodes(&folder, &mut shape, &nodes, None)?;
                drop(changing);
                Ok((shape, launched))
            }
        });
        let started = tokio::select! {
            started = &mut launching => started,
            _ = &mut stopped => {
                // Those that were to follow may begin until the launch has come to its end.
                supervisor.stop(&shape)?;
                drop(launching.await);
                return supervisor.stop(&shape);
            }
        };
        let (shape, launched): (Shape, Vec<Launched>) =
            started.map_err(|error| Failure::request("the cluster could not start").because(error))??;
        context.ui.line(format!("ready {}", shape.bootstrap()))?;
        start::tell_class(folder, &shape, context)?;
        tokio::select! {
            _ = stopped => supervisor.stop(&shape),
            ended = supervisor.watch(&shape, launched) => ended,
        }
    })
}

struct Supervisor<'a> {
    folder: &'a ClusterFolder,
    context: &'a Context,
}

impl Supervisor<'_> {
    /// Ends all nodes, also those that were started again by others.
    fn stop(&self, shape: &Shape) -> Outcome {
        stop::nodes(self.folder, shape, &shape.nodes(), false, self.context)
    }

    /// Tells of each node that ends; returns when none runs any more.
    async fn watch(&self, shape: &Shape, launched: Vec<Launched>) -> Outcome {
        let mut ended = waited_for(launched);
        let mut look = tokio::time::interval(LOOK_EVERY);
        let mut own = shape.nodes().len();
        loop {
            tokio::select! {
                Some((id, status)) = ended.recv() => {
                    own -= 1;
                    self.tell(shape, id, status)?;
                }
                _ = look.tick(), if own < shape.nodes().len() => {}
            }
            if own == 0 && !self.folder.is_running()? {
                return self.all_ended(shape);
            }
        }
    }

    fn tell(&self, shape: &Shape, id: i32, status: io::Result<ExitStatus>) -> Outcome {
        let name = shape.name(id);
        let ui = self.context.ui;
        if self.folder.node(id).condition()? == Condition::Stopped
            && matches!(&status, Ok(status) if status.success())
        {
            ui.say(format!("{name} has stopped."));
            return Ok(());
        }
        let how = status.map_or_else(|error| error.to_string(), |status| status.to_string());
        let (broker, data) = (shape.broker_option(id), self.folder.data_option());
        ui.say(format!(
            "{name} has ended ({how}); the others go on.\nhint: velo cluster start{broker}{data}"
        ));
        Ok(())
    }

    fn all_ended(&self, shape: &Shape) -> Outcome {
        let conditions = self.folder.conditions(shape)?;
        let crashed = |(_, condition): &(i32, Condition)| matches!(condition, Condition::Crashed(_));
        if conditions.iter().any(crashed) {
            return Err(Failure::request("no node of the cluster runs any more")
                .hint(format!("velo cluster start{}", self.folder.data_option())));
        }
        self.context.ui.say("The cluster has stopped.");
        Ok(())
    }
}

/// Who ends, as they end.
fn waited_for(launched: Vec<Launched>) -> UnboundedReceiver<Ended> {
    let (told, ended) = unbounded_channel();
    for mut node in launched {
        let told = told.clone();
        std::thread::spawn(move || {
            let status = node.ended();
            // Nobody listens any more once all are being stopped.
            drop(told.send((node.id(), status)));
        });
    }
    ended
}
