//! DescribeLogDirs (key 35, KIP-113, KIP-827): sizes of the logs, and of the volume they lie on.

use crate::broker::api::parts::{Config, Replicas};
use crate::broker::api::{Refuse, RequestContext};
use crate::broker::replication::Partition;
use crate::broker::world::World;
use crate::broker::world::disk::Volume;
use kafka_protocol::ResponseError;
use kafka_protocol::messages::describe_log_dirs_response::{
    DescribeLogDirsPartition, DescribeLogDirsResult, DescribeLogDirsTopic,
};
use kafka_protocol::messages::{DescribeLogDirsRequest, DescribeLogDirsResponse};
use kafka_protocol::protocol::StrBytes;
use std::collections::{BTreeMap, BTreeSet};

/// A size that is not known.
const UNKNOWN: i64 = -1;

/// Describes the one log directory; of the topics asked for, those kept here.
pub async fn handle(
    (replicas, config, world): (Replicas, Config, World),
    ctx: RequestContext,
    request: DescribeLogDirsRequest,
) -> DescribeLogDirsResponse {
    let asked: Option<BTreeSet<(String, i32)>> = request.topics.map(|topics| {
        let pairs = topics.into_iter().flat_map(|topic| {
            let name = topic.topic.to_string();
            topic
                .partitions
                .into_iter()
                .map(move |index| (name.clone(), index))
        });
        pairs.collect()
    });
    let mut topics: BTreeMap<String, Vec<DescribeLogDirsPartition>> = BTreeMap::new();
    for partition in replicas.partitions() {
        let key = (partition.topic.clone(), partition.index);
        if asked.as_ref().is_none_or(|asked| asked.contains(&key)) {
            topics.entry(key.0).or_default().push(describe(&partition));
        }
    }
    let topics = topics.into_iter().map(|(name, mut partitions)| {
        partitions.sort_by_key(|partition| partition.partition_index);
        DescribeLogDirsTopic::default()
            .with_name(StrBytes::from_string(name).into())
            .with_partitions(partitions)
    });
    let path = config.absolute_log_dir();
    let mut result = DescribeLogDirsResult::default()
        .with_log_dir(StrBytes::from_string(path.display().to_string()))
        .with_topics(topics.collect());
    if ctx.api_version >= 4 {
        let disk = world.disk().clone();
        let volume = world.jobs().run(move || disk.volume(&path)).await.ok().flatten();
        let bytes = |size: fn(Volume) -> u64| {
            volume.map_or(UNKNOWN, |volume| i64::try_from(size(volume)).unwrap_or(i64::MAX))
        };
        result = result
            .with_total_bytes(bytes(|volume| volume.total))
            .with_usable_bytes(bytes(|volume| volume.usable));
    }
    DescribeLogDirsResponse::default().with_results(vec![result])
}

fn describe(partition: &Partition) -> DescribeLogDirsPartition {
    let log = &partition.log;
    let lag = log.high_watermark().saturating_sub(log.log_end_offset());
    DescribeLogDirsPartition::default()
        .with_partition_index(partition.index)
        .with_partition_size(i64::try_from(log.size()).unwrap_or(i64::MAX))
        .with_offset_lag(lag.max(0))
}

impl Refuse for DescribeLogDirsRequest {
    fn refused(&self, _version: i16, error: ResponseError) -> DescribeLogDirsResponse {
        DescribeLogDirsResponse::default().with_error_code(error.code())
    }
}
