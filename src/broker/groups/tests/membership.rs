//! Joining, leaving, and being taken for gone.

use super::*;

#[test]
fn a_new_member_is_first_told_its_id_and_then_leads_a_group_of_one() {
    let mut desk = Desk::new();
    let mut client = Client::new("a");
    let answer = desk.join_fresh(&mut client).answer();
    assert_eq!(answer.error_code, 0);
    assert!(answer.member_id.starts_with("a-"), "{}", answer.member_id);
    assert_eq!(answer.leader, answer.member_id);
    assert_eq!(answer.generation_id, 1);
    assert_eq!(answer.protocol_name.as_deref(), Some("range"));
    assert_eq!(answer.members.len(), 1);
    assert_eq!(desk.group.state(), GroupState::CompletingRebalance);
}

#[test]
fn an_old_client_joins_without_the_extra_round() {
    let mut desk = Desk::new();
    let answer = desk.join_version(&Client::new("old"), 3).answer();
    assert_eq!((answer.error_code, answer.generation_id), (0, 1));
}

#[test]
fn an_id_that_nobody_gave_out_is_unknown() {
    let mut desk = Desk::new();
    let stranger = Client {
        member_id: "made-up".into(),
        ..Client::new("x")
    };
    let answer = desk.join(&stranger).answer();
    assert_eq!(error_of(answer.error_code), Some(ResponseError::UnknownMemberId));
}

#[test]
fn the_assignment_is_written_before_it_is_handed_out() {
    let mut desk = Desk::new();
    let mut client = Client::new("a");
    desk.stable_with_one(&mut client);
    assert_eq!(desk.persisted, [Persist::Assignment]);
}

#[test]
fn a_member_without_heartbeats_is_removed_and_the_group_is_empty() {
    let mut desk = Desk::new();
    let mut client = Client::new("a");
    let generation = desk.stable_with_one(&mut client);
    desk.advance(SESSION_MS - 1);
    assert_eq!(desk.heartbeat(&client, generation), Ok(()));
    desk.advance(SESSION_MS - 1);
    assert_eq!(desk.group.state(), GroupState::Stable);
    desk.advance(1);
    assert_eq!(desk.group.state(), GroupState::Empty);
    assert_eq!(
        desk.heartbeat(&client, generation),
        Err(ResponseError::UnknownMemberId)
    );
    assert_eq!(desk.persisted, [Persist::Assignment, Persist::Emptied]);
    assert_eq!(desk.group.next_deadline(), None);
}

#[test]
fn a_pending_member_that_never_joins_is_forgotten_with_its_memory() {
    let mut desk = Desk::new();
    desk.join(&Client::new("a")).answer();
    assert_eq!(desk.budget.used(), 100);
    desk.advance(SESSION_MS);
    assert_eq!(desk.budget.used(), 0);
    assert!(desk.group.is_idle());
    assert_eq!(desk.group.next_deadline(), None);
}

#[test]
fn a_member_that_leaves_is_gone_at_once() {
    let mut desk = Desk::new();
    let mut client = Client::new("a");
    desk.stable_with_one(&mut client);
    assert_eq!(desk.leave(&client), Ok(()));
    assert_eq!(desk.group.state(), GroupState::Empty);
    assert_eq!(desk.leave(&client), Err(ResponseError::UnknownMemberId));
    assert_eq!(desk.budget.used(), 0);
}

#[test]
fn heartbeats_of_another_generation_are_refused() {
    let mut desk = Desk::new();
    let mut client = Client::new("a");
    let generation = desk.stable_with_one(&mut client);
    assert_eq!(
        desk.heartbeat(&client, generation + 1),
        Err(ResponseError::IllegalGeneration)
    );
}

#[test]
fn a_group_at_its_largest_takes_no_one_more() {
    let mut desk = Desk::with_limits(0, 1);
    let mut first = Client::new("a");
    desk.stable_with_one(&mut first);
    let answer = desk.join(&Client::new("b")).answer();
    assert_eq!(
        error_of(answer.error_code),
        Some(ResponseError::GroupMaxSizeReached)
    );
}

#[test]
fn an_assignor_that_the_others_lack_is_inconsistent() {
    let mut desk = Desk::new();
    let mut first = Client::new("a");
    desk.stable_with_one(&mut first);
    let other = Client::new("b").with_protocols(&["sticky"]);
    let answer = desk.join(&other).answer();
    assert_eq!(
        error_of(answer.error_code),
        Some(ResponseError::InconsistentGroupProtocol)
    );
}

#[test]
fn a_member_that_joins_twice_gets_its_first_request_answered() {
    let mut desk = Desk::new();
    let (mut first, mut second) = (Client::new("a"), Client::new("b"));
    desk.stable_with_one(&mut first);
    let earlier = desk.join_fresh(&mut second);
    let mut later = desk.join(&second);
    assert_eq!(
        error_of(earlier.answer().error_code),
        Some(ResponseError::RebalanceInProgress)
    );
    assert!(later.is_parked());
}

#[test]
fn a_client_that_only_asks_for_ids_is_stopped() {
    let mut desk = Desk::new();
    for _ in 0..10_000 {
        desk.join(&Client::new("a")).answer();
    }
    let answer = desk.join(&Client::new("a")).answer();
    assert_eq!(
        error_of(answer.error_code),
        Some(ResponseError::GroupMaxSizeReached)
    );
}
