//! The talk with a learner: lines on stdout, keys or lines from stdin, on a terminal or through pipes.

use super::play;
use crate::bom;
use crate::course::program::Programs;
use crate::course::talk::{Heard, News, Talk};
use crate::course::typed::{KEYS, KEYS_BUT_DIGITS};
use crate::failure::{Failure, Outcome};
use crate::ui::keys::{Keys, Typed};
use crate::ui::{Interrupt, Ui, fold};
use std::io::{BufRead, IsTerminal};
use std::process::{Command, Stdio};
use std::sync::mpsc::{self, Receiver, RecvTimeoutError};
use std::time::{Duration, Instant};

/// How long a Ctrl-C may go unnoticed.
const GLANCE: Duration = Duration::from_millis(50);

/// This process's own input and output.
pub struct Terminal {
    ui: Ui,
    /// Only once something is asked: a command that only talks leaves the input to the next one.
    input: Option<Input>,
    interrupt: Interrupt,
    environment: Vec<(String, String)>,
    /// What runs in the background, once something does.
    jobs: Option<Programs>,
    /// The keys that act at once.
    keys: &'static str,
    /// Stdout is for data: the talk goes to stderr.
    aside: bool,
}

/// Where the learner's words come from.
enum Input {
    /// A person at a terminal.
    Keys(Keys),
    /// Anything else.
    Lines(Receiver<String>),
}

impl Terminal {
    /// Listens for Ctrl-C from now on.
    ///
    /// # Errors
    /// When it cannot be listened for.
    pub fn open(ui: Ui) -> Outcome<Self> {
        Ok(Terminal {
            ui,
            input: None,
            interrupt: Interrupt::watch()?,
            environment: Vec::new(),
            jobs: None,
            keys: KEYS,
            aside: false,
        })
    }

    /// The same with what is said on stderr, where stdout is for data.
    #[must_use]
    pub fn beside_data(mut self) -> Self {
        self.aside = true;
        self
    }

    /// The same with what the commands that are run from here are told, such as where the cluster is.
    #[must_use]
    pub fn with_environment(mut self, environment: Vec<(String, String)>) -> Self {
        self.environment = environment;
        self
    }

    /// The same with programs that run in the background already.
    #[must_use]
    pub fn with_jobs(mut self, jobs: Option<Programs>) -> Self {
        self.jobs = jobs;
        self
    }

    fn jobs(&mut self) -> Outcome<&mut Programs> {
        let jobs = match self.jobs.take() {
            Some(jobs) => jobs,
            None => {
                let here = std::env::current_dir()
                    .map_err(|error| Failure::request("cannot tell which folder this is").because(error))?;
                Programs::new(play::own_executable()?, here, self.environment.clone())
            }
        };
        Ok(self.jobs.insert(jobs))
    }
}

impl Input {
    fn open(keys: &'static str) -> Outcome<Self> {
        if !std::io::stdin().is_terminal() || !std::io::stdout().is_terminal() {
            return Ok(Input::Lines(listen()));
        }
        let keys =
            Keys::open(keys).map_err(|error| Failure::request("cannot read the terminal").because(error))?;
        Ok(Input::Keys(keys))
    }
}

/// The lines of stdin. The thread ends with the input or with the process: reading a line cannot be called off.
fn listen() -> Receiver<String> {
    let (sender, lines) = mpsc::channel();
    std::thread::spawn(move || {
        let mut lines = std::io::stdin().lock().lines().map_while(Result::ok);
        let first = lines.next().map(|line| bom::skip_in_text(&line).to_owned());
        for line in first.into_iter().chain(lines) {
            if sender.send(line).is_err() {
                break;
            }
        }
    });
    lines
}

/// The next line, if one comes in time.
fn next_line(lines: &Receiver<String>, patience: Duration, interrupt: Interrupt) -> Heard {
    let deadline = Instant::now() + patience;
    loop {
        let left = deadline.saturating_duration_since(Instant::now());
        match lines.recv_timeout(left.min(GLANCE)) {
            Ok(line) => return Heard::Line(line),
            Err(RecvTimeoutError::Disconnected) => return Heard::End,
            Err(RecvTimeoutError::Timeout) if interrupt.pressed() || left.is_zero() => return Heard::Nothing,
            Err(RecvTimeoutError::Timeout) => {}
        }
    }
}

impl Talk for Terminal {
    fn say(&mut self, text: &str) -> Outcome {
        if self.aside {
            self.ui.say(text);
            return Ok(());
        }
        let text = fold::width_of_stdout().map_or_else(|| text.to_owned(), |width| fold::notice(text, width));
        match &self.input {
            Some(Input::Keys(keys)) => keys.around(|| self.ui.styled(&text)),
            _ => self.ui.styled(&text),
        }
    }

    fn next(&mut self, patience: Duration) -> Outcome<Heard> {
        let interrupt = self.interrupt;
        let input = match self.input.take() {
            Some(input) => input,
            None => Input::open(self.keys)?,
        };
        let heard = match self.input.insert(input) {
            Input::Lines(lines) => next_line(lines, patience, interrupt),
            Input::Keys(keys) => {
                let typed = keys.next(patience, &|| interrupt.pressed());
                match typed.map_err(|error| Failure::request("cannot read the terminal").because(error))? {
                    Typed::Line(line) => Heard::Line(line),
                    Typed::Nothing => Heard::Nothing,
                    Typed::End => Heard::End,
                }
            }
        };
        if heard == Heard::Nothing {
            interrupt.check()?;
        }
        Ok(heard)
    }

    fn run(&mut self, words: &[String]) -> Outcome {
        let failed = |error| Failure::request(format!("cannot run `{}`", words.join(" "))).because(error);
        let mut command = Command::new(std::env::current_exe().map_err(failed)?);
        command
            .args(words.iter().skip(1))
            .envs(self.environment.iter().map(|(name, value)| (name, value)));
        // Its exit code tells the learner nothing that its words have not.
        let ended = match &mut self.input {
            Some(Input::Keys(keys)) => keys.lend(|| command.status()),
            // The next lines are for the lesson.
            _ => command.stdin(Stdio::null()).status(),
        };
        ended.map(drop).map_err(failed)
    }

    fn digits_at_once(&mut self, are: bool) {
        self.keys = if are { KEYS } else { KEYS_BUT_DIGITS };
        if let Some(Input::Keys(keys)) = &mut self.input {
            keys.act_at_once(self.keys);
        }
    }

    fn can_ask(&self) -> bool {
        matches!(self.input, Some(Input::Keys(_)))
    }

    fn start(&mut self, command: &str) -> Outcome<Option<String>> {
        let jobs = self.jobs()?;
        let taken: Vec<String> = jobs.terminals().map(str::to_owned).collect();
        let free = (1..)
            .map(|number: u32| number.to_string())
            .find(|name| !taken.contains(name));
        let name = free.unwrap_or_default();
        jobs.start(&name, command)?;
        Ok(Some(name))
    }

    fn end(&mut self, name: Option<&str>) -> Vec<String> {
        let Some(jobs) = &mut self.jobs else {
            return Vec::new();
        };
        let all = jobs.terminals().map(str::to_owned);
        let ended: Vec<String> = all
            .filter(|terminal| name.is_none_or(|name| name == terminal))
            .collect();
        match name {
            Some(name) => jobs.stop(name),
            None => jobs.stop_all(),
        }
        ended
    }

    fn news(&mut self) -> Vec<News> {
        let Some(jobs) = &mut self.jobs else {
            return Vec::new();
        };
        let ended = jobs.ended();
        let mut news = Vec::new();
        jobs.read(Duration::ZERO, &mut |line| {
            // Of commands that were run to their end, somebody else has told.
            if !line.terminal.is_empty() {
                news.push(News::Line(line.terminal, line.text));
            }
        });
        news.extend(ended.into_iter().map(|(name, code)| News::Ended(name, code)));
        news
    }
}
