//! Which help comes next: the hints one after the other, then the solution.

use super::model::{Act, Step};
use super::prose::StepProse;

/// The help that a learner gets.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Help<'a> {
    /// The hint of this number, from 1.
    Hint(usize, &'a str),
    /// No hint is left: the commands that solve the step.
    Solution,
}

/// The help after `given` hints.
pub fn next(prose: &StepProse, given: usize) -> Help<'_> {
    match prose.hints.get(given) {
        Some(hint) => Help::Hint(given + 1, hint),
        None => Help::Solution,
    }
}

/// The commands that solve a step, as a learner types them: a line each, what is typed into a command indented below it.
pub fn solution(step: &Step, face: Face) -> Vec<String> {
    let mut lines = Vec::new();
    for act in &step.acts {
        if let Some(command) = command(act, face) {
            lines.push(command.clone());
            let typed = act.stdin.as_deref().unwrap_or_default();
            lines.extend(typed.lines().map(|line| format!("  {line}")));
        }
    }
    lines
}

/// The commands alone, each once.
pub fn commands(step: &Step, face: Face) -> Vec<String> {
    let mut lines: Vec<String> = Vec::new();
    for command in step.acts.iter().filter_map(|act| command(act, face)) {
        if !lines.contains(command) {
            lines.push(command.clone());
        }
    }
    lines
}

fn command(act: &Act, face: Face) -> Option<&String> {
    match face {
        Face::Velo => act.command(),
        Face::Kafka => act.kafka.as_ref(),
    }
}

/// Which program a command is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Face {
    /// `velo topic create …`, or one of the lesson's own programs
    Velo,
    /// `kafka-topics.sh --create …`
    Kafka,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn three_hints_then_the_solution() {
        let prose = StepProse {
            hints: vec!["a".to_owned(), "b".to_owned(), "c".to_owned()],
            ..StepProse::default()
        };
        let given: Vec<_> = (0..5).map(|given| next(&prose, given)).collect();
        assert_eq!(
            given,
            [
                Help::Hint(1, "a"),
                Help::Hint(2, "b"),
                Help::Hint(3, "c"),
                Help::Solution,
                Help::Solution
            ]
        );
    }
}
