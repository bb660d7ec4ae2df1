//! Which nodes a cluster has, on which ports, and how they are started. Kept in the cluster's folder over a stop, so that it
//! starts again as it was.

use serde::{Deserialize, Serialize};

/// The port of a folder's first broker, unless another is named: Kafka's own.
pub const FIRST_PORT: u16 = 9092;
/// Replicas of Kafka's own topics, where there are brokers enough.
const INTERNAL_REPLICAS: usize = 3;

/// A node of a cluster.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Member {
    /// `node.id`
    pub id: i32,
    /// A port of this machine; 0 lets the system choose.
    pub port: u16,
}

/// How the nodes are started.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Settings {
    /// Whether other machines may connect.
    pub listen_anyone: bool,
    /// Whether it is for a class, which is told what to type.
    #[serde(default)]
    pub class: bool,
    /// Broker settings as `name=value`.
    pub set: Vec<String>,
}

impl Settings {
    /// The option that lets other machines connect, as typed.
    pub fn open_option(&self) -> Option<&'static str> {
        match (self.class, self.listen_anyone) {
            (true, _) => Some("--class"),
            (false, true) => Some("--listen-anyone"),
            (false, false) => None,
        }
    }
}

/// The nodes of a cluster.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Shape {
    brokers: Vec<Member>,
    controller: Member,
    settings: Settings,
}

impl Shape {
    /// A cluster of brokers with these ids, the first of which is also the controller unless it stands apart; their ports
    /// follow one another from `port` on, or are the system's choice where that is 0.
    ///
    /// `None` where there are no ids or ports enough.
    pub fn new(ids: &[i32], apart: bool, port: u16) -> Option<Self> {
        let ports = ports(port, ids.len())?;
        let brokers: Vec<Member> = ids
            .iter()
            .zip(ports)
            .map(|(id, port)| Member { id: *id, port })
            .collect();
        let first = ids.first()?;
        let controller = match apart {
            true => ids.iter().max()?.checked_add(1)?,
            false => *first,
        };
        Some(Shape {
            brokers,
            controller: Member {
                id: controller,
                port: 0,
            },
            settings: Settings::default(),
        })
    }

    /// One node with both roles.
    pub fn lone(port: u16) -> Self {
        let node = Member { id: 1, port };
        Shape {
            brokers: vec![node],
            controller: Member { id: node.id, port: 0 },
            settings: Settings::default(),
        }
    }

    /// The brokers, in order.
    pub fn brokers(&self) -> &[Member] {
        &self.brokers
    }

    /// The ids of the brokers, in order.
    pub fn ids(&self) -> Vec<i32> {
        self.brokers.iter().map(|broker| broker.id).collect()
    }

    /// The node that is the controller, with the port of its controller's listener.
    pub fn controller(&self) -> Member {
        self.controller
    }

    /// Whether the controller is no broker.
    pub fn is_apart(&self) -> bool {
        !self.ids().contains(&self.controller.id)
    }

    /// Whether the cluster is one node.
    pub fn is_lone(&self) -> bool {
        self.brokers.len() == 1 && !self.is_apart()
    }

    /// The ids of all nodes, the controller first: the others wait for it.
    pub fn nodes(&self) -> Vec<i32> {
        let others = self.ids().into_iter().filter(|id| *id != self.controller.id);
        std::iter::once(self.controller.id).chain(others).collect()
    }

    /// The broker of that id.
    pub fn broker(&self, id: i32) -> Option<Member> {
        self.brokers.iter().copied().find(|broker| broker.id == id)
    }

    /// What a node is called: a broker, unless it is the controller alone.
    pub fn name(&self, id: i32) -> String {
        match self.broker(id) {
            Some(_) => format!("broker {id}"),
            None => format!("controller {id}"),
        }
    }

    /// What the node that is the controller is called.
    pub fn controller_name(&self) -> String {
        let name = self.name(self.controller.id);
        match self.is_apart() {
            true => name,
            false => format!("{name}, the controller,"),
        }
    }

    /// `HOST:PORT` of every broker, as `--bootstrap-server` takes them; without those that have no port yet.
    pub fn bootstrap(&self) -> String {
        let known = self.brokers.iter().filter(|broker| broker.port != 0);
        let each: Vec<String> = known.map(|broker| address(broker.port)).collect();
        each.join(",")
    }

    /// The port of the first broker.
    pub fn first_port(&self) -> u16 {
        self.brokers.first().map_or(FIRST_PORT, |broker| broker.port)
    }

    /// The broker that listens on a port.
    pub fn at_port(&self, port: u16) -> Option<Member> {
        self.brokers.iter().copied().find(|broker| broker.port == port)
    }

    /// How the nodes are started.
    pub fn settings(&self) -> &Settings {
        &self.settings
    }

    /// The same, started so.
    #[must_use]
    pub fn with_settings(mut self, settings: Settings) -> Self {
        self.settings = settings;
        self
    }

    /// The same nodes on ports that follow one another from `port` on; `None` where there are not enough.
    pub fn moved(mut self, port: u16) -> Option<Self> {
        let ports = ports(port, self.brokers.len())?;
        for (broker, port) in self.brokers.iter_mut().zip(ports) {
            broker.port = port;
        }
        if port == 0 {
            self.controller.port = 0;
        }
        Some(self)
    }

    /// Notes the ports that a node has bound.
    pub fn settle(&mut self, id: i32, port: Option<u16>, controller_port: Option<u16>) {
        if let (Some(port), Some(broker)) = (port, self.brokers.iter_mut().find(|broker| broker.id == id)) {
            broker.port = port;
        }
        if let (Some(port), true) = (controller_port, self.controller.id == id) {
            self.controller.port = port;
        }
    }

    /// Lets the system choose the controller's port, which only the nodes know.
    pub fn choose_controller_port(&mut self) {
        self.controller.port = 0;
    }

    /// The nodes of `other` and more, whose data this cluster can go on with: nobody's id or part changes.
    pub fn grows(&self, other: &Shape) -> bool {
        !self.is_apart()
            && !other.is_apart()
            && self.controller.id == other.controller.id
            && self.ids().starts_with(&other.ids())
    }

    /// Whether both have the same nodes in the same parts.
    pub fn has_nodes_of(&self, other: &Shape) -> bool {
        self.ids() == other.ids() && self.controller.id == other.controller.id
    }

    /// The same nodes with the ports that `other` has for them, the others on ports that follow.
    #[must_use]
    pub fn on_ports_of(mut self, other: &Shape) -> Self {
        let mut last: Option<u16> = None;
        for broker in &mut self.brokers {
            let follows = last.map(|last| if last == 0 { 0 } else { last.saturating_add(1) });
            let known = other.broker(broker.id).map(|known| known.port);
            broker.port = known.or(follows).unwrap_or(FIRST_PORT);
            last = Some(broker.port);
        }
        self.controller.port = match self.controller.id == other.controller.id {
            true => other.controller.port,
            false => 0,
        };
        self
    }

    /// How many replicas Kafka's own topics have.
    pub fn internal_replicas(&self) -> usize {
        self.brokers.len().min(INTERNAL_REPLICAS)
    }

    /// ` --broker ID`, to complete a line that is about one node; empty where there is only one.
    pub fn broker_option(&self, id: i32) -> String {
        match self.is_lone() {
            true => String::new(),
            false => format!(" --broker {id}"),
        }
    }
}

/// `HOST:PORT` of a broker on this machine.
pub fn address(port: u16) -> String {
    format!("localhost:{port}")
}

/// Ports that follow one another.
fn ports(first: u16, count: usize) -> Option<Vec<u16>> {
    if first == 0 {
        return Some(vec![0; count]);
    }
    let ports: Vec<u16> = (first..=u16::MAX).take(count).collect();
    (ports.len() == count).then_some(ports)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shape(ids: &[i32], apart: bool, port: u16) -> Shape {
        Shape::new(ids, apart, port).unwrap()
    }

    #[test]
    fn ports_follow_and_the_first_is_the_controller_unless_it_stands_apart() {
        let three = shape(&[101, 102, 103], false, 9092);
        assert_eq!(three.bootstrap(), "localhost:9092,localhost:9093,localhost:9094");
        assert_eq!(three.nodes(), [101, 102, 103]);
        assert_eq!(three.at_port(9093).unwrap().id, 102);
        let apart = shape(&[101, 102], true, 0);
        assert_eq!(apart.nodes(), [103, 101, 102]);
        assert_eq!(apart.controller_name(), "controller 103");
        assert_eq!(three.controller_name(), "broker 101, the controller,");
        assert_eq!(apart.bootstrap(), "");
        assert_eq!(Shape::new(&[1, 2], false, u16::MAX), None);
        assert_eq!(Shape::new(&[], false, 0), None);
        assert_eq!(Shape::new(&[i32::MAX], true, 0), None);
    }

    #[test]
    fn a_cluster_grows_by_brokers_behind_those_it_has() {
        let one = shape(&[1], false, 5000);
        let three = shape(&[1, 2, 3], false, 0);
        assert!(three.grows(&one) && three.grows(&three) && !one.grows(&three));
        assert_eq!(
            three.on_ports_of(&one).bootstrap(),
            "localhost:5000,localhost:5001,localhost:5002"
        );
        assert!(!shape(&[2, 1], false, 0).grows(&one));
        assert!(!shape(&[1, 2], true, 0).grows(&one));
    }
}
