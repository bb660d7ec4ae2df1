//! Two members and more.

use super::*;

#[test]
fn a_second_member_makes_the_first_join_again_and_both_get_their_share() {
    let mut desk = Desk::new();
    let (mut first, mut second) = (Client::new("a"), Client::new("b"));
    let generation = desk.stable_with_one(&mut first);
    let mut second_join = desk.join_fresh(&mut second);
    assert!(second_join.is_parked());
    assert_eq!(
        desk.heartbeat(&first, generation),
        Err(ResponseError::RebalanceInProgress)
    );
    let first_join = desk.join(&first).answer();
    let second_join = second_join.answer();
    assert_eq!(first_join.generation_id, generation + 1);
    assert_eq!(first_join.leader.as_str(), first.member_id);
    assert_eq!((first_join.members.len(), second_join.members.len()), (2, 0));
    let followed = desk.sync(&second, generation + 1, &[]);
    desk.sync(&first, generation + 1, &[(&first, "left"), (&second, "right")]);
    assert_eq!(&followed.answer().assignment[..], b"right");
    assert_eq!(desk.group.state(), GroupState::Stable);
}

#[test]
fn a_follower_that_syncs_late_gets_its_assignment_at_once() {
    let mut desk = Desk::new();
    let (mut first, mut second) = (Client::new("a"), Client::new("b"));
    let generation = desk.stable_with_two(&mut first, &mut second);
    assert_eq!(
        &desk.sync(&second, generation, &[]).answer().assignment[..],
        b"right"
    );
}

#[test]
fn who_does_not_join_again_in_time_is_out() {
    let mut desk = Desk::new();
    let (mut first, mut second) = (Client::new("a"), Client::new("b"));
    let generation = desk.stable_with_one(&mut first);
    let mut joining = desk.join_fresh(&mut second);
    for _ in 0..6 {
        assert_eq!(
            desk.heartbeat(&first, generation),
            Err(ResponseError::RebalanceInProgress)
        );
        desk.advance(SESSION_MS - 1);
        assert!(joining.is_parked());
    }
    desk.advance(REBALANCE_MS - 6 * (SESSION_MS - 1));
    let answer = joining.answer();
    assert_eq!(answer.leader.as_str(), second.member_id);
    assert_eq!(answer.members.len(), 1);
    assert_eq!(
        desk.heartbeat(&first, generation),
        Err(ResponseError::UnknownMemberId)
    );
}

#[test]
fn a_leader_that_joins_again_starts_a_rebalance_a_follower_does_not() {
    let mut desk = Desk::new();
    let (mut first, mut second) = (Client::new("a"), Client::new("b"));
    let generation = desk.stable_with_two(&mut first, &mut second);
    let answer = desk.join(&second).answer();
    assert_eq!((answer.error_code, answer.generation_id), (0, generation));
    assert!(desk.join(&first).is_parked());
    assert_eq!(desk.group.state(), GroupState::PreparingRebalance);
}

#[test]
fn a_cooperative_member_that_gives_partitions_back_rebalances_again() {
    let mut desk = Desk::new();
    let mut first = Client::new("a").with_protocols(&["cooperative-sticky"]);
    let mut second = Client::new("b").with_protocols(&["cooperative-sticky"]);
    let generation = desk.stable_with_two(&mut first, &mut second);
    // What it owns stands in its metadata, so a follower's metadata changes with what it owns.
    second.protocols = vec![("cooperative-sticky", subscription(&["t", "owned"]))];
    let second_join = desk.join(&second);
    assert_eq!(
        desk.heartbeat(&first, generation),
        Err(ResponseError::RebalanceInProgress)
    );
    let first_join = desk.join(&first).answer();
    assert_eq!(first_join.generation_id, generation + 1);
    assert_eq!(
        second_join.answer().protocol_name.as_deref(),
        Some("cooperative-sticky")
    );
}

#[test]
fn the_assignor_most_members_want_is_chosen_among_those_all_support() {
    let mut desk = Desk::with_limits(10, usize::MAX);
    let mut members = [
        Client::new("a").with_protocols(&["range", "roundrobin"]),
        Client::new("b").with_protocols(&["sticky", "roundrobin", "range"]),
        Client::new("c").with_protocols(&["roundrobin", "range"]),
    ];
    let joins: Vec<_> = members.iter_mut().map(|member| desk.join_fresh(member)).collect();
    desk.advance(10);
    desk.advance(10);
    for join in joins {
        assert_eq!(join.answer().protocol_name.as_deref(), Some("roundrobin"));
    }
}

#[test]
fn the_first_rebalance_waits_for_more_members_as_long_as_they_come() {
    let mut desk = Desk::with_limits(3_000, usize::MAX);
    let (mut first, mut second) = (Client::new("a"), Client::new("b"));
    let mut first_join = desk.join_fresh(&mut first);
    desk.advance(2_000);
    let mut second_join = desk.join_fresh(&mut second);
    desk.advance(1_000);
    assert!(first_join.is_parked() && second_join.is_parked());
    desk.advance(3_000);
    assert_eq!(first_join.answer().generation_id, 1);
    assert_eq!(second_join.answer().generation_id, 1);
}

#[test]
fn a_member_that_never_syncs_is_removed_after_the_rebalance_timeout() {
    let mut desk = Desk::new();
    let (mut first, mut second) = (Client::new("a"), Client::new("b"));
    desk.stable_with_one(&mut first);
    let joining = desk.join_fresh(&mut second);
    let generation = desk.join(&first).answer().generation_id;
    joining.answer();
    desk.sync(&first, generation, &[(&first, "left"), (&second, "right")])
        .answer();
    for _ in 0..7 {
        let _ = desk.heartbeat(&first, generation);
        let _ = desk.heartbeat(&second, generation);
        desk.advance(SESSION_MS - 1);
    }
    assert_eq!(
        desk.heartbeat(&first, generation),
        Err(ResponseError::RebalanceInProgress)
    );
    assert_eq!(
        desk.heartbeat(&second, generation),
        Err(ResponseError::UnknownMemberId)
    );
}

#[test]
fn a_follower_waiting_for_its_assignment_is_called_back_by_a_new_rebalance() {
    let mut desk = Desk::new();
    let (mut first, mut second) = (Client::new("a"), Client::new("b"));
    desk.stable_with_one(&mut first);
    let joining = desk.join_fresh(&mut second);
    let generation = desk.join(&first).answer().generation_id;
    joining.answer();
    let waiting = desk.sync(&second, generation, &[]);
    desk.leave(&first).unwrap();
    let answer = waiting.answer();
    assert_eq!(
        error_of(answer.error_code),
        Some(ResponseError::RebalanceInProgress)
    );
    assert_eq!(desk.join(&second).answer().leader.as_str(), second.member_id);
}

#[test]
fn a_group_that_moves_away_answers_everyone_who_waits() {
    let mut desk = Desk::new();
    let (mut first, mut second) = (Client::new("a"), Client::new("b"));
    desk.stable_with_one(&mut first);
    let joining = desk.join_fresh(&mut second);
    let Desk { group, budget, .. } = desk;
    group.dismiss_all(ResponseError::NotCoordinator);
    assert_eq!(
        error_of(joining.answer().error_code),
        Some(ResponseError::NotCoordinator)
    );
    assert_eq!(budget.used(), 0);
}
