//! Apache Kafka's own tools, run one after the other in one JVM (`scripts/dev/JavaTools.java`).

use crate::support::ending::{self, Limit};
use crate::support::java::{PASSING, jvm};
use serde::{Deserialize, Serialize};
use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Child, ChildStdin, ChildStdout, Stdio};

/// A JVM that waits for tools to run.
pub struct Java {
    process: Child,
    requests: Option<ChildStdin>,
    answers: BufReader<ChildStdout>,
}

/// A tool to run.
#[derive(Serialize)]
pub struct Request {
    pub class: String,
    pub arguments: Vec<String>,
    pub stdin: String,
}

/// What a tool said.
#[derive(Debug, Clone, Deserialize)]
pub struct Raw {
    pub stdout: String,
    pub stderr: String,
    pub code: i32,
    pub seconds: f64,
}

impl Java {
    /// Starts the JVM; it compiles the driver first.
    pub fn start() -> Self {
        let libs = std::env::var("KAFKA_LIBS").expect("KAFKA_LIBS names the folder of Apache Kafka's jars");
        let mut process = jvm("-Xmx512m", Path::new(PASSING))
            .args(["--add-opens=java.base/java.lang=ALL-UNNAMED"])
            .args(["-Djava.security.manager=allow", "-cp"])
            .arg(format!("{libs}/*"))
            .arg(concat!(env!("CARGO_MANIFEST_DIR"), "/scripts/dev/JavaTools.java"))
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let requests = process.stdin.take();
        let answers = BufReader::new(process.stdout.take().unwrap());
        Java {
            process,
            requests,
            answers,
        }
    }

    /// Runs tools side by side.
    pub fn run(&mut self, requests: &[Request]) -> Vec<Raw> {
        let mut line = serde_json::to_string(requests).unwrap();
        line.push('\n');
        self.requests
            .as_mut()
            .unwrap()
            .write_all(line.as_bytes())
            .unwrap();
        let _limit = Limit::on(&self.process);
        let mut answer = String::new();
        self.answers.read_line(&mut answer).unwrap();
        serde_json::from_str(&answer).unwrap_or_else(|error| panic!("{error}: {answer}"))
    }
}

impl Drop for Java {
    fn drop(&mut self) {
        // At the end of its input it stops.
        drop(self.requests.take());
        ending::ended(&mut self.process);
    }
}
