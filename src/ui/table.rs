//! The one place where results become text: a table for people, one JSON value or plain lines for programs.

use super::foreign::Guard;
use super::{OutputFormat, Ui};
use crate::failure::Outcome;
use comfy_table::presets::NOTHING;
use comfy_table::{CellAlignment, ContentArrangement, Table};
use serde::Serialize;

/// A column of a table.
#[derive(Debug, Clone, Copy)]
pub struct Column {
    title: &'static str,
    numeric: bool,
}

/// A column of words, aligned left.
pub const fn text(title: &'static str) -> Column {
    Column {
        title,
        numeric: false,
    }
}

/// A column of numbers, aligned right.
pub const fn number(title: &'static str) -> Column {
    Column { title, numeric: true }
}

/// Rows under columns.
#[derive(Debug, Clone)]
pub struct Grid {
    titles: Vec<String>,
    numeric: Vec<bool>,
    rows: Vec<Vec<String>>,
}

impl Grid {
    /// An empty grid.
    pub fn new(columns: impl IntoIterator<Item = Column>) -> Self {
        let (titles, numeric) = columns
            .into_iter()
            .map(|column| (column.title.to_owned(), column.numeric))
            .unzip();
        Grid {
            titles,
            numeric,
            rows: Vec::new(),
        }
    }

    /// An empty grid of words, with titles in the user's language.
    pub fn titled(titles: impl IntoIterator<Item = String>) -> Self {
        let titles: Vec<String> = titles.into_iter().collect();
        Grid {
            numeric: vec![false; titles.len()],
            titles,
            rows: Vec::new(),
        }
    }

    /// Adds a row, one cell a column.
    pub fn row(&mut self, cells: impl IntoIterator<Item = String>) {
        self.rows.push(cells.into_iter().collect());
    }

    /// Whether there are no rows.
    pub fn is_empty(&self) -> bool {
        self.rows.is_empty()
    }

    /// The aligned table, titles in capitals, no trailing blanks.
    pub fn to_table(&self) -> String {
        // Piped output is never folded to a width that nobody has.
        self.lines(Guard::of_stdout() == Guard::On).join("\n")
    }

    /// The lines of the aligned table, one for the titles and one for each row, however long.
    pub fn to_lines(&self) -> Vec<String> {
        self.lines(false)
    }

    fn lines(&self, folded: bool) -> Vec<String> {
        let mut table = Table::new();
        table.load_style(NOTHING);
        let guard = Guard::of_stdout();
        if folded {
            table.set_content_arrangement(ContentArrangement::Dynamic);
        }
        table.set_header(&self.titles);
        for row in &self.rows {
            // Before the widths are measured, and not only when the line is written.
            table.add_row(row.iter().map(|cell| guard.text(cell)));
        }
        for (index, numeric) in self.numeric.iter().enumerate() {
            if let Some(found) = table.column_mut(index) {
                found.set_padding(if index == 0 { (0, 1) } else { (1, 1) });
                if *numeric {
                    found.set_cell_alignment(CellAlignment::Right);
                }
            }
        }
        table.lines().map(|line| line.trim_end().to_owned()).collect()
    }

    /// Tab-separated rows without titles.
    pub fn to_plain(&self) -> String {
        let rows: Vec<String> = self.rows.iter().map(|row| row.join("\t")).collect();
        rows.join("\n")
    }
}

impl Ui {
    /// Prints a result in the asked format: `value` as JSON, or `grid` as a table or plain lines. An empty grid prints
    /// nothing on stdout in the latter two.
    ///
    /// # Errors
    /// When stdout cannot be written.
    pub fn show(self, value: &impl Serialize, grid: impl FnOnce() -> Grid) -> Outcome {
        self.show_titled(value, || vec![(None, grid())])
    }

    /// The same for several grids, each with a title line that only the table format prints.
    ///
    /// # Errors
    /// When stdout cannot be written.
    pub fn show_titled(
        self,
        value: &impl Serialize,
        grids: impl FnOnce() -> Vec<(Option<String>, Grid)>,
    ) -> Outcome {
        match self.format {
            OutputFormat::Json | OutputFormat::Jsonl => self.json(value),
            OutputFormat::Plain => grids()
                .iter()
                .filter(|(_, grid)| !grid.is_empty())
                .try_for_each(|(_, grid)| self.line(grid.to_plain())),
            OutputFormat::Table => {
                for (index, (title, grid)) in grids().iter().enumerate() {
                    if let Some(title) = title {
                        self.line(format!("{}{title}", if index > 0 { "\n" } else { "" }))?;
                    }
                    if !grid.is_empty() {
                        self.line(grid.to_table())?;
                    }
                }
                Ok(())
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_grid_is_aligned_for_people_and_tab_separated_for_programs() {
        let mut grid = Grid::new([text("TOPIC"), number("PARTITIONS")]);
        grid.row(["velib-stations".to_owned(), "10".to_owned()]);
        grid.row(["a".to_owned(), "1".to_owned()]);
        assert_eq!(
            grid.to_table(),
            "TOPIC           PARTITIONS\nvelib-stations          10\na                        1"
        );
        assert_eq!(grid.to_plain(), "velib-stations\t10\na\t1");
    }
}
