//! The topology as Flux reads it: the way to a Storm cluster, on which the same bolt runs.

use serde_json::json;
use std::fmt::Write;

/// Who reads the topic.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub enum SpoutKind {
    /// Storm's own KafkaSpout; grouped on the records' key, which must be the station's number
    Kafka,
    /// `velo storm spout`; grouped on contract and number
    Velo,
}

/// What the topology is made of.
#[derive(Debug, Clone)]
pub struct Plan {
    /// Its name on the Storm cluster.
    pub name: String,
    /// The Kafka cluster.
    pub bootstrap: String,
    /// The stations' topic.
    pub topic: String,
    /// The spouts' group.
    pub group: String,
    /// Whether a new group begins after the newest record.
    pub from_end: bool,
    /// Who reads it.
    pub spout: SpoutKind,
    /// Tasks of the spout.
    pub spouts: usize,
    /// Tasks of the bolt.
    pub parallelism: usize,
    /// `topology.workers`
    pub workers: usize,
    /// `topology.max.spout.pending`
    pub max_spout_pending: usize,
    /// `topology.message.timeout.secs`
    pub message_timeout_secs: u64,
    /// `topology.tick.tuple.freq.secs`
    pub tick_secs: Option<u64>,
    /// The program on the machines of the Storm cluster.
    pub velo: String,
}

/// How the file is started, line by line.
pub const HOW: [&str; 5] = [
    "storm local JAR org.apache.storm.flux.Flux FILE    (on this machine, to try it)",
    "storm jar JAR org.apache.storm.flux.Flux FILE      (on the Storm cluster)",
    "JAR holds flux-core, flux-wrappers, storm-kafka-client and kafka-clients; docs/storm.md has a pom.xml that makes it.",
    "Each machine of the cluster needs the same program at the same path, and reaches Kafka by the same address.",
    "The last bolt writes the events to Storm's log; put one of your own in its place.",
];

/// A text in YAML, quoted so that nothing in it is taken for YAML's own.
fn text(text: &str) -> String {
    json!(text).to_string()
}

fn list<'a>(words: impl IntoIterator<Item = &'a str>) -> String {
    let words: Vec<String> = words.into_iter().map(text).collect();
    format!("[{}]", words.join(", "))
}

/// The whole file.
pub fn yaml(plan: &Plan) -> String {
    let mut yaml = String::from(
        "# Which bike stations become empty, and which are empty no longer: the topology of `velo storm run` for Apache Storm.\n",
    );
    for line in HOW {
        let _ = writeln!(yaml, "# {line}");
    }
    let _ = write!(
        yaml,
        "\nname: {}\n\nconfig:\n  topology.workers: {}\n  topology.max.spout.pending: {}\n  topology.message.timeout.secs: {}\n",
        text(&plan.name),
        plan.workers,
        plan.max_spout_pending,
        plan.message_timeout_secs
    );
    if let Some(tick) = plan.tick_secs {
        let _ = writeln!(yaml, "  topology.tick.tuple.freq.secs: {tick}");
    }
    let (spout, grouping) = match plan.spout {
        SpoutKind::Kafka => (kafka_spout(plan), list(["key"])),
        SpoutKind::Velo => (velo_spout(plan), list(["contract", "number"])),
    };
    yaml.push_str(&spout);
    yaml.push_str(&bolts(plan));
    yaml.push_str(&streams(&grouping));
    yaml
}

fn kafka_spout(plan: &Plan) -> String {
    let first = if plan.from_end {
        "UNCOMMITTED_LATEST"
    } else {
        "UNCOMMITTED_EARLIEST"
    };
    format!(
        r#"
components:
  - id: "kafkaSpoutConfigBuilder"
    className: "org.apache.storm.kafka.spout.KafkaSpoutConfig$Builder"
    constructorArgs:
      - {bootstrap}
      - {topic}
    properties:
      - name: "firstPollOffsetStrategy"
        value: {first}
    configMethods:
      - name: "setProp"
        args: ["group.id", {group}]
      - name: "setProp"
        args: ["key.deserializer", "org.apache.kafka.common.serialization.StringDeserializer"]
      - name: "setProp"
        args: ["value.deserializer", "org.apache.kafka.common.serialization.StringDeserializer"]
  - id: "kafkaSpoutConfig"
    className: "org.apache.storm.kafka.spout.KafkaSpoutConfig"
    constructorArgs:
      - ref: "kafkaSpoutConfigBuilder"

spouts:
  - id: "stations"
    className: "org.apache.storm.kafka.spout.KafkaSpout"
    parallelism: {spouts}
    constructorArgs:
      - ref: "kafkaSpoutConfig"
"#,
        bootstrap = text(&plan.bootstrap),
        topic = list([plan.topic.as_str()]),
        group = text(&plan.group),
        spouts = plan.spouts,
    )
}

fn velo_spout(plan: &Plan) -> String {
    let mut command = vec![
        plan.velo.as_str(),
        "--bootstrap-server",
        &plan.bootstrap,
        "storm",
        "spout",
        "--topic",
        &plan.topic,
        "--group",
        &plan.group,
    ];
    if plan.from_end {
        command.push("--from-end");
    }
    format!(
        r#"
spouts:
  - id: "stations"
    className: "org.apache.storm.flux.wrappers.spouts.FluxShellSpout"
    parallelism: {spouts}
    constructorArgs:
      - {command}
      - ["contract", "number", "partition", "offset", "station"]
    configMethods:
      - name: "changeChildCWD"
        args: [false]
"#,
        command = list(command),
        spouts = plan.spouts,
    )
}

fn bolts(plan: &Plan) -> String {
    format!(
        r#"
bolts:
  - id: "empties"
    className: "org.apache.storm.flux.wrappers.bolts.FluxShellBolt"
    parallelism: {parallelism}
    constructorArgs:
      - {command}
      - ["contract", "number", "event", "last_update"]
    configMethods:
      - name: "changeChildCWD"
        args: [false]
  - id: "events"
    className: "org.apache.storm.flux.wrappers.bolts.LogInfoBolt"
    parallelism: 1
"#,
        // With the topic, a bolt that Storm starts anew knows how the stations were.
        command = list([
            plan.velo.as_str(),
            "--bootstrap-server",
            &plan.bootstrap,
            "storm",
            "bolt",
            "--topic",
            &plan.topic,
        ]),
        parallelism = plan.parallelism,
    )
}

fn streams(grouping: &str) -> String {
    format!(
        r#"
streams:
  - name: "stations --> empties"
    from: "stations"
    to: "empties"
    grouping:
      type: FIELDS
      args: {grouping}
  - name: "empties --> events"
    from: "empties"
    to: "events"
    grouping:
      type: SHUFFLE
"#
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn plan(spout: SpoutKind) -> Plan {
        Plan {
            name: "stations".into(),
            bootstrap: "localhost:9092".into(),
            topic: "velib-stations".into(),
            group: "storm \"stations\": #1".into(),
            from_end: false,
            spout,
            spouts: 1,
            parallelism: 4,
            workers: 2,
            max_spout_pending: 5000,
            message_timeout_secs: 30,
            tick_secs: Some(60),
            velo: "/opt/velo".into(),
        }
    }

    #[test]
    fn names_are_quoted_and_the_grouping_is_of_what_the_spout_emits() {
        let yaml = yaml(&plan(SpoutKind::Kafka));
        assert!(
            yaml.contains(r#"args: ["group.id", "storm \"stations\": #1"]"#),
            "{yaml}"
        );
        assert!(yaml.contains(r#"args: ["key"]"#), "{yaml}");
        assert!(yaml.contains("  topology.tick.tuple.freq.secs: 60\n"), "{yaml}");
        let yaml = super::yaml(&plan(SpoutKind::Velo));
        assert!(yaml.contains(r#"args: ["contract", "number"]"#), "{yaml}");
        assert!(!yaml.contains("KafkaSpout"), "{yaml}");
        assert!(
            yaml.contains(r#""storm", "bolt", "--topic", "velib-stations"]"#),
            "{yaml}"
        );
    }
}
