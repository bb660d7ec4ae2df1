//! A node that runs: how it starts, what it does beside answering requests, and how it stops.

use super::background::Background;
use super::config::{Listener, ListenerKind, NodeConfig, Voter, topic_log_config};
use super::connections::Connections;
use super::controller::Controller;
use super::error::{BrokerError, Result};
use super::groups::{GroupConfig, GroupCoordinator};
use super::markers::{self, MarkerWriter};
use super::memory::MemoryPool;
use super::metadata::{AppliedMetadata, MetadataImage};
use super::node::Node;
use super::part::{self, Part};
use super::peer::Peer;
use super::peers::Brokers;
use super::producer_ids::ProducerIds;
use super::records::metadata::EndPoint;
use super::replication::{Partitions, ReplicaManager, ReplicaSettings, fetcher, isr, maintenance};
use super::storage::{LogDir, uuid_text};
use super::to_controller::ToController;
use super::transactions::{TransactionConfig, TransactionCoordinator};
use super::verification::Verifier;
use super::world::{World, net, watch};
use super::{lifecycle, server};
use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};

/// What the records in answers may take that wait for their peers to read them, all connections together; beyond it,
/// answers become small.
const RESPONSE_MEMORY: usize = 64 << 20;

/// A node that serves. Dropping it without [`RunningNode::shutdown`] stops it as a crash would.
pub struct RunningNode {
    node: Arc<Node>,
    listeners: Vec<(Listener, SocketAddr)>,
    /// Ends the connections.
    stop: watch::Sender<bool>,
    servers: Background,
    /// Heartbeats, the metadata log, housekeeping.
    tasks: Background,
    log_dir: LogDir,
}

/// A listener that is bound, but not served yet.
struct Bound {
    listener: Listener,
    address: SocketAddr,
    socket: net::Listener,
}

impl Node {
    /// Starts a node; it serves when this returns.
    ///
    /// # Errors
    /// [`BrokerError::Config`] for settings it cannot run with, [`BrokerError::Io`] when the log directory or an
    /// address cannot be used.
    pub async fn start(config: NodeConfig, world: impl Into<World>) -> Result<RunningNode> {
        let world: World = world.into();
        let part = part::part(&config, world.disk())?;
        let stands_aside = config.roles.controller && part != Part::Leads;
        let config = match &part {
            Part::Leads => config,
            Part::Joins(_) => part::without_controller(config),
        };
        let mut log_dir = LogDir::open(&config, &world)?;
        let mut bound = Vec::new();
        for listener in &config.listeners {
            bound.extend(bind(&world, listener, config.listen_backlog()).await?);
        }
        let own = own_controller(&config, &bound);
        let leaders: Vec<String> = match &part {
            Part::Leads => vec![own.address()],
            Part::Joins(leaders) => leaders.iter().map(Voter::address).collect(),
        };
        let (client_id, longest) = (format!("broker-{}", config.node_id), config.longest_answer());
        let to_controller = ToController::new(world.net().clone(), leaders, client_id, longest);
        let cluster_id = match (&log_dir.cluster_id, config.roles.controller) {
            (Some(id), true) => id.clone(),
            (None, true) => uuid_text(world.dice().id()),
            (_, false) => lifecycle::cluster_id(&mut to_controller.peer()).await,
        };
        log_dir.join(&config, &cluster_id, stands_aside)?;
        let controller = match config.roles.controller {
            true => Some(Arc::new(Controller::open(
                config.clone(),
                &cluster_id,
                (own.host.clone(), own.port),
                world.clone(),
            )?)),
            false => None,
        };
        let peers = [to_controller.peer(), to_controller.peer(), to_controller.peer()];
        let advertised = advertised(&config, &bound);
        let node = Arc::new(build(
            config,
            world,
            cluster_id,
            advertised,
            controller,
            &log_dir,
            to_controller,
        ));
        let mut running = RunningNode {
            node,
            listeners: bound
                .iter()
                .map(|bound| (bound.listener.clone(), bound.address))
                .collect(),
            stop: watch::Sender::new(false),
            servers: Background::default(),
            tasks: Background::default(),
            log_dir,
        };
        running.begin(bound, peers).await?;
        Ok(running)
    }
}

fn build(
    config: NodeConfig,
    world: World,
    cluster_id: String,
    advertised: Vec<EndPoint>,
    controller: Option<Arc<Controller>>,
    log_dir: &LogDir,
    to_controller: ToController,
) -> Node {
    let settings = config.clone();
    let replicas = Arc::new(ReplicaManager::new(ReplicaSettings {
        node_id: config.node_id,
        log_dir: config.log_dir.clone(),
        retention_check_interval: config.millis("log.retention.check.interval.ms"),
        world: world.clone(),
        topic_configs: Box::new(move |image, topic| topic_log_config(image, &settings, topic)),
    }));
    let groups = Arc::new(GroupCoordinator::new(
        GroupConfig::new(&config),
        config.node_id,
        world.clone(),
        Arc::clone(&replicas),
    ));
    let transactions = Arc::new(TransactionCoordinator::new(
        TransactionConfig::new(&config),
        config.node_id,
        world.clone(),
        Arc::clone(&replicas),
    ));
    let metadata = Arc::new(AppliedMetadata::new(MetadataImage {
        cluster_id: cluster_id.clone(),
        ..MetadataImage::default()
    }));
    let config = Arc::new(config);
    let clock = world.clock().clone();
    let brokers = Brokers::new(Arc::clone(&config), Arc::clone(&metadata), world.net().clone());
    let partitions = Partitions::new(Arc::clone(&replicas), Arc::clone(&metadata));
    let broker_epoch = Arc::new(AtomicI64::new(-1));
    Node {
        request_memory: MemoryPool::new(config.request_memory()),
        response_memory: MemoryPool::new(RESPONSE_MEMORY),
        authorizer: Arc::default(),
        producer_ids: Arc::new(ProducerIds::new(
            &config,
            Arc::clone(&broker_epoch),
            to_controller.peer(),
        )),
        connections: Connections::default(),
        failed_requests: AtomicU64::new(0),
        failure: watch::Sender::new(None),
        directory_id: log_dir.directory_id,
        handed_on: parking_lot::Mutex::default(),
        broker_epoch,
        previous_broker_epoch: log_dir.clean_broker_epoch.unwrap_or(-1),
        to_controller: Arc::new(to_controller),
        verifier: Arc::new(Verifier::new(
            Arc::clone(&config),
            Arc::clone(&metadata),
            Arc::clone(&transactions),
            brokers.clone(),
        )),
        markers: MarkerWriter::new(
            Arc::clone(&config),
            clock.clone(),
            partitions.clone(),
            Arc::clone(&groups),
            Arc::clone(&transactions),
        ),
        config,
        clock,
        world,
        cluster_id,
        advertised,
        metadata,
        brokers,
        controller,
        replicas,
        partitions,
        groups,
        transactions,
    }
}

impl RunningNode {
    /// Serves the controller, then joins the cluster as a broker, then serves clients.
    async fn begin(&mut self, bound: Vec<Bound>, peers: [Peer; 3]) -> Result<()> {
        let (controllers, brokers): (Vec<_>, Vec<_>) = bound
            .into_iter()
            .partition(|bound| bound.listener.kind == ListenerKind::Controller);
        self.serve(controllers)?;
        if let Some(controller) = self.node.controller.clone() {
            self.tasks
                .spawn("the watch over silent brokers", controller.keep_time());
        }
        if self.node.config.roles.broker {
            let node = || Arc::clone(&self.node);
            let [following, mut beating, altering] = peers;
            lifecycle::register(&self.node, &mut beating).await?;
            self.tasks
                .spawn("the metadata follower", lifecycle::follow(node(), following));
            tokio::select! {
                biased;
                serves = lifecycle::await_unfenced(&self.node, &mut beating) => serves?,
                why = self.node.failed() => return Err(why.into()),
            }
            self.tasks
                .spawn("the heartbeat", lifecycle::beat(node(), beating));
            self.tasks
                .spawn("the keeper of in-sync replicas", isr::keep(node(), altering));
            let replicas = || Arc::clone(&self.node.replicas);
            self.tasks
                .spawn("the housekeeping of logs", replicas().maintain());
            self.tasks
                .spawn("the recovery of logs", maintenance::recover_logs(node()));
            self.tasks
                .spawn("the follower of leaders", fetcher::follow_leaders(node()));
            self.tasks
                .spawn("the writer of transactions' markers", markers::keep(node()));
        }
        self.serve(brokers)
    }

    fn serve(&mut self, bound: Vec<Bound>) -> Result<()> {
        for bound in bound {
            let stop = self.stop.subscribe();
            let serving = server::start(Arc::clone(&self.node), bound.socket, bound.listener, stop)
                .map_err(BrokerError::io(bound.address.to_string()))?;
            self.servers.spawn("a listener", serving);
        }
        Ok(())
    }

    /// The address bound for clients; the controller's own on a node that is no broker.
    pub fn address(&self) -> SocketAddr {
        self.bound(ListenerKind::Broker)
            .or_else(|| self.bound(ListenerKind::Controller))
            .unwrap_or_else(|| SocketAddr::from(([127, 0, 0, 1], 0)))
    }

    /// The address bound for the listener of that name.
    pub fn address_of(&self, name: &str) -> Option<SocketAddr> {
        let mut listeners = self.listeners.iter();
        listeners
            .find(|(listener, _)| listener.name == name)
            .map(|(_, address)| *address)
    }

    /// The address bound for talking to the controller, if this node is one.
    pub fn controller_address(&self) -> Option<SocketAddr> {
        self.bound(ListenerKind::Controller)
    }

    fn bound(&self, kind: ListenerKind) -> Option<SocketAddr> {
        let mut listeners = self.listeners.iter();
        listeners
            .find(|(listener, _)| listener.kind == kind)
            .map(|(_, address)| *address)
    }

    /// What the handlers see.
    pub fn node(&self) -> &Arc<Node> {
        &self.node
    }

    /// How many request handlers have panicked; each closed its connection.
    pub fn failed_requests(&self) -> u64 {
        self.node.failed_requests.load(Ordering::Relaxed)
    }

    /// Waits until this node cannot go on, and says why: the metadata holds what it does not act on, the controller's log
    /// failed, or a task of its own did. Stop it then.
    pub async fn failed(&mut self) -> String {
        let controller = self.node.controller.clone();
        let controller = async {
            match controller {
                Some(controller) => controller.failed().await,
                None => std::future::pending().await,
            }
        };
        tokio::select! {
            // Who follows the metadata ends when it cannot go on, which alone would not tell why.
            biased;
            why = self.node.failed() => why.to_string(),
            why = controller => why,
            why = self.tasks.failed() => why,
            why = self.servers.failed() => why,
        }
    }

    /// Stops as a crash would: nothing is handed over, flushed or closed. Returns when nothing runs any more.
    pub async fn kill(mut self) {
        self.tasks.shutdown().await;
        self.servers.shutdown().await;
        self.node.world.jobs().idle().await;
        drop(self.log_dir);
    }

    /// Stops cleanly: hands leadership over, ends the connections, closes the logs.
    pub async fn shutdown(mut self) {
        if self.node.config.roles.broker && self.node.config.flag("controlled.shutdown.enable") {
            let mut controller = self.node.to_controller.peer();
            if let Err(error) = lifecycle::leave(&self.node, &mut controller).await {
                tracing::warn!(%error, "could not take leave of the controller");
            }
        }
        self.tasks.shutdown().await;
        self.stop.send_replace(true);
        self.servers.ended().await;
        let node = Arc::clone(&self.node);
        let jobs = node.world.jobs().clone();
        let closed = jobs.run(move || {
            let closed = match node.config.roles.broker {
                true => node.replicas.close(node.broker_epoch.load(Ordering::Acquire)),
                false => Ok(()),
            };
            let controller = node.controller.as_ref();
            closed.and(controller.map_or(Ok(()), |controller| controller.close()))
        });
        match closed.await {
            Ok(Ok(())) => {}
            Ok(Err(error)) => tracing::error!(%error, "the logs could not be closed"),
            Err(error) => tracing::error!(%error, "the logs could not be closed"),
        }
        self.node.world.jobs().idle().await;
        drop(self.log_dir);
    }
}

/// Where the controller of this node is bound; meaningless without one.
fn own_controller(config: &NodeConfig, bound: &[Bound]) -> Voter {
    let mut controllers = bound.iter();
    let own = controllers.find(|bound| bound.listener.kind == ListenerKind::Controller);
    let address = own.map_or(SocketAddr::from(([127, 0, 0, 1], 0)), |own| own.address);
    // What is bound to every address is reached on this machine's own.
    let host = match address.ip() {
        IpAddr::V4(ip) if ip.is_unspecified() => IpAddr::V4(Ipv4Addr::LOCALHOST),
        IpAddr::V6(ip) if ip.is_unspecified() => IpAddr::V6(Ipv6Addr::LOCALHOST),
        ip => ip,
    };
    Voter {
        id: Some(config.node_id),
        host: host.to_string(),
        port: address.port(),
    }
}

/// What clients are told: the advertised listeners, with the bound port where they name none.
fn advertised(config: &NodeConfig, bound: &[Bound]) -> Vec<EndPoint> {
    let port_of = |listener: &Listener| match listener.port {
        0 => {
            let mut same = bound.iter();
            same.find(|bound| bound.listener.name == listener.name)
                .map_or(0, |bound| bound.address.port())
        }
        port => port,
    };
    config
        .advertised_listeners
        .iter()
        .filter(|listener| listener.kind == ListenerKind::Broker)
        .map(|listener| EndPoint {
            name: listener.name.clone(),
            host: listener.host.clone(),
            port: port_of(listener),
            security_protocol: listener.protocol as i16,
        })
        .collect()
}

/// Binds a listener. `localhost` means both loopback addresses, the second where this machine has it: clients ask
/// either first.
async fn bind(world: &World, listener: &Listener, backlog: u32) -> Result<Vec<Bound>> {
    let bind_to = |host, port| bind_to(world, listener, (host, port), backlog);
    if listener.host != "localhost" {
        return Ok(vec![bind_to(listener.host.as_str(), listener.port).await?]);
    }
    let first = bind_to("127.0.0.1", listener.port).await?;
    let port = first.address.port();
    match bind_to("::1", port).await {
        Ok(second) => Ok(vec![first, second]),
        Err(BrokerError::Io { source, .. }) if source.kind() != io::ErrorKind::AddrInUse => Ok(vec![first]),
        Err(_) if listener.port == 0 => Ok(vec![first]),
        Err(error) => Err(error),
    }
}

async fn bind_to(
    world: &World,
    listener: &Listener,
    (host, port): (&str, u16),
    backlog: u32,
) -> Result<Bound> {
    let name = format!("{host}:{port}");
    let socket = world
        .net()
        .listen(host, port, backlog)
        .await
        .map_err(BrokerError::io(name.as_str()))?;
    Ok(Bound {
        address: socket.address().map_err(BrokerError::io(name))?,
        listener: listener.clone(),
        socket,
    })
}

#[cfg(test)]
mod tests;
