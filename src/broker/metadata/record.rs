//! The records of the metadata log, in Kafka's own schemas, so that Kafka's tools read the log.
//!
//! A record's value is a frame (unsigned varint frame version 1, API key, version) and the body.

use super::wire::*;
use bytes::{BufMut, Bytes, BytesMut};
use uuid::Uuid;

/// Version of the frame around a record.
const FRAME_VERSION: u32 = 1;

/// Where a broker listens.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Endpoint {
    /// Name of the listener.
    pub name: String,
    /// Host that is told.
    pub host: String,
    /// Port that is told.
    pub port: u16,
    /// Number of the security protocol; 0 is PLAINTEXT.
    pub security_protocol: i16,
}

/// A range of feature versions that a broker can do (KIP-584).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FeatureRange {
    /// Name of the feature.
    pub name: String,
    /// Lowest version.
    pub min: i16,
    /// Highest version.
    pub max: i16,
}

/// RegisterBrokerRecord (API key 0).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RegisterBroker {
    /// `node.id`
    pub broker_id: i32,
    /// Of this run of the process.
    pub incarnation_id: Uuid,
    /// Offset of this record.
    pub broker_epoch: i64,
    /// Its listeners.
    pub end_points: Vec<Endpoint>,
    /// Features it can do.
    pub features: Vec<FeatureRange>,
    /// `broker.rack`
    pub rack: Option<String>,
    /// Not serving yet.
    pub fenced: bool,
    /// About to stop.
    pub in_controlled_shutdown: bool,
    /// Directory ids (KIP-858).
    pub log_dirs: Vec<Uuid>,
}

/// BrokerRegistrationChangeRecord (API key 17).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BrokerRegistrationChange {
    /// `node.id`
    pub broker_id: i32,
    /// Epoch of the registration that changes.
    pub broker_epoch: i64,
    /// New state, if it changes.
    pub fenced: Option<bool>,
    /// True when the broker is about to stop.
    pub in_controlled_shutdown: bool,
}

/// PartitionRecord (API key 3): a new partition.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewPartition {
    /// Index.
    pub partition_id: i32,
    /// Its topic.
    pub topic_id: Uuid,
    /// Broker ids, the preferred leader first.
    pub replicas: Vec<i32>,
    /// Those in sync.
    pub isr: Vec<i32>,
    /// Leader, -1 for none.
    pub leader: i32,
    /// Leader epoch.
    pub leader_epoch: i32,
    /// Partition epoch.
    pub partition_epoch: i32,
    /// Log directory of each replica (KIP-858).
    pub directories: Vec<Uuid>,
}

/// PartitionChangeRecord (API key 5): what changes of a partition.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PartitionChange {
    /// Index.
    pub partition_id: i32,
    /// Its topic.
    pub topic_id: Uuid,
    /// New in-sync replicas.
    pub isr: Option<Vec<i32>>,
    /// New leader, -1 for none.
    pub leader: Option<i32>,
    /// New replicas.
    pub replicas: Option<Vec<i32>>,
}

/// A record of the metadata log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum MetadataRecord {
    /// A broker registers.
    RegisterBroker(RegisterBroker),
    /// A registration ends.
    UnregisterBroker {
        /// `node.id`
        broker_id: i32,
        /// Epoch of the registration.
        broker_epoch: i64,
    },
    /// A new topic.
    Topic {
        /// Its name.
        name: String,
        /// Its id.
        topic_id: Uuid,
    },
    /// A new partition.
    Partition(NewPartition),
    /// A setting; `value` null removes it.
    Config {
        /// 2 topic, 4 broker, 32 group.
        resource_type: i8,
        /// Name of the resource; empty for all brokers.
        resource_name: String,
        /// Name of the setting.
        name: String,
        /// Its value.
        value: Option<String>,
    },
    /// A change of a partition.
    PartitionChange(PartitionChange),
    /// A topic goes.
    RemoveTopic {
        /// Its id.
        topic_id: Uuid,
    },
    /// The level of a feature; 0 removes it.
    FeatureLevel {
        /// Its name.
        name: String,
        /// Its level.
        level: i16,
    },
    /// A block of producer ids was handed out.
    ProducerIds {
        /// To whom.
        broker_id: i32,
        /// Its epoch.
        broker_epoch: i64,
        /// First id of the next block.
        next_producer_id: i64,
    },
    /// A change of a broker's registration.
    BrokerRegistrationChange(BrokerRegistrationChange),
    /// Nothing.
    NoOp,
}

impl MetadataRecord {
    /// The record's value in the log.
    pub fn encode(&self) -> Bytes {
        let mut out = BytesMut::new();
        let (key, version) = self.key_and_version();
        put_uvarint(&mut out, FRAME_VERSION);
        put_uvarint(&mut out, key);
        put_uvarint(&mut out, version);
        self.put_body(&mut out);
        out.freeze()
    }

    fn key_and_version(&self) -> (u32, u32) {
        match self {
            MetadataRecord::RegisterBroker(_) => (0, 3),
            MetadataRecord::UnregisterBroker { .. } => (1, 0),
            MetadataRecord::Topic { .. } => (2, 0),
            MetadataRecord::Partition(_) => (3, 1),
            MetadataRecord::Config { .. } => (4, 0),
            MetadataRecord::PartitionChange(_) => (5, 0),
            MetadataRecord::RemoveTopic { .. } => (9, 0),
            MetadataRecord::FeatureLevel { .. } => (12, 0),
            MetadataRecord::ProducerIds { .. } => (15, 0),
            MetadataRecord::BrokerRegistrationChange(_) => (17, 1),
            MetadataRecord::NoOp => (20, 0),
        }
    }

    fn put_body(&self, out: &mut BytesMut) {
        match self {
            MetadataRecord::RegisterBroker(broker) => return broker.put(out),
            MetadataRecord::Partition(partition) => return partition.put(out),
            MetadataRecord::PartitionChange(change) => return change.put(out),
            MetadataRecord::BrokerRegistrationChange(change) => return change.put(out),
            MetadataRecord::UnregisterBroker {
                broker_id,
                broker_epoch,
            } => {
                out.put_i32(*broker_id);
                out.put_i64(*broker_epoch);
            }
            MetadataRecord::Topic { name, topic_id } => {
                put_string(out, name);
                put_uuid(out, *topic_id);
            }
            MetadataRecord::Config {
                resource_type,
                resource_name,
                name,
                value,
            } => {
                out.put_i8(*resource_type);
                put_string(out, resource_name);
                put_string(out, name);
                put_nullable_string(out, value.as_deref());
            }
            MetadataRecord::RemoveTopic { topic_id } => put_uuid(out, *topic_id),
            MetadataRecord::FeatureLevel { name, level } => {
                put_string(out, name);
                out.put_i16(*level);
            }
            MetadataRecord::ProducerIds {
                broker_id,
                broker_epoch,
                next_producer_id,
            } => {
                out.put_i32(*broker_id);
                out.put_i64(*broker_epoch);
                out.put_i64(*next_producer_id);
            }
            MetadataRecord::NoOp => {}
        }
        put_tagged(out, &[]);
    }

    /// Reads a record's value; `None` for a kind of record that this broker has no use for.
    ///
    /// # Errors
    /// When the bytes are no such record.
    pub fn decode(mut value: Bytes) -> WireResult<Option<Self>> {
        let input = &mut value;
        let frame = get_uvarint(input)?;
        if frame != FRAME_VERSION {
            return Err(WireError(format!(
                "frame version {frame} of a metadata record is not known"
            )));
        }
        let (key, version) = (get_uvarint(input)?, get_uvarint(input)?);
        Ok(Some(match key {
            0 => MetadataRecord::RegisterBroker(RegisterBroker::get(input, version)?),
            1 => MetadataRecord::UnregisterBroker {
                broker_id: get_i32(input)?,
                broker_epoch: get_i64(input)?,
            },
            2 => MetadataRecord::Topic {
                name: get_string(input)?,
                topic_id: get_uuid(input)?,
            },
            3 => MetadataRecord::Partition(NewPartition::get(input, version)?),
            4 => MetadataRecord::Config {
                resource_type: get_i8(input)?,
                resource_name: get_string(input)?,
                name: get_string(input)?,
                value: get_nullable_string(input)?,
            },
            5 => MetadataRecord::PartitionChange(PartitionChange::get(input)?),
            9 => MetadataRecord::RemoveTopic {
                topic_id: get_uuid(input)?,
            },
            12 => MetadataRecord::FeatureLevel {
                name: get_string(input)?,
                level: get_i16(input)?,
            },
            15 => MetadataRecord::ProducerIds {
                broker_id: get_i32(input)?,
                broker_epoch: get_i64(input)?,
                next_producer_id: get_i64(input)?,
            },
            17 => MetadataRecord::BrokerRegistrationChange(BrokerRegistrationChange::get(input)?),
            20 => MetadataRecord::NoOp,
            _ => return Ok(None),
        }))
    }
}

impl RegisterBroker {
    fn put(&self, out: &mut BytesMut) {
        out.put_i32(self.broker_id);
        out.put_u8(0); // not migrating from ZooKeeper
        put_uuid(out, self.incarnation_id);
        out.put_i64(self.broker_epoch);
        put_array(out, &self.end_points, |out, end_point| {
            put_string(out, &end_point.name);
            put_string(out, &end_point.host);
            out.put_u16(end_point.port);
            out.put_i16(end_point.security_protocol);
            put_tagged(out, &[]);
        });
        put_array(out, &self.features, |out, feature| {
            put_string(out, &feature.name);
            out.put_i16(feature.min);
            out.put_i16(feature.max);
            put_tagged(out, &[]);
        });
        put_nullable_string(out, self.rack.as_deref());
        out.put_u8(self.fenced.into());
        out.put_u8(self.in_controlled_shutdown.into());
        let mut log_dirs = BytesMut::new();
        put_array(&mut log_dirs, &self.log_dirs, |out, id| put_uuid(out, *id));
        put_tagged(out, &[(0, log_dirs)]);
    }

    fn get(input: &mut Bytes, version: u32) -> WireResult<Self> {
        let broker_id = get_i32(input)?;
        if version >= 2 {
            get_bool(input)?; // migrating from ZooKeeper
        }
        let mut broker = RegisterBroker {
            broker_id,
            incarnation_id: get_uuid(input)?,
            broker_epoch: get_i64(input)?,
            end_points: get_array(input, |input| {
                let end_point = Endpoint {
                    name: get_string(input)?,
                    host: get_string(input)?,
                    port: get_u16(input)?,
                    security_protocol: get_i16(input)?,
                };
                get_tagged(input, |_, _| Ok(()))?;
                Ok(end_point)
            })?,
            features: get_array(input, |input| {
                let feature = FeatureRange {
                    name: get_string(input)?,
                    min: get_i16(input)?,
                    max: get_i16(input)?,
                };
                get_tagged(input, |_, _| Ok(()))?;
                Ok(feature)
            })?,
            rack: get_nullable_string(input)?,
            fenced: get_bool(input)?,
            in_controlled_shutdown: version >= 1 && get_bool(input)?,
            log_dirs: Vec::new(),
        };
        get_tagged(input, |tag, content| {
            if tag == 0 {
                broker.log_dirs = get_array(content, get_uuid)?;
            }
            Ok(())
        })?;
        Ok(broker)
    }
}

impl BrokerRegistrationChange {
    fn put(&self, out: &mut BytesMut) {
        out.put_i32(self.broker_id);
        out.put_i64(self.broker_epoch);
        let mut fields = Vec::new();
        if let Some(fenced) = self.fenced {
            // 1 for fenced, -1 for unfenced.
            let value: i8 = if fenced { 1 } else { -1 };
            fields.push((0, BytesMut::from(&value.to_be_bytes()[..])));
        }
        if self.in_controlled_shutdown {
            fields.push((1, BytesMut::from(&[1u8][..])));
        }
        put_tagged(out, &fields);
    }

    fn get(input: &mut Bytes) -> WireResult<Self> {
        let mut change = BrokerRegistrationChange {
            broker_id: get_i32(input)?,
            broker_epoch: get_i64(input)?,
            fenced: None,
            in_controlled_shutdown: false,
        };
        get_tagged(input, |tag, content| {
            match tag {
                0 => change.fenced = Some(get_i8(content)? > 0),
                1 => change.in_controlled_shutdown = get_i8(content)? > 0,
                _ => {}
            }
            Ok(())
        })?;
        Ok(change)
    }
}

impl NewPartition {
    fn put(&self, out: &mut BytesMut) {
        out.put_i32(self.partition_id);
        put_uuid(out, self.topic_id);
        put_ints(out, &self.replicas);
        put_ints(out, &self.isr);
        put_ints(out, &[]); // removing replicas
        put_ints(out, &[]); // adding replicas
        out.put_i32(self.leader);
        out.put_i32(self.leader_epoch);
        out.put_i32(self.partition_epoch);
        put_array(out, &self.directories, |out, id| put_uuid(out, *id));
        put_tagged(out, &[]);
    }

    fn get(input: &mut Bytes, version: u32) -> WireResult<Self> {
        let (partition_id, topic_id) = (get_i32(input)?, get_uuid(input)?);
        let (replicas, isr) = (get_ints(input)?, get_ints(input)?);
        get_ints(input)?; // removing replicas
        get_ints(input)?; // adding replicas
        Ok(NewPartition {
            partition_id,
            topic_id,
            replicas,
            isr,
            leader: get_i32(input)?,
            leader_epoch: get_i32(input)?,
            partition_epoch: get_i32(input)?,
            directories: if version >= 1 {
                get_array(input, get_uuid)?
            } else {
                Vec::new()
            },
        })
    }
}

impl PartitionChange {
    fn put(&self, out: &mut BytesMut) {
        out.put_i32(self.partition_id);
        put_uuid(out, self.topic_id);
        let ints = |numbers: &Vec<i32>| {
            let mut out = BytesMut::new();
            put_ints(&mut out, numbers);
            out
        };
        let fields: Vec<(u32, BytesMut)> = [
            self.isr.as_ref().map(|isr| (0, ints(isr))),
            self.leader
                .map(|leader| (1, BytesMut::from(&leader.to_be_bytes()[..]))),
            self.replicas.as_ref().map(|replicas| (2, ints(replicas))),
        ]
        .into_iter()
        .flatten()
        .collect();
        put_tagged(out, &fields);
    }

    fn get(input: &mut Bytes) -> WireResult<Self> {
        let mut change = PartitionChange {
            partition_id: get_i32(input)?,
            topic_id: get_uuid(input)?,
            isr: None,
            leader: None,
            replicas: None,
        };
        get_tagged(input, |tag, content| {
            match tag {
                0 => change.isr = Some(get_ints(content)?),
                1 => change.leader = Some(get_i32(content)?),
                2 => change.replicas = Some(get_ints(content)?),
                _ => {}
            }
            Ok(())
        })?;
        Ok(change)
    }
}
