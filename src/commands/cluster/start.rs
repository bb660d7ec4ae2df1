//! `velo cluster start`: in the foreground, or in the background and awaited until it serves.

use super::folder::{Changing, ClusterFolder};
use super::nearby::Running;
use super::node::Condition;
use super::shape::{self, Settings, Shape};
use super::{BrokersArgs, DataArgs, class, foreground, launch, nearby, port, settings, supervise};
use crate::commands::Context;
use crate::failure::{Failure, Outcome};
use clap::Args;

/// Options of `velo cluster start`.
#[derive(Debug, Clone, Args)]
pub struct StartArgs {
    /// How many brokers, each a process of its own: 1, 2, … [default: as it was, at first one]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=100), conflicts_with_all = ["ids", "broker"])]
    pub brokers: Option<u16>,
    /// Ids of the brokers, such as 101,102,103
    #[arg(long, value_name = "ID,…", value_delimiter = ',', value_parser = clap::value_parser!(i32).range(0..), conflicts_with = "broker")]
    pub ids: Vec<i32>,
    /// Give the controller a process of its own; else the first broker is the controller too
    #[arg(long, conflicts_with = "broker")]
    pub controller_apart: bool,
    /// Port of the first broker, the others have the next ones; 0 lets the system choose each [default: those it had, at
    /// first 9092]
    #[arg(long, conflicts_with = "broker")]
    pub port: Option<u16>,
    #[command(flatten)]
    pub broker: BrokersArgs,
    #[command(flatten)]
    pub data: DataArgs,
    /// Broker setting, by its name in Kafka's server.properties; may be repeated [default: those it had]
    #[arg(long, value_name = "NAME=VALUE", conflicts_with = "broker")]
    pub set: Vec<String>,
    /// Stay in this terminal; `ready` and the addresses are printed once it serves
    #[arg(long)]
    pub foreground: bool,
    /// Let other machines connect: whoever reaches the port can read, write and delete everything
    #[arg(long, conflicts_with = "broker")]
    pub listen_anyone: bool,
    /// Let a class connect, as --listen-anyone does, and print what to write on the board
    #[arg(long, conflicts_with = "broker")]
    pub class: bool,
}

impl StartArgs {
    /// The ids that are asked for; where none are, those of `known`.
    fn ids_beside(&self, known: &Shape) -> Vec<i32> {
        if !self.ids.is_empty() {
            return self.ids.clone();
        }
        match self.brokers.map(i32::from) {
            Some(count) if usize::try_from(count).ok() != Some(known.brokers().len()) => {
                (1..=count).collect()
            }
            _ => known.ids(),
        }
    }

    /// The nodes that are asked for, where the folder has `known`.
    fn nodes_beside(&self, known: &Shape) -> Outcome<Shape> {
        let ids = self.ids_beside(known);
        let twice = |id: &&i32| ids.iter().filter(|other| other == id).count() > 1;
        if let Some(id) = ids.iter().find(twice) {
            return Err(Failure::usage(format!("--ids names {id} twice"))
                .because("each broker has an id of its own")
                .hint("velo cluster start --ids 101,102,103"));
        }
        let apart = self.controller_apart || known.is_apart() && ids == known.ids();
        Shape::new(&ids, apart, 0).ok_or_else(|| {
            Failure::usage("there is no id left for the controller")
                .because(format!("the largest there can be is {}", i32::MAX))
                .hint("velo cluster start --ids 101,102,103 --controller-apart")
        })
    }

    /// The cluster to start in a folder where none runs.
    fn shape(&self, folder: &ClusterFolder) -> Outcome<Shape> {
        let known = known(folder)?;
        let before = known.settings().clone();
        let asked = self.nodes_beside(&known)?;
        let shape = if asked.has_nodes_of(&known) {
            known
        } else if asked.grows(&known) || !has_data(folder, &known) {
            asked.on_ports_of(&known)
        } else {
            return Err(self.other_nodes(folder, &known));
        };
        let shape = match self.port {
            Some(port) => shape.moved(port).ok_or_else(|| {
                Failure::usage(format!("there are not so many ports from {port} on"))
                    .hint(format!("velo cluster start --port {}", shape::FIRST_PORT))
            })?,
            None => shape,
        };
        let mut settings = self.settings();
        settings.set = settings::kept(&before, &self.set, shape.is_lone());
        settings.set.extend_from_slice(&self.set);
        Ok(shape.with_settings(settings))
    }

    /// How the nodes are to be started.
    fn settings(&self) -> Settings {
        Settings {
            listen_anyone: self.listen_anyone || self.class,
            class: self.class,
            set: self.set.clone(),
        }
    }

    /// Says which settings the cluster goes on with that were not typed.
    fn tell_kept(&self, shape: &Shape, context: &Context) {
        let set = &shape.settings().set;
        let kept = set.len().saturating_sub(self.set.len());
        let kept: String = set.iter().take(kept).map(|set| format!(" --set {set}")).collect();
        if !kept.is_empty() {
            context.ui.say(format!("As before, with{kept}"));
        }
    }

    fn other_nodes(&self, folder: &ClusterFolder, known: &Shape) -> Failure {
        let (options, data) = (self.shape_options().join(" "), folder.data_option());
        let root = folder.root().display();
        Failure::request(format!("the cluster in {root} cannot be started with {options}"))
            .because(format!("its data is that of {}", described(known)))
            .hint(format!("velo cluster start {options} --data OTHER_FOLDER"))
            .hint(format!(
                "velo cluster reset{data}, then velo cluster start {options}{data}    (deletes every topic)"
            ))
    }

    /// The options that say which nodes there are, as typed.
    fn shape_options(&self) -> Vec<String> {
        let mut options = Vec::new();
        options.extend(self.brokers.map(|count| format!("--brokers {count}")));
        if !self.ids.is_empty() {
            let ids: Vec<String> = self.ids.iter().map(i32::to_string).collect();
            options.push(format!("--ids {}", ids.join(",")));
        }
        if self.controller_apart {
            options.push("--controller-apart".to_owned());
        }
        options
    }

    /// The options that a cluster which runs already does not honour, as typed.
    fn not_honoured_by(&self, running: &Shape) -> Outcome<Vec<String>> {
        let mut options = Vec::new();
        if !self.nodes_beside(running)?.has_nodes_of(running) {
            options.extend(self.shape_options());
        }
        if let Some(port) = self.port
            && port != 0
            && running.first_port() != port
        {
            options.push(format!("--port {port}"));
        }
        let settings = running.settings();
        if let Some(open) = self.settings().open_option().filter(|_| !settings.listen_anyone) {
            options.push(open.to_owned());
        }
        let other = self.set.iter().filter(|set| !settings.set.contains(set));
        options.extend(other.map(|set| format!("--set {set}")));
        Ok(options)
    }
}

/// The nodes that a folder has, or would have by itself.
fn known(folder: &ClusterFolder) -> Outcome<Shape> {
    let known = folder.shape()?;
    Ok(known.unwrap_or_else(|| Shape::lone(shape::FIRST_PORT)))
}

fn has_data(folder: &ClusterFolder, shape: &Shape) -> bool {
    let mut nodes = shape.nodes().into_iter();
    nodes.any(|id| folder.node(id).log_dir().exists())
}

fn described(shape: &Shape) -> String {
    let ids: Vec<String> = shape.ids().iter().map(i32::to_string).collect();
    let brokers = match ids.len() {
        1 => format!("broker {}", ids.join(",")),
        _ => format!("brokers {}", ids.join(",")),
    };
    match shape.is_apart() {
        true => format!("{brokers} and controller {}", shape.controller().id),
        false => brokers,
    }
}

/// Starts the cluster, or some of its brokers.
///
/// # Errors
/// When a port or the folder is taken, a setting is refused, a node cannot start, or a cluster runs already that is not as
/// the options say.
pub fn run(args: &StartArgs, context: &Context) -> Outcome {
    if !args.broker.are_all() {
        return brokers(args, context);
    }
    let folder = ClusterFolder::of(&args.data, context);
    let changing = folder.changing()?;
    if folder.is_running()? {
        if args.foreground {
            return Err(foreground::already_runs(&folder));
        }
        return go_on(args, &folder, context, changing);
    }
    if args.settings().listen_anyone {
        class::warn(context, args.class);
    }
    let shape = args.shape(&folder)?;
    args.tell_kept(&shape, context);
    if !args.foreground {
        return detached(&folder, shape, context, changing);
    }
    let shape = ready(&folder, shape, context)?;
    match shape.is_lone() {
        true => {
            drop(changing);
            foreground::run(&folder, &shape, shape.controller().id, context)
        }
        false => supervise::run(&folder, shape, changing, context),
    }
}

/// Starts what does not run of a cluster that runs; it goes on as it was started.
fn go_on(args: &StartArgs, folder: &ClusterFolder, context: &Context, changing: Changing) -> Outcome {
    let mut shape = known(folder)?;
    refuse_others(args, folder, &shape)?;
    if args.class && !shape.settings().class {
        // Others may connect already: that it is for a class changes what is said, and nothing that runs.
        let settings = Settings {
            class: true,
            ..shape.settings().clone()
        };
        shape = shape.with_settings(settings);
        folder.save(&shape)?;
    }
    let conditions = folder.conditions(&shape)?;
    let missing = conditions.iter().filter(|(_, is)| is.process().is_none());
    let ids: Vec<i32> = missing.map(|(id, _)| *id).collect();
    if ids.is_empty() {
        let running = Running {
            folder: folder.clone(),
            shape,
        };
        context
            .ui
            .say(format!("The cluster already runs ({}).", running.processes()?));
        return say_where(&running.shape, folder, context);
    }
    nodes(folder, shape, &ids, context, changing)
}

/// A running cluster goes on as it was started.
fn refuse_others(args: &StartArgs, folder: &ClusterFolder, running: &Shape) -> Outcome {
    let options = args.not_honoured_by(running)?;
    if options.is_empty() {
        return Ok(());
    }
    let (options, data) = (options.join(" "), folder.data_option());
    let failure = Failure::request(format!("the cluster already runs, without {options}")).because(format!(
        "it serves at {} as it was started, with {}",
        running.bootstrap(),
        described(running)
    ));
    let asked = args.nodes_beside(running)?;
    if asked.has_nodes_of(running) || asked.grows(running) {
        return Err(failure.hint(format!(
            "velo cluster stop{data}, then velo cluster start {options}{data}"
        )));
    }
    Err(failure
        .hint(format!(
            "velo cluster stop{data}, then velo cluster start {options} --data OTHER_FOLDER"
        ))
        .hint(format!(
            "velo cluster stop{data}, then velo cluster reset{data}, then velo cluster start {options}{data}    (deletes \
             every topic)"
        )))
}

/// `velo cluster start --broker ID`: nodes that a cluster has, as it was started.
fn brokers(args: &StartArgs, context: &Context) -> Outcome {
    let folder = ClusterFolder::meant(&args.data, context)?;
    let Some(shape) = folder.shape()? else {
        return Err(
            Failure::request("no cluster was started here that could have a broker by that id")
                .because(format!("{} has none", folder.root().display()))
                .hint(format!("velo cluster start{}", folder.data_option())),
        );
    };
    let ids = args.broker.of(&shape, &folder)?;
    match (args.foreground, ids.as_slice()) {
        (true, [id]) => foreground::run(&folder, &shape, *id, context),
        (true, _) => Err(Failure::usage("a terminal can have one broker in the foreground")
            .hint("velo cluster start --foreground    (all brokers, under one supervisor)")),
        (false, _) => {
            let changing = folder.changing()?;
            nodes(&folder, shape, &ids, context, changing)
        }
    }
}

/// Starts some nodes of a cluster, and says which serve.
pub(super) fn nodes(
    folder: &ClusterFolder,
    mut shape: Shape,
    ids: &[i32],
    context: &Context,
    changing: Changing,
) -> Outcome {
    let mut missing = Vec::new();
    for id in ids {
        match folder.node(*id).condition()?.process() {
            Some(process) => context.ui.say(format!(
                "{} already runs (process {}).",
                shape.name(*id),
                process.id()
            )),
            None => missing.push(*id),
        }
    }
    if missing.is_empty() {
        return Ok(());
    }
    ensure_controller(folder, &shape, &missing)?;
    port::ensure_free(folder, &shape, &missing, &context.places)?;
    {
        let _waiting = context.ui.waiting_for("the brokers to serve");
        launch::nodes(folder, &mut shape, &missing, None)?;
    }
    drop(changing);
    for id in missing {
        let at = shape.broker(id).map(|broker| shape::address(broker.port));
        context.ui.say(match at {
            Some(at) => format!("{} serves at {at}.", shape.name(id)),
            None => format!("{} runs.", shape.name(id)),
        });
    }
    Ok(())
}

/// A broker joins through its controller: without it, it would wait for ever.
fn ensure_controller(folder: &ClusterFolder, shape: &Shape, missing: &[i32]) -> Outcome {
    let controller = shape.controller().id;
    if missing.contains(&controller) {
        return Ok(());
    }
    let (name, data) = (shape.controller_name(), folder.data_option());
    let waits = |why: &str| {
        let ids: Vec<String> = missing.iter().map(i32::to_string).collect();
        Failure::request(format!("broker {} cannot join the cluster", ids.join(",")))
            .because(format!("{name} {why}"))
    };
    match folder.node(controller).condition()?.process() {
        None => Err(waits("does not run").hint(format!(
            "velo cluster start{data}    (starts all that do not run)"
        ))),
        Some(process) if process.is_paused()? => {
            Err(waits("is paused").hint(format!("velo cluster resume --broker {controller}{data}")))
        }
        Some(_) => Ok(()),
    }
}

/// A cluster that can be started: its settings checked, its ports free, its nodes noted in the folder.
fn ready(folder: &ClusterFolder, mut shape: Shape, context: &Context) -> Outcome<Shape> {
    settings::check(folder, &shape)?;
    port::ensure_free(folder, &shape, &shape.nodes(), &context.places)?;
    if !port::is_free(shape.controller().port) {
        shape.choose_controller_port();
    }
    let conditions = folder.conditions(&shape)?;
    if conditions
        .iter()
        .any(|(_, is)| matches!(is, Condition::Crashed(_)))
    {
        context
            .ui
            .say("The last cluster did not stop cleanly; its logs are being checked.");
    }
    folder.save(&shape)?;
    Ok(shape)
}

/// Starts the cluster in the background, and says where it serves.
pub(super) fn detached(
    folder: &ClusterFolder,
    shape: Shape,
    context: &Context,
    changing: Changing,
) -> Outcome {
    let mut shape = ready(folder, shape, context)?;
    {
        let _waiting = context.ui.waiting_for("the cluster to serve");
        let nodes = shape.nodes();
        launch::nodes(folder, &mut shape, &nodes, None)?;
    }
    drop(changing);
    say_where(&shape, folder, context)
}

/// Says where the cluster serves, and what to type where commands would talk to another one.
fn say_where(shape: &Shape, folder: &ClusterFolder, context: &Context) -> Outcome {
    let ui = context.ui;
    let bootstrap = shape.bootstrap();
    ui.say(format!("The cluster serves at {bootstrap}."));
    tell_class(folder, shape, context)?;
    let servers = context.connection.servers().unwrap_or_default();
    let is_it = |(host, port): &(String, u16)| nearby::is_here(host) && shape.at_port(*port).is_some();
    if context.address.is_named() && servers.iter().any(is_it) {
        return Ok(());
    }
    if let Some(how) = context.address.how_to_mean(&bootstrap, folder, &context.places)? {
        ui.say(how);
    }
    Ok(())
}

/// Says what the others of a class type, if they may connect.
pub(super) fn tell_class(folder: &ClusterFolder, shape: &Shape, context: &Context) -> Outcome {
    class::tell(folder, shape, &class_addresses(folder, shape)?, context);
    Ok(())
}

/// `HOST:PORT` of every broker that serves other machines too.
pub(super) fn class_addresses(folder: &ClusterFolder, shape: &Shape) -> Outcome<Vec<String>> {
    let mut class = Vec::new();
    for broker in shape.brokers() {
        if let Condition::Serving(state) = folder.node(broker.id).condition()? {
            class.extend(state.serving.into_iter().flat_map(|serving| serving.class));
        }
    }
    Ok(class)
}
