//! A table that goes on: a few lines at the end of a terminal, drawn over themselves. What stands above them stays.

use crate::failure::{Failure, Outcome};
use console::{Term, truncate_str};

/// The size of a terminal that does not tell it.
const UNTOLD: (u16, u16) = (24, 80);

/// Lines that are drawn again and again.
pub struct Screen {
    term: Term,
    drawn: Vec<String>,
    /// Whether the terminal can go back to lines above; else what has changed is written below.
    goes_back: bool,
}

impl Screen {
    /// The terminal that stdout is.
    pub fn of_stdout() -> Self {
        Screen {
            term: Term::buffered_stdout(),
            drawn: Vec::new(),
            goes_back: std::env::var_os("TERM").is_none_or(|term| term != "dumb"),
        }
    }

    /// How many lines and columns there are now.
    pub fn size(&self) -> (usize, usize) {
        let (lines, columns) = self.term.size_checked().unwrap_or(UNTOLD);
        (usize::from(lines), usize::from(columns))
    }

    /// Draws lines in the place of those drawn before, each cut at the terminal's width. There must be fewer than the terminal
    /// has.
    ///
    /// # Errors
    /// When the terminal cannot be written.
    pub fn draw(&mut self, lines: Vec<String>) -> Outcome {
        let (_, columns) = self.size();
        let cut = |line: &String| truncate_str(line, columns.saturating_sub(1), "…").into_owned();
        let lines: Vec<String> = lines.iter().map(cut).collect();
        if lines == self.drawn {
            return Ok(());
        }
        let drawn = || -> std::io::Result<()> {
            if self.goes_back {
                self.term.move_cursor_up(self.drawn.len())?;
                self.term.clear_to_end_of_screen()?;
            }
            lines.iter().try_for_each(|line| self.term.write_line(line))?;
            self.term.flush()
        };
        drawn().map_err(|error| Failure::request("cannot write to the terminal").because(error))?;
        self.drawn = lines;
        Ok(())
    }
}
