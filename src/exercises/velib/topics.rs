//! The topics that the programs write to.

use crate::failure::Outcome;
use crate::kafka::{Admin, Connection, ErrorCode, NewTopic};

/// Makes a topic unless it is there.
///
/// # Errors
/// When the cluster refuses.
pub fn ensure(connection: &Connection, topic: &NewTopic) -> Outcome {
    let admin = Admin::connect(connection)?;
    if admin.find_topic(&topic.name)?.is_some() {
        return Ok(());
    }
    for (name, answer) in admin.create_topics(std::slice::from_ref(topic), false)? {
        match answer {
            // Another program of the exercise was quicker.
            Err(error) if error.code() == ErrorCode::TopicAlreadyExists => {}
            Err(error) => return Err(error.into_failure(format!("cannot create topic `{name}`"))),
            Ok(()) => {}
        }
    }
    Ok(())
}
