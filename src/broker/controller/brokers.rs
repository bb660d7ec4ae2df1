//! Registration of brokers, their heartbeats, and fencing when those stop (KIP-500, KIP-631).

use super::elections::Electorate;
use super::{Controller, State, check_broker_epoch};
use crate::broker::error::{BrokerError, Result};
use crate::broker::metadata::{BrokerImage, MetadataImage, MetadataRecord};
use crate::broker::records::metadata::{
    BrokerRegistrationChangeRecord, RegisterBrokerRecord, UnregisterBrokerRecord,
};
use kafka_protocol::ResponseError;
use parking_lot::MutexGuard;
use std::collections::BTreeMap;
use std::time::Duration;
use tokio::time::Instant;

/// By broker id.
pub(super) type Sessions = BTreeMap<i32, Session>;

/// What is known of a broker's life.
#[derive(Debug, Clone, Copy)]
pub(super) struct Session {
    /// When it was last heard of. Real time, not the cluster's clock: a clock that is moved by hand must not make
    /// brokers look dead.
    seen: Instant,
    /// The connection it spoke on; `None` for a broker that this controller knows from the log alone.
    connection: Option<u64>,
}

/// What a broker says of itself when it starts; the epoch is ours to give.
pub type Registration = RegisterBrokerRecord;

/// What a heartbeat says.
#[derive(Debug, Clone, Copy)]
pub struct Heartbeat {
    /// Who.
    pub broker_id: i32,
    /// Epoch of its registration.
    pub broker_epoch: i64,
    /// Up to where it has applied the metadata log.
    pub metadata_offset: i64,
    /// It wants to be fenced, or to stay so.
    pub want_fence: bool,
    /// It wants to stop.
    pub want_shut_down: bool,
    /// The connection it came on.
    pub connection: u64,
}

/// What a heartbeat is answered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BrokerState {
    /// It has read the metadata log up to its own registration.
    pub caught_up: bool,
    /// It is fenced.
    pub fenced: bool,
    /// It leads nothing more and may stop.
    pub should_shut_down: bool,
}

impl Controller {
    fn session_timeout(&self) -> Duration {
        self.config.millis("broker.session.timeout.ms")
    }

    fn has_session(&self, state: &State, broker_id: i32) -> bool {
        let session = state.sessions.get(&broker_id);
        session.is_some_and(|session| session.seen.elapsed() < self.session_timeout())
    }

    /// Registers a broker that speaks on `connection`, fenced until it has caught up, and returns its epoch.
    /// `is_open` tells whether a connection still is: a process that died has closed its own, so whoever takes its place
    /// need not wait for its session to end.
    ///
    /// # Errors
    /// `DUPLICATE_BROKER_REGISTRATION` while another process with that id is alive.
    pub fn register_broker(
        &self,
        cluster_id: &str,
        mut registration: Registration,
        connection: u64,
        is_open: impl Fn(u64) -> bool,
    ) -> Result<i64> {
        let mut state = self.state.lock();
        let image = self.image();
        if cluster_id != image.cluster_id {
            return Err(ResponseError::InconsistentClusterId.into());
        }
        let id = registration.broker_id;
        let earlier = image.brokers.get(&id);
        let same_process =
            earlier.is_some_and(|earlier| earlier.incarnation_id == registration.incarnation_id);
        let spoke_on = state.sessions.get(&id).and_then(|session| session.connection);
        let in_use = earlier.is_some_and(|earlier| !earlier.fenced)
            && self.has_session(&state, id)
            && spoke_on.is_some_and(is_open);
        if in_use && !same_process {
            return Err(ResponseError::DuplicateBrokerRegistration.into());
        }
        registration.fenced = true;
        registration.in_controlled_shutdown = false;
        let mut records = self.leaving_records(&image, id);
        registration.broker_epoch = self.log.next_offset() + i64::try_from(records.len()).unwrap_or(0);
        let epoch = registration.broker_epoch;
        records.push(MetadataRecord::RegisterBroker(registration));
        self.write(&state, records)?;
        self.touch(&mut state, id, connection);
        Ok(epoch)
    }

    /// Takes a heartbeat: keeps the session alive, unfences who has caught up, lets go who wants to stop.
    ///
    /// # Errors
    /// `STALE_BROKER_EPOCH` when the broker must register again.
    pub fn heartbeat(&self, heartbeat: Heartbeat) -> Result<BrokerState> {
        let mut state = self.state.lock();
        let image = self.image();
        check_broker_epoch(&image, heartbeat.broker_id, heartbeat.broker_epoch)?;
        let Some(broker) = image.brokers.get(&heartbeat.broker_id) else {
            return Err(ResponseError::StaleBrokerEpoch.into());
        };
        state
            .applied
            .insert(heartbeat.broker_id, heartbeat.metadata_offset);
        let caught_up = heartbeat.metadata_offset >= broker.epoch;
        let mut fenced = broker.fenced;
        if heartbeat.want_shut_down {
            if !broker.in_controlled_shutdown {
                self.write(&state, self.shutdown_records(&image, broker))?;
            }
            state.sessions.remove(&broker.id);
            return Ok(BrokerState {
                caught_up,
                fenced: true,
                should_shut_down: true,
            });
        }
        if fenced && !heartbeat.want_fence && caught_up {
            self.write(&state, self.coming_records(&image, broker))?;
            fenced = false;
        } else if !fenced && heartbeat.want_fence {
            self.fence(&state, &image, broker)?;
            fenced = true;
        }
        self.touch(&mut state, heartbeat.broker_id, heartbeat.connection);
        Ok(BrokerState {
            caught_up,
            fenced,
            should_shut_down: false,
        })
    }

    fn touch(&self, state: &mut MutexGuard<'_, State>, broker_id: i32, connection: u64) {
        let session = Session {
            seen: Instant::now(),
            connection: Some(connection),
        };
        if state.sessions.insert(broker_id, session).is_none() {
            self.sessions_changed.notify_one();
        }
    }

    /// Removes a broker that will not come back.
    ///
    /// # Errors
    /// `BROKER_ID_NOT_REGISTERED`.
    pub fn unregister_broker(&self, broker_id: i32) -> Result<()> {
        let mut state = self.state.lock();
        let image = self.image();
        let Some(broker) = image.brokers.get(&broker_id) else {
            return Err(ResponseError::BrokerIdNotRegistered.into());
        };
        let mut records = self.leaving_records(&image, broker_id);
        records.push(MetadataRecord::UnregisterBroker(UnregisterBrokerRecord {
            broker_id,
            broker_epoch: broker.epoch,
        }));
        self.write(&state, records)?;
        state.sessions.remove(&broker_id);
        Ok(())
    }

    /// Fences, for ever, the brokers whose heartbeats stop. The node runs it as a task.
    pub async fn fence_the_silent(&self) {
        loop {
            let next = self.next_expiry();
            tokio::select! {
                () = tokio::time::sleep_until(next) => {}
                () = self.sessions_changed.notified() => continue,
            }
            if let Err(error) = self.fence_expired() {
                tracing::error!(%error, "cannot fence a silent broker");
            }
        }
    }

    /// When the next session would end. A broker known from the log that has not been heard of yet gets a whole session
    /// from its first look on.
    fn next_expiry(&self) -> Instant {
        let mut state = self.state.lock();
        let now = Instant::now();
        for broker in self.image().brokers.values().filter(|broker| !broker.fenced) {
            state.sessions.entry(broker.id).or_insert(Session {
                seen: now,
                connection: None,
            });
        }
        let oldest = state.sessions.values().map(|session| session.seen).min();
        oldest.unwrap_or(now) + self.session_timeout()
    }

    fn fence_expired(&self) -> Result<()> {
        let mut state = self.state.lock();
        let expired: Vec<i32> = state
            .sessions
            .keys()
            .copied()
            .filter(|id| !self.has_session(&state, *id))
            .collect();
        for id in expired {
            state.sessions.remove(&id);
            let image = self.image();
            if let Some(broker) = image.brokers.get(&id).filter(|broker| !broker.fenced) {
                tracing::warn!(broker = id, "fenced a broker that is not heard of any more");
                self.fence(&state, &image, broker)?;
            }
        }
        Ok(())
    }

    fn fence(
        &self,
        state: &MutexGuard<'_, State>,
        image: &MetadataImage,
        broker: &BrokerImage,
    ) -> Result<(), BrokerError> {
        let mut records = self.leaving_records(image, broker.id);
        records.push(registration_change(broker, Some(true), false));
        self.write(state, records)
    }

    fn shutdown_records(&self, image: &MetadataImage, broker: &BrokerImage) -> Vec<MetadataRecord> {
        let mut records = self.leaving_records(image, broker.id);
        records.push(registration_change(
            broker,
            (!broker.fenced).then_some(true),
            true,
        ));
        records
    }

    fn coming_records(&self, image: &MetadataImage, broker: &BrokerImage) -> Vec<MetadataRecord> {
        let mut records = vec![registration_change(broker, Some(false), false)];
        records.extend(self.election_records(image, None, Some(broker.id)));
        records
    }

    /// What happens to partitions when a broker goes.
    fn leaving_records(&self, image: &MetadataImage, broker_id: i32) -> Vec<MetadataRecord> {
        self.election_records(image, Some(broker_id), None)
    }

    fn election_records(
        &self,
        image: &MetadataImage,
        leaving: Option<i32>,
        coming: Option<i32>,
    ) -> Vec<MetadataRecord> {
        let unclean = |topic: &str| self.topic_log_config(image, topic).unclean_leader_election;
        let electorate = Electorate {
            image,
            leaving,
            coming,
            unclean: &unclean,
        };
        let changes = electorate.changes().into_iter();
        changes.map(MetadataRecord::PartitionChange).collect()
    }
}

fn registration_change(broker: &BrokerImage, fenced: Option<bool>, stopping: bool) -> MetadataRecord {
    MetadataRecord::BrokerRegistrationChange(BrokerRegistrationChangeRecord {
        broker_id: broker.id,
        broker_epoch: broker.epoch,
        fenced: match fenced {
            None => 0,
            Some(true) => 1,
            Some(false) => -1,
        },
        in_controlled_shutdown: stopping.into(),
        ..BrokerRegistrationChangeRecord::default()
    })
}
