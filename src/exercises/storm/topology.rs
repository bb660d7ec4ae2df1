//! The topology as a drawing, with its counts while it runs.

use super::run::{Shown, SpoutCounts, StreamCounts};
use crate::ui::units;
use std::fmt::Write;

/// Where the counts of a stream stand.
const PIPE: &str = "     |";

/// The drawing, with the counts of a run if there is one.
pub fn draw(shown: Option<&Shown>) -> String {
    let mut text = String::new();
    if let Some(shown) = shown {
        let running = units::duration(
            i64::try_from(shown.seconds.max(1))
                .unwrap_or(i64::MAX)
                .saturating_mul(1_000),
        );
        let about = &shown.about;
        let _ = writeln!(
            text,
            "topology on `{}` in group `{}`, process {}, for {running}\n",
            about.topic,
            about.group,
            about.process.id()
        );
    }
    let tasks = |of: fn(&Shown) -> usize| shown.map_or_else(String::new, |shown| format!(" x{}", of(shown)));
    let spouts = tasks(|shown| shown.about.spouts);
    let _ = writeln!(
        text,
        "  [spout] stations{spouts}    reads the stations' records, a tuple each"
    );
    if let Some(SpoutCounts {
        emitted,
        replayed,
        acked,
        failed,
        timed_out,
        complete_latency_ms,
    }) = shown.map(|shown| &shown.spout)
    {
        let latency = milliseconds(*complete_latency_ms);
        let _ = writeln!(
            text,
            "{PIPE}  trees: emitted {emitted} ({replayed} again)  acked {acked}  failed {failed} ({timed_out} timed out)  \
             complete latency {latency}"
        );
    }
    stream(
        &mut text,
        shown,
        "empties",
        "fields grouping on (contract, number)",
    );
    let bolts = tasks(|shown| shown.about.parallelism);
    let _ = writeln!(
        text,
        "  [bolt] empties{bolts}    finds which become empty, and which are empty no longer"
    );
    stream(&mut text, shown, "events", "shuffle grouping");
    let one = tasks(|_| 1);
    let _ = write!(text, "  [bolt] events{one}    tells them");
    if let Some(topic) = shown.and_then(|shown| shown.about.output_topic.as_ref()) {
        let _ = write!(text, ", and writes them to `{topic}`");
    }
    if let Some(shown) = shown
        && let Some(seconds) = shown.about.tick_secs
    {
        let _ = write!(
            text,
            "\n\n  __system --tick tuple every {seconds} s--> every bolt: {}",
            shown.ticks
        );
    }
    text
}

/// The arrow from one component to the next.
fn stream(text: &mut String, shown: Option<&Shown>, to: &str, grouping: &str) {
    let _ = writeln!(text, "{PIPE}  {grouping}");
    let counts = shown.and_then(|shown| shown.streams.iter().find(|stream| stream.to == to));
    if let Some(StreamCounts {
        emitted,
        acked,
        failed,
        latency_ms,
        ..
    }) = counts
    {
        let latency = milliseconds(*latency_ms);
        let _ = writeln!(
            text,
            "{PIPE}  emitted {emitted}  acked {acked}  failed {failed}  latency {latency}"
        );
    }
    let _ = writeln!(text, "     v");
}

fn milliseconds(average: Option<f64>) -> String {
    average.map_or_else(|| "-".to_owned(), |average| format!("{average} ms"))
}
