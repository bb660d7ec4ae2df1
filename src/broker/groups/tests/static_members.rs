//! Static membership (KIP-345, KIP-814).

use super::*;

#[test]
fn a_static_member_that_restarts_keeps_its_assignment_without_a_rebalance() {
    let mut desk = Desk::new();
    let (mut leader, mut follower) = (Client::fixed("one"), Client::fixed("two"));
    let generation = desk.stable_with_two(&mut leader, &mut follower);
    let old_id = std::mem::take(&mut follower.member_id);
    let answer = desk.join(&follower).answer();
    assert_eq!((answer.error_code, answer.generation_id), (0, generation));
    assert_ne!(answer.member_id.as_str(), old_id);
    assert!(!answer.skip_assignment);
    follower.member_id = answer.member_id.to_string();
    assert_eq!(
        &desk.sync(&follower, generation, &[]).answer().assignment[..],
        b"right"
    );
    assert_eq!(desk.group.state(), GroupState::Stable);
    assert_eq!(desk.persisted.last(), Some(&Persist::StaticMember));
}

#[test]
fn a_static_leader_that_restarts_is_told_to_skip_the_assignment() {
    let mut desk = Desk::new();
    let (mut leader, mut follower) = (Client::fixed("one"), Client::fixed("two"));
    desk.stable_with_two(&mut leader, &mut follower);
    leader.member_id.clear();
    let answer = desk.join(&leader).answer();
    assert!(answer.skip_assignment);
    assert_eq!(answer.leader, answer.member_id);
    assert_eq!(answer.members.len(), 2);
}

#[test]
fn a_static_leader_of_an_older_client_is_not_told_that_it_leads() {
    let mut desk = Desk::new();
    let (mut leader, mut follower) = (Client::fixed("one"), Client::fixed("two"));
    desk.stable_with_two(&mut leader, &mut follower);
    let old_id = std::mem::take(&mut leader.member_id);
    let answer = desk.join_version(&leader, 8).answer();
    assert_eq!(answer.leader.as_str(), old_id);
    assert!(answer.members.is_empty());
}

#[test]
fn the_one_who_was_replaced_is_fenced() {
    let mut desk = Desk::new();
    let (mut leader, mut follower) = (Client::fixed("one"), Client::fixed("two"));
    let generation = desk.stable_with_two(&mut leader, &mut follower);
    let twin = Client {
        member_id: String::new(),
        ..follower.clone()
    };
    desk.join(&twin).answer();
    assert_eq!(
        desk.heartbeat(&follower, generation),
        Err(ResponseError::FencedInstanceId)
    );
    let answer = desk.sync(&follower, generation, &[]).answer();
    assert_eq!(error_of(answer.error_code), Some(ResponseError::FencedInstanceId));
}

#[test]
fn a_static_member_that_stays_away_is_kept_until_its_session_ends() {
    let mut desk = Desk::new();
    let (mut leader, mut follower) = (Client::fixed("one"), Client::fixed("two"));
    let generation = desk.stable_with_two(&mut leader, &mut follower);
    desk.advance(SESSION_MS - 1);
    assert_eq!(desk.heartbeat(&leader, generation), Ok(()));
    desk.advance(1);
    assert_eq!(
        desk.heartbeat(&leader, generation),
        Err(ResponseError::RebalanceInProgress)
    );
    assert_eq!(desk.join(&leader).answer().members.len(), 1);
}

#[test]
fn an_administrator_removes_a_static_member_by_its_instance_id() {
    let mut desk = Desk::new();
    let mut member = Client::fixed("one");
    desk.stable_with_one(&mut member);
    member.member_id.clear();
    assert_eq!(desk.leave(&member), Ok(()));
    assert_eq!(desk.group.state(), GroupState::Empty);
}

#[test]
fn a_restart_while_the_assignment_is_computed_rebalances() {
    let mut desk = Desk::new();
    let mut member = Client::fixed("one");
    let generation = desk.join(&member).answer().generation_id;
    assert_eq!(desk.group.state(), GroupState::CompletingRebalance);
    member.member_id.clear();
    let answer = desk.join(&member).answer();
    assert_eq!((answer.error_code, answer.generation_id), (0, generation + 1));
}
