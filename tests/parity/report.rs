//! `target/parity.html`: every case with its four answers side by side; and a line per script on stdout.

use super::replay::{Outcome, Verdict};
use super::said::Said;
use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::fs;
use std::io::Write as _;
use std::sync::Mutex;

/// The two clusters' tests write the same page.
static WRITING: Mutex<()> = Mutex::new(());

const STYLE: &str = "body{font:14px sans-serif;margin:2em}table{border-collapse:collapse;width:100%}\
    td,th{border:1px solid #ccc;padding:4px;vertical-align:top;text-align:left}\
    pre{margin:0;white-space:pre-wrap;font-size:12px}summary{cursor:pointer}\
    .Same summary::before{content:'same ';color:#080}.ByRow summary::before{content:'by a row ';color:#a60}\
    .wrong summary::before{content:'DIFFERENT ';color:#c00}";

/// Keeps one cluster's results and writes the page anew from both.
pub fn save(place: &str, outcomes: &[Outcome]) {
    let _alone = WRITING.lock().unwrap();
    fs::create_dir_all("target/parity").unwrap();
    let text = serde_json::to_string(outcomes).unwrap();
    fs::write(format!("target/parity/{place}.json"), text).unwrap();
    let of = |place: &str| -> Vec<Outcome> {
        let text = fs::read_to_string(format!("target/parity/{place}.json")).unwrap_or_default();
        // A page of the other cluster's last run; one of an older make is left out.
        serde_json::from_str(&text).unwrap_or_default()
    };
    fs::write("target/parity.html", page(&of("apache"), &of("velo"))).unwrap();
}

/// A line per script.
pub fn summarise(place: &str, outcomes: &[Outcome]) {
    let mut scripts: BTreeMap<&str, [usize; 3]> = BTreeMap::new();
    for outcome in outcomes {
        let counts = scripts.entry(&outcome.script).or_default();
        counts[column(&outcome.verdict)] += 1;
    }
    let name = if place == "velo" {
        "our cluster"
    } else {
        "Apache Kafka"
    };
    let mut text = String::new();
    for (script, [same, by_row, wrong]) in scripts {
        let _ = writeln!(
            text,
            "parity on {name}: {script}: {same} the same, {by_row} by docs/parity.md, {wrong} different"
        );
    }
    // Not by println, which the tests' harness would keep to itself.
    std::io::stdout().write_all(text.as_bytes()).unwrap();
}

fn column(verdict: &Verdict) -> usize {
    match verdict {
        Verdict::Same => 0,
        Verdict::ByRow => 1,
        _ => 2,
    }
}

fn page(apache: &[Outcome], ours: &[Outcome]) -> String {
    let mut cases: BTreeMap<(&str, &str), [Option<&Outcome>; 2]> = BTreeMap::new();
    for (side, outcomes) in [apache, ours].into_iter().enumerate() {
        for outcome in outcomes {
            cases.entry((&outcome.script, &outcome.id)).or_default()[side] = Some(outcome);
        }
    }
    let mut html = format!("<!doctype html><meta charset=utf-8><title>Parity</title><style>{STYLE}</style>");
    html.push_str("<h1>Kafka's scripts and ours</h1>");
    let mut last = "";
    for ((script, id), sides) in cases {
        if script != last {
            let _ = write!(html, "<h2>{}</h2>", escaped(script));
            last = script;
        }
        html.push_str(&case(id, sides));
    }
    html
}

fn case(id: &str, sides: [Option<&Outcome>; 2]) -> String {
    let verdicts: Vec<&Verdict> = sides.iter().flatten().map(|side| &side.verdict).collect();
    let class = match verdicts.iter().map(|verdict| column(verdict)).max() {
        Some(0) => "Same",
        Some(1) => "ByRow",
        _ => "wrong",
    };
    let line = sides
        .iter()
        .flatten()
        .map(|side| side.line.as_str())
        .next()
        .unwrap_or_default();
    let mut html = format!(
        "<details class={class}><summary>{}</summary><pre>{}</pre><table><tr>",
        escaped(id),
        escaped(line)
    );
    for name in [
        "Java on Apache Kafka",
        "ours on Apache Kafka",
        "Java on ours",
        "ours on ours",
    ] {
        let _ = write!(html, "<th>{name}");
    }
    html.push_str("<tr>");
    for side in sides {
        for said in [
            side.and_then(|side| side.java.as_ref()),
            side.map(|side| &side.ours),
        ] {
            let _ = write!(html, "<td>{}", said.map(answer).unwrap_or_default());
        }
    }
    html.push_str("</table></details>\n");
    html
}

fn answer(said: &Said) -> String {
    let mut text = format!("<b>{}</b><pre>{}</pre>", said.code, escaped(&said.stdout));
    if !said.stderr.is_empty() {
        let _ = write!(text, "<i>stderr</i><pre>{}</pre>", escaped(&said.stderr));
    }
    if !said.trace.is_empty() {
        let _ = write!(text, "<i>trace</i><pre>{}</pre>", escaped(&said.trace.join("\n")));
    }
    text
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('>', "&gt;")
}
