//! Why librdkafka refused, in words.

use rdkafka::error::KafkaError;

/// The cause in librdkafka's words, without its `Broker:` and `Local:` prefixes and without codes.
pub fn reason(error: &KafkaError) -> String {
    let text = match error {
        KafkaError::ClientConfig(_, description, name, value) => {
            return format!("{description} ({name}={value})");
        }
        KafkaError::ClientCreation(text) | KafkaError::Subscription(text) => text.clone(),
        other => other
            .rdkafka_error_code()
            .map_or_else(|| other.to_string(), |code| code.to_string()),
    };
    let text = text
        .split_once(": ")
        .filter(|(origin, _)| matches!(*origin, "Broker" | "Local"))
        .map_or(text.as_str(), |(_, rest)| rest);
    let mut letters = text.chars();
    letters
        .next()
        .map(|first| first.to_lowercase().chain(letters).collect())
        .unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;
    use rdkafka::error::RDKafkaErrorCode;

    #[test]
    fn says_what_the_broker_said_without_prefix_or_code() {
        let error = KafkaError::ConsumerCommit(RDKafkaErrorCode::UnknownTopicOrPartition);
        assert_eq!(reason(&error), "unknown topic or partition");
    }
}
