//! What a learner gets at the end: name, date, lessons and marks, in text.

use super::model::Lesson;
use super::picture;
use super::progress::{LessonProgress, Progress};
use crate::i18n::Words;
use console::measure_text_width;

/// A lesson's marks: what of it is passed, and how the questions were answered at the first try.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Marks {
    passed: usize,
    right: usize,
    asked: usize,
}

impl Marks {
    fn of(lesson: &Lesson, mine: &LessonProgress) -> Self {
        let answers = lesson.steps.iter().flat_map(|step| {
            let mine = mine.steps.get(&step.id);
            step.questions.iter().map(move |question| {
                let right = mine.and_then(|mine| mine.is_right(question));
                right == Some(true)
            })
        });
        let right: Vec<bool> = answers.collect();
        Marks {
            passed: mine.passed(lesson),
            right: right.iter().filter(|right| **right).count(),
            asked: right.len(),
        }
    }
}

/// The certificate of a learner, a line each, for the lessons of which a step was passed.
pub fn lines(name: &str, date: &str, lessons: &[Lesson], progress: &Progress, words: &Words) -> Vec<String> {
    let mut taken = Vec::new();
    for lesson in lessons {
        if let Some(mine) = progress.lessons.get(&lesson.id) {
            let marks = Marks::of(lesson, mine);
            if marks.passed > 0 {
                taken.push((lesson, marks));
            }
        }
    }
    let whole = taken
        .iter()
        .filter(|(lesson, marks)| marks.passed == lesson.steps.len());
    let (whole, all) = (whole.count().to_string(), lessons.len().to_string());
    let rule = "─".repeat(picture::WIDEST);
    let mut lines = vec![
        rule.clone(),
        words.say("certificate.title").to_owned(),
        String::new(),
        words.fill("certificate.name", &[("name", name)]),
        words.fill("certificate.date", &[("date", date)]),
        words.fill("certificate.lessons", &[("whole", &whole), ("all", &all)]),
        String::new(),
    ];
    let widest = taken
        .iter()
        .map(|(lesson, _)| measure_text_width(&lesson.id))
        .max();
    for (lesson, marks) in &taken {
        let places = [
            ("passed", marks.passed),
            ("steps", lesson.steps.len()),
            ("right", marks.right),
            ("asked", marks.asked),
        ];
        let places = places.map(|(name, number)| (name, number.to_string()));
        let places = places.each_ref().map(|(name, number)| (*name, number.as_str()));
        lines.push(format!(
            "  {:<width$}  {}",
            lesson.id,
            words.fill("certificate.marks", &places),
            width = widest.unwrap_or(0)
        ));
    }
    let sum = |of: fn(&Marks) -> usize| {
        taken
            .iter()
            .map(|(_, marks)| of(marks))
            .sum::<usize>()
            .to_string()
    };
    let (right, asked) = (sum(|marks| marks.right), sum(|marks| marks.asked));
    lines.push(String::new());
    lines.push(words.fill("certificate.sum", &[("right", &right), ("asked", &asked)]));
    lines.push(rule);
    lines
}
