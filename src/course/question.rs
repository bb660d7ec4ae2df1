//! Questions: three kinds, how each is put, what is heard of an answer, and what is right.

use super::check::{Check, take_parts};
use super::dress::Dress;
use super::facts::Fact;
use super::look::Look;
use super::model::Wanted;
use super::prose::QuestionProse;
use super::render::Page;
use crate::failure::{self, Outcome};
use crate::i18n::Words;
use rand::SeedableRng;
use rand::seq::SliceRandom;
use rand_chacha::ChaCha8Rng;
use serde::{Deserialize, Serialize};

/// How many lines can be shown at most: each is chosen by one digit.
pub const MOST_LINES: usize = 9;

/// A question. Its text stands in the prose, and so do the answers that are chosen from.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(try_from = "toml::Table")]
pub struct Question {
    /// Joins it to the prose.
    pub id: String,
    /// How it is answered.
    pub kind: Kind,
}

/// How a question is answered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Kind {
    /// By choosing one of the answers: the number of the right one, from 1.
    Choose(usize),
    /// By typing a number.
    Type {
        /// The right one where the lesson's own solution was followed.
        number: usize,
        /// What tells the right one on the learner's cluster.
        fact: Option<Fact>,
    },
    /// By putting lines in order.
    Order {
        /// The lines, as they belong.
        lines: Vec<String>,
        /// One more, which does not belong.
        stray: String,
    },
}

/// An answer that was given.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(untagged)]
pub enum Given {
    /// The number chosen or typed.
    Number(usize),
    /// The lines in this order, each by its right place from 1; the one that does not belong comes after the last.
    Order(Vec<usize>),
}

/// The parts of a question that are not its fact.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Parts {
    id: Option<String>,
    answer: Option<usize>,
    number: Option<usize>,
    order: Option<Vec<String>>,
    stray: Option<String>,
}

impl TryFrom<toml::Table> for Question {
    type Error = String;

    fn try_from(mut table: toml::Table) -> Result<Self, String> {
        let parts: Parts = take_parts(&mut table, &["id", "answer", "number", "order", "stray"])?;
        let id = parts.id.ok_or("a question has no `id`")?;
        let wrong = |why: &str| format!("question `{id}`: {why}");
        let kind = match (parts.answer, parts.number, parts.order, parts.stray) {
            (Some(answer), None, None, None) => Kind::Choose(answer),
            (None, Some(number), None, None) => Kind::Type {
                number,
                fact: match table.is_empty() {
                    true => None,
                    false => Some(Fact::of(std::mem::take(&mut table)).map_err(|why| wrong(&why))?),
                },
            },
            (None, None, Some(lines), Some(stray)) => Kind::Order { lines, stray },
            _ => {
                return Err(wrong(
                    "it needs one of `answer`, `number`, and `order` with `stray`",
                ));
            }
        };
        match table.keys().next() {
            Some(key) => Err(wrong(&format!("unknown field `{key}`"))),
            None => Ok(Question { id, kind }),
        }
    }
}

impl Question {
    /// Its kind, for reports.
    pub fn kind_name(&self) -> &'static str {
        match self.kind {
            Kind::Choose(_) => "choose",
            Kind::Type { .. } => "type",
            Kind::Order { .. } => "order",
        }
    }

    /// The fact that tells the right answer on a cluster.
    pub fn fact(&self) -> Option<&Fact> {
        match &self.kind {
            Kind::Type { fact, .. } => fact.as_ref(),
            Kind::Choose(_) | Kind::Order { .. } => None,
        }
    }

    /// What the cluster says that the right answer is; `None` where it has no say, or cannot tell now.
    ///
    /// # Errors
    /// When the cluster refuses.
    pub fn found(&self, look: &Look<'_>, dress: &Dress) -> Outcome<Option<i64>> {
        let Some(fact) = self.fact() else {
            return Ok(None);
        };
        match fact.clone().renamed(dress).read(look) {
            Ok(have) => Ok(have.and_then(|have| match have.value {
                Wanted::Number(number) => Some(number),
                Wanted::Bool(_) | Wanted::Text(_) => None,
            })),
            // Where brokers come and go, the one that is asked may be away.
            Err(failure) if failure.kind() == failure::Kind::Unreachable => Ok(None),
            Err(failure) => Err(failure),
        }
    }

    /// What the cluster must say where the lesson's own solution was followed.
    pub fn expectation(&self) -> Option<Check> {
        let Kind::Type { number, fact } = &self.kind else {
            return None;
        };
        let wanted = Wanted::Number(i64::try_from(*number).ok()?);
        Some(Check::of_question(&self.id, fact.clone()?, wanted))
    }

    /// The right answer, where the cluster has `found` this one.
    pub fn answer(&self, found: Option<i64>) -> Given {
        match &self.kind {
            Kind::Choose(answer) => Given::Number(*answer),
            Kind::Type { number, .. } => {
                let found = found.and_then(|found| usize::try_from(found).ok());
                Given::Number(found.unwrap_or(*number))
            }
            Kind::Order { lines, .. } => Given::Order((1..=lines.len()).collect()),
        }
    }

    /// What is said of an answer, or of the right one where none was given.
    pub fn verdict(&self, given: Option<&Given>, found: Option<i64>, words: &Words) -> Verdict {
        let answer = self.answer(found);
        let right = given.map(|given| *given == answer);
        let (keys, lines) = match &self.kind {
            Kind::Choose(_) => (["quiz.right", "quiz.wrong", "play.answer"], Vec::new()),
            Kind::Type { .. } => (
                ["asked.number-right", "asked.number-wrong", "asked.number"],
                Vec::new(),
            ),
            Kind::Order { lines, .. } => (
                ["asked.order-right", "asked.order-wrong", "asked.order"],
                lines.clone(),
            ),
        };
        let [as_given, otherwise, unasked] = keys;
        let key = match right {
            Some(true) => as_given,
            Some(false) => otherwise,
            None => unasked,
        };
        let said = |answer: Option<&Given>| match answer {
            Some(Given::Number(number)) => number.to_string(),
            Some(Given::Order(_)) | None => String::new(),
        };
        let places = [("n", said(Some(&answer))), ("given", said(given))];
        let places = places.each_ref().map(|(name, value)| (*name, value.as_str()));
        Verdict {
            right,
            text: words.fill(key, &places),
            lines,
        }
    }
}

/// What is said of an answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Verdict {
    /// Whether it is right; `None` where none was given.
    pub right: Option<bool>,
    /// In words, with the right answer.
    pub text: String,
    /// Of an ordering, the lines as they belong.
    pub lines: Vec<String>,
}

/// What came of a line that was heard after a question.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Took {
    /// The whole answer.
    Answer(Given),
    /// A part of it.
    Part,
    /// Nothing that answers.
    Other,
}

/// A question as it is put to somebody.
#[derive(Debug, Clone)]
pub struct Asked<'a> {
    question: &'a Question,
    /// How many answers there are to choose from.
    options: usize,
    /// Of an ordering: which line, by its right place, is shown at each place.
    shown: Vec<usize>,
    /// Of an ordering: the lines chosen so far, by where they are shown, from 1.
    chosen: Vec<usize>,
}

impl<'a> Asked<'a> {
    /// A question with so many answers to choose from; lines are shuffled as the seed says.
    pub fn new(question: &'a Question, options: usize, seed: u64) -> Self {
        let shown = match &question.kind {
            Kind::Order { lines, .. } => mixed(lines.len() + 1, seed, &question.id),
            Kind::Choose(_) | Kind::Type { .. } => Vec::new(),
        };
        Asked {
            question,
            options,
            shown,
            chosen: Vec::new(),
        }
    }

    /// What there is to choose from, a line each, as it is said.
    pub fn choices(&self, prose: &QuestionProse, page: Page, dress: &Dress) -> Vec<String> {
        let numbered = |options: &[String]| -> Vec<String> {
            let options = options.iter().enumerate();
            options
                .map(|(number, option)| page.markdown(&dress.text(&format!("{}. {option}", number + 1))))
                .collect()
        };
        let Some(lines) = self.shuffled() else {
            return numbered(&prose.options);
        };
        let lines = lines.into_iter().enumerate();
        lines
            .map(|(number, line)| page.typed(&format!("  {}  ", number + 1), &dress.text(line)))
            .collect()
    }

    /// Of an ordering, the lines as they are shown.
    pub fn shuffled(&self) -> Option<Vec<&str>> {
        let Kind::Order { lines, stray } = &self.question.kind else {
            return None;
        };
        let line = |place: &usize| lines.get(place - 1).unwrap_or(stray).as_str();
        Some(self.shown.iter().map(line).collect())
    }

    /// How the answer is asked for: the words of this section, `runner` or `quiz`.
    pub fn prompt(&self, words: &Words, section: &str) -> String {
        let (key, n) = match &self.question.kind {
            Kind::Choose(_) => ("prompt", self.options),
            Kind::Type { .. } => ("prompt-number", 0),
            Kind::Order { lines, .. } => ("prompt-order", lines.len()),
        };
        words.fill(&format!("{section}.{key}"), &[("n", &n.to_string())])
    }

    /// What of an ordering is there so far.
    pub fn so_far(&self, words: &Words) -> String {
        let chosen: Vec<String> = self.chosen.iter().map(usize::to_string).collect();
        let wanted = self.shown.len().saturating_sub(1).to_string();
        words.fill("asked.so-far", &[("chosen", &chosen.join(" ")), ("n", &wanted)])
    }

    /// Whether a digit is a line by itself; a number may have several.
    pub fn digits_at_once(&self) -> bool {
        !matches!(self.question.kind, Kind::Type { .. })
    }

    /// Takes a line as an answer, or as a part of one.
    pub fn hear(&mut self, line: &str) -> Took {
        if let Kind::Order { .. } = self.question.kind {
            return self.hear_lines(line);
        }
        match line.parse() {
            Ok(number) if self.allows(number) => Took::Answer(Given::Number(number)),
            _ => Took::Other,
        }
    }

    fn allows(&self, number: usize) -> bool {
        match self.question.kind {
            Kind::Choose(_) => (1..=self.options).contains(&number),
            Kind::Type { .. } => true,
            Kind::Order { .. } => false,
        }
    }

    /// `3 1 2`, `312`, or one after the other; `0` takes the last one back.
    fn hear_lines(&mut self, line: &str) -> Took {
        if line == "0" {
            self.chosen.pop();
            return Took::Part;
        }
        let wanted = self.shown.len().saturating_sub(1);
        let mut chosen = self.chosen.clone();
        for letter in line.chars().filter(|letter| !" ,;".contains(*letter)) {
            let number = letter.to_digit(10).and_then(|digit| usize::try_from(digit).ok());
            match number {
                Some(number) if (1..=self.shown.len()).contains(&number) && !chosen.contains(&number) => {
                    chosen.push(number);
                }
                _ => return Took::Other,
            }
        }
        if chosen.len() > wanted || chosen.len() == self.chosen.len() {
            return Took::Other;
        }
        self.chosen = chosen;
        if self.chosen.len() < wanted {
            return Took::Part;
        }
        let places = self.chosen.iter();
        Took::Answer(Given::Order(
            places
                .filter_map(|number| self.shown.get(number - 1).copied())
                .collect(),
        ))
    }
}

/// The numbers from 1 to `most`, shuffled for the thing of this name as the seed says, and never in order.
pub fn mixed(most: usize, seed: u64, name: &str) -> Vec<usize> {
    // Another order for each thing that is mixed with the same seed.
    let own = name.bytes().fold(seed, |mixed, byte| {
        mixed.wrapping_mul(31).wrapping_add(byte.into())
    });
    let mut numbers: Vec<usize> = (1..=most).collect();
    numbers.shuffle(&mut ChaCha8Rng::seed_from_u64(own));
    if numbers.is_sorted() && most > 1 {
        numbers.rotate_left(1);
    }
    numbers
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::i18n::Lang;

    fn read(text: &str) -> Result<Question, String> {
        Question::try_from(text.parse::<toml::Table>().unwrap())
    }

    fn ordering() -> Question {
        read("id = \"q\"\norder = [\"first\", \"second\", \"third\"]\nstray = \"never\"").unwrap()
    }

    #[test]
    fn a_question_is_answered_in_one_of_three_ways() {
        assert_eq!(read("id = \"q\"\nanswer = 2").unwrap().kind, Kind::Choose(2));
        let typed = read("id = \"q\"\nnumber = 3\nfact = \"written\"\ntopic = \"t\"").unwrap();
        assert!(typed.fact().is_some());
        assert_eq!(read("id = \"q\"\nnumber = 3").unwrap().fact(), None);
        assert_eq!(ordering().kind_name(), "order");
        for (text, told) in [
            ("answer = 1", "no `id`"),
            ("id = \"q\"", "one of `answer`"),
            ("id = \"q\"\nanswer = 1\nnumber = 2", "one of `answer`"),
            ("id = \"q\"\norder = [\"a\"]", "with `stray`"),
            ("id = \"q\"\nanswer = 1\ntopic = \"t\"", "unknown field `topic`"),
            (
                "id = \"q\"\nnumber = 1\nfact = \"writen\"\ntopic = \"t\"",
                "did you mean `written`",
            ),
        ] {
            let said = read(text).unwrap_err();
            assert!(said.contains(told), "{said}");
        }
    }

    #[test]
    fn a_typed_number_is_compared_with_the_live_one_where_there_is_one() {
        let words = Words::of(Lang::En);
        let question = read("id = \"q\"\nnumber = 3").unwrap();
        let three = Given::Number(3);
        let right = |found| question.verdict(Some(&three), found, &words);
        assert_eq!(right(None).right, Some(true));
        assert_eq!(right(Some(3)).right, Some(true));
        let wrong = right(Some(12));
        assert_eq!(wrong.right, Some(false));
        assert!(
            wrong.text.contains('3') && wrong.text.contains("12"),
            "both are shown: {}",
            wrong.text
        );
        assert_eq!(question.verdict(None, Some(12), &words).right, None);
    }

    #[test]
    fn lines_are_chosen_together_or_one_by_one_and_taken_back() {
        let question = ordering();
        for seed in 0..50 {
            let mut asked = Asked::new(&question, 0, seed);
            assert!(!asked.shown.is_sorted(), "they would stand in order: {seed}");
            let at = |place: usize| {
                let found = asked.shown.iter().position(|shown| *shown == place);
                (found.unwrap() + 1).to_string()
            };
            let right = [1, 2, 3].map(at);
            let stray = at(4);
            assert_eq!(
                asked.clone().hear(&right.join(" ")),
                Took::Answer(question.answer(None)),
                "{seed}"
            );
            assert_eq!(
                asked.clone().hear(&right.concat()),
                Took::Answer(question.answer(None))
            );
            assert_eq!(asked.hear(&stray), Took::Part);
            assert_eq!(asked.hear(&stray), Took::Other, "twice");
            assert_eq!(asked.hear("0"), Took::Part);
            assert_eq!(asked.hear(&right[0]), Took::Part);
            for other in ["5", "x", "", "12345"] {
                assert_eq!(asked.hear(other), Took::Other, "{other}");
            }
            let rest = format!("{}, {stray}", right[1]);
            assert_eq!(asked.hear(&rest), Took::Answer(Given::Order(vec![1, 2, 4])));
        }
    }

    #[test]
    fn the_same_seed_mixes_the_same_way_and_another_question_another() {
        assert_eq!(mixed(9, 7, "a"), mixed(9, 7, "a"));
        assert_ne!(mixed(9, 7, "a"), mixed(9, 7, "b"));
        assert_ne!(mixed(9, 7, "a"), mixed(9, 8, "a"));
        assert_eq!(mixed(2, 0, "a"), [2, 1]);
        assert_eq!(mixed(1, 0, "a"), [1]);
    }
}
