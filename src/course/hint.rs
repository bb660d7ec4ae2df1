//! Which help comes next: the hints one after the other, then the solution.

use super::model::Step;
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
    for act in step.acts.iter().filter(|act| !act.aid) {
        let command = match face {
            Face::Velo => &act.velo,
            Face::Kafka => &act.kafka,
        };
        if let Some(command) = command {
            lines.push(command.clone());
            if let Some(typed) = &act.stdin {
                lines.extend(typed.lines().map(|line| format!("  {line}")));
            }
        }
    }
    lines
}

/// Which program a command is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Face {
    /// `velo topic create …`
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
