//! A class: how each learner's lesson goes, told to the teacher through a topic of the cluster that all share.
//!
//! A learner's runner notes where he stands (`standing`), a thread beside the lesson writes that down (`post`), and the teacher's
//! board reads it (`roll`, `board`).

pub mod board;
pub mod post;
pub mod roll;
pub mod standing;

use super::check::Finding;
use super::model::Step;
use super::runner::Runner;
use super::talk::Talk;
use crate::failure::{Failure, Outcome};
use crate::i18n::Words;
use standing::Standing;

/// The compacted topic that keeps the newest record of each student and lesson.
pub const TOPIC: &str = "velo-class";

/// How long a student's name is at most, in letters.
const LONGEST_NAME: usize = 40;

/// Who is told how a lesson goes.
pub trait Register {
    /// Notes how it stands now. Never waits.
    fn note(&self, standing: Standing);
    /// What the learner should know of it, each thing once.
    fn notice(&self) -> Option<Notice>;
}

/// Something that a learner should know who takes a lesson in a class.
#[derive(Debug, Clone)]
pub enum Notice {
    /// The class cannot be told how it goes.
    Refused(Failure),
    /// Somebody else takes a lesson under the same name.
    Namesake,
}

impl Runner<'_> {
    /// Tells the class, if there is one, how the lesson goes: at a step, or behind the last. The learner is told once when the
    /// class cannot be.
    ///
    /// # Errors
    /// When the progress file cannot be understood, or the talk cannot be written.
    pub(super) fn tell_class(&self, at: Option<&Step>, findings: &[Finding], talk: &mut dyn Talk) -> Outcome {
        let Some(class) = self.class else {
            return Ok(());
        };
        class.note(Standing::of(self.lesson, &self.progress()?, at, findings));
        match class.notice() {
            Some(Notice::Refused(why)) => {
                talk.say(&self.words.fill("class.refused", &[("why", &why.in_a_line())]))
            }
            Some(Notice::Namesake) => talk.say(self.words.say("class.namesake")),
            None => Ok(()),
        }
    }
}

/// A student's name as it is written down.
///
/// # Errors
/// When it is empty, too long, or holds what no name has: it is the key of records, and a line on the teacher's screen.
pub fn name(given: &str, words: &Words) -> Outcome<String> {
    let name = given.trim();
    let fits = !name.is_empty() && name.chars().count() <= LONGEST_NAME;
    if fits && !name.contains(|letter: char| letter.is_control() || letter == '/') {
        return Ok(name.to_owned());
    }
    let longest = LONGEST_NAME.to_string();
    Err(Failure::usage(words.fill("error.student", &[("name", given)]))
        .because(words.fill("error.student-why", &[("n", &longest)]))
        .hint("--student ana"))
}

/// What a student's topics and groups begin with unless another prefix is asked for: the name in letters that Kafka takes.
pub fn prefix(student: &str) -> String {
    let mut plain = String::new();
    for letter in student.to_lowercase().chars() {
        match letter {
            'a'..='z' | '0'..='9' => plain.push(letter),
            'á' | 'à' | 'â' | 'ä' | 'ã' | 'å' => plain.push('a'),
            'é' | 'è' | 'ê' | 'ë' => plain.push('e'),
            'í' | 'ì' | 'î' | 'ï' => plain.push('i'),
            'ó' | 'ò' | 'ô' | 'ö' | 'õ' | 'ø' => plain.push('o'),
            'ú' | 'ù' | 'û' | 'ü' => plain.push('u'),
            'ý' | 'ÿ' => plain.push('y'),
            'ç' => plain.push('c'),
            'ñ' => plain.push('n'),
            'ß' => plain.push_str("ss"),
            'æ' => plain.push_str("ae"),
            'œ' => plain.push_str("oe"),
            _ if plain.ends_with('-') || plain.is_empty() => {}
            _ => plain.push('-'),
        }
    }
    let plain = plain.trim_end_matches('-');
    if plain.is_empty() {
        // A name in other letters: whatever tells it from another.
        return format!("student-{:08x}-", crc32c::crc32c(student.as_bytes()));
    }
    format!("{plain}-")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::course::dress;
    use crate::i18n::Lang;

    #[test]
    fn names_become_what_topics_may_begin_with() {
        for (student, begins) in [
            ("ana", "ana-"),
            ("Ana López", "ana-lopez-"),
            ("Françoise d'Eaubonne", "francoise-d-eaubonne-"),
            ("  R2 – D2 ", "r2-d2-"),
        ] {
            assert_eq!(prefix(student), begins);
        }
        let (one, other) = (prefix("李明"), prefix("王芳"));
        assert_ne!(one, other);
        for prefix in [one, other] {
            dress::valid_prefix(&prefix, &Words::of(Lang::En)).unwrap();
        }
    }

    #[test]
    fn a_name_is_a_line_and_a_part_of_a_key() {
        let words = Words::of(Lang::En);
        assert_eq!(name(" Ana López ", &words).unwrap(), "Ana López");
        for odd in ["", "  ", "a/b", "a\nb", "a\u{1b}[2J", &"a".repeat(41)] {
            assert_eq!(name(odd, &words).unwrap_err().kind().exit_code(), 2, "{odd:?}");
        }
    }
}
