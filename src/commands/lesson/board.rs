//! `velo lesson board`: the teacher's table of the class.

use super::Desk;
use crate::course::class::board::{self, Board, Row, State};
use crate::course::class::roll::{self, Roll, Signal};
use crate::course::class::standing::Standing;
use crate::course::model::Lesson;
use crate::failure::{Failure, Outcome};
use crate::i18n::Words;
use crate::nearest::nearest;
use crate::ui::foreign::harmless;
use crate::ui::keys::{Keys, Typed};
use crate::ui::screen::Screen;
use crate::ui::{Grid, Interrupt, OutputFormat, Ui};
use clap::Args;
use jiff::Timestamp;
use serde_json::{Value, json};
use std::io::IsTerminal;
use std::time::Duration;

/// How often the table is drawn again.
const GLANCE: Duration = Duration::from_millis(200);

/// The lines of the screen that are none of a student's: what it is, the titles, the keys, and the one of the cursor.
const AROUND: usize = 4;

/// The keys of the live table.
const KEYS: &str = "npq ";

/// Options of `velo lesson board`.
#[derive(Debug, Args)]
pub(super) struct BoardArgs {
    /// Only this student, with every lesson and step
    #[arg(long, value_name = "NAME")]
    student: Option<String>,
    /// As JSON, whatever `--output` says
    #[arg(long)]
    json: bool,
}

pub(super) fn run(desk: &Desk<'_>, args: &BoardArgs) -> Outcome {
    let mut ui = desk.context.ui;
    if args.json {
        ui.format = OutputFormat::Json;
    }
    desk.context.connection.servers()?;
    if let Some(name) = &args.student {
        return one(desk, ui, name);
    }
    let terminal = std::io::stdin().is_terminal() && std::io::stdout().is_terminal();
    if terminal && ui.format == OutputFormat::Table {
        return live(desk);
    }
    let board = read(desk)?;
    let rows = board.rows(Timestamp::now());
    if rows.is_empty() {
        ui.say(desk.words.say("board.nobody"));
    }
    ui.show(&rows, || grid(&rows, &desk.words))
}

fn read(desk: &Desk<'_>) -> Outcome<Board> {
    let waiting = desk.context.ui.waiting_for("an answer from the cluster");
    let board = roll::read(&desk.context.connection)?;
    drop(waiting);
    if board.strange() > 0 {
        let n = board.strange().to_string();
        desk.context
            .ui
            .say(desk.words.fill("board.strange", &[("n", &n)]));
    }
    Ok(board)
}

/// The table, drawn again as records arrive, until `q` or Ctrl-C.
fn live(desk: &Desk<'_>) -> Outcome {
    let interrupt = Interrupt::watch()?;
    let unreadable = |error| Failure::request(desk.words.say("error.terminal")).because(error);
    let mut keys = Keys::open(KEYS).map_err(unreadable)?.unseen();
    let (mut screen, mut board) = (Screen::of_stdout(), Board::default());
    let mut roll = Roll::of(&desk.context.connection);
    let mut page = 0;
    loop {
        let signal = roll.read(&mut board)?;
        let rows = board.rows(Timestamp::now());
        let fits = screen.size().0.saturating_sub(AROUND).max(1);
        page = page.min(rows.len().saturating_sub(1) / fits);
        screen.draw(lines(desk, &rows, signal, Page { number: page, fits }))?;
        match keys.next(GLANCE, &|| interrupt.pressed()).map_err(unreadable)? {
            Typed::Line(key) if key == "q" => return Ok(()),
            Typed::Line(key) if key == "p" => page = page.saturating_sub(1),
            Typed::Line(_) => page += 1,
            Typed::End => return Ok(()),
            Typed::Nothing => interrupt.check()?,
        }
    }
}

/// Which of the students are on the screen.
#[derive(Debug, Clone, Copy)]
struct Page {
    /// From 0.
    number: usize,
    /// How many fit.
    fits: usize,
}

/// What is on the screen.
fn lines(desk: &Desk<'_>, rows: &[Row], signal: Signal, page: Page) -> Vec<String> {
    let words = &desk.words;
    let bootstrap = desk.context.connection.bootstrap();
    let working = rows.iter().filter(|row| row.state == State::Working).count();
    let said = [
        ("bootstrap", bootstrap.to_owned()),
        ("n", rows.len().to_string()),
        ("working", working.to_string()),
    ];
    let mut lines = vec![fill(words, "board.title", &said)];
    match signal {
        Signal::Away => lines.push(words.fill("runner.away", &[("bootstrap", bootstrap)])),
        Signal::Nobody | Signal::Class if rows.is_empty() => {
            lines.push(words.say("board.nobody").to_owned());
        }
        Signal::Nobody | Signal::Class => {}
    }
    let shown: Vec<Row> = rows
        .iter()
        .skip(page.number * page.fits)
        .take(page.fits)
        .cloned()
        .collect();
    if !shown.is_empty() {
        lines.extend(grid(&shown, words).to_lines());
    }
    let pages = rows.len().div_ceil(page.fits).max(1);
    let said = [
        ("page", (page.number + 1).to_string()),
        ("pages", pages.to_string()),
    ];
    let key = if pages > 1 { "board.keys" } else { "board.key" };
    lines.push(fill(words, key, &said));
    // A line that says that the cluster is away takes the place of a student's.
    if lines.len() >= page.fits + AROUND {
        lines.truncate(page.fits + AROUND - 1);
    }
    lines
}

fn fill<const N: usize>(words: &Words, key: &str, said: &[(&str, String); N]) -> String {
    let said = said.each_ref().map(|(name, value)| (*name, value.as_str()));
    words.fill(key, &said)
}

fn grid(rows: &[Row], words: &Words) -> Grid {
    let titles = ["student", "lesson", "step", "since", "help", "stuck", "belief"];
    let titles = titles.map(|key| words.say(&format!("board.{key}")).to_owned());
    let mut grid = Grid::titled(titles);
    for row in rows {
        grid.row([
            row.student.clone(),
            row.lesson.clone(),
            step(row),
            since(row.seconds),
            row.hints.to_string(),
            where_it_hangs(row, words),
            row.beliefs.join(", "),
        ]);
    }
    grid
}

/// `3/7 two-consumers`
fn step(row: &Row) -> String {
    let id = row.step.as_deref().unwrap_or_default();
    format!("{}/{} {id}", row.number, row.of).trim_end().to_owned()
}

/// Minutes, which is what a teacher thinks in; hours once they are many.
fn since(seconds: i64) -> String {
    match seconds / 60 {
        minutes @ 0..=119 => format!("{minutes} min"),
        minutes => format!("{} h", minutes / 60),
    }
}

/// The check that does not hold, or what the student does instead of working at one.
fn where_it_hangs(row: &Row, words: &Words) -> String {
    let state = match row.state {
        State::Working => return row.check.clone().unwrap_or_default(),
        State::Silent => "board.silent",
        State::Done => "board.done",
        State::Left => "board.left",
        State::Finished => "board.finished",
    };
    format!("({})", words.say(state))
}

/// One student, with every lesson and step.
fn one(desk: &Desk<'_>, ui: Ui, name: &str) -> Outcome {
    let board = read(desk)?;
    let all = board.of(name.trim(), Timestamp::now());
    if all.is_empty() {
        let said = desk.words.fill("error.no-such-student", &[("name", name)]);
        let failure = Failure::request(said);
        return Err(match nearest(name, board.students()) {
            Some(near) => failure.hint(format!("velo lesson board --student '{}'", harmless(near))),
            None => failure.hint("velo lesson board"),
        });
    }
    let lessons = desk.source.lessons()?;
    let value = json!({
        "student": name.trim(),
        "lessons": all.iter().map(|(row, standing)| detail(row, standing)).collect::<Vec<_>>(),
    });
    ui.show_titled(&value, || {
        let tables = all.iter().map(|(row, standing)| {
            let lesson = lessons.iter().find(|lesson| lesson.id == standing.lesson);
            (
                Some(heading(row, standing, lesson, &desk.words)),
                steps(standing, &desk.words),
            )
        });
        tables.collect()
    })
}

/// A line of the board with all steps.
fn detail(row: &Row, standing: &Standing) -> Value {
    let mut value = json!(row);
    value["have"] = json!(standing.stuck.as_ref().and_then(|stuck| stuck.have.clone()));
    value["steps"] = json!(standing.steps);
    value
}

/// `ana: Hello, Kafka, 3/7 create, 12 min`, and what is missing there.
fn heading(row: &Row, standing: &Standing, lesson: Option<&Lesson>, words: &Words) -> String {
    let title = lesson.map_or(row.lesson.as_str(), |lesson| &lesson.prose(words.lang()).title);
    let mut heading = format!("{}: {title}, {}, {}", row.student, step(row), since(row.seconds));
    if row.state != State::Working {
        heading.push_str(&format!(", {}", where_it_hangs(row, words)));
    }
    if let Some(missing) = lesson.and_then(|lesson| standing.missing(lesson, words)) {
        heading.push_str(&format!("\n  {missing}"));
    }
    heading
}

/// A student's steps: how each stands, the help used, how many questions were answered right, and what the others show.
fn steps(standing: &Standing, words: &Words) -> Grid {
    let titles = [
        "status.step",
        "status.state",
        "board.help",
        "board.answers",
        "board.belief",
    ];
    let mut grid = Grid::titled(titles.map(|key| words.say(key).to_owned()));
    for step in &standing.steps {
        let state = step["state"].as_str().unwrap_or_default();
        let asked = board::questions(step).count();
        let right = board::questions(step)
            .filter(|asked| asked["right"] == true)
            .count();
        grid.row([
            step["step"].as_str().unwrap_or_default().to_owned(),
            words.say(&format!("status.{state}")).to_owned(),
            board::number(step, "hints").to_string(),
            if asked == 0 {
                String::new()
            } else {
                format!("{right}/{asked}")
            },
            board::beliefs(step).join(", "),
        ]);
    }
    grid
}
