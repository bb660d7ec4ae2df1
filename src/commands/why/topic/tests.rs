//! What is found about a topic, on one that is sound but for one thing.

use super::*;

fn entry(name: &str, value: &str, source: ConfigSource) -> ConfigEntry {
    ConfigEntry {
        name: name.to_owned(),
        value: Some(value.to_owned()),
        source,
        is_default: source == ConfigSource::Default,
        read_only: false,
        sensitive: false,
        synonyms: Vec::new(),
    }
}

fn record(partition: i32, offset: i64, key: Option<&str>, value: &str) -> Seen {
    Seen {
        partition,
        offset,
        timestamp: 0,
        key: key.map(|key| key.as_bytes().to_vec()),
        value: value.as_bytes().to_vec(),
    }
}

/// Two partitions in order, with a record in each.
fn sound() -> Scene {
    let partition = |partition| PartitionDescription {
        partition,
        leader: Some(1),
        replicas: vec![1, 2],
        isr: vec![1, 2],
    };
    let defaults = [
        ("cleanup.policy", "delete"),
        ("retention.ms", "604800000"),
        ("segment.ms", "604800000"),
        ("min.insync.replicas", "1"),
        ("min.cleanable.dirty.ratio", "0.5"),
    ];
    Scene {
        name: "t".to_owned(),
        partitions: vec![partition(0), partition(1)],
        alive: vec![1, 2],
        offsets: [(0, (0, 1)), (1, (0, 1))].into(),
        kept_from: [(0, 0), (1, 0)].into(),
        settings: defaults
            .map(|(name, value)| entry(name, value, ConfigSource::Default))
            .into(),
        check_every: Some(300_000),
        records: vec![record(0, 0, None, "a"), record(1, 0, None, "b")],
    }
}

fn set(scene: &mut Scene, name: &str, value: &str) {
    scene.settings.retain(|entry| entry.name != name);
    scene.settings.push(entry(name, value, ConfigSource::Topic));
}

/// What is found after a change to a sound topic.
fn after(change: impl FnOnce(&mut Scene)) -> Vec<&'static str> {
    let mut scene = sound();
    change(&mut scene);
    scene.findings().iter().map(Finding::id).collect()
}

/// All records in partition 0, with these keys.
fn all_in_one(scene: &mut Scene, keys: &[Option<&str>]) {
    let count = i64::try_from(keys.len()).unwrap();
    scene.offsets = [(0, (0, count)), (1, (0, 0))].into();
    let numbered = (0..).zip(keys);
    scene.records = numbered
        .map(|(offset, key)| record(0, offset, *key, "v"))
        .collect();
}

#[test]
fn a_sound_topic_has_nothing_odd() {
    assert_eq!(after(|_| ()), [""; 0]);
}

#[test]
fn copies_that_are_missing_are_told_by_how_much_it_matters() {
    assert_eq!(
        after(|scene| scene.partitions[0].isr = vec![1]),
        ["under-replicated"]
    );
    let too_few = after(|scene| {
        scene.partitions[0].isr = vec![1];
        set(scene, "min.insync.replicas", "2");
    });
    assert_eq!(too_few, ["under-replicated", "below-min-isr"]);
    let without = after(|scene| {
        scene.partitions[0].leader = None;
        scene.offsets.remove(&0);
        scene.records.clear();
    });
    assert_eq!(without, ["leaderless"]);
}

#[test]
fn a_time_limit_that_does_not_act_is_told_with_its_reason() {
    let some = after(|scene| {
        scene.offsets.insert(0, (0, 4));
        scene.kept_from.insert(0, 3);
        scene
            .records
            .extend((1..4).map(|offset| record(0, offset, None, "v")));
    });
    assert_eq!(some, ["expired-and-kept"]);
    let all = after(|scene| {
        scene.kept_from.insert(0, 1);
    });
    assert_eq!(all, ["all-expired"]);
    let for_ever = after(|scene| {
        scene.kept_from.insert(0, 1);
        set(scene, "retention.ms", "-1");
    });
    assert_eq!(for_ever, [""; 0]);
    let compacted = after(|scene| {
        set(scene, "cleanup.policy", "compact");
        set(scene, "retention.ms", "4000");
    });
    assert_eq!(compacted, ["compact-only"]);
    let both = after(|scene| {
        set(scene, "cleanup.policy", "compact,delete");
        set(scene, "retention.ms", "4000");
    });
    assert_eq!(both, [""; 0]);
}

#[test]
fn one_partition_with_all_records_is_told_with_the_keys() {
    assert_eq!(after(|scene| all_in_one(scene, &[None; 3])), ["sticky-batches"]);
    assert_eq!(after(|scene| all_in_one(scene, &[Some("k"); 3])), ["one-key"]);
    let keys = [Some("a"), Some("b"), Some("a")];
    assert_eq!(after(|scene| all_in_one(scene, &keys)), ["keys-together"]);
    assert_eq!(
        after(|scene| all_in_one(scene, &[None; 2])),
        [""; 0],
        "too few to wonder"
    );
    let nearly = after(|scene| {
        all_in_one(scene, &[None; 9]);
        scene.offsets.insert(1, (0, 1));
        scene.records.push(record(1, 0, None, "v"));
    });
    assert_eq!(nearly, ["sticky-batches"]);
    let alone = after(|scene| {
        all_in_one(scene, &[None; 3]);
        scene.partitions.truncate(1);
        scene.offsets.remove(&1);
    });
    assert_eq!(alone, [""; 0], "it has one partition only");
}

#[test]
fn compaction_that_has_not_run_and_the_word_null_are_told() {
    let compacted = |scene: &mut Scene| set(scene, "cleanup.policy", "compact");
    let twice = |scene: &mut Scene| {
        scene.records[0].key = Some(b"k".to_vec());
        scene.records[1].key = Some(b"k".to_vec());
    };
    assert_eq!(after(twice), [""; 0], "nobody asked for it");
    let both = after(|scene| {
        compacted(scene);
        twice(scene);
    });
    assert_eq!(both, ["not-compacted-yet"]);
    let null = after(|scene| {
        compacted(scene);
        scene.records[0].value = b"null".to_vec();
    });
    assert_eq!(null, ["the-word-null"]);
    assert_eq!(after(|scene| scene.records[0].value = b"null".to_vec()), [""; 0]);
}

#[test]
fn offsets_without_records_are_told_apart_from_an_empty_topic() {
    let marker = after(|scene| {
        scene.offsets.insert(0, (0, 2));
    });
    assert_eq!(marker, ["fewer-than-offsets"]);
    let never = after(|scene| {
        scene.offsets = [(0, (0, 0)), (1, (0, 0))].into();
        scene.records.clear();
    });
    assert_eq!(never, ["empty-topic"]);
    let gone = after(|scene| {
        scene.offsets = [(0, (5, 5)), (1, (0, 0))].into();
        scene.kept_from = [(0, 5), (1, 0)].into();
        scene.records.clear();
    });
    assert_eq!(gone, ["all-deleted"]);
}
