//! What lies beside the groups' machine and dies with this broker's lead: members that join, requests that wait, deadlines.

use super::group::Group;
use std::collections::{BTreeMap, BTreeSet};

/// The groups in which something goes on.
#[derive(Debug)]
pub struct Beside {
    groups: BTreeMap<String, Seat>,
    /// When a group is to be looked at, in ms, and its id.
    deadlines: BTreeSet<(i64, String)>,
    /// When offsets are next looked at for what expires, in ms.
    check_ms: i64,
}

#[derive(Debug)]
struct Seat {
    group: Group,
    /// Where it stands in the deadlines: a sign of life only moves its own away, which is noticed when the old one comes.
    noted: Option<i64>,
}

impl Beside {
    /// Nothing goes on yet; offsets are looked at from `check_ms` on.
    pub fn new(check_ms: i64) -> Self {
        Beside {
            groups: BTreeMap::new(),
            deadlines: BTreeSet::new(),
            check_ms,
        }
    }

    /// The group, if something goes on in it.
    pub fn get(&self, id: &str) -> Option<&Group> {
        self.groups.get(id).map(|seat| &seat.group)
    }

    /// The groups in which something goes on.
    pub fn ids(&self) -> impl Iterator<Item = &String> {
        self.groups.keys()
    }

    /// All groups.
    pub fn into_groups(self) -> impl Iterator<Item = Group> {
        self.groups.into_values().map(|seat| seat.group)
    }

    /// Takes a group as it now is, and forgets it once nothing goes on in it.
    pub fn put(&mut self, group: Group) {
        self.remove(group.id());
        if group.is_idle() {
            return;
        }
        let (id, noted) = (group.id().to_owned(), group.next_deadline());
        if let Some(due) = noted {
            self.deadlines.insert((due, id.clone()));
        }
        self.groups.insert(id, Seat { group, noted });
    }

    /// Forgets a group.
    pub fn remove(&mut self, id: &str) {
        if let Some((id, seat)) = self.groups.remove_entry(id)
            && let Some(due) = seat.noted
        {
            self.deadlines.remove(&(due, id));
        }
    }

    /// A member gave a sign of life.
    pub fn touch(&mut self, id: &str, member_id: &str, now: i64) {
        if let Some(seat) = self.groups.get_mut(id) {
            seat.group.touch(member_id, now);
        }
    }

    /// Moves all that is to come by so many ms.
    pub fn move_on(&mut self, by_ms: i64) {
        self.check_ms = self.check_ms.saturating_add(by_ms);
        self.deadlines.clear();
        for (id, seat) in &mut self.groups {
            seat.group.move_on(by_ms);
            seat.noted = seat.group.next_deadline();
            self.deadlines.extend(seat.noted.map(|due| (due, id.clone())));
        }
    }

    /// The earliest moment at which something is due, in ms.
    pub fn due(&self) -> i64 {
        let first = self.deadlines.first().map(|(due, _)| *due);
        first.unwrap_or(i64::MAX).min(self.check_ms)
    }

    /// Groups that are to be looked at.
    pub fn groups_due(&self, now: i64) -> impl Iterator<Item = String> {
        let due = self.deadlines.iter().take_while(move |(due, _)| *due <= now);
        due.map(|(_, id)| id.clone())
    }

    /// Whether offsets are to be looked at for what expires.
    pub fn is_check_due(&self, now: i64) -> bool {
        self.check_ms <= now
    }

    /// Offsets are looked at again at `check_ms`.
    pub fn check_at(&mut self, check_ms: i64) {
        self.check_ms = check_ms;
    }
}
