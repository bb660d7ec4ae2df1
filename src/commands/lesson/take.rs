//! `velo lesson start`: the interactive lesson.

use super::ahead::{self, Jump};
use super::{Desk, Terminal, attend, certificate, cluster, play};
use crate::commands::{address, candidates};
use crate::course::class::{self, Register};
use crate::course::dress::{self, Dress};
use crate::course::facts::ClusterFacts;
use crate::course::model::Lesson;
use crate::course::progress::Progress;
use crate::course::runner::Runner;
use crate::course::snapshot::Snapshot;
use crate::course::talk::Talk;
use crate::failure::{Failure, Outcome};
use crate::ui::confirm::Question;
use clap::Args;
use std::path::Path;

/// Options of `velo lesson start`.
#[derive(Debug, Args)]
pub(super) struct StartArgs {
    /// Which lesson [default: the one you are in, else the first you have not finished]
    #[arg(add = candidates::lessons())]
    lesson: Option<String>,
    /// Begin the names of your topics and groups with this, to share a cluster with a class [default: as before; in a class
    /// at first your name]
    #[arg(long)]
    prefix: Option<String>,
    /// Your name, for reports and for the class [default: the one given before]
    #[arg(long, value_name = "NAME")]
    pub(super) student: Option<String>,
    /// Let your teacher follow: how far you are, the help you use and what you answer go to the topic `velo-class` of the cluster
    #[arg(long)]
    pub(super) class: bool,
    /// Go straight to this step; what the ones before would have left is made without you
    #[arg(long, value_name = "STEP", requires = "lesson")]
    at: Option<String>,
    /// Start a cluster without asking when none answers
    #[arg(long, short)]
    yes: bool,
}

/// Takes a lesson.
pub(super) fn start(desk: &Desk<'_>, args: &StartArgs) -> Outcome {
    let Some(lesson) = chosen(desk, args)? else {
        return Ok(());
    };
    let student = attend::student(desk, args, &lesson)?;
    let mine = Progress::load(&desk.file())?.lesson(&lesson.id).clone();
    let wanted = cluster::Wanted {
        begun_on: &mine.bootstrap,
        yes: args.yes,
        beside: args.class,
    };
    let (connection, facts) = cluster::answering(desk, &lesson, wanted)?;
    let bootstrap = connection.bootstrap();
    let own_data = cluster::own_data(desk, &lesson, bootstrap)?;
    // Where the brokers are the learner's own, so are all names.
    let shares = args.class && own_data.is_none() && mine.prefix.is_empty();
    let named = student.as_deref().filter(|_| shares).map(class::prefix);
    let dress = begin(desk, &lesson, args.prefix.clone().or(named), bootstrap, &facts)?;
    let mut environment = play::environment(desk, &connection)?;
    environment.extend(own_data.as_deref().map(cluster::variable_of));
    let jump = Jump {
        lesson: &lesson,
        facts: &facts,
        dress: &dress,
        environment: &environment,
        own_brokers: own_data.is_some(),
    };
    let at = args.at.as_deref();
    let jobs = at.map(|at| ahead::make(desk, &jump, at)).transpose()?;
    let mut talk = Terminal::open(desk.context.ui)?
        .with_environment(environment.clone())
        .with_jobs(jobs);
    greet(desk, &lesson, &dress, own_data.as_deref(), &mut talk)?;
    let post = attend::begin(desk, args, student.as_deref(), &connection, &mut talk)?;
    talk.say("")?;
    let taken = Runner {
        lesson: &lesson,
        words: &desk.words,
        facts: &facts,
        dress,
        page: desk.page(),
        file: desk.file(),
        next: after(desk, &lesson.id)?,
        own_data: own_data.clone(),
        class: post.as_ref().map(|post| post as &dyn Register),
    }
    .run(&mut talk);
    if let Some(post) = &post {
        attend::end(desk, post);
    }
    taken?;
    certificate::at_the_end(desk, &lesson, &mut talk)?;
    match own_data {
        Some(folder) => {
            let folder = folder.display().to_string();
            talk.say(&desk.words.fill("runner.brokers-go-on", &[("folder", &folder)]))
        }
        None => Ok(()),
    }
}

/// Says which lesson this is, where it is taken, and what the learner should know before.
fn greet(
    desk: &Desk<'_>,
    lesson: &Lesson,
    dress: &Dress,
    own_data: Option<&Path>,
    talk: &mut dyn Talk,
) -> Outcome {
    let (words, bootstrap) = (&desk.words, dress.bootstrap());
    talk.say(&desk.page().rule(&lesson.prose(words.lang()).title))?;
    talk.say(&words.fill(
        "runner.lesson",
        &[("lesson", &lesson.id), ("bootstrap", bootstrap)],
    ))?;
    if let Some(folder) = own_data {
        let folder = folder.display().to_string();
        talk.say(&words.fill("runner.export", &[("bootstrap", bootstrap)]))?;
        talk.say(&words.fill("runner.export-data", &[("folder", &folder)]))?;
    } else if address::of_other_terminals(&desk.context.places)?.as_deref() != Some(bootstrap) {
        talk.say(&words.fill("runner.export", &[("bootstrap", bootstrap)]))?;
    }
    let before = Progress::load(&desk.file())?.lesson(&lesson.id).before.clone();
    let foreign = before.foreign_topics(lesson, dress);
    if !foreign.is_empty() {
        talk.say(&words.fill("runner.foreign", &[("names", &foreign.join(", "))]))?;
    }
    for before in unfinished_before(desk, lesson)? {
        talk.say(&words.fill("runner.after", &[("lesson", &before)]))?;
    }
    Ok(())
}

/// The lesson to start: the one named, else the one that the learner is in. When that one is finished the next is offered;
/// `None` when it is not wanted, or none is left.
fn chosen(desk: &Desk<'_>, args: &StartArgs) -> Outcome<Option<Lesson>> {
    let lesson = choose(desk, args.lesson.as_deref())?;
    let progress = Progress::load(&desk.file())?;
    let finished = progress
        .lessons
        .get(&lesson.id)
        .is_some_and(|mine| mine.finished(&lesson));
    if args.lesson.is_some() || !finished {
        return Ok(Some(lesson));
    }
    let again = format!("velo lesson start {}", lesson.id);
    let Some(next) = after(desk, &lesson.id)? else {
        desk.context
            .ui
            .say(desk.words.fill("runner.all-finished", &[("command", &again)]));
        return Ok(None);
    };
    let next = desk.source.lesson(&next, &desk.words)?;
    let title = &next.prose(desk.words.lang()).title;
    let said = [
        ("lesson", lesson.id.as_str()),
        ("next", &next.id),
        ("title", title),
    ];
    desk.context.ui.say(desk.words.fill("runner.offer", &said));
    let question = desk.words.fill("runner.offer-ask", &said);
    let question = Question {
        text: &question,
        lang: desk.words.lang(),
        by_default: true,
    };
    let asks = desk.context.ui.interactive() && !args.yes;
    if asks && !desk.context.ui.agrees(question)? {
        desk.context
            .ui
            .say(desk.words.fill("runner.offer-declined", &[("command", &again)]));
        return Ok(None);
    }
    Ok(Some(next))
}

/// The first lesson after this one that is not finished, else the first of all.
pub(super) fn after(desk: &Desk<'_>, lesson: &str) -> Outcome<Option<String>> {
    let progress = Progress::load(&desk.file())?;
    let lessons = desk.source.lessons()?;
    let here = lessons.iter().position(|known| known.id == lesson).unwrap_or(0);
    let (before, from) = lessons.split_at(here);
    let open = |known: &&Lesson| {
        let mine = progress.lessons.get(&known.id);
        known.id != lesson && mine.is_none_or(|mine| !mine.finished(known))
    };
    let next = from.iter().chain(before).find(open);
    Ok(next.map(|next| next.id.clone()))
}

/// The lessons that this one builds on and that the learner has not finished.
fn unfinished_before(desk: &Desk<'_>, lesson: &Lesson) -> Outcome<Vec<String>> {
    let progress = Progress::load(&desk.file())?;
    let mut before = Vec::new();
    for id in &lesson.after {
        let needed = desk.source.lesson(id, &desk.words)?;
        if !progress
            .lessons
            .get(id)
            .is_some_and(|done| done.finished(&needed))
        {
            before.push(needed.id);
        }
    }
    Ok(before)
}

/// The lesson named, else the current one, else the first that is not finished.
pub(super) fn choose(desk: &Desk<'_>, name: Option<&str>) -> Outcome<Lesson> {
    let progress = Progress::load(&desk.file())?;
    if let Some(name) = name.or(progress.current.as_deref()) {
        return desk.source.lesson(name, &desk.words);
    }
    let lessons = desk.source.lessons()?;
    let unfinished = lessons.iter().find(|lesson| {
        progress
            .lessons
            .get(&lesson.id)
            .is_none_or(|done| !done.finished(lesson))
    });
    unfinished
        .or(lessons.first())
        .cloned()
        .ok_or_else(|| Failure::request(desk.words.say("runner.no-lesson")))
}

/// Notes the lesson as the current one, with its prefix, its cluster, and what was on that cluster before it began.
fn begin(
    desk: &Desk<'_>,
    lesson: &Lesson,
    prefix: Option<String>,
    bootstrap: &str,
    facts: &dyn ClusterFacts,
) -> Outcome<Dress> {
    let mut progress = Progress::load(&desk.file())?;
    progress.current = Some(lesson.id.clone());
    if let Some(asked) = desk.context.lang_asked {
        progress.lang = Some(asked.code().to_owned());
    }
    let mine = progress.lesson(&lesson.id);
    let prefix = prefix.unwrap_or_else(|| mine.prefix.clone());
    dress::valid_prefix(&prefix, &desk.words)?;
    // Another cluster or other names: what the lesson finds there now is not what it made.
    if mine.bootstrap != bootstrap || mine.prefix != prefix {
        mine.before = Snapshot::take(facts)?;
        mine.brokers = facts.cluster()?.brokers;
        play::enough(desk, lesson, mine.brokers.len())?;
        bootstrap.clone_into(&mut mine.bootstrap);
        mine.prefix.clone_from(&prefix);
    }
    let dress = Dress::new(lesson, &prefix, bootstrap)
        .on_brokers(&mine.brokers)
        .shuffled_by(desk.seed);
    progress.save(&desk.file())?;
    Ok(dress)
}
