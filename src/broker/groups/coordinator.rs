//! The coordinator: finds a group's shard and asks it.

use super::beside::Beside;
use super::budget::Budget;
use super::config::GroupConfig;
use super::group::{Group, GroupLimits};
use super::machine::{GroupSettings, GroupStep, Groups};
use crate::broker::machine::{Producer, Refused, Router, RouterSettings, Shard};
use crate::broker::metadata::MetadataImage;
use crate::broker::replication::ReplicaManager;
use crate::broker::world::{Dice, World};
use kafka_protocol::ResponseError;
use std::sync::Arc;
use std::time::Duration;

/// Where groups and their offsets are kept.
pub const OFFSETS_TOPIC: &str = "__consumer_offsets";
/// The longest `group.id` or `group.instance.id`, in bytes: a record's strings end at 32,767, and a member id is an
/// instance id with more behind it.
pub const MAX_NAME_BYTES: usize = 32_000;
/// Memory that all groups of a broker may take for members, metadata and offsets.
const MEMORY_LIMIT: usize = 256 << 20;

/// Coordinates the groups whose `__consumer_offsets` partition this broker leads.
pub struct GroupCoordinator {
    /// The settings.
    pub config: GroupConfig,
    dice: Dice,
    budget: Budget,
    router: Router<Groups>,
}

impl GroupCoordinator {
    /// A coordinator that leads nothing yet.
    pub fn new(config: GroupConfig, node_id: i32, world: World, replicas: Arc<ReplicaManager>) -> Self {
        let budget = Budget::new(MEMORY_LIMIT);
        let settings = GroupSettings {
            limits: GroupLimits {
                initial_rebalance_delay_ms: config.initial_rebalance_delay_ms,
                max_size: config.max_size,
            },
            retention_ms: config.retention_ms,
            check_interval_ms: config.retention_check_interval_ms,
            budget: budget.clone(),
        };
        let routing = RouterSettings {
            topic: OFFSETS_TOPIC,
            node_id,
            world: world.clone(),
            commit_timeout: Duration::from_millis(config.commit_timeout_ms),
        };
        GroupCoordinator {
            config,
            dice: world.dice().clone(),
            budget,
            router: Router::new(routing, settings, replicas),
        }
    }

    /// Follows a new image, after [`ReplicaManager::apply`] did: takes over the groups of partitions that this broker
    /// now leads, gives up those it no longer leads, and forgets offsets of deleted topics.
    pub fn apply(&self, image: &Arc<MetadataImage>) {
        self.router.apply(image);
    }

    /// The partition of `__consumer_offsets` that keeps that group, if the topic exists.
    pub fn partition_for(&self, group_id: &str) -> Option<i32> {
        self.router.partition_for(group_id)
    }

    /// The group's shard.
    ///
    /// # Errors
    /// `COORDINATOR_NOT_AVAILABLE` before `__consumer_offsets` exists, `NOT_COORDINATOR` when another broker leads
    /// its partition.
    pub(super) fn shard(&self, group_id: &str) -> Result<Arc<Shard<Groups>>, ResponseError> {
        let shard = self.router.shard(group_id);
        let shard = shard.map_err(|refused| refused.of_coordinator())?;
        shard.ok_or(ResponseError::CoordinatorNotAvailable)
    }

    /// Plans on the group's shard, writes, and waits until every in-sync replica has what the answer rests on.
    ///
    /// # Errors
    /// As [`Refused::of_coordinator`] says it: what the plan refuses, `COORDINATOR_LOAD_IN_PROGRESS`, `NOT_COORDINATOR`
    /// also when its log cannot be read or written, `COORDINATOR_NOT_AVAILABLE`.
    pub(super) async fn ask<A>(
        &self,
        group_id: &str,
        plan: impl FnOnce(&Groups, &Beside, i64) -> Result<GroupStep<A>, ResponseError>,
    ) -> Result<A, ResponseError> {
        let asked = self.shard(group_id)?.ask(plan).await;
        asked.map_err(|refused| refused.of_coordinator())
    }

    /// The same for what waits for nothing.
    ///
    /// # Errors
    /// As [`GroupCoordinator::ask`].
    pub(super) fn ask_at_once<A>(
        &self,
        group_id: &str,
        plan: impl FnOnce(&Groups, &Beside, i64) -> Result<GroupStep<A>, ResponseError>,
    ) -> Result<A, ResponseError> {
        let asked = self.shard(group_id)?.ask_at_once(plan);
        asked.map_err(|refused| refused.of_coordinator())
    }

    /// Changes the group; `None` when it does not exist and was not to be made.
    ///
    /// # Errors
    /// As [`GroupCoordinator::ask`]; `POLICY_VIOLATION` when there is no memory for another group.
    pub(super) async fn change<A>(
        &self,
        group_id: &str,
        create: bool,
        change: impl FnOnce(&mut Group, i64) -> A,
    ) -> Result<Option<A>, ResponseError> {
        self.ask(group_id, |groups, beside, now| {
            groups.change(beside, group_id, create, |group| change(group, now))
        })
        .await
    }

    /// Looks at the group's shard.
    ///
    /// # Errors
    /// `COORDINATOR_NOT_AVAILABLE`, `NOT_COORDINATOR`, `COORDINATOR_LOAD_IN_PROGRESS`.
    pub(super) fn look<A>(
        &self,
        group_id: &str,
        look: impl FnOnce(&Groups, &Beside) -> A,
    ) -> Result<A, ResponseError> {
        let looked = self.shard(group_id)?.look(look);
        looked.map_err(|refused| refused.of_coordinator())
    }

    /// Looks at all shards; those whose log cannot be read are left out.
    ///
    /// # Errors
    /// `COORDINATOR_LOAD_IN_PROGRESS` while some are not known yet.
    pub(super) fn look_at_all<A>(
        &self,
        look: impl Fn(&Groups, &Beside) -> A,
    ) -> Result<Vec<A>, ResponseError> {
        let mut all = Vec::new();
        for shard in self.router.shards() {
            match shard.look(&look) {
                Ok(looked) => all.push(looked),
                Err(Refused::Loading) => return Err(ResponseError::CoordinatorLoadInProgress),
                Err(_) => {}
            }
        }
        Ok(all)
    }

    /// Ends a producer's transaction in a partition of `__consumer_offsets`: what it committed there counts, or never will.
    ///
    /// # Errors
    /// As [`Shard::ask`].
    pub async fn mark(
        &self,
        partition: i32,
        producer: Producer,
        commits: bool,
        coordinator_epoch: i32,
    ) -> Result<(), Refused> {
        self.router
            .mark(partition, producer, commits, coordinator_epoch)
            .await
    }

    /// Groups in which something goes on: members, requests that wait, member ids that were given out.
    pub fn busy_groups(&self) -> usize {
        let shards = self.router.shards();
        let busy = shards
            .iter()
            .map(|shard| shard.look(|_, beside| beside.ids().count()));
        busy.filter_map(Result::ok).sum()
    }

    /// Whence new members have their ids.
    pub(super) fn dice(&self) -> &Dice {
        &self.dice
    }

    /// Memory of all groups.
    pub(super) fn budget(&self) -> &Budget {
        &self.budget
    }
}
