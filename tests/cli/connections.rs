//! How often a command connects to a cluster.

use crate::support::cluster::Cluster;
use crate::support::velo::Home;
use std::io;
use std::net::{TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

/// A port that passes everything on to `server`, and counts those who connect.
fn counting(server: &str) -> (String, Arc<AtomicUsize>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap().to_string();
    let count = Arc::<AtomicUsize>::default();
    let (server, counted) = (server.to_owned(), count.clone());
    thread::spawn(move || {
        for client in listener.incoming() {
            let client = client.unwrap();
            counted.fetch_add(1, Ordering::SeqCst);
            let node = TcpStream::connect(&server).unwrap();
            let pass_on = |mut from: TcpStream, mut to: TcpStream| {
                // It ends when one of them hangs up.
                thread::spawn(move || {
                    io::copy(&mut from, &mut to).and_then(|_| to.shutdown(std::net::Shutdown::Both))
                });
            };
            pass_on(client.try_clone().unwrap(), node.try_clone().unwrap());
            pass_on(node, client);
        }
    });
    (address, count)
}

#[test]
fn one_question_takes_one_connection() {
    let cluster = Cluster::classroom();
    let (server, count) = counting(cluster.bootstrap());
    let home = Home::new();
    for (asked, words) in [
        vec!["topic", "list", "--bootstrap-server", &server],
        vec!["kafka-topics", "--list", "--bootstrap-server", &server],
        vec!["kafka-cluster", "cluster-id", "--bootstrap-server", &server],
    ]
    .iter()
    .enumerate()
    {
        home.velo(words).succeeds();
        assert_eq!(count.load(Ordering::SeqCst), asked + 1, "{words:?}");
    }
}
