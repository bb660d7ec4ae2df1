//! `velo cluster status`

use super::folder::ClusterFolder;
use super::load::{self, Load};
use super::node::Condition;
use super::shape::{Shape, address};
use super::{DataArgs, start};
use crate::clock::Clock;
use crate::commands::Context;
use crate::failure::{Failure, Outcome};
use crate::process::Process;
use crate::ui::OutputFormat;
use crate::ui::table::{Grid, number, text};
use crate::ui::units;
use serde_json::{Value, json};
use std::collections::BTreeMap;

/// What is shown of a node.
struct Shown {
    id: i32,
    name: String,
    roles: Vec<&'static str>,
    state: &'static str,
    /// `HOST:PORT` for clients, or of a controller that stands apart for the other nodes.
    address: String,
    /// Its process, or the last one if that crashed.
    process: Option<Process>,
    uptime_s: Option<i64>,
    version: Option<String>,
    load: Option<Load>,
}

/// Says how it is with each node; a cluster that does not run is a failure, so that scripts can ask.
///
/// # Errors
/// When none runs.
pub fn run(args: &DataArgs, context: &Context) -> Outcome {
    let folder = ClusterFolder::meant(args, context)?;
    let shape = folder.shape()?;
    let conditions = match &shape {
        Some(shape) => folder.conditions(shape)?,
        None => Vec::new(),
    };
    let runs = |(_, condition): &(i32, Condition)| condition.process().is_some();
    let shape = match shape {
        Some(shape) if conditions.iter().any(runs) => shape,
        shape => return none_runs(&folder, shape.as_ref(), &conditions, context),
    };
    let nodes = shown(&shape, &conditions)?;
    match context.ui.format {
        OutputFormat::Json | OutputFormat::Jsonl => {
            context.ui.json(&to_json(&folder, &shape, &nodes)?)?;
        }
        OutputFormat::Plain => context.ui.bytes(to_plain(&nodes).to_plain().as_bytes())?,
        OutputFormat::Table => table(&folder, &shape, &nodes, context)?,
    }
    for node in nodes.iter().filter(|node| node.state == CRASHED) {
        let (broker, data) = (shape.broker_option(node.id), folder.data_option());
        context.ui.say(format!(
            "{} ended without a clean stop.\nhint: velo cluster start{broker}{data}",
            node.with_process()
        ));
    }
    Ok(())
}

fn none_runs(
    folder: &ClusterFolder,
    shape: Option<&Shape>,
    conditions: &[(i32, Condition)],
    context: &Context,
) -> Outcome {
    if context.ui.is_json() {
        context
            .ui
            .json(&json!({"running": false, "data": folder.root()}))?;
    }
    let several = shape.filter(|shape| !shape.is_lone());
    let crashed: Vec<String> = conditions
        .iter()
        .filter_map(|(id, condition)| match (condition, several) {
            (Condition::Crashed(of), Some(shape)) => {
                Some(format!("{} (process {})", shape.name(*id), of.process.id()))
            }
            (Condition::Crashed(of), None) => Some(format!("process {}", of.process.id())),
            _ => None,
        })
        .collect();
    let failure = Failure::request("no cluster runs");
    let failure = match crashed.is_empty() {
        true => failure,
        false => failure.because(format!("{} ended without a clean stop", crashed.join(", "))),
    };
    Err(failure.hint(format!("velo cluster start{}", folder.data_option())))
}

const CRASHED: &str = "crashed";

/// The brokers in order, then a controller that stands apart.
fn shown(shape: &Shape, conditions: &[(i32, Condition)]) -> Outcome<Vec<Shown>> {
    let mut nodes = conditions
        .iter()
        .map(|(id, condition)| Shown::new(shape, *id, condition))
        .collect::<Outcome<Vec<_>>>()?;
    let order = shape.ids();
    let place = |id: i32| order.iter().position(|other| *other == id).unwrap_or(order.len());
    nodes.sort_by_key(|node| place(node.id));
    let answering: BTreeMap<i32, String> = nodes
        .iter()
        .filter(|node| node.state == "running" && shape.broker(node.id).is_some())
        .map(|node| (node.id, node.address.clone()))
        .collect();
    let mut loads = load::of_brokers(&answering, &shape.ids());
    for node in &mut nodes {
        node.load = loads.remove(&node.id);
    }
    Ok(nodes)
}

impl Shown {
    fn new(shape: &Shape, id: i32, condition: &Condition) -> Outcome<Self> {
        let (state, of) = match condition {
            Condition::Stopped => ("stopped", None),
            Condition::Crashed(of) => (CRASHED, Some(of)),
            Condition::Starting(of) | Condition::Serving(of) if of.process.is_paused()? => {
                ("paused", Some(of))
            }
            Condition::Starting(of) => ("starting", Some(of)),
            Condition::Serving(of) => ("running", Some(of)),
        };
        let broker = shape.broker(id);
        let controller = shape.controller();
        let mut roles = Vec::new();
        roles.extend(broker.map(|_| "broker"));
        roles.extend((controller.id == id).then_some("controller"));
        let now = Clock::system().now_ms();
        let alive = condition.process().is_some();
        Ok(Shown {
            id,
            name: shape.name(id),
            roles,
            state,
            address: address(broker.map_or(controller.port, |broker| broker.port)),
            process: of.map(|of| of.process),
            uptime_s: of.filter(|_| alive).map(|of| (now - of.started_ms).max(0) / 1000),
            version: of.filter(|_| alive).map(|of| of.version.clone()),
            load: None,
        })
    }

    fn with_process(&self) -> String {
        match self.process {
            Some(process) => format!("{} (process {})", self.name, process.id()),
            None => self.name.clone(),
        }
    }

    fn pid(&self) -> Option<u32> {
        self.process.map(Process::id)
    }
}

fn to_json(folder: &ClusterFolder, shape: &Shape, nodes: &[Shown]) -> Outcome<Value> {
    let uptime = nodes.iter().filter_map(|node| node.uptime_s).max();
    let version = nodes.iter().find_map(|node| node.version.clone());
    let mut value = json!({
        "running": true,
        "bootstrap": shape.bootstrap(),
        "class": start::class_addresses(folder, shape)?,
        "uptime_s": uptime,
        "version": version,
        "data": folder.root(),
    });
    let each: Vec<Value> = nodes.iter().map(|node| node_json(folder, node)).collect();
    if let (Some(value), [node], true) = (value.as_object_mut(), nodes, shape.is_lone()) {
        value.insert("pid".to_owned(), json!(node.pid()));
        value.insert("log".to_owned(), json!(folder.node(node.id).log_file()));
    }
    if let Some(value) = value.as_object_mut() {
        value.insert("nodes".to_owned(), Value::Array(each));
    }
    Ok(value)
}

fn node_json(folder: &ClusterFolder, node: &Shown) -> Value {
    json!({
        "id": node.id,
        "roles": node.roles,
        "state": node.state,
        "address": node.address,
        "pid": node.pid(),
        "uptime_s": node.uptime_s,
        "leaders": node.load.map(|load| load.leaders),
        "replicas": node.load.map(|load| load.replicas),
        "behind": node.load.map(|load| load.behind),
        "behind_bytes": node.load.and_then(|load| load.behind_bytes),
        "log": folder.node(node.id).log_file(),
    })
}

/// The address first, then what a script may want of it.
fn to_plain(nodes: &[Shown]) -> Grid {
    let mut grid = Grid::new([
        text("ADDRESS"),
        number("PROCESS"),
        number("UPTIME"),
        number("ID"),
        text("ROLES"),
        text("STATE"),
        number("LEADERS"),
        number("REPLICAS"),
        number("BEHIND"),
        number("BYTES"),
    ]);
    for node in nodes {
        grid.row([
            node.address.clone(),
            or_none(node.pid()),
            or_none(node.uptime_s),
            node.id.to_string(),
            node.roles.join(","),
            node.state.to_owned(),
            or_none(node.load.map(|load| load.leaders)),
            or_none(node.load.map(|load| load.replicas)),
            or_none(node.load.map(|load| load.behind)),
            or_none(node.load.and_then(|load| load.behind_bytes)),
        ]);
    }
    grid
}

fn table(folder: &ClusterFolder, shape: &Shape, nodes: &[Shown], context: &Context) -> Outcome {
    let ui = context.ui;
    let uptime = nodes.iter().filter_map(|node| node.uptime_s).max().unwrap_or(0);
    let process = match nodes {
        [node] => format!(" (process {})", or_none(node.pid())),
        _ => String::new(),
    };
    ui.line(format!("running  {}{process}, for {uptime} s", shape.bootstrap()))?;
    let class = start::class_addresses(folder, shape)?;
    if !class.is_empty() {
        ui.line(format!("class    {}", class.join(",")))?;
    }
    ui.line(format!("data     {}", folder.root().display()))?;
    if let [node] = nodes {
        ui.line(format!("log      {}", folder.node(node.id).log_file().display()))?;
    }
    let mut grid = Grid::new([
        number("ID"),
        text("ROLES"),
        text("STATE"),
        text("ADDRESS"),
        number("PROCESS"),
        number("LEADERS"),
        number("REPLICAS"),
        text("BEHIND"),
    ]);
    for node in nodes {
        grid.row([
            node.id.to_string(),
            node.roles.join(","),
            node.state.to_owned(),
            node.address.clone(),
            or_none(node.pid()),
            or_none(node.load.map(|load| load.leaders)),
            or_none(node.load.map(|load| load.replicas)),
            node.load.map_or_else(|| "-".to_owned(), behind),
        ]);
    }
    ui.line(grid.to_table().trim_end())
}

fn behind(load: Load) -> String {
    match (load.behind, load.behind_bytes) {
        (0, None | Some(0)) => "0".to_owned(),
        (0, Some(bytes)) => units::bytes(bytes),
        (behind, None) => units::count(behind, "replica"),
        (behind, Some(bytes)) => format!("{}, {}", units::count(behind, "replica"), units::bytes(bytes)),
    }
}

fn or_none(value: Option<impl ToString>) -> String {
    value.map_or_else(|| "-".to_owned(), |value| value.to_string())
}
