//! What brokers and clients ask of the controller: each a plan, and what beside the log goes with it.

use super::Controller;
use super::change::Writer;
use super::plan::{
    self, ApiError, Step, View,
    configs::ResourceChange,
    elections::{Elected, ElectionType},
    features::FeatureUpdate,
    heartbeat::{BrokerState, Heartbeat},
    in_sync::IsrChange,
    partitions::MorePartitions,
    reassignments::Reassignment,
    registration::Registration,
    topic_deletion::{Deletion, NamedTopic},
    topics::{CreatedTopic, NewTopic, Placed},
};
use crate::broker::error::Result;
use crate::broker::metadata::PartitionImage;
use crate::broker::wanted::Wanted;
use kafka_protocol::ResponseError;
use std::sync::Arc;
use std::time::Duration;

/// Wait before what is due and could not be done is tried again.
const RETRY: Duration = Duration::from_secs(1);

/// An outcome for each part of a request, in their order.
type Outcomes<T, E = ApiError> = Vec<std::result::Result<T, E>>;

impl Controller {
    /// A change that needs nothing but the image.
    async fn change<A: Send + 'static>(
        self: &Arc<Self>,
        plan: impl FnOnce(&View<'_>) -> Result<Step<A>> + Send + 'static,
    ) -> Result<A> {
        self.ask(move |controller, writer| {
            let step = plan(&controller.view(writer))?;
            controller.write(writer, step)
        })
        .await
    }

    /// The same for a client, unless it has given up on it meanwhile.
    async fn change_for_client<A: Send + 'static>(
        self: &Arc<Self>,
        wanted: Wanted,
        plan: impl FnOnce(&View<'_>) -> Result<Step<A>> + Send + 'static,
    ) -> Result<A> {
        self.change(move |view| {
            wanted.check()?;
            plan(view)
        })
        .await
    }

    /// A client's change that places partitions: the next one goes on where it ended.
    async fn place<T: Send + 'static>(
        self: &Arc<Self>,
        wanted: Wanted,
        plan: impl FnOnce(&View<'_>, usize) -> Result<Step<Placed<T>>> + Send + 'static,
    ) -> Result<Outcomes<T>> {
        let placed = self
            .ask(move |controller, writer| {
                wanted.check()?;
                let step = plan(&controller.view(writer), writer.next_placement)?;
                let written = controller.write(writer, step)?;
                writer.next_placement = written.answer.next_start;
                Ok(written)
            })
            .await?;
        Ok(placed.outcomes)
    }

    /// Creates topics, each by itself; all that can be are written at once. With `validate_only` nothing is written.
    ///
    /// # Errors
    /// When nothing can be written, or nobody waits for it any more.
    pub async fn create_topics(
        self: &Arc<Self>,
        topics: Vec<NewTopic>,
        validate_only: bool,
        wanted: Wanted,
    ) -> Result<Outcomes<CreatedTopic>> {
        let dice = self.world.dice();
        let topics: Vec<_> = topics.into_iter().map(|topic| (topic, dice.id())).collect();
        self.place(wanted, move |view, start| {
            plan::topics::create(view, &topics, validate_only, start)
        })
        .await
    }

    /// Adds partitions to topics, each by itself.
    ///
    /// # Errors
    /// When nothing can be written, or nobody waits for it any more.
    pub async fn create_partitions(
        self: &Arc<Self>,
        topics: Vec<MorePartitions>,
        validate_only: bool,
        wanted: Wanted,
    ) -> Result<Outcomes<()>> {
        self.place(wanted, move |view, start| {
            plan::partitions::create(view, &topics, validate_only, start)
        })
        .await
    }

    /// Deletes topics, by name or by id.
    ///
    /// # Errors
    /// When nothing can be written, or nobody waits for it any more.
    pub async fn delete_topics(
        self: &Arc<Self>,
        asked: Vec<NamedTopic>,
        wanted: Wanted,
    ) -> Result<Vec<Deletion>> {
        self.change_for_client(wanted, move |view| plan::topic_deletion::delete(view, &asked))
            .await
    }

    /// Changes settings, each resource by itself; with `validate_only` nothing is written.
    ///
    /// # Errors
    /// When nothing can be written, or nobody waits for it any more.
    pub async fn alter_configs(
        self: &Arc<Self>,
        resources: Vec<ResourceChange>,
        validate_only: bool,
        wanted: Wanted,
    ) -> Result<Outcomes<()>> {
        self.change_for_client(wanted, move |view| {
            plan::configs::alter(view, &resources, validate_only)
        })
        .await
    }

    /// Puts the replicas of partitions into another order, each by itself.
    ///
    /// # Errors
    /// When nothing can be written, or nobody waits for it any more.
    pub async fn reassign(
        self: &Arc<Self>,
        reassignments: Vec<Reassignment>,
        wanted: Wanted,
    ) -> Result<Outcomes<()>> {
        self.change_for_client(wanted, move |view| {
            plan::reassignments::reassign(view, &reassignments)
        })
        .await
    }

    /// Elects leaders of the partitions named, or of all if `None`; an answer each, except those of all that lead
    /// already.
    ///
    /// # Errors
    /// When nothing can be written, or nobody waits for it any more.
    pub async fn elect_leaders(
        self: &Arc<Self>,
        election: ElectionType,
        partitions: Option<Vec<(String, i32)>>,
        wanted: Wanted,
    ) -> Result<Vec<Elected>> {
        self.change_for_client(wanted, move |view| {
            plan::elections::elect(view, election, partitions.as_deref())
        })
        .await
    }

    /// Changes in-sync replicas on behalf of their leaders; each answer is the partition as it is then.
    ///
    /// # Errors
    /// `STALE_BROKER_EPOCH` for the request as a whole; each change has its own outcome.
    pub async fn alter_partitions(
        self: &Arc<Self>,
        broker_id: i32,
        broker_epoch: i64,
        changes: Vec<IsrChange>,
    ) -> Result<Outcomes<PartitionImage, ResponseError>> {
        self.change(move |view| plan::in_sync::alter(view, broker_id, broker_epoch, &changes))
            .await
    }

    /// A block of producer ids for a broker: first id and count.
    ///
    /// # Errors
    /// `STALE_BROKER_EPOCH` when the broker is not registered with that epoch.
    pub async fn allocate_producer_ids(
        self: &Arc<Self>,
        broker_id: i32,
        broker_epoch: i64,
    ) -> Result<(i64, i32)> {
        self.change(move |view| Ok(plan::producer_ids::allocate(view, broker_id, broker_epoch)?))
            .await
    }

    /// Registers a broker that speaks on `connection`, fenced until it has caught up, and returns its epoch. `previous` is the
    /// epoch that it had when it stopped cleanly, `None` where its request has no room for that.
    /// `is_open` tells whether a connection still is: a process that died has closed its own, so whoever takes its place
    /// need not wait for its session to end.
    ///
    /// # Errors
    /// `DUPLICATE_BROKER_REGISTRATION` while another process with that id is alive.
    pub async fn register_broker(
        self: &Arc<Self>,
        cluster_id: String,
        (registration, previous): (Registration, Option<i64>),
        connection: u64,
        is_open: impl Fn(u64) -> bool + Send + 'static,
    ) -> Result<i64> {
        self.ask(move |controller, writer| {
            let (id, now_ms) = (registration.broker_id, controller.clock.steady_ms());
            let in_use = writer.sessions.in_use(id, now_ms, is_open);
            let view = controller.view(writer);
            let step = plan::registration::register(&view, &cluster_id, registration, previous, in_use)?;
            let written = controller.write(writer, step)?;
            controller.heard_of(writer, id, connection);
            Ok(written)
        })
        .await
    }

    /// Takes a heartbeat: keeps the session alive, unfences who has caught up, lets go who wants to stop.
    ///
    /// # Errors
    /// `STALE_BROKER_EPOCH` when the broker must register again.
    pub async fn heartbeat(self: &Arc<Self>, heartbeat: Heartbeat) -> Result<BrokerState> {
        self.ask(move |controller, writer| {
            let step = plan::heartbeat::heartbeat(&controller.view(writer), &heartbeat)?;
            let written = controller.write(writer, step)?;
            let id = heartbeat.broker_id;
            writer.applied.insert(id, heartbeat.metadata_offset);
            if written.answer.should_shut_down {
                writer.sessions.end(id);
            } else {
                controller.heard_of(writer, id, heartbeat.connection);
            }
            Ok(written)
        })
        .await
    }

    fn heard_of(&self, writer: &mut Writer, broker_id: i32, connection: u64) {
        let now_ms = self.clock.steady_ms();
        if writer.sessions.touch(broker_id, connection, now_ms) {
            self.sessions_changed.notify_one();
        }
    }

    /// Removes a broker that will not come back.
    ///
    /// # Errors
    /// `BROKER_ID_NOT_REGISTERED`.
    pub async fn unregister_broker(self: &Arc<Self>, broker_id: i32, wanted: Wanted) -> Result<(), ApiError> {
        self.ask(move |controller, writer| {
            wanted.check()?;
            let step = plan::fencing::unregister(&controller.view(writer), broker_id);
            let written = controller.write(writer, step)?;
            if written.answer.is_ok() {
                writer.sessions.end(broker_id);
                writer.applied.remove(&broker_id);
            }
            Ok(written)
        })
        .await?
    }

    /// Gives features of the cluster their levels, all or none; with `validate_only`, tells whether it could be done.
    ///
    /// # Errors
    /// `INVALID_UPDATE_VERSION` with Kafka's words.
    pub async fn update_features(
        self: &Arc<Self>,
        updates: Vec<FeatureUpdate>,
        validate_only: bool,
        wanted: Wanted,
    ) -> Result<std::result::Result<(), ApiError>> {
        self.change_for_client(wanted, move |view| {
            Ok(plan::features::update(view, &updates, validate_only))
        })
        .await
    }

    /// A connection to this controller has ended: a broker that spoke on it may have died. Waits for nothing.
    pub fn connection_closed(&self, connection: u64) {
        self.closed_connections.lock().push(connection);
        self.sessions_changed.notify_one();
    }

    /// When something is due that nobody asks for, by [`crate::clock::Clock::steady_ms`]: the end of a broker's session.
    fn due(&self) -> Option<i64> {
        let mut writer = self.writer.lock();
        let closed = std::mem::take(&mut *self.closed_connections.lock());
        for connection in closed {
            writer.sessions.closed(connection, self.clock.steady_ms());
        }
        writer.sessions.due()
    }

    /// Does what is due: fences the brokers whose heartbeats stopped.
    fn on_due(&self, now_ms: i64) -> Result<()> {
        let mut writer = self.writer.lock();
        for id in writer.sessions.expired(now_ms) {
            let step = plan::fencing::fence(&self.view(&writer), id);
            if self.write(&mut writer, step)?.answer {
                tracing::warn!(broker = id, "fenced a broker that is not heard of any more");
            }
            writer.sessions.end(id);
        }
        drop(writer);
        self.settle()
    }

    /// Does, for ever, what is due when it is. The node runs it as a task.
    pub async fn keep_time(self: Arc<Self>) {
        loop {
            let due = self.on_disk(Controller::due).await.ok().flatten();
            tokio::select! {
                biased;
                () = self.clock.sleep_until_steady(due.unwrap_or(i64::MAX)) => {}
                () = self.sessions_changed.notified() => continue,
            }
            let fenced = self.on_disk(|controller| controller.on_due(controller.clock.steady_ms()));
            if let Ok(Err(error)) = fenced.await {
                tracing::error!(%error, "cannot fence a silent broker");
                self.clock.sleep(RETRY).await;
            }
        }
    }
}
