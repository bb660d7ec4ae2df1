//! Why records of a topic stay or are gone, why one partition gets all, why copies are missing.

#[cfg(test)]
mod tests;

use super::finding::Finding;
use crate::clock::Clock;
use crate::commands::Context;
use crate::commands::select::typed;
use crate::commands::topic::health::Health;
use crate::course::facts::{ClusterFacts, Seen};
use crate::course::live::Live;
use crate::failure::Outcome;
use crate::kafka::{
    Admin, ConfigEntry, ConfigResource, ConfigSource, OffsetSpec, PartitionDescription, TopicPartition,
};
use std::collections::{BTreeMap, BTreeSet};

/// How many records of each partition are read at most, the last ones.
const RECORDS: i64 = 1_000;

/// With so many records, nearly all in one partition are told, and with fewer only all of them.
const ENOUGH: i64 = 10;

/// With fewer records, one partition that has all of them is no wonder.
const TOO_FEW: i64 = 3;

/// Looks at a topic and says what is odd.
///
/// # Errors
/// When there is no such topic, or the cluster does not answer.
pub(super) fn look(context: &Context, name: &str) -> Outcome<Vec<Finding>> {
    let live = Live::new(Admin::connect(&context.connection)?);
    Ok(Scene::of(&live, name)?.findings())
}

/// What is known of a topic at one moment.
#[derive(Debug, Clone, Default)]
struct Scene {
    name: String,
    partitions: Vec<PartitionDescription>,
    /// The brokers that run.
    alive: Vec<i32>,
    /// Where each partition that is led begins and ends.
    offsets: BTreeMap<i32, (i64, i64)>,
    /// The first offset of each whose record is still to be kept, where one has a time limit.
    kept_from: BTreeMap<i32, i64>,
    settings: Vec<ConfigEntry>,
    /// How often what has expired is looked for, in ms, if the broker says so.
    check_every: Option<i64>,
    /// The last records of each partition.
    records: Vec<Seen>,
}

impl Scene {
    fn of(live: &Live, name: &str) -> Outcome<Self> {
        let admin = live.admin();
        let Some(topic) = admin.find_topic(name)? else {
            return Err(admin.unknown_topic(name));
        };
        let metadata = admin.metadata()?;
        let settings = admin.describe_configs(&ConfigResource::Topic(name.to_owned()))?;
        let mut scene = Scene {
            name: name.to_owned(),
            alive: metadata.brokers.iter().map(|broker| broker.id).collect(),
            partitions: topic.partitions,
            settings,
            ..Scene::default()
        };
        scene.read_offsets(admin)?;
        // A partition that nobody leads cannot be read, and the others are then not the question.
        if scene.leaderless().is_none() {
            scene.records = live.records(name, RECORDS)?;
        }
        if let Some(leader) = scene.partitions.iter().find_map(|partition| partition.leader) {
            let settings = live.broker_configs(leader)?;
            let every = settings.get("log.retention.check.interval.ms");
            scene.check_every = every.and_then(|every| every.parse().ok());
        }
        Ok(scene)
    }

    fn read_offsets(&mut self, admin: &Admin) -> Outcome {
        let led: Vec<TopicPartition> = self
            .partitions
            .iter()
            .filter(|partition| partition.leader.is_some())
            .map(|partition| TopicPartition::new(&self.name, partition.partition))
            .collect();
        let ask = |spec| -> Outcome<BTreeMap<i32, Option<i64>>> {
            let answers = admin.list_offsets(&led, spec)?;
            Ok(answers
                .into_iter()
                .filter_map(|(at, answer)| Some((at.partition, answer.ok()?.offset)))
                .collect())
        };
        let ends = ask(OffsetSpec::Latest)?;
        for (partition, start) in ask(OffsetSpec::Earliest)? {
            if let (Some(start), Some(Some(end))) = (start, ends.get(&partition)) {
                self.offsets.insert(partition, (start, *end));
            }
        }
        if let Some(limit) = self.retention_ms() {
            let kept = ask(OffsetSpec::Timestamp(Clock::system().now_ms() - limit))?;
            for (partition, first) in kept {
                let end = self.offsets.get(&partition).map_or(0, |(_, end)| *end);
                self.kept_from.insert(partition, first.unwrap_or(end));
            }
        }
        Ok(())
    }

    fn setting(&self, name: &str) -> Option<&ConfigEntry> {
        self.settings.iter().find(|entry| entry.name == name)
    }

    fn value(&self, name: &str) -> &str {
        let entry = self.setting(name);
        entry.and_then(|entry| entry.value.as_deref()).unwrap_or_default()
    }

    fn policy(&self, which: &str) -> bool {
        self.value("cleanup.policy")
            .split(',')
            .any(|policy| policy.trim() == which)
    }

    /// How long records are kept, where they are deleted by age at all.
    fn retention_ms(&self) -> Option<i64> {
        let limit: i64 = self.value("retention.ms").parse().ok()?;
        (limit >= 0 && self.policy("delete")).then_some(limit)
    }

    fn findings(&self) -> Vec<Finding> {
        let all = [
            self.leaderless(),
            self.under_replicated(),
            self.below_min_isr(),
            self.compact_only(),
            self.expired(),
            self.not_compacted_yet(),
            self.the_word_null(),
            self.one_partition(),
            self.fewer_than_offsets(),
            self.empty(),
        ];
        all.into_iter().flatten().collect()
    }

    fn finding(&self, id: &'static str) -> Finding {
        Finding::new(id).seen("topic", &self.name)
    }

    /// The topic's name, as it is typed.
    fn topic(&self) -> String {
        typed(std::slice::from_ref(&self.name))
    }

    fn leaderless(&self) -> Option<Finding> {
        let mut without = self.partitions.iter().filter(|at| at.leader.is_none());
        let first = without.next()?;
        Some(
            self.finding("leaderless")
                .seen("n", 1 + without.count())
                .seen("partition", first.partition)
                .next(format!("velo topic describe {} --offline", self.topic())),
        )
    }

    fn under_replicated(&self) -> Option<Finding> {
        let behind: Vec<&PartitionDescription> = self
            .partitions
            .iter()
            .filter(|at| at.isr.len() < at.replicas.len())
            .collect();
        if behind.is_empty() {
            return None;
        }
        let health = |at: &&PartitionDescription| Health::of(at, &self.alive, true);
        let missing: BTreeSet<i32> = behind
            .iter()
            .map(health)
            .flat_map(|health| health.gone.into_iter().chain(health.lagging))
            .collect();
        let missing: Vec<String> = missing.iter().map(i32::to_string).collect();
        Some(
            self.finding("under-replicated")
                .seen("n", behind.len())
                .seen("partitions", self.partitions.len())
                .seen("brokers", missing.join(", "))
                .next(format!("velo topic describe {} --under-replicated", self.topic())),
        )
    }

    fn below_min_isr(&self) -> Option<Finding> {
        let wanted: usize = self.value("min.insync.replicas").parse().ok()?;
        let short = self
            .partitions
            .iter()
            .filter(|at| at.isr.len() < at.wanted_in_sync(wanted));
        let short: Vec<usize> = short.map(|at| at.isr.len()).collect();
        let fewest = short.iter().min()?;
        Some(
            self.finding("below-min-isr")
                .seen("n", short.len())
                .seen("have", fewest)
                .seen("want", wanted)
                .next(format!(
                    "velo config get topic {} min.insync.replicas",
                    self.topic()
                )),
        )
    }

    /// A time limit that nothing acts on.
    fn compact_only(&self) -> Option<Finding> {
        let limit = self.setting("retention.ms")?;
        let is_set = limit.source == ConfigSource::Topic;
        if !is_set || self.policy("delete") || !self.policy("compact") {
            return None;
        }
        Some(
            self.finding("compact-only")
                .seen("retention", self.value("retention.ms"))
                .next(format!(
                    "velo config set topic {} cleanup.policy=compact,delete",
                    self.topic()
                )),
        )
    }

    /// Records that are older than the time limit, and there all the same.
    fn expired(&self) -> Option<Finding> {
        let limit = self.retention_ms()?;
        let mut expired = 0;
        let mut all_of_one = true;
        for (partition, (start, end)) in &self.offsets {
            let kept_from = self.kept_from.get(partition).copied().unwrap_or(*start);
            let older = (kept_from.min(*end) - start).max(0);
            expired += older;
            all_of_one &= older == 0 || kept_from >= *end;
        }
        if expired == 0 {
            return None;
        }
        if all_of_one {
            let broker = self
                .partitions
                .iter()
                .find_map(|at| at.leader)
                .unwrap_or_default();
            return Some(
                self.finding("all-expired")
                    .seen("n", expired)
                    .seen("retention", limit)
                    .seen("every", self.check_every.unwrap_or(300_000))
                    .next(format!(
                        "velo config get broker {broker} log.retention.check.interval.ms"
                    )),
            );
        }
        // Half of the limit: then no record stays longer than one and a half times it.
        let closing = (limit / 2).max(1_000);
        Some(
            self.finding("expired-and-kept")
                .seen("n", expired)
                .seen("retention", limit)
                .seen("segment", self.value("segment.ms"))
                .next(format!(
                    "velo config set topic {} segment.ms={closing}",
                    self.topic()
                )),
        )
    }

    /// How many of the records that were read have each key.
    fn by_key(&self) -> BTreeMap<&[u8], usize> {
        let mut by_key: BTreeMap<&[u8], usize> = BTreeMap::new();
        for record in &self.records {
            if let Some(key) = &record.key {
                *by_key.entry(key).or_default() += 1;
            }
        }
        by_key
    }

    fn not_compacted_yet(&self) -> Option<Finding> {
        if !self.policy("compact") {
            return None;
        }
        let by_key = self.by_key();
        let older: usize = by_key.values().map(|records| records - 1).sum();
        (older > 0).then(|| {
            self.finding("not-compacted-yet")
                .seen("n", older)
                .seen("keys", by_key.len())
                .seen("ratio", self.value("min.cleanable.dirty.ratio"))
                .seen("segment", self.value("segment.ms"))
                .next(format!(
                    "velo config set topic {} segment.ms=1m min.cleanable.dirty.ratio=0.01",
                    self.topic()
                ))
        })
    }

    fn the_word_null(&self) -> Option<Finding> {
        let written = self
            .records
            .iter()
            .filter(|record| record.value == b"null")
            .count();
        (written > 0 && self.policy("compact")).then(|| {
            self.finding("the-word-null").seen("n", written).next(format!(
                "velo produce {} --key-separator : --null-marker null",
                self.topic()
            ))
        })
    }

    /// One of several partitions that has nearly all records.
    fn one_partition(&self) -> Option<Finding> {
        let held = |(partition, (start, end)): (&i32, &(i64, i64))| (end - start, *partition);
        let all: i64 = self.offsets.values().map(|(start, end)| end - start).sum();
        let (most, partition) = self.offsets.iter().map(held).max()?;
        let is_all = most == all && all >= TOO_FEW;
        let is_most = all >= ENOUGH && most * 10 >= all * 9;
        if self.offsets.len() < 2 || !(is_all || is_most) {
            return None;
        }
        let here: Vec<&Seen> = self
            .records
            .iter()
            .filter(|record| record.partition == partition)
            .collect();
        let keys: BTreeSet<&Vec<u8>> = here.iter().filter_map(|record| record.key.as_ref()).collect();
        let id = match keys.len() {
            0 => "sticky-batches",
            1 => "one-key",
            _ => "keys-together",
        };
        let key = keys.first().map(|key| String::from_utf8_lossy(key).into_owned());
        let finding = self
            .finding(id)
            .seen("n", most)
            .seen("all", all)
            .seen("partition", partition)
            .seen("partitions", self.offsets.len())
            .seen("keys", keys.len())
            .seen("key", key.unwrap_or_default());
        Some(finding.next(match id {
            "sticky-batches" => format!("velo produce {} --key-separator :", self.topic()),
            _ => format!(
                "velo consume {} --from-beginning --exit-at-end --format '%p %k'",
                self.topic()
            ),
        }))
    }

    /// Offsets without a record that anybody would be shown.
    fn fewer_than_offsets(&self) -> Option<Finding> {
        let spans = self.offsets.values().map(|(start, end)| end - start);
        if spans.clone().any(|span| span > RECORDS) || self.leaderless().is_some() {
            return None;
        }
        let offsets: i64 = spans.sum();
        let shown = i64::try_from(self.records.len()).unwrap_or(i64::MAX);
        (shown < offsets).then(|| {
            self.finding("fewer-than-offsets")
                .seen("offsets", offsets)
                .seen("n", shown)
                .next(format!(
                    "velo consume {} --from-beginning --exit-at-end --isolation read_uncommitted --format '%p %o'",
                    self.topic()
                ))
        })
    }

    fn empty(&self) -> Option<Finding> {
        if self.leaderless().is_some() || self.offsets.values().any(|(start, end)| end > start) {
            return None;
        }
        let written: i64 = self.offsets.values().map(|(_, end)| end).sum();
        Some(if written == 0 {
            self.finding("empty-topic")
                .next(format!("velo produce {}", self.topic()))
        } else {
            self.finding("all-deleted")
                .seen("n", written)
                .seen("retention", self.value("retention.ms"))
                .next(format!("velo config get topic {} retention.ms", self.topic()))
        })
    }
}
