//! What a lesson is asking a learner right now, so that no other command gives the answer away.

use super::dress::Dress;
use super::load::Source;
use super::progress::Progress;
use crate::i18n::{Lang, Words};
use std::path::Path;

/// Whether the learner whose progress is in the `state` folder is in the middle of a lesson about this topic. A progress that
/// cannot be read asks nothing.
pub fn about(state: &Path, topic: &str) -> bool {
    let Ok(progress) = Progress::load(&Progress::path(state)) else {
        return false;
    };
    let Some(current) = progress.current.as_deref() else {
        return false;
    };
    let Ok(lesson) = Source::Embedded.lesson(current, &Words::of(Lang::En)) else {
        return false;
    };
    progress.lessons.get(&lesson.id).is_some_and(|mine| {
        let dress = Dress::new(&lesson, &mine.prefix, &mine.bootstrap);
        !mine.finished(&lesson) && lesson.topics.iter().any(|known| dress.name(known) == topic)
    })
}
