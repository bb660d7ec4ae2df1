//! Members of a group: they join, share out its pieces, commit in their generation; and leave, fall silent, or come back after
//! they have been given up.

use super::{LOOSE, SAFE, commits};
use crate::sim::client::{Client, code_name, text};
use bytes::Bytes;
use kafka_protocol::ResponseError;
use kafka_protocol::messages::join_group_request::JoinGroupRequestProtocol;
use kafka_protocol::messages::leave_group_request::MemberIdentity;
use kafka_protocol::messages::sync_group_request::SyncGroupRequestAssignment;
use kafka_protocol::messages::{
    GroupId, HeartbeatRequest, JoinGroupRequest, JoinGroupResponse, LeaveGroupRequest, SyncGroupRequest,
};
use std::collections::BTreeMap;

/// The group.
pub const TEAM: &str = "team";
/// Its members' clients.
pub const MEMBERS: [&str; 3] = ["m1", "m2", "m3"];
/// What they share out.
pub const PIECES: [(&str, i32); 4] = [(SAFE, 0), (SAFE, 1), (LOOSE, 0), (LOOSE, 1)];
/// After how long a silent member is given up, and how long the others wait for it, in ms.
const SESSION_MS: i32 = 2_000;

/// What a client knows of its membership.
#[derive(Default)]
struct Me {
    /// Empty for nobody.
    id: String,
    /// JoinGroups so far: each says something new, so that none is answered with the generation that is there.
    joins: u32,
}

/// A place in a generation.
struct Seat {
    generation: i32,
    pieces: Vec<usize>,
}

/// What a member does next.
enum Deed {
    Beat,
    Commit,
    Leave,
    /// It goes without a word.
    Vanish,
    /// It says nothing for a while, and then goes on as if nothing had been.
    Sleep,
}

/// Is a member, again and again, until told to end.
pub async fn run(mut client: Client) {
    let mut me = Me::default();
    while client.stays() {
        client.rest(20, 200).await;
        let Some(coordinator) = client.coordinator(TEAM).await else {
            continue;
        };
        if let Some(seat) = take_seat(&mut client, coordinator, &mut me).await {
            work(&mut client, coordinator, &mut me, &seat).await;
            client.board.holds(&client.name, None);
        }
    }
    if client.dice.number(0..=1) == 0
        && let Some(coordinator) = client.coordinator(TEAM).await
    {
        leave(&mut client, coordinator, &mut me).await;
    }
}

async fn take_seat(client: &mut Client, coordinator: i32, me: &mut Me) -> Option<Seat> {
    let joined = join(client, coordinator, me).await?;
    let seat = sync(client, coordinator, me, &joined).await?;
    client.history.note(format_args!(
        "{} has {:?} in generation {} at {coordinator}",
        client.name, seat.pieces, seat.generation
    ));
    client.board.assigned(&me.id, seat.generation, &seat.pieces);
    Some(seat)
}

async fn join(client: &mut Client, coordinator: i32, me: &mut Me) -> Option<JoinGroupResponse> {
    // A new member is given its id first (KIP-394).
    for _ in 0..2 {
        me.joins += 1;
        let protocol = JoinGroupRequestProtocol::default()
            .with_name(text("share"))
            .with_metadata(Bytes::from(me.joins.to_string()));
        let request = JoinGroupRequest::default()
            .with_group_id(GroupId(text(TEAM)))
            .with_session_timeout_ms(SESSION_MS)
            .with_rebalance_timeout_ms(SESSION_MS)
            .with_member_id(text(&me.id))
            .with_protocol_type(text("sim"))
            .with_protocols(vec![protocol]);
        let answer = client.ask(coordinator, &request, 5).await?;
        match ResponseError::try_from_code(answer.error_code) {
            None => {
                me.id = answer.member_id.to_string();
                return Some(answer);
            }
            Some(ResponseError::MemberIdRequired) => me.id = answer.member_id.to_string(),
            Some(_) => {
                me.refused(client, "join", answer.error_code);
                return None;
            }
        }
    }
    None
}

/// Hands in the pieces, if it leads, and takes its own.
async fn sync(
    client: &mut Client,
    coordinator: i32,
    me: &mut Me,
    joined: &JoinGroupResponse,
) -> Option<Seat> {
    let mut shares: BTreeMap<&str, Vec<u8>> = BTreeMap::new();
    for (piece, member) in (0..).zip(joined.members.iter().cycle()).take(PIECES.len()) {
        shares.entry(&member.member_id).or_default().push(piece);
    }
    let assignments = shares.into_iter().map(|(member, pieces)| {
        SyncGroupRequestAssignment::default()
            .with_member_id(text(member))
            .with_assignment(Bytes::from(pieces))
    });
    let request = SyncGroupRequest::default()
        .with_group_id(GroupId(text(TEAM)))
        .with_generation_id(joined.generation_id)
        .with_member_id(text(&me.id))
        .with_assignments(assignments.collect());
    let answer = client.ask(coordinator, &request, 3).await?;
    if answer.error_code != 0 {
        me.refused(client, "have its pieces", answer.error_code);
        return None;
    }
    Some(Seat {
        generation: joined.generation_id,
        pieces: answer
            .assignment
            .iter()
            .map(|piece| usize::from(*piece))
            .collect(),
    })
}

/// Works in a generation, until something ends that.
async fn work(client: &mut Client, coordinator: i32, me: &mut Me, seat: &Seat) {
    let mut positions = BTreeMap::new();
    for piece in &seat.pieces {
        let floor = client.board.floor(*piece, seat.generation);
        let Some(kept) = commits::kept(client, coordinator, TEAM, PIECES[*piece]).await else {
            return;
        };
        client.board.began(*piece, seat.generation, kept, floor);
        positions.insert(*piece, kept);
    }
    while client.stays() {
        client.rest(40, 250).await;
        let goes_on = match deed(client, seat) {
            Deed::Beat => beat(client, coordinator, me, seat).await,
            Deed::Commit => commit(client, coordinator, me, seat, &mut positions).await,
            Deed::Leave => {
                leave(client, coordinator, me).await;
                false
            }
            Deed::Vanish => {
                client.history.note(format_args!("{} vanishes", client.name));
                client.hang_up();
                me.id.clear();
                client.rest(100, 4_000).await;
                false
            }
            Deed::Sleep => {
                client.history.note(format_args!("{} falls asleep", client.name));
                client.board.holds(&client.name, None);
                client.rest(1_000, 6_000).await;
                true
            }
        };
        if !goes_on {
            return;
        }
    }
}

fn deed(client: &Client, seat: &Seat) -> Deed {
    if !client.goes_on() {
        return Deed::Beat;
    }
    match client.dice.number(0..=59) {
        0 => Deed::Leave,
        1 => Deed::Vanish,
        2 => Deed::Sleep,
        3..=25 if !seat.pieces.is_empty() => Deed::Commit,
        _ => Deed::Beat,
    }
}

/// A sign of life; whether it is one of a member.
async fn beat(client: &mut Client, coordinator: i32, me: &mut Me, seat: &Seat) -> bool {
    let request = HeartbeatRequest::default()
        .with_group_id(GroupId(text(TEAM)))
        .with_generation_id(seat.generation)
        .with_member_id(text(&me.id));
    match client.ask(coordinator, &request, 3).await {
        Some(answer) if answer.error_code == 0 => {
            client
                .board
                .holds(&client.name, Some((seat.generation, seat.pieces.as_slice())));
            true
        }
        Some(answer) => {
            me.refused(client, "stay", answer.error_code);
            false
        }
        None => false,
    }
}

/// Commits one piece's next offset. Without a clear answer it may count later: the member joins again, and what was committed
/// in the generation before counts no more once another one has begun.
async fn commit(
    client: &mut Client,
    coordinator: i32,
    me: &mut Me,
    seat: &Seat,
    positions: &mut BTreeMap<usize, i64>,
) -> bool {
    let piece = client.one_of(&seat.pieces);
    let position = positions.entry(piece).or_default();
    *position += 1;
    let committer = commits::Committer {
        group: TEAM,
        member: &me.id,
        generation: seat.generation,
    };
    let code = commits::commit(client, coordinator, &committer, PIECES[piece], *position).await;
    match code {
        Some(0) => {
            client.history.note(format_args!(
                "{} committed {position} of piece {piece} in generation {}",
                client.name, seat.generation
            ));
            client.board.committed(piece, seat.generation, *position);
            true
        }
        Some(code) => {
            me.refused(client, "commit", code);
            false
        }
        None => false,
    }
}

async fn leave(client: &mut Client, coordinator: i32, me: &mut Me) {
    let member = MemberIdentity::default().with_member_id(text(&me.id));
    let request = LeaveGroupRequest::default()
        .with_group_id(GroupId(text(TEAM)))
        .with_members(vec![member]);
    let answer = client.ask(coordinator, &request, 3).await;
    let outcome = answer.map_or("no answer".to_owned(), |answer| code_name(answer.error_code));
    client
        .history
        .note(format_args!("{} leaves: {outcome}", client.name));
    me.id.clear();
}

impl Me {
    /// Why it could not; some errors are answers to nothing that a member does.
    fn refused(&mut self, client: &Client, what: &str, code: i16) {
        client
            .history
            .note(format_args!("{} cannot {what}: {}", client.name, code_name(code)));
        match ResponseError::try_from_code(code) {
            Some(ResponseError::UnknownMemberId) => self.id.clear(),
            Some(
                ResponseError::RebalanceInProgress
                | ResponseError::IllegalGeneration
                | ResponseError::NotCoordinator
                | ResponseError::CoordinatorNotAvailable
                | ResponseError::CoordinatorLoadInProgress,
            ) => {}
            _ => client
                .history
                .broken(format_args!("{} cannot {what}: {}", client.name, code_name(code))),
        }
    }
}
