//! `velo lesson list | status | report`

use super::{Desk, take};
use crate::commands::candidates;
use crate::course::class;
use crate::course::dress::Dress;
use crate::course::progress::Progress;
use crate::course::question::Asked;
use crate::course::report;
use crate::failure::Outcome;
use crate::kafka::Connection;
use crate::ui::Grid;
use clap::Args;

/// Options of `velo lesson status`.
#[derive(Debug, Args)]
pub(super) struct StatusArgs {
    /// Which lesson [default: the one you are in]
    #[arg(add = candidates::lessons())]
    lesson: Option<String>,
}

/// Options of `velo lesson report`.
#[derive(Debug, Args)]
pub(super) struct ReportArgs {
    /// As JSON, whatever `--output` says
    #[arg(long)]
    json: bool,
    /// Whose it is [default: whom `velo lesson start --student` was told]
    #[arg(long, value_name = "NAME")]
    student: Option<String>,
}

/// Options of `velo lesson show`.
#[derive(Debug, Args)]
pub(super) struct ShowArgs {
    /// Which lesson
    #[arg(add = candidates::lessons())]
    lesson: String,
}

/// Shows a lesson's texts, with its questions and without their answers. Asks no cluster, and notes nothing.
pub(super) fn lesson(desk: &Desk<'_>, args: &ShowArgs) -> Outcome {
    let lesson = desk.source.lesson(&args.lesson, &desk.words)?;
    let progress = Progress::load(&desk.file())?;
    let mine = progress.lessons.get(&lesson.id).cloned().unwrap_or_default();
    let bootstrap = if mine.bootstrap.is_empty() {
        Connection::DEFAULT_BOOTSTRAP
    } else {
        &mine.bootstrap
    };
    let dress = Dress::new(&lesson, &mine.prefix, bootstrap)
        .on_brokers(&mine.brokers)
        .shuffled_by(desk.seed);
    let (page, prose) = (desk.page(), lesson.prose(desk.words.lang()));
    let text = |text: &str| desk.context.ui.styled(page.markdown(&dress.text(text)));
    let heading = |title: &str| {
        desk.context.ui.styled("")?;
        desk.context.ui.styled(page.rule(title))
    };
    desk.context.ui.styled(page.rule(&prose.title))?;
    text(&prose.intro)?;
    for (number, step) in lesson.steps.iter().enumerate() {
        let Some(said) = prose.steps.get(&step.id) else {
            continue;
        };
        heading(&format!("{}/{} {}", number + 1, lesson.steps.len(), said.title))?;
        text(&said.body)?;
        for question in &step.questions {
            let Some(asked) = said.questions.get(&question.id) else {
                continue;
            };
            desk.context.ui.styled("")?;
            text(&format!("{} {}", desk.words.say("play.predict"), asked.text))?;
            let put = Asked::new(question, asked.options.len(), dress.seed());
            for choice in put.choices(asked, page, &dress) {
                desk.context.ui.styled(choice)?;
            }
        }
    }
    heading(desk.words.say("play.end"))?;
    text(&prose.end)
}

pub(super) fn list(desk: &Desk<'_>) -> Outcome {
    let lessons = desk.source.lessons()?;
    let progress = Progress::load(&desk.file())?;
    let words = &desk.words;
    desk.context
        .ui
        .show(&report::json(&lessons, &progress, words), || {
            let mut grid =
                titled(["list.lesson", "list.title", "list.passed", "list.now"].map(|key| words.say(key)));
            for lesson in &lessons {
                grid.row(report::summary(lesson, &progress, words));
            }
            grid
        })
}

pub(super) fn status(desk: &Desk<'_>, args: &StatusArgs) -> Outcome {
    let lesson = take::choose(desk, args.lesson.as_deref())?;
    let progress = Progress::load(&desk.file())?;
    let mine = progress.lessons.get(&lesson.id).cloned().unwrap_or_default();
    let words = &desk.words;
    let value = report::json(std::slice::from_ref(&lesson), &progress, words);
    desk.context.ui.show(&value, || {
        let [step, title, state] = ["status.step", "status.title", "status.state"].map(|key| words.say(key));
        let mut grid = titled(["", step, title, state]);
        for (number, step) in lesson.steps.iter().enumerate() {
            let here = number == mine.position(&lesson);
            grid.row(report::step_line(&lesson, step, &mine, here, words));
        }
        grid
    })
}

pub(super) fn report(desk: &Desk<'_>, args: &ReportArgs) -> Outcome {
    let lessons = desk.source.lessons()?;
    let progress = Progress::load(&desk.file())?;
    let words = &desk.words;
    let given = args.student.as_deref();
    let given = given.map(|name| class::name(name, words)).transpose()?;
    let student = given.or_else(|| progress.student.clone());
    let today = jiff::Zoned::now().date().to_string();
    let value = report::signed(student.as_deref(), &today, &lessons, &progress, words);
    let mut ui = desk.context.ui;
    if args.json {
        ui.format = crate::ui::OutputFormat::Json;
    }
    ui.show_titled(&value, || {
        let titles = ["list.lesson", "status.step", "status.state", "board.belief"];
        let mut grid = titled(titles.map(|key| words.say(key)));
        for lesson in &lessons {
            let mine = progress.lessons.get(&lesson.id).cloned().unwrap_or_default();
            for (step, told) in lesson.steps.iter().zip(report::steps(lesson, &mine)) {
                let [_, id, _, state] = report::step_line(lesson, step, &mine, false, words);
                let beliefs = class::board::beliefs(&told).join(", ");
                grid.row([lesson.id.clone(), id, state, beliefs]);
            }
        }
        let head = student.iter().cloned().chain([today]);
        vec![(Some(head.collect::<Vec<_>>().join(", ")), grid)]
    })
}

fn titled<const N: usize>(titles: [&str; N]) -> Grid {
    Grid::titled(titles.map(str::to_owned))
}
