//! The topics that the programs write to.

use crate::failure::Outcome;
use crate::kafka::{Admin, ErrorCode, NewTopic};

/// Makes a topic unless it is there.
///
/// # Errors
/// When the cluster refuses.
pub fn ensure(admin: &Admin, topic: &NewTopic) -> Outcome {
    if admin.find_topic(&topic.name)?.is_some() {
        return Ok(());
    }
    for (name, answer) in admin.create_topics(std::slice::from_ref(topic), false)? {
        match answer {
            // Another program of the exercise was quicker, and the brokers may not know of it yet.
            Err(error) if error.code() == ErrorCode::TopicAlreadyExists => {
                admin.await_partitions(&topic.name, 1)?;
            }
            Err(error) => return Err(error.into_failure(format!("cannot create topic `{name}`"))),
            Ok(()) => {}
        }
    }
    Ok(())
}
