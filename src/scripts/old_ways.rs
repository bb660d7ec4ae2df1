//! Options and scripts that Kafka has dropped: after Kafka's own refusal, the command to type today.

use super::Ending;
use super::options::quoted;

/// An option that old texts use, and what became of it.
struct OldOption {
    /// Empty for all.
    script: &'static str,
    option: &'static str,
    /// Nothing follows it.
    alone: bool,
    /// The option of today with its value; `{}` stands for the old value, `{host}` for its first host. Empty when
    /// nothing is needed.
    today: &'static str,
    /// Options beside which nothing is needed either.
    unless: &'static [&'static str],
}

const fn old(script: &'static str, option: &'static str, today: &'static str) -> OldOption {
    OldOption {
        script,
        option,
        alone: false,
        today,
        unless: &[],
    }
}

const fn switch(option: &'static str) -> OldOption {
    OldOption {
        alone: true,
        ..old("", option, "")
    }
}

/// The scripts whose `--broker-list` names brokers by their ids, today as ever.
const WITH_BROKER_LIST: [&str; 2] = ["kafka-log-dirs", "kafka-reassign-partitions"];

const OLD_OPTIONS: &[OldOption] = &[
    OldOption {
        unless: &["--bootstrap-server", "--broker-list"],
        ..old("", "zookeeper", "--bootstrap-server {host}:9092")
    },
    OldOption {
        unless: &["--bootstrap-server"],
        ..old("", "broker-list", "--bootstrap-server {}")
    },
    switch("new-consumer"),
    switch("new-producer"),
    switch("old-producer"),
    old("", "whitelist", "--include {}"),
    old("", "blacklist", ""),
    old("kafka-acls", "authorizer", ""),
    OldOption {
        unless: &["--bootstrap-server"],
        ..old(
            "kafka-acls",
            "authorizer-properties",
            "--bootstrap-server {host}:9092",
        )
    },
    old("kafka-producer-perf-test", "topics", "--topic {}"),
    // Without it there was no limit to the speed.
    old(
        "kafka-producer-perf-test",
        "messages",
        "--num-records {} --throughput -1",
    ),
    old("kafka-producer-perf-test", "message-size", "--record-size {}"),
    old("kafka-producer-perf-test", "threads", ""),
    old(
        "kafka-producer-perf-test",
        "batch-size",
        "--command-property batch.size={}",
    ),
    old("kafka-consumer-perf-test", "threads", ""),
    old("kafka-consumer-perf-test", "num-fetch-threads", ""),
];

/// Adds to the ending of a refused command line the one that works today, if an old option was the cause.
pub fn teach(script: &str, arguments: &[String], ending: Ending) -> Ending {
    if ending.code == 0 || !ending.hints.is_empty() {
        return ending;
    }
    if script == "kafka-topics"
        && let Some(today) = settings_of_a_topic(arguments)
    {
        return ending.hint(today);
    }
    match translated(script, arguments) {
        Some(today) => ending.hint(format!("{script}.sh {today}")),
        None => ending,
    }
}

/// `kafka-topics --alter --config`, until Kafka 3: the line of `kafka-configs`.
fn settings_of_a_topic(arguments: &[String]) -> Option<String> {
    let (mut add, mut delete, mut rest) = (Vec::new(), Vec::new(), vec!["--alter".to_owned()]);
    let mut words = arguments.iter().filter(|word| *word != "--alter");
    while let Some(word) = words.next() {
        let (name, value) = word.split_once('=').unwrap_or((word, ""));
        let mut value = || match value {
            "" => words.next().cloned().unwrap_or_default(),
            value => value.to_owned(),
        };
        match name {
            "--config" => add.push(bracketed(&value())),
            "--delete-config" => delete.push(value()),
            "--topic" => rest.extend(["--entity-type topics --entity-name".to_owned(), quoted(&value())]),
            // Partitions are another line's matter.
            "--partitions" => drop(value()),
            "--zookeeper" => rest.push(format!("--bootstrap-server {}:9092", host(&value()))),
            _ => rest.push(quoted(word)),
        }
    }
    let changes = [("--add-config", add), ("--delete-config", delete)];
    if !arguments.iter().any(|word| word == "--alter") || changes.iter().all(|(_, names)| names.is_empty()) {
        return None;
    }
    for (option, names) in changes.iter().filter(|(_, names)| !names.is_empty()) {
        rest.push(format!("{option} {}", quoted(&names.join(","))));
    }
    Some(format!("kafka-configs.sh {}", rest.join(" ")))
}

/// A setting with its value in brackets if that is a list.
fn bracketed(setting: &str) -> String {
    match setting.split_once('=') {
        Some((name, value)) if value.contains(',') && !value.starts_with('[') => format!("{name}=[{value}]"),
        _ => setting.to_owned(),
    }
}

/// The arguments with every old option replaced; `None` when there is none.
pub(super) fn translated(script: &str, arguments: &[String]) -> Option<String> {
    let mut today: Vec<String> = Vec::new();
    let mut changed = false;
    let mut rest = arguments.iter();
    while let Some(argument) = rest.next() {
        let Some(old) = old_option(script, argument) else {
            today.push(quoted(argument));
            continue;
        };
        changed = true;
        let value = if old.alone {
            String::new()
        } else {
            argument
                .split_once('=')
                .map(|(_, value)| value.to_owned())
                .or_else(|| rest.next().cloned())
                .unwrap_or_default()
        };
        let named = |better: &&str| {
            arguments
                .iter()
                .any(|argument| argument.split('=').next() == Some(better))
        };
        if !old.today.is_empty() && !old.unless.iter().any(named) {
            today.push(
                old.today
                    .replace("{host}", host(&value))
                    .replace("{}", &quoted(&value)),
            );
        }
    }
    changed.then(|| today.join(" "))
}

/// The first host of ZooKeeper's address.
pub(super) fn host(address: &str) -> &str {
    let address = address.strip_prefix("zookeeper.connect=").unwrap_or(address);
    let first = address.split([':', ',', '/']).next();
    first.filter(|host| !host.is_empty()).unwrap_or("localhost")
}

fn old_option(script: &str, argument: &str) -> Option<&'static OldOption> {
    let name = argument.strip_prefix("--")?.split('=').next()?;
    if name == "broker-list" && WITH_BROKER_LIST.contains(&script) {
        return None;
    }
    OLD_OPTIONS
        .iter()
        .find(|old| old.option == name && (old.script.is_empty() || old.script == script))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_old_line_is_answered_with_one_that_works() {
        for (script, line, today) in [
            (
                "kafka-topics",
                "--alter --zookeeper h:2181 --topic t --config retention.ms=1 --config cleanup.policy=compact,delete \
                 --delete-config=a --partitions 3",
                "kafka-configs.sh --alter --bootstrap-server h:9092 --entity-type topics --entity-name t --add-config \
                 'retention.ms=1,cleanup.policy=[compact,delete]' --delete-config a",
            ),
            (
                "kafka-console-consumer",
                "--zookeeper z:2181 --bootstrap-server h:1 --new-consumer --whitelist a|b",
                "kafka-console-consumer.sh --bootstrap-server h:1 --include 'a|b'",
            ),
            (
                "kafka-acls",
                "--authorizer-properties zookeeper.connect=z:2181/kafka --list",
                "kafka-acls.sh --bootstrap-server z:9092 --list",
            ),
            (
                "kafka-producer-perf-test",
                "--broker-list h:1 --messages 9 --topics t --threads 1 --message-size 100 --batch-size 200",
                "kafka-producer-perf-test.sh --bootstrap-server h:1 --num-records 9 --throughput -1 --topic t \
                 --record-size 100 --command-property batch.size=200",
            ),
        ] {
            let arguments: Vec<String> = line.split(' ').map(str::to_owned).collect();
            let taught = teach(script, &arguments, Ending::failure("refused"));
            assert_eq!(taught.hints, [today], "{line}");
        }
    }

    #[test]
    fn the_line_of_an_old_course_is_answered_with_the_line_of_today() {
        let old = "--create --zookeeper localhost:2181 --replication-factor 1 --partitions 1 --topic velib-stations";
        let arguments: Vec<String> = old.split(' ').map(str::to_owned).collect();
        let taught = teach(
            "kafka-topics",
            &arguments,
            Ending::failure("zookeeper is not a recognized option"),
        );
        assert_eq!(
            taught.hints,
            [
                "kafka-topics.sh --create --bootstrap-server localhost:9092 --replication-factor 1 --partitions 1 \
              --topic velib-stations"
            ]
        );
    }
}
