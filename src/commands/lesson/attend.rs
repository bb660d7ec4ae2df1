//! `velo lesson start --student NAME --class`: a learner whose teacher follows.

use super::Desk;
use super::take::StartArgs;
use crate::course::class::post::Post;
use crate::course::class::{self, TOPIC};
use crate::course::model::Lesson;
use crate::course::progress::Progress;
use crate::course::talk::Talk;
use crate::failure::{Failure, Outcome};
use crate::kafka::Connection;

/// Who takes the lesson: the student who is named, else the one who was named before; noted in the progress.
pub(super) fn student(desk: &Desk<'_>, args: &StartArgs, lesson: &Lesson) -> Outcome<Option<String>> {
    let mut progress = Progress::load(&desk.file())?;
    let given = args.student.as_deref();
    let given = given.map(|name| class::name(name, &desk.words)).transpose()?;
    if let Some(name) = given {
        progress.student = Some(name);
        progress.save(&desk.file())?;
    }
    if args.class && progress.student.is_none() {
        return Err(Failure::usage(desk.words.say("error.no-student"))
            .because(desk.words.say("error.no-student-why"))
            .hint(format!("velo lesson start {} --class --student ana", lesson.id)));
    }
    Ok(progress.student)
}

/// Begins to tell the class how the lesson goes, if the learner wants it, and says so.
pub(super) fn begin(
    desk: &Desk<'_>,
    args: &StartArgs,
    student: Option<&str>,
    connection: &Connection,
    talk: &mut dyn Talk,
) -> Outcome<Option<Post>> {
    let Some(student) = student.filter(|_| args.class) else {
        return Ok(None);
    };
    // Brokers of the lesson's own are the learner's; the class has the cluster that is named.
    let connection = match desk.context.address.is_named() {
        true => &desk.context.connection,
        false => connection,
    };
    let said = [
        ("student", student),
        ("topic", TOPIC),
        ("bootstrap", connection.bootstrap()),
    ];
    talk.say(&desk.words.fill("class.told", &said))?;
    Post::open(connection, student).map(Some)
}

/// Ends it, with a word where the class may not know that the learner has left.
pub(super) fn end(desk: &Desk<'_>, post: &Post) {
    if !post.leave() {
        desk.context.ui.say(desk.words.say("class.late"));
    }
}
