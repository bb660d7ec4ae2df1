//! What a class is told that shares a cluster: what it costs to let it in, and what it types.

use super::folder::ClusterFolder;
use super::shape::Shape;
use super::{addresses, settings};
use crate::commands::Context;
use crate::commands::lesson::language;
use crate::i18n::Words;

/// Says what it means that other machines may connect, before they may.
pub(super) fn warn(context: &Context, is_class: bool) {
    if is_class {
        return context.ui.say(words(context).say("class.warning"));
    }
    context.ui.say(
        "warning: --listen-anyone: every machine that reaches this port can read, write and delete everything",
    );
}

/// Says what the others type, if they may connect: `addresses` are those that they are told.
pub(super) fn tell(folder: &ClusterFolder, shape: &Shape, addresses: &[String], context: &Context) {
    let Some(first) = addresses.first() else {
        return;
    };
    let (ui, is_class) = (context.ui, shape.settings().class);
    let all = addresses.join(",");
    if is_class {
        let words = words(context);
        ui.say(words.fill("class.board", &[("addresses", &all)]));
        ui.say(words.say("class.follow"));
    } else {
        ui.say(format!(
            "The class types: export VELO_BOOTSTRAP_SERVER={all}   (or --bootstrap-server with it)"
        ));
    }
    let others = addresses::of_this_machine().into_iter();
    let others = others.filter(|address| !first.starts_with(&format!("{address}:")));
    let others: Vec<String> = others.map(|address| address.to_string()).collect();
    let Some(other) = others.first().filter(|_| !settings::advertises(shape.settings())) else {
        return;
    };
    let port = first.rsplit_once(':').map_or("9092", |(_, port)| port);
    let told = if shape.is_lone() { port } else { "0" };
    let data = folder.data_option();
    let option = shape.settings().open_option();
    let option = option.map(|option| format!(" {option}")).unwrap_or_default();
    let command = format!(
        "velo cluster stop{data}, then velo cluster start --port {port}{option} --set \
         advertised.listeners=PLAINTEXT://{other}:{told}{data}"
    );
    let others = others.join(", ");
    if is_class {
        let said = [("others", others.as_str()), ("command", &command)];
        ui.say(words(context).fill("class.other", &said));
    } else {
        ui.say(format!(
            "This machine is also {others}. For a class that reaches it there: {command}"
        ));
    }
}

/// In the language of the lessons; a progress that cannot be read stops no cluster.
fn words(context: &Context) -> Words {
    Words::of(language(context).unwrap_or(context.lang))
}
