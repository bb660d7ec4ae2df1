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
    let mut buckets: u32 = 16;
    while items.len() as u64 * 4 > u64::from(buckets) * 3 && buckets < 1 << 30 {
        buckets *= 2;
    }
    items.sort_by_key(|item| {
        let hash = key(item).java_hash().cast_unsigned();
        (hash ^ (hash >> 16)) & (buckets - 1)
    });
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
}
