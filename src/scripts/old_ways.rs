//! Options and scripts that Kafka has dropped: after Kafka's own refusal, the command to type today.

use super::Ending;
use super::options::quoted;

/// An option that old texts use, and what became of it.
struct OldOption {
    script: &'static str,
    option: &'static str,
    /// The option of today with its value; `{}` stands for the old value, `{host}` for its first host. Empty when
    /// nothing is needed.
    today: &'static str,
}

/// The scripts whose `--broker-list` names brokers by their ids, today as ever.
const WITH_BROKER_LIST: [&str; 2] = ["kafka-log-dirs", "kafka-reassign-partitions"];

const OLD_OPTIONS: &[OldOption] = &[
    OldOption {
        script: "",
        option: "zookeeper",
        today: "--bootstrap-server {host}:9092",
    },
    OldOption {
        script: "",
        option: "broker-list",
        today: "--bootstrap-server {}",
    },
    OldOption {
        script: "",
        option: "new-consumer",
        today: "",
    },
    OldOption {
        script: "",
        option: "whitelist",
        today: "--include {}",
    },
    OldOption {
        script: "",
        option: "blacklist",
        today: "",
    },
];

/// Adds to the ending of a refused command line the one that works today, if an old option was the cause.
pub fn teach(script: &str, arguments: &[String], ending: Ending) -> Ending {
    match translated(script, arguments) {
        Some(today) if ending.code != 0 && ending.hints.is_empty() => {
            ending.hint(format!("{script}.sh {today}"))
        }
        _ => ending,
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
        let value = if old.option == "new-consumer" {
            String::new()
        } else {
            argument
                .split_once('=')
                .map(|(_, value)| value.to_owned())
                .or_else(|| rest.next().cloned())
                .unwrap_or_default()
        };
        if !old.today.is_empty() {
            let host = value
                .split([':', ',', '/'])
                .next()
                .filter(|host| !host.is_empty())
                .unwrap_or("localhost");
            today.push(old.today.replace("{host}", host).replace("{}", &quoted(&value)));
        }
    }
    changed.then(|| today.join(" "))
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
