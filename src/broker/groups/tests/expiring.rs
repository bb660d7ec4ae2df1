//! When committed offsets expire.

use super::super::offsets::Offsets;
use super::*;
use crate::broker::machine::Position;
use crate::broker::records::offsets::{OffsetCommitKey, OffsetCommitValue};

const WEEK_MS: i64 = 7 * 24 * 3_600_000;

fn none() -> Offsets {
    Offsets::new(Budget::new(usize::MAX))
}

fn commit(desk: &Desk, offsets: &mut Offsets, topic: &str, offset: i64) {
    let key = OffsetCommitKey {
        group: desk.group.id().to_owned(),
        topic: topic.into(),
        partition: 0,
    };
    let value = OffsetCommitValue {
        offset,
        commit_timestamp: desk.now,
        ..OffsetCommitValue::default()
    };
    let (offset, producer) = (0, None);
    offsets.commit(Position { offset, producer }, key, value);
}

fn expired(desk: &Desk, offsets: &Offsets, now: i64) -> Vec<(String, i32)> {
    let offsets = offsets.of(desk.group.id()).unwrap();
    desk.group.expired_offsets(offsets, now, WEEK_MS)
}

#[test]
fn offsets_expire_a_week_after_the_last_member_left() {
    let (mut desk, mut offsets) = (Desk::new(), none());
    let mut member = Client::new("a");
    desk.stable_with_one(&mut member);
    commit(&desk, &mut offsets, "t", 5);
    assert!(expired(&desk, &offsets, desk.now + 2 * WEEK_MS).is_empty());
    desk.now += WEEK_MS;
    desk.leave(&member).unwrap();
    assert!(expired(&desk, &offsets, desk.now + WEEK_MS - 1).is_empty());
    assert_eq!(
        expired(&desk, &offsets, desk.now + WEEK_MS),
        [("t".to_owned(), 0)]
    );
}

#[test]
fn offsets_of_a_topic_no_member_reads_any_more_expire_while_the_group_lives() {
    let (mut desk, mut offsets) = (Desk::new(), none());
    let mut member = Client::new("a");
    desk.stable_with_one(&mut member);
    commit(&desk, &mut offsets, "t", 5);
    commit(&desk, &mut offsets, "left-behind", 6);
    let expired = expired(&desk, &offsets, desk.now + WEEK_MS);
    assert_eq!(expired, [("left-behind".to_owned(), 0)]);
}

#[test]
fn offsets_of_a_group_without_membership_expire_after_their_commit() {
    let (desk, mut offsets) = (Desk::new(), none());
    commit(&desk, &mut offsets, "t", 1);
    assert!(expired(&desk, &offsets, desk.now + WEEK_MS - 1).is_empty());
    assert_eq!(expired(&desk, &offsets, desk.now + WEEK_MS).len(), 1);
}
