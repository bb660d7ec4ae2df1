//! Whatever happens to a group, its log read anew says what it was.

use super::bench::{Bench, GROUP};
use super::service::leaving;
use crate::broker::machine::Producer;
use kafka_protocol::messages::JoinGroupResponse;
use proptest::prelude::*;
use std::time::Duration;
use tokio::task::JoinHandle;

#[derive(Debug, Clone)]
enum Act {
    Join(usize),
    Sync(usize),
    Commit(usize, i32, i64),
    CommitAlone(i32, i64),
    CommitIn(i64, i32, i64),
    End(i64, bool),
    Leave(usize),
    DeleteOffset(i32),
    DeleteGroup,
    Wait(u64),
    Refuse,
    Serve,
    Crash,
}

fn acts() -> impl Strategy<Value = Vec<Act>> {
    let act = prop_oneof![
        5 => (0..3_usize).prop_map(Act::Join),
        4 => (0..3_usize).prop_map(Act::Sync),
        3 => (0..3_usize, 0..3, 0..99_i64).prop_map(|(who, at, offset)| Act::Commit(who, at, offset)),
        2 => (0..3, 0..99_i64).prop_map(|(at, offset)| Act::CommitAlone(at, offset)),
        2 => (0..2_i64, 0..3, 0..99_i64).prop_map(|(who, at, offset)| Act::CommitIn(who, at, offset)),
        1 => (0..2_i64, any::<bool>()).prop_map(|(who, commits)| Act::End(who, commits)),
        1 => (0..3_usize).prop_map(Act::Leave),
        1 => (0..3).prop_map(Act::DeleteOffset),
        1 => Just(Act::DeleteGroup),
        2 => prop_oneof![Just(500_u64), Just(11_000), Just(8 * 24 * 3_600_000)].prop_map(Act::Wait),
        1 => Just(Act::Refuse),
        2 => Just(Act::Serve),
        1 => Just(Act::Crash),
    ];
    prop::collection::vec(act, 1..40)
}

/// Three clients of a group that do what they are told, in whatever state.
struct Clients {
    bench: Bench,
    members: [(String, i32); 3],
    joins: Vec<(usize, JoinHandle<JoinGroupResponse>)>,
    syncs: Vec<JoinHandle<()>>,
    refuses: bool,
}

impl Clients {
    /// Ends the broker's process, and with it whatever it was asked and had not answered: a request that went on waiting would
    /// keep the old coordinator at work, on the files of the new one.
    async fn crash(&mut self) {
        let joins = self.joins.drain(..).map(|(_, join)| join.abort_handle());
        let syncs = self.syncs.drain(..).map(|sync| sync.abort_handle());
        joins.chain(syncs).for_each(|asked| asked.abort());
        for _ in 0..20 {
            tokio::task::yield_now().await;
        }
        self.bench.crash_and_restart().await;
    }

    async fn settle(&mut self) {
        for _ in 0..20 {
            tokio::task::yield_now().await;
        }
        let (ended, waiting) = std::mem::take(&mut self.joins)
            .into_iter()
            .partition(|(_, join): &(usize, JoinHandle<_>)| join.is_finished());
        self.joins = waiting;
        for (who, join) in ended {
            let answer: JoinGroupResponse = join.await.unwrap();
            if !answer.member_id.is_empty() {
                self.members[who] = (answer.member_id.to_string(), answer.generation_id);
            }
        }
    }

    async fn act(&mut self, act: Act) {
        let bench = &mut self.bench;
        match act {
            Act::Join(who) => {
                let join = tokio::spawn(bench.join(&self.members[who].0, "c"));
                self.joins.push((who, join));
            }
            Act::Sync(who) => {
                let (member, generation) = &self.members[who];
                let assignments = self.members.each_ref().map(|(id, _)| (id.as_str(), "some"));
                let sync = bench.sync(member, *generation, &assignments);
                self.syncs.push(tokio::spawn(async move {
                    sync.await;
                }));
            }
            Act::Commit(who, at, offset) => {
                let (member, generation) = &self.members[who];
                let _ = bench.commit_as(member, *generation, "t", at, offset).await;
            }
            Act::CommitAlone(at, offset) => {
                let _ = bench.commit("t", at, offset).await;
            }
            Act::CommitIn(id, at, offset) if !self.refuses => {
                bench.commit_in(Producer { id, epoch: 0 }, at, offset).await;
            }
            Act::End(id, commits) if !self.refuses => bench.end(Producer { id, epoch: 0 }, commits).await,
            Act::Leave(who) => {
                let _ = bench.groups.leave(GROUP, &[leaving(&self.members[who].0)]).await;
            }
            Act::DeleteOffset(at) => {
                let _ = bench.groups.delete_offsets(GROUP, &[("t".to_owned(), at)]).await;
            }
            Act::DeleteGroup => {
                let _ = bench.groups.delete(GROUP).await;
            }
            Act::Wait(ms) => bench.clock.advance(Duration::from_millis(ms)),
            Act::Refuse if !self.refuses => {
                self.refuses = true;
                bench.disk_refuses();
            }
            Act::Serve if self.refuses => {
                self.refuses = false;
                bench.disk_serves();
            }
            Act::Crash if !self.refuses => self.crash().await,
            _ => {}
        }
    }
}

async fn live_and_read_anew(acts: Vec<Act>) {
    let mut clients = Clients {
        bench: Bench::new().await,
        members: Default::default(),
        joins: Vec::new(),
        syncs: Vec::new(),
        refuses: false,
    };
    for act in acts {
        clients.act(act).await;
        clients.settle().await;
    }
    if clients.refuses {
        clients.bench.disk_serves();
    }
    let live = clients.bench.machine();
    clients.crash().await;
    assert_eq!(clients.bench.machine(), live);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn a_log_read_anew_says_what_the_groups_were(acts in acts()) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(live_and_read_anew(acts));
    }
}
