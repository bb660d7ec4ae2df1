//! Who may commit, what may be deleted, and what expires.

use super::super::offsets::CommittedOffset;
use super::*;
use crate::broker::records::offsets::OffsetCommitValue;

const WEEK_MS: i64 = 7 * 24 * 3_600_000;

fn commit(desk: &mut Desk, topic: &str, offset: i64) {
    let value = OffsetCommitValue {
        offset,
        leader_epoch: -1,
        metadata: String::new(),
        commit_timestamp: desk.now,
        expire_timestamp: -1,
        topic_id: uuid::Uuid::nil(),
    };
    let committed = CommittedOffset::new(value, desk.budget.force(1));
    desk.group.put_offset(topic, 0, committed);
}

#[test]
fn a_consumer_without_membership_commits_only_while_the_group_has_no_members() {
    let mut desk = Desk::new();
    assert_eq!(desk.group.validate_commit("", None, -1), Ok(()));
    let mut member = Client::new("a");
    desk.stable_with_one(&mut member);
    assert_eq!(
        desk.group.validate_commit("", None, -1),
        Err(ResponseError::UnknownMemberId)
    );
}

#[test]
fn a_member_commits_in_its_generation_only() {
    let mut desk = Desk::new();
    let mut member = Client::new("a");
    let generation = desk.stable_with_one(&mut member);
    let id = member.member_id.as_str();
    assert_eq!(desk.group.validate_commit(id, None, generation), Ok(()));
    assert_eq!(
        desk.group.validate_commit(id, None, generation - 1),
        Err(ResponseError::IllegalGeneration)
    );
    assert_eq!(
        desk.group.validate_commit("other", None, generation),
        Err(ResponseError::UnknownMemberId)
    );
}

#[test]
fn a_commit_during_the_join_phase_counts_one_before_the_assignment_does_not() {
    let mut desk = Desk::new();
    let (mut first, mut second) = (Client::new("a"), Client::new("b"));
    let generation = desk.stable_with_one(&mut first);
    let _joining = desk.join_fresh(&mut second);
    let id = first.member_id.clone();
    assert_eq!(desk.group.validate_commit(&id, None, generation), Ok(()));
    let generation = desk.join(&first).answer().generation_id;
    assert_eq!(
        desk.group.validate_commit(&id, None, generation),
        Err(ResponseError::RebalanceInProgress)
    );
}

#[test]
fn a_group_with_members_is_not_deleted_nor_are_offsets_it_reads() {
    let mut desk = Desk::new();
    let mut member = Client::new("a");
    desk.stable_with_one(&mut member);
    assert_eq!(desk.group.validate_delete(), Err(ResponseError::NonEmptyGroup));
    assert_eq!(desk.group.validate_offset_delete(), Ok(()));
    assert!(desk.group.is_subscribed_to("t"));
    assert!(!desk.group.is_subscribed_to("elsewhere"));
    desk.leave(&member).unwrap();
    assert_eq!(desk.group.validate_delete(), Ok(()));
    assert!(!desk.group.is_subscribed_to("t"));
}

#[test]
fn offsets_expire_a_week_after_the_last_member_left() {
    let mut desk = Desk::new();
    let mut member = Client::new("a");
    desk.stable_with_one(&mut member);
    commit(&mut desk, "t", 5);
    assert!(
        desk.group
            .expired_offsets(desk.now + 2 * WEEK_MS, WEEK_MS)
            .is_empty()
    );
    desk.now += WEEK_MS;
    desk.leave(&member).unwrap();
    assert!(
        desk.group
            .expired_offsets(desk.now + WEEK_MS - 1, WEEK_MS)
            .is_empty()
    );
    assert_eq!(
        desk.group.expired_offsets(desk.now + WEEK_MS, WEEK_MS),
        [("t".to_owned(), 0)]
    );
}

#[test]
fn offsets_of_a_topic_no_member_reads_any_more_expire_while_the_group_lives() {
    let mut desk = Desk::new();
    let mut member = Client::new("a");
    desk.stable_with_one(&mut member);
    commit(&mut desk, "t", 5);
    commit(&mut desk, "left-behind", 6);
    let expired = desk.group.expired_offsets(desk.now + WEEK_MS, WEEK_MS);
    assert_eq!(expired, [("left-behind".to_owned(), 0)]);
}

#[test]
fn offsets_of_a_group_without_membership_expire_after_their_commit() {
    let mut desk = Desk::new();
    commit(&mut desk, "t", 1);
    assert!(
        desk.group
            .expired_offsets(desk.now + WEEK_MS - 1, WEEK_MS)
            .is_empty()
    );
    assert_eq!(desk.group.expired_offsets(desk.now + WEEK_MS, WEEK_MS).len(), 1);
    desk.group.remove_offset("t", 0);
    assert!(desk.group.is_forgotten());
}
