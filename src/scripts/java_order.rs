//! The order in which Java's `HashMap` hands out what was put in: Kafka's tools print many lists in it.

use crate::kafka::{Broker, TopicPartition};

/// What Java can hash.
pub trait JavaHash {
    /// `hashCode()`
    fn java_hash(&self) -> i32;
}

impl JavaHash for str {
    fn java_hash(&self) -> i32 {
        self.encode_utf16().fold(0_i32, |hash, unit| {
            hash.wrapping_mul(31).wrapping_add(i32::from(unit))
        })
    }
}

impl JavaHash for String {
    fn java_hash(&self) -> i32 {
        self.as_str().java_hash()
    }
}

impl JavaHash for TopicPartition {
    fn java_hash(&self) -> i32 {
        31_i32
            .wrapping_add(self.partition)
            .wrapping_mul(31)
            .wrapping_add(self.topic.java_hash())
    }
}

impl JavaHash for i32 {
    fn java_hash(&self) -> i32 {
        *self
    }
}

impl JavaHash for Broker {
    /// Of a `Node` that is not fenced.
    fn java_hash(&self) -> i32 {
        const FALSE: i32 = 1237;
        let rack = self.rack.as_deref().map_or(0, JavaHash::java_hash);
        let parts = [self.host.java_hash(), self.id, i32::from(self.port), rack, FALSE];
        parts
            .into_iter()
            .fold(1, |hash: i32, part| hash.wrapping_mul(31).wrapping_add(part))
    }
}

/// Sorts `items`, whose keys differ, as a `HashMap` that grew by them would hand them out.
pub fn hash_map_order<T, K: JavaHash + ?Sized>(items: &mut [T], key: impl Fn(&T) -> &K) {
    by_buckets(items, 16, |item| key(item).java_hash());
}

/// The same of a `HashMap` that was made for so many.
pub fn sized_hash_map_order<T>(items: &mut [T], hash: impl Fn(&T) -> i32) {
    by_buckets(items, items.len().max(1).next_power_of_two(), hash);
}

fn by_buckets<T>(items: &mut [T], mut buckets: usize, hash: impl Fn(&T) -> i32) {
    while items.len() > buckets * 3 / 4 && buckets < 1 << 30 {
        buckets *= 2;
    }
    items.sort_by_key(|item| {
        let hash = hash(item).cast_unsigned();
        (hash ^ (hash >> 16)) as usize & (buckets - 1)
    });
}

/// Sorts `items` as an immutable set or map of Scala's hands them out: up to four as they came, more by their hashes.
pub fn scala_order<T>(items: &mut Vec<T>, key: impl Fn(&T) -> &str) {
    if items.len() > 4 {
        let hashed: Vec<(u32, T)> = std::mem::take(items)
            .into_iter()
            .map(|item| (improved(key(&item).java_hash()), item))
            .collect();
        champ(hashed, 0, items);
    }
}

/// A node of the tree: first what ends here, by five bits of the hash, then its children.
fn champ<T>(mut hashed: Vec<(u32, T)>, shift: u32, out: &mut Vec<T>) {
    if shift >= u32::BITS {
        out.extend(hashed.into_iter().map(|(_, item)| item));
        return;
    }
    let slot = |hash: u32| (hash >> shift) & 31;
    hashed.sort_by_key(|(hash, _)| slot(*hash));
    let mut children: Vec<Vec<(u32, T)>> = Vec::new();
    for item in hashed {
        match children
            .last_mut()
            .filter(|child| slot(child[0].0) == slot(item.0))
        {
            Some(child) => child.push(item),
            None => children.push(vec![item]),
        }
    }
    let (alone, together): (Vec<_>, Vec<_>) = children.into_iter().partition(|child| child.len() == 1);
    out.extend(alone.into_iter().flatten().map(|(_, item)| item));
    for child in together {
        champ(child, shift + 5, out);
    }
}

/// Scala's own spread of a hash.
fn improved(hash: i32) -> u32 {
    let hash = hash.cast_unsigned();
    let hash = hash.wrapping_add(!(hash << 9));
    let hash = hash ^ (hash >> 14);
    let hash = hash.wrapping_add(hash << 4);
    hash ^ (hash >> 10)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn partitions_come_as_apache_kafka_4_3_1_printed_them() {
        let mut partitions: Vec<_> = (0..3)
            .map(|index| TopicPartition::new("groups-a", index))
            .collect();
        hash_map_order(&mut partitions, |partition| partition);
        let seen: Vec<i32> = partitions.iter().map(|partition| partition.partition).collect();
        assert_eq!(seen, [1, 0, 2]);
    }
    #[test]
    fn settings_of_one_bucket_come_as_the_broker_told_them() {
        // As Apache Kafka 4.3.1 printed them, which told `segment.bytes` first.
        let mut settings = ["segment.bytes", "retention.ms"];
        hash_map_order(&mut settings, |name| *name);
        assert_eq!(settings, ["segment.bytes", "retention.ms"]);
        let mut settings = ["retention.ms", "segment.bytes"];
        hash_map_order(&mut settings, |name| *name);
        assert_eq!(settings, ["retention.ms", "segment.bytes"]);
    }
}
