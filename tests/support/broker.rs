//! A node in this process, on a port the system chose, in a folder of its own.

use kafka_protocol::protocol::Request;
use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::path::Path;
use tempfile::TempDir;
use velodrome::broker::{Node, NodeConfig, RunningNode};
use velodrome::clock::Clock;

use super::raw::RawClient;

/// A running node; its folder goes when it is dropped.
pub struct TestBroker {
    folder: TempDir,
    properties: BTreeMap<String, String>,
    clock: Clock,
    running: Option<RunningNode>,
}

impl TestBroker {
    /// A node with Kafka's shipped settings.
    pub async fn start() -> Self {
        Self::with(&[]).await
    }

    /// A node with these settings on top.
    pub async fn with(settings: &[(&str, &str)]) -> Self {
        Self::with_clock(settings, Clock::system()).await
    }

    /// A node whose time is `clock`'s.
    pub async fn with_clock(settings: &[(&str, &str)], clock: Clock) -> Self {
        let folder = TempDir::new().unwrap();
        let mut properties = BTreeMap::from([
            ("listeners".to_owned(), "PLAINTEXT://127.0.0.1:0".to_owned()),
            (
                "log.dirs".to_owned(),
                folder.path().join("data").display().to_string(),
            ),
        ]);
        properties.extend(
            settings
                .iter()
                .map(|(name, value)| ((*name).to_owned(), (*value).to_owned())),
        );
        let mut broker = TestBroker {
            folder,
            properties,
            clock,
            running: None,
        };
        broker.start_again().await;
        broker
    }

    /// The running node.
    pub fn running(&self) -> &RunningNode {
        self.running.as_ref().unwrap()
    }

    /// Where clients connect.
    pub fn address(&self) -> SocketAddr {
        self.running().address()
    }

    /// `HOST:PORT` for `--bootstrap-server`.
    pub fn bootstrap(&self) -> String {
        self.address().to_string()
    }

    /// The log directory.
    pub fn log_dir(&self) -> &Path {
        &self.running().node().config.log_dir
    }

    /// A folder for the test's own files.
    pub fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// A connection that speaks the bare protocol.
    pub async fn client(&self) -> RawClient {
        RawClient::connect(self.address()).await
    }

    /// One request on a connection of its own.
    pub async fn ask<Q: Request>(&self, request: Q, version: i16) -> Q::Response {
        self.client().await.ask(request, version).await
    }

    /// Stops cleanly and starts again on the same folder (and another port).
    pub async fn restart(&mut self) {
        self.stop().await;
        self.start_again().await;
    }

    /// Stops cleanly.
    pub async fn stop(&mut self) {
        self.running.take().unwrap().shutdown().await;
    }

    /// The settings it runs with.
    pub fn config(&self) -> NodeConfig {
        NodeConfig::from_properties(self.properties.clone()).unwrap()
    }

    /// Stops as a crash would: nothing is flushed, closed or said. [`TestBroker::start_again`] brings it back.
    pub async fn kill(&mut self) {
        self.running.take().unwrap().kill().await;
    }

    /// Starts again after [`TestBroker::kill`].
    pub async fn start_again(&mut self) {
        self.running = Some(Node::start(self.config(), self.clock.clone()).await.unwrap());
    }
}
