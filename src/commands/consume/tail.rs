//! `--tail N`: the last N records of all partitions, by time.

use super::decode::Undecodable;
use super::output::show;
use super::plan::Plan;
use crate::commands::Context;
use crate::failure::Outcome;
use crate::kafka::consumer::{Arrival, Consumer, Start};
use crate::kafka::places::Places;
use crate::ui::Interrupt;
use crate::ui::buffered::Output;
use crate::ui::foreign::Guard;
use crate::ui::output::write_failed;
use std::ops::ControlFlow;
use std::time::Duration;

/// The longest wait before Ctrl-C is noticed.
const GLANCE: Duration = Duration::from_millis(100);

/// How much further back to look when offsets have gaps or records were left out.
const FURTHER: i64 = 8;

/// Shows the last `count` records that are wanted.
///
/// # Errors
/// When a topic cannot be read, or stdout cannot be written.
pub fn run(context: &Context, plan: &Plan, count: usize) -> Outcome {
    let interrupt = Interrupt::watch()?;
    let _waiting = context
        .ui
        .waiting_for(format!("the records of {}", plan.topics.join(", ")));
    let mut undecodable = Undecodable::none(context.ui);
    let mut back = i64::try_from(count).unwrap_or(i64::MAX);
    loop {
        undecodable.begin_again();
        let window = Window::read(context, plan, interrupt, back, &mut undecodable)?;
        if window.records.len() >= count || window.whole {
            write(window, count)?;
            undecodable
                .in_words()
                .into_iter()
                .for_each(|words| context.ui.say(words));
            return Ok(());
        }
        back = back.saturating_mul(FURTHER);
    }
}

fn write(mut window: Window, count: usize) -> Outcome {
    // Stable: records of one partition and time keep their order.
    window.records.sort_by_key(|(time, _)| *time);
    let skipped = window.records.len().saturating_sub(count);
    let mut output = Output::new();
    for (_, text) in window.records.iter().skip(skipped) {
        output.buffer().extend_from_slice(text);
        output.write_if_full().or_else(write_failed)?;
    }
    output.write_all().or_else(write_failed)
}

/// The records of each partition from some offsets before its end on.
struct Window {
    /// Time and text.
    records: Vec<(i64, Vec<u8>)>,
    /// All partitions were read from their beginning.
    whole: bool,
}

impl Window {
    fn read(
        context: &Context,
        plan: &Plan,
        interrupt: Interrupt,
        back: i64,
        undecodable: &mut Undecodable,
    ) -> Outcome<Self> {
        let mut consumer = Consumer::open(&context.connection, plan.isolation, None)?;
        let partitions = consumer.partitions(&plan.topics, plan.partition)?;
        let spans = consumer.spans(&partitions, Start::BeforeEnd(back))?;
        let mut window = Window {
            records: Vec::new(),
            whole: spans.iter().all(|span| span.start <= span.low),
        };
        let mut places = Places::default();
        for span in &spans {
            places.add(span.at.clone(), None);
            places.set_stop(&span.at, span.high, span.start);
            consumer.start(span)?;
        }
        let guard = Guard::of_stdout();
        let mut trouble = None;
        while !places.all_done() {
            interrupt.check()?;
            consumer.serve(GLANCE, |arrival| {
                match arrival {
                    Arrival::Record(record) => {
                        let mut text = Vec::new();
                        if places.pass(&record) && show(plan, &record, guard, undecodable, &mut text) {
                            let time = record.timestamp().map_or(0, |(time, _)| time);
                            window.records.push((time, text));
                        }
                    }
                    Arrival::End {
                        topic,
                        partition,
                        offset,
                    } => places.end(topic, partition, offset),
                    Arrival::Trouble(error) => trouble = Some(error),
                }
                ControlFlow::Continue(())
            });
            if let Some(error) = trouble.take().filter(|error| !error.is_unreachable()) {
                let topics = plan.topics.join(", ");
                return Err(error.into_failure(format!("cannot read {topics}")));
            }
        }
        Ok(window)
    }
}
