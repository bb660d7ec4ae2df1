//! A cluster in memory, and a learner who types a script.

use std::cell::{Cell, RefCell};
use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::rc::Rc;
use std::time::Duration;
use velodrome::course::facts::{ClusterFacts, ClusterView, Group, Partition, PartitionOffsets, Seen};
use velodrome::course::talk::{Heard, Talk};
use velodrome::failure::{Failure, Outcome};

/// What the cluster in memory holds: topics by name with the number of records of each partition, and groups.
#[derive(Debug, Clone, Default)]
pub struct Fake {
    pub away: Rc<Cell<bool>>,
    /// How often it was asked for brokers, topics or offsets.
    pub asked: Rc<Cell<usize>>,
    pub topics: Rc<RefCell<BTreeMap<String, Vec<i64>>>>,
    pub groups: Rc<RefCell<BTreeMap<String, Group>>>,
    /// What becomes of a group each time it is asked for.
    pub next_groups: Rc<RefCell<VecDeque<Group>>>,
}

impl Fake {
    /// Gives a topic so many records in each partition.
    pub fn put(&self, topic: &str, records: &[i64]) {
        self.topics
            .borrow_mut()
            .insert(topic.to_owned(), records.to_vec());
    }
}

impl ClusterFacts for Fake {
    fn cluster(&self) -> Outcome<ClusterView> {
        self.asked.set(self.asked.get() + 1);
        if self.away.get() {
            return Err(Failure::unreachable("no broker answers"));
        }
        let topics = self.topics.borrow();
        let partition = |_: &i64| Partition {
            leader: Some(1),
            replicas: vec![1],
            isr: vec![1],
        };
        Ok(ClusterView {
            brokers: [1].into(),
            topics: topics
                .iter()
                .map(|(name, parts)| (name.clone(), parts.iter().map(partition).collect()))
                .collect(),
        })
    }

    fn groups(&self) -> Outcome<BTreeSet<String>> {
        Ok(self.groups.borrow().keys().cloned().collect())
    }

    fn topic_configs(&self, _topic: &str) -> Outcome<BTreeMap<String, String>> {
        Ok(BTreeMap::new())
    }

    fn broker_configs(&self, _broker: i32) -> Outcome<BTreeMap<String, String>> {
        Ok(BTreeMap::new())
    }

    fn offsets(&self, topic: &str) -> Outcome<Option<Vec<PartitionOffsets>>> {
        self.asked.set(self.asked.get() + 1);
        let topics = self.topics.borrow();
        let partitions = topics.get(topic).cloned().unwrap_or_default();
        let offsets = (0..).zip(partitions).map(|(partition, end)| PartitionOffsets {
            partition,
            start: 0,
            end,
        });
        Ok(Some(offsets.collect()))
    }

    fn group(&self, group: &str) -> Outcome<Option<Group>> {
        if let Some(next) = self.next_groups.borrow_mut().pop_front() {
            self.groups.borrow_mut().insert(group.to_owned(), next);
        }
        Ok(self.groups.borrow().get(group).cloned())
    }

    fn records(&self, _topic: &str, _per_partition: i64) -> Outcome<Vec<Seen>> {
        Ok(Vec::new())
    }

    fn uncommitted(&self, _topic: &str, _per_partition: i64) -> Outcome<usize> {
        Ok(0)
    }

    fn open_transactions(&self, _topic: &str) -> Outcome<usize> {
        Ok(0)
    }

    fn create_topic(&self, topic: &str, partitions: i32, _replication_factor: Option<i32>) -> Outcome {
        self.put(topic, &vec![0; usize::try_from(partitions).unwrap()]);
        Ok(())
    }

    fn remove_topics(&self, topics: &[String]) -> Outcome {
        self.topics.borrow_mut().retain(|name, _| !topics.contains(name));
        Ok(())
    }

    fn remove_groups(&self, groups: &[String]) -> Outcome<Vec<String>> {
        let mut there = self.groups.borrow_mut();
        let in_use = |group: &Group| !group.members.is_empty();
        there.retain(|name, group| !groups.contains(name) || in_use(group));
        Ok(groups
            .iter()
            .filter(|name| there.contains_key(*name))
            .cloned()
            .collect())
    }
}

/// What the learner does next.
pub enum Do {
    /// Types a line into the runner.
    Type(&'static str),
    /// The same with a line that is only known now.
    Say(String),
    /// Changes the cluster from somewhere else; the runner's next look comes after it.
    Act(Box<dyn FnOnce()>),
}

/// A learner who follows a script, and hears everything.
pub struct Learner {
    script: VecDeque<Do>,
    /// What was said.
    pub heard: String,
    /// The commands that were run.
    pub ran: Vec<String>,
}

impl Learner {
    pub fn new(script: impl IntoIterator<Item = Do>) -> Self {
        Learner {
            script: script.into_iter().collect(),
            heard: String::new(),
            ran: Vec::new(),
        }
    }
}

impl Talk for Learner {
    fn say(&mut self, text: &str) -> Outcome {
        self.heard.push_str(text);
        self.heard.push('\n');
        Ok(())
    }

    fn run(&mut self, words: &[String]) -> Outcome {
        self.ran.push(words.join(" "));
        Ok(())
    }

    fn next(&mut self, _patience: Duration) -> Outcome<Heard> {
        Ok(match self.script.pop_front() {
            Some(Do::Type(line)) => Heard::Line(line.to_owned()),
            Some(Do::Say(line)) => Heard::Line(line),
            Some(Do::Act(act)) => {
                act();
                Heard::Nothing
            }
            None => Heard::End,
        })
    }
}
