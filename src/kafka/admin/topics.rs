//! Topics, partitions and leaders.

use super::Admin;
use crate::failure::{Failure, Outcome};
use crate::kafka::errors::{Answer, ErrorCode, KafkaError};
use crate::kafka::ffi::Ask;
use crate::kafka::types::{NewTopic, TopicDescription, TopicPartition};
use crate::kafka::wire::EligibleReplicas;
use crate::nearest::nearest;
use crate::ui::units::count;
use std::collections::BTreeMap;
use std::time::{Duration, Instant};

/// How long a change may take to be known to all brokers.
const PROPAGATION: Duration = Duration::from_secs(10);

fn succeeded(answers: &[(String, Answer)]) -> Vec<String> {
    let succeeded = answers.iter().filter(|(_, answer)| answer.is_ok());
    succeeded.map(|(name, _)| name.clone()).collect()
}

impl Admin {
    /// Creates topics, each with its own answer; with `validate_only` nothing is created.
    ///
    /// # Errors
    /// When the cluster could not be asked.
    pub fn create_topics(&self, topics: &[NewTopic], validate_only: bool) -> Outcome<Vec<(String, Answer)>> {
        let ask = Ask {
            validate_only,
            ..self.ask()
        };
        let answers = self.outcome("cannot create topics", self.client.create_topics(topics, ask))?;
        if !validate_only {
            self.await_topics(&succeeded(&answers), |answer| {
                let ready =
                    |topic: &TopicDescription| topic.partitions.iter().all(|one| one.leader.is_some());
                answer.as_ref().is_ok_and(ready)
            })?;
        }
        Ok(answers)
    }

    /// The cluster agrees to a change before all brokers know of it. Waits a moment until the one that is asked does, so
    /// that the next command sees the change.
    fn await_topics(&self, names: &[String], known: impl Fn(&Answer<TopicDescription>) -> bool) -> Outcome {
        let deadline = Instant::now() + PROPAGATION;
        while !self
            .describe_topics(names)?
            .iter()
            .all(|(_, answer)| known(answer))
        {
            if Instant::now() >= deadline {
                break;
            }
            std::thread::sleep(Duration::from_millis(2));
        }
        Ok(())
    }

    /// Creates one topic.
    ///
    /// # Errors
    /// When the cluster refuses it, also when it is there already.
    pub fn create_topic(&self, topic: &NewTopic) -> Outcome {
        let answers = self.create_topics(std::slice::from_ref(topic), false)?;
        answers.into_iter().try_for_each(|(name, answer)| {
            answer.map_err(|error| {
                let exists = error.code() == ErrorCode::TopicAlreadyExists;
                let failure = error.into_failure(format!("cannot create topic `{name}`"));
                if exists {
                    failure.hint(format!("velo topic describe {name}"))
                } else {
                    failure
                }
            })
        })
    }

    /// Deletes topics, each with its own answer.
    ///
    /// # Errors
    /// When the cluster could not be asked.
    pub fn delete_topics(&self, names: &[String]) -> Outcome<Vec<(String, Answer)>> {
        let answers = self.outcome(
            "cannot delete topics",
            self.client.delete_topics(names, self.ask()),
        )?;
        self.await_topics(&succeeded(&answers), |answer| {
            answer.as_ref().is_err_and(KafkaError::is_unknown_topic)
        })?;
        Ok(answers)
    }

    /// Raises the number of partitions of `topic` to `total`; with `validate_only` only checks.
    ///
    /// # Errors
    /// When the cluster refuses: partitions can be added, never taken away.
    pub fn create_partitions(&self, topic: &str, total: i32, validate_only: bool) -> Outcome {
        self.create_partitions_on(topic, total, &[], validate_only)
    }

    /// The same, with the brokers of each new partition named.
    ///
    /// # Errors
    /// As [`Admin::create_partitions`].
    pub fn create_partitions_on(
        &self,
        topic: &str,
        total: i32,
        assignment: &[Vec<i32>],
        validate_only: bool,
    ) -> Outcome {
        match self.try_create_partitions(topic, total, assignment, validate_only) {
            Err(error) if error.is_unknown_topic() => return Err(self.unknown_topic(topic)),
            answer => self.outcome(
                &format!(
                    "cannot give topic `{topic}` {}",
                    count(i64::from(total), "partition")
                ),
                answer,
            )?,
        }
        if validate_only {
            return Ok(());
        }
        self.await_partitions(topic, total)
    }

    /// Waits until the brokers know of a topic's new partitions, ten seconds at most: the controller agrees first.
    ///
    /// # Errors
    /// When the cluster could not be asked.
    pub fn await_partitions(&self, topic: &str, total: i32) -> Outcome {
        let wanted = usize::try_from(total).unwrap_or_default();
        self.await_topics(&[topic.to_owned()], |answer| {
            answer
                .as_ref()
                .is_ok_and(|topic| topic.partitions.len() >= wanted)
        })
    }

    /// The same, with the cluster's own answer.
    ///
    /// # Errors
    /// What the cluster refused.
    pub fn try_create_partitions(
        &self,
        topic: &str,
        total: i32,
        assignment: &[Vec<i32>],
        validate_only: bool,
    ) -> Answer {
        let ask = Ask {
            validate_only,
            ..self.ask()
        };
        self.client.create_partitions(topic, total, assignment, ask)
    }

    /// Describes topics by name, each with its own answer.
    ///
    /// # Errors
    /// When the cluster could not be asked.
    pub fn describe_topics(&self, names: &[String]) -> Outcome<Vec<(String, Answer<TopicDescription>)>> {
        if names.is_empty() {
            return Ok(Vec::new());
        }
        self.outcome(
            "cannot describe topics",
            self.client.describe_topics(names, self.ask()),
        )
    }

    /// Describes one topic; `None` when there is no topic of that name.
    ///
    /// # Errors
    /// When the cluster could not be asked, or refuses.
    pub fn find_topic(&self, name: &str) -> Outcome<Option<TopicDescription>> {
        match self.describe_topics(&[name.to_owned()])?.pop() {
            None => Ok(None),
            Some((_, Err(error))) if error.is_unknown_topic() => Ok(None),
            Some((_, answer)) => self
                .outcome(&format!("cannot describe topic `{name}`"), answer)
                .map(Some),
        }
    }

    /// Describes one topic that should be there.
    ///
    /// # Errors
    /// When it is not, with the nearest name that is.
    pub fn describe_topic(&self, name: &str) -> Outcome<TopicDescription> {
        self.find_topic(name)?.ok_or_else(|| self.unknown_topic(name))
    }

    /// All partitions of a topic that should be there.
    ///
    /// # Errors
    /// As [`Admin::describe_topic`].
    pub fn partitions_of(&self, topic: &str) -> Outcome<Vec<TopicPartition>> {
        let description = self.describe_topic(topic)?;
        Ok(description
            .partitions
            .iter()
            .map(|partition| TopicPartition::new(topic, partition.partition))
            .collect())
    }

    /// What to say when there is no topic `name`: the nearest name that there is, or how to list them.
    pub fn unknown_topic(&self, name: &str) -> Failure {
        let failure = Failure::request(format!("topic `{name}` does not exist")).because(format!(
            "no topic of that name on {}",
            self.connection.bootstrap()
        ));
        let metadata = match self.metadata() {
            Ok(metadata) => metadata,
            // The cluster has gone since: that is the news.
            Err(unreachable) => return unreachable,
        };
        // Kafka's own topics are meant by whoever writes their underscores, and by nobody else.
        let own = name.starts_with('_');
        let topics = metadata.topics.iter().filter(|topic| own || !topic.is_internal());
        match nearest(name, topics.map(|topic| topic.name.as_str())) {
            Some(near) => failure.hint(format!("did you mean `{near}`? `velo topic list` shows all")),
            None => failure
                .hint("velo topic list")
                .hint(format!("velo topic create {name}")),
        }
    }

    /// How many bytes each partition takes on its leader's disk; `None` when the connection is secured in a way that only
    /// librdkafka knows, which lacks this request. A leader that does not answer leaves its partitions out.
    ///
    /// # Errors
    /// When the cluster could not be asked for its brokers.
    pub fn log_sizes(&self, topics: &[TopicDescription]) -> Outcome<Option<BTreeMap<TopicPartition, i64>>> {
        let Some(mut wire) = self.wire()? else {
            return Ok(None);
        };
        let mut sizes = BTreeMap::new();
        for broker in self.describe_cluster()?.brokers {
            let led: Vec<TopicPartition> = topics
                .iter()
                .flat_map(|topic| {
                    let led = topic.partitions.iter();
                    led.filter(|partition| partition.leader == Some(broker.id))
                        .map(|partition| TopicPartition::new(&topic.name, partition.partition))
                })
                .collect();
            if led.is_empty() {
                continue;
            }
            match wire.describe_log_dirs(broker.id, Some(&led)) {
                Ok(found) => sizes.extend(
                    // A replica that moves between folders counts where it is, not where it goes.
                    found
                        .into_iter()
                        .flat_map(|folder| folder.replicas)
                        .filter(|replica| !replica.is_future)
                        .map(|replica| (replica.partition, replica.size)),
                ),
                Err(error) => tracing::warn!("broker {} does not tell its sizes: {error}", broker.id),
            }
        }
        Ok(Some(sizes))
    }

    /// Eligible leader replicas of the partitions of topics (KIP-966), at most `limit` partitions an answer; none of brokers that
    /// do not know of them, or over a connection that only librdkafka can make.
    ///
    /// # Errors
    /// When the cluster could not be asked.
    pub fn eligible_replicas(
        &self,
        topics: &[String],
        limit: i32,
    ) -> Outcome<BTreeMap<TopicPartition, EligibleReplicas>> {
        match self.wire()? {
            Some(mut wire) => self.outcome("cannot describe topics", wire.eligible_replicas(topics, limit)),
            None => Ok(BTreeMap::new()),
        }
    }

    /// Elects leaders, each partition with its own answer: the preferred replicas, or with `unclean` any replica.
    ///
    /// # Errors
    /// When the cluster could not be asked.
    pub fn elect_leaders(
        &self,
        partitions: &[TopicPartition],
        unclean: bool,
    ) -> Outcome<Vec<(TopicPartition, Answer)>> {
        self.outcome(
            "cannot elect leaders",
            self.client.elect_leaders(partitions, unclean, self.ask()),
        )
    }
}
