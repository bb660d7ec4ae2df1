//! The cases as data: `tests/parity/cases/SCRIPT.toml`.

use serde::Deserialize;
use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::PathBuf;

/// The cases of a script.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Script {
    /// `kafka-topics`
    pub script: String,
    /// The main class of Kafka's own.
    pub class: String,
    /// Cases that share what was there before; they run in their order.
    pub group: Vec<Group>,
}

/// Cases that share topics, records, groups and files. `{t}` stands for the group's id everywhere,
/// `{id:TOPIC}` for a topic's id in lines.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Group {
    /// Its id, the beginning of all its names on the cluster.
    pub id: String,
    /// What cluster it wants.
    #[serde(default)]
    pub cluster: On,
    /// It runs on `velo` or `apache` alone.
    pub on: Option<String>,
    /// What must be there before.
    #[serde(default)]
    pub topics: Vec<Topic>,
    /// Offsets that groups have committed.
    #[serde(default)]
    pub commits: Vec<Commit>,
    /// Transactions that are open while the cases run.
    #[serde(default)]
    pub transactions: Vec<Transaction>,
    /// Members that read while the cases run.
    #[serde(default)]
    pub members: Vec<Member>,
    /// Files in the folder `{dir}`, in which the scripts run too.
    #[serde(default)]
    pub files: BTreeMap<String, String>,
    /// The cases.
    pub cases: Vec<Case>,
}

/// What cluster a group of cases wants.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum On {
    /// One that others use too.
    #[default]
    Any,
    /// One on which nothing else is: these groups come first, and what they made is removed.
    Empty,
    /// None: nobody listens at `{server}`.
    None,
}

/// A topic that is there before.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Topic {
    pub name: String,
    #[serde(default = "one")]
    pub partitions: i32,
    #[serde(default)]
    pub configs: BTreeMap<String, String>,
    /// Its records, each in a batch of its own; the moments are a second apart, from 1700000000000 on.
    #[serde(default)]
    pub records: Vec<Record>,
}

/// A record.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Record {
    #[serde(default)]
    pub p: i32,
    pub k: Option<String>,
    pub v: Option<String>,
    /// Headers, each `NAME:VALUE`.
    #[serde(default)]
    pub h: Vec<String>,
}

/// Offsets that a group has committed, by partition; a negative one is left out.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Commit {
    pub group: String,
    pub topic: String,
    pub offsets: Vec<i64>,
}

/// A transaction with one record, in the topic's partition 0.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Transaction {
    /// Its transactional id.
    pub id: String,
    pub topic: String,
}

/// A console consumer of ours that runs while the cases run.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Member {
    pub group: String,
    pub topic: String,
    /// `classic` or `consumer`
    #[serde(default = "classic")]
    pub protocol: String,
}

/// One command line.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Case {
    /// What this case alone shows.
    pub is: String,
    /// The arguments as a shell takes them. `{b}` stands for `--bootstrap-server {server}`.
    pub line: String,
    /// What is typed into it.
    #[serde(default)]
    pub stdin: String,
    /// The rows of docs/parity.md that it shows.
    #[serde(default)]
    pub differs: Vec<String>,
    /// It shows them on `velo` or `apache` alone.
    pub on: Option<String>,
    /// The rows that tell why the two clusters differ towards the same tool.
    #[serde(default)]
    pub clusters_differ: Vec<String>,
    /// The order of lines is that of a Java hash over everything on the cluster, or of threads.
    #[serde(default)]
    pub sorted: bool,
    /// Of stdout only the lines that name the group's own things count.
    #[serde(default)]
    pub only_mine: bool,
    /// Numbers and random ids are measured or drawn: only where they stand counts.
    #[serde(default)]
    pub numbers: bool,
    /// Java's tool runs in every test run, to see that the recording is still true.
    #[serde(default)]
    pub live: bool,
}

fn one() -> i32 {
    1
}

fn classic() -> String {
    "classic".to_owned()
}

/// All cases, by script; those of `VELO_PARITY_ONLY=script,script` when it is set.
pub fn load() -> Vec<Script> {
    let only = std::env::var("VELO_PARITY_ONLY").unwrap_or_default();
    let mut paths: Vec<PathBuf> = fs::read_dir("tests/parity/cases")
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .collect();
    paths.sort();
    let mut scripts = Vec::new();
    for path in paths {
        let text = fs::read_to_string(&path).unwrap();
        let script: Script =
            toml::from_str(&text).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
        if only.is_empty() || only.split(',').any(|name| name == script.script) {
            scripts.push(script);
        }
    }
    scripts
}

impl Group {
    /// A text of the group with its names put in.
    pub fn fill(&self, text: &str, server: &str, dir: &str, logs: &str) -> String {
        text.replace("{b}", "--bootstrap-server {server}")
            .replace("{t}", &self.id)
            .replace("{server}", server)
            .replace("{dir}", dir)
            .replace("{logs}", logs)
    }
}

impl Case {
    /// What names it in the recording and in reports.
    pub fn id(&self, group: &Group) -> String {
        format!("{}: {}", group.id, self.is)
    }
}

/// The words of a line, with quotes as a shell has them.
pub fn words(line: &str) -> Vec<String> {
    let mut words = Vec::new();
    let mut word: Option<String> = None;
    let mut quote = None;
    for character in line.chars() {
        match (quote, character) {
            (Some(open), _) if open == character => quote = None,
            (None, '\'' | '"') => {
                quote = Some(character);
                word.get_or_insert_default();
            }
            (None, ' ') => words.extend(word.take()),
            _ => word.get_or_insert_default().push(character),
        }
    }
    assert!(quote.is_none(), "an open quote: {line}");
    words.extend(word);
    words
}

/// What is wrong with the cases as data: names used twice, the same line twice in the same state.
pub fn faults(scripts: &[Script]) -> Vec<String> {
    let mut faults = Vec::new();
    let mut groups = BTreeSet::new();
    for script in scripts {
        let mut is = BTreeSet::new();
        for group in &script.group {
            if !groups.insert(&group.id) {
                faults.push(format!("two groups are called {}", group.id));
            }
            for case in &group.cases {
                if !is.insert(&case.is) {
                    faults.push(format!("{}: two cases say `{}`", script.script, case.is));
                }
            }
        }
    }
    faults
}
