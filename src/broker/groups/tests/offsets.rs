//! Who may commit, and what may be deleted.

use super::*;
use crate::broker::groups::commits::InTransaction::Outside;

#[test]
fn a_consumer_without_membership_commits_only_while_the_group_has_no_members() {
    let mut desk = Desk::new();
    assert_eq!(desk.group.validate_commit("", None, -1, Outside), Ok(()));
    let mut member = Client::new("a");
    desk.stable_with_one(&mut member);
    assert_eq!(
        desk.group.validate_commit("", None, -1, Outside),
        Err(ResponseError::UnknownMemberId)
    );
}

#[test]
fn a_member_commits_in_its_generation_only() {
    let mut desk = Desk::new();
    let mut member = Client::new("a");
    let generation = desk.stable_with_one(&mut member);
    let id = member.member_id.as_str();
    assert_eq!(desk.group.validate_commit(id, None, generation, Outside), Ok(()));
    assert_eq!(
        desk.group.validate_commit(id, None, generation - 1, Outside),
        Err(ResponseError::IllegalGeneration)
    );
    assert_eq!(
        desk.group.validate_commit("other", None, generation, Outside),
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
    assert_eq!(desk.group.validate_commit(&id, None, generation, Outside), Ok(()));
    let generation = desk.join(&first).answer().generation_id;
    assert_eq!(
        desk.group.validate_commit(&id, None, generation, Outside),
        Err(ResponseError::RebalanceInProgress)
    );
}

#[test]
fn offsets_that_a_member_reads_are_known_as_such() {
    let mut desk = Desk::new();
    let mut member = Client::new("a");
    desk.stable_with_one(&mut member);
    assert_eq!(desk.group.validate_offset_delete(), Ok(()));
    assert!(desk.group.is_subscribed_to("t"));
    assert!(!desk.group.is_subscribed_to("elsewhere"));
    desk.leave(&member).unwrap();
    assert!(!desk.group.is_subscribed_to("t"));
}
