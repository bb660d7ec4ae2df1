//! Levels of the cluster's features (KIP-584, KIP-778, KIP-1022).

use super::epoch::{SUPPORTED_FEATURES, least_in_sync_of_all};
use super::{ApiError, Step, View, eligible};
use crate::broker::metadata::{ConfigResource, MetadataRecord};
use crate::broker::records::metadata::{ConfigRecord, FeatureLevelRecord};
use kafka_protocol::ResponseError;
use std::fmt::Display;

const METADATA_VERSION: &str = "metadata.version";
/// Levels of `metadata.version` with which Kafka's records changed: back over one of them something could be lost.
const CHANGED_RECORDS: [i16; 2] = [32, 33];

/// What a lower level is answered that was asked for as a higher one.
const NO_UPGRADE: &str = concat!(
    "Can't downgrade the version of this feature without setting the upgrade type to either safe or unsafe",
    " downgrade."
);

/// Which way a level may go, as the protocol numbers it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LevelChange {
    /// Nobody knows.
    Unknown,
    /// Up only.
    Upgrade,
    /// Down, if nothing is lost.
    SafeDowngrade,
    /// Down, whatever is lost.
    UnsafeDowngrade,
}

impl LevelChange {
    /// By its number.
    pub fn of(number: i8) -> Self {
        match number {
            1 => LevelChange::Upgrade,
            2 => LevelChange::SafeDowngrade,
            3 => LevelChange::UnsafeDowngrade,
            _ => LevelChange::Unknown,
        }
    }
}

/// A level that a feature is to have.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FeatureUpdate {
    /// The feature's name.
    pub name: String,
    /// The level; 0 is without it.
    pub level: i16,
    /// Which way.
    pub change: LevelChange,
}

/// Gives features new levels: all of them, or none where one is refused.
pub fn update(view: &View<'_>, updates: &[FeatureUpdate], validate_only: bool) -> Step<Result<(), ApiError>> {
    let planned: Result<Vec<Option<MetadataRecord>>, ApiError> =
        updates.iter().map(|update| planned(view, update)).collect();
    match planned {
        Ok(records) => Step {
            records: match validate_only {
                true => Vec::new(),
                false => {
                    let levels = records.into_iter().flatten();
                    levels.chain(one_least_in_sync(view, updates)).collect()
                }
            },
            answer: Ok(()),
        },
        Err(refused) => Step::only(Err(refused)),
    }
}

/// Where a cluster is to keep eligible leader replicas, `min.insync.replicas` is said for all brokers together and for none of
/// its own (KIP-966): a leader that goes by another than the controller would show what an eligible replica does not have.
fn one_least_in_sync(view: &View<'_>, updates: &[FeatureUpdate]) -> Vec<MetadataRecord> {
    let mut updates = updates.iter();
    if !updates.any(|update| update.name == eligible::FEATURE && update.level > 0) {
        return Vec::new();
    }
    let name = "min.insync.replicas";
    let configs = &view.image.configs;
    let has = |resource: &ConfigResource| configs.get(resource).is_some_and(|all| all.contains_key(name));
    let own = configs
        .keys()
        .filter(|resource| matches!(resource, ConfigResource::Broker(Some(_))) && has(resource));
    let own = own.map(|resource| {
        let (resource_type, resource_name) = resource.kind_and_name();
        MetadataRecord::Config(ConfigRecord {
            resource_type,
            resource_name,
            name: name.to_owned(),
            value: None,
        })
    });
    let of_all = (!has(&ConfigResource::Broker(None))).then(|| least_in_sync_of_all(view));
    of_all.into_iter().chain(own).collect()
}

/// The record that gives a feature its level; none where it has that.
fn planned(view: &View<'_>, update: &FeatureUpdate) -> Result<Option<MetadataRecord>, ApiError> {
    let FeatureUpdate { name, level, change } = update;
    if *change == LevelChange::Unknown {
        let message = "The controller does not support the given upgrade type.";
        return Err(ApiError::new(ResponseError::InvalidUpdateVersion, message));
    }
    let current = view.image.features.get(name).copied().unwrap_or(0);
    if *level < 0 {
        return Err(refused(update, "A feature version cannot be less than 0."));
    }
    check_supported(view, update)?;
    if *level < current && *change == LevelChange::Upgrade {
        return Err(refused(update, NO_UPGRADE));
    }
    if *level > current && *change != LevelChange::Upgrade {
        return Err(refused(update, "Can't downgrade to a newer version."));
    }
    if !SUPPORTED_FEATURES.iter().any(|(known, ..)| known == name) {
        return Err(refused(update, format!("Feature {name} not found.")));
    }
    if name == METADATA_VERSION
        && CHANGED_RECORDS
            .iter()
            .any(|changed| (*level + 1..=current).contains(changed))
    {
        return Err(would_lose(*level, *change));
    }
    Ok((*level != current).then(|| {
        MetadataRecord::FeatureLevel(FeatureLevelRecord {
            name: name.clone(),
            feature_level: *level,
        })
    }))
}

/// Whether the controller and every broker know that level.
fn check_supported(view: &View<'_>, update: &FeatureUpdate) -> Result<(), ApiError> {
    let (name, level) = (update.name.as_str(), update.level);
    let mut ours = SUPPORTED_FEATURES.iter();
    let ours = ours
        .find(|(known, ..)| *known == name)
        .map(|(_, min, max)| (*min, *max));
    check_range(ours, level)
        .map_err(|why| refused(update, format!("Local controller {} {why}", view.config.node_id)))?;
    for broker in view.image.brokers.values() {
        let mut theirs = broker.features.iter();
        let theirs = theirs.find(|known| known.name == name);
        let range = theirs.map(|known| (known.min_supported_version, known.max_supported_version));
        check_range(range, level).map_err(|why| refused(update, format!("Broker {} {why}", broker.id)))?;
    }
    Ok(())
}

/// Whether a node that knows these levels knows that one, too; one that does not know a feature is without it.
fn check_range(known: Option<(i16, i16)>, level: i16) -> Result<(), String> {
    match known {
        Some((min, max)) if (min..=max).contains(&level) => Ok(()),
        Some((min, max)) if min == max => Err(format!("only supports versions {min}")),
        Some((min, max)) => Err(format!("only supports versions {min}-{max}")),
        None if level == 0 => Ok(()),
        None => Err("does not support this feature.".to_owned()),
    }
}

fn refused(update: &FeatureUpdate, why: impl Display) -> ApiError {
    let FeatureUpdate { name, level, .. } = update;
    let message = format!("Invalid update version {level} for feature {name}. {why}");
    ApiError::new(ResponseError::InvalidUpdateVersion, message)
}

fn would_lose(level: i16, change: LevelChange) -> ApiError {
    let why = match change {
        LevelChange::UnsafeDowngrade => "Unsafe metadata downgrade is not supported in this version.",
        _ => "Refusing to perform the requested downgrade because it might delete metadata information.",
    };
    ApiError::new(
        ResponseError::InvalidUpdateVersion,
        format!("Invalid metadata.version {level}. {why}"),
    )
}

#[cfg(test)]
mod tests {
    use super::super::table::Cluster;
    use super::*;

    /// A cluster with these levels of `metadata.version` and `transaction.version`.
    fn cluster(metadata: i16, transaction: i16) -> Cluster {
        let mut cluster = Cluster::of(&[]);
        let levels = [(METADATA_VERSION, metadata), ("transaction.version", transaction)];
        cluster.replay(
            levels
                .map(|(name, feature_level)| {
                    MetadataRecord::FeatureLevel(FeatureLevelRecord {
                        name: name.to_owned(),
                        feature_level,
                    })
                })
                .to_vec(),
        );
        cluster
    }

    fn asked(name: &str, level: i16, change: LevelChange) -> FeatureUpdate {
        FeatureUpdate {
            name: name.to_owned(),
            level,
            change,
        }
    }

    fn told(cluster: &Cluster, update: FeatureUpdate) -> String {
        match self::update(&cluster.view(), &[update], false).answer {
            Ok(()) => "done".to_owned(),
            Err(refusal) => {
                assert_eq!(refusal.error, ResponseError::InvalidUpdateVersion);
                refusal.message
            }
        }
    }

    #[test]
    fn transaction_version_goes_up_and_down_and_to_none() {
        let mut cluster = cluster(33, 0);
        for (level, change) in [
            (2, LevelChange::Upgrade),
            (1, LevelChange::SafeDowngrade),
            (0, LevelChange::UnsafeDowngrade),
        ] {
            let step = update(
                &cluster.view(),
                &[asked("transaction.version", level, change)],
                false,
            );
            assert_eq!((step.answer, step.records.len()), (Ok(()), 1));
            cluster.replay(step.records);
            let now = cluster.image().features.get("transaction.version").copied();
            assert_eq!(now.unwrap_or(0), level);
        }
    }

    #[test]
    fn what_is_refused_is_refused_in_kafkas_words() {
        use LevelChange::{SafeDowngrade, Unknown, UnsafeDowngrade, Upgrade};
        let table = [
            (
                "transaction.version",
                3,
                Upgrade,
                "Invalid update version 3 for feature transaction.version. Local controller 1 only supports versions 0-2",
            ),
            (
                "transaction.version",
                1,
                Unknown,
                "The controller does not support the given upgrade type.",
            ),
            (
                "transaction.version",
                -1,
                SafeDowngrade,
                "Invalid update version -1 for feature transaction.version. A feature version cannot be less than 0.",
            ),
            (
                "metadata.version",
                33,
                SafeDowngrade,
                "Invalid update version 33 for feature metadata.version. Can't downgrade to a newer version.",
            ),
            (
                "metadata.version",
                30,
                SafeDowngrade,
                "Invalid metadata.version 30. Refusing to perform the requested downgrade because it might delete metadata information.",
            ),
            (
                "metadata.version",
                31,
                UnsafeDowngrade,
                "Invalid metadata.version 31. Unsafe metadata downgrade is not supported in this version.",
            ),
            (
                "metadata.version",
                29,
                SafeDowngrade,
                "Invalid update version 29 for feature metadata.version. Local controller 1 only supports versions 30-33",
            ),
            (
                "nonsense",
                1,
                Upgrade,
                "Invalid update version 1 for feature nonsense. Local controller 1 does not support this feature.",
            ),
            (
                "nonsense",
                0,
                SafeDowngrade,
                "Invalid update version 0 for feature nonsense. Feature nonsense not found.",
            ),
        ];
        for (name, level, change, expected) in table {
            assert_eq!(
                told(&cluster(32, 2), asked(name, level, change)),
                expected,
                "{name} {level}"
            );
        }
        assert_eq!(
            told(&cluster(33, 2), asked("transaction.version", 1, Upgrade)),
            format!("Invalid update version 1 for feature transaction.version. {NO_UPGRADE}")
        );
        assert_eq!(
            told(&cluster(31, 2), asked(METADATA_VERSION, 30, SafeDowngrade)),
            "done"
        );
    }

    #[test]
    fn a_level_that_a_broker_does_not_know_is_refused() {
        let cluster = Cluster::of(&[2]);
        assert_eq!(
            told(&cluster, asked("transaction.version", 2, LevelChange::Upgrade)),
            "Invalid update version 2 for feature transaction.version. Broker 2 does not support this feature."
        );
    }

    #[test]
    fn with_eligible_leader_replicas_min_insync_replicas_is_one_for_all_brokers() {
        let mut cluster = cluster(33, 2).config("min.insync.replicas", "2");
        let own = ConfigResource::Broker(Some(1)).kind_and_name();
        cluster.replay(vec![MetadataRecord::Config(ConfigRecord {
            resource_type: own.0,
            resource_name: own.1,
            name: "min.insync.replicas".to_owned(),
            value: Some("3".to_owned()),
        })]);
        let up = || vec![asked(eligible::FEATURE, 1, LevelChange::Upgrade)];
        assert_eq!(update(&cluster.view(), &up(), true), Step::only(Ok(())));
        let step = update(&cluster.view(), &up(), false);
        cluster.replay(step.records);
        assert!(eligible::are_kept(cluster.image()));
        let configs = &cluster.image().configs;
        assert_eq!(
            configs.keys().collect::<Vec<_>>(),
            [&ConfigResource::Broker(None)]
        );
        assert_eq!(configs[&ConfigResource::Broker(None)]["min.insync.replicas"], "2");
        let down = vec![asked(eligible::FEATURE, 0, LevelChange::SafeDowngrade)];
        let step = update(&cluster.view(), &down, false);
        assert_eq!((step.answer, step.records.len()), (Ok(()), 1));
        cluster.replay(step.records);
        assert!(!eligible::are_kept(cluster.image()));
    }

    #[test]
    fn all_go_or_none_and_nothing_when_it_is_only_asked() {
        let cluster = cluster(30, 0);
        let both = [
            asked("metadata.version", 33, LevelChange::Upgrade),
            asked("transaction.version", 2, LevelChange::Upgrade),
        ];
        assert_eq!(update(&cluster.view(), &both, false).records.len(), 2);
        assert_eq!(update(&cluster.view(), &both, true), Step::only(Ok(())));
        let one_wrong = [
            both[0].clone(),
            asked("transaction.version", 9, LevelChange::Upgrade),
        ];
        let step = update(&cluster.view(), &one_wrong, false);
        assert!(step.answer.is_err() && step.records.is_empty());
        let same = asked("metadata.version", 30, LevelChange::Upgrade);
        assert_eq!(update(&cluster.view(), &[same], false), Step::only(Ok(())));
    }
}
