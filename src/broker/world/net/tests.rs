#![cfg(target_os = "linux")]

use super::*;
use std::time::Duration;

/// How many connections wait to be accepted, of 200 that come, where each is given so long.
async fn waiting(backlog: u32, patience: Duration) -> usize {
    let listener = Net::default().listen("127.0.0.1", 0, backlog).await.unwrap();
    let address = listener.address().unwrap();
    let mut waiting = Vec::new();
    while waiting.len() < 200 {
        match tokio::time::timeout(patience, TcpStream::connect(address)).await {
            Ok(Ok(stream)) => waiting.push(stream),
            _ => break,
        }
    }
    waiting.len()
}

#[tokio::test]
async fn as_many_connections_wait_to_be_accepted_as_the_backlog_says() {
    assert_eq!(waiting(i32::MAX as u32, Duration::from_secs(60)).await, 200);
    // The system takes one or two more, and no others however long they wait.
    assert!(waiting(7, Duration::from_millis(300)).await < 10);
}

#[tokio::test]
async fn connections_are_taken_also_while_nobody_has_time_to_serve_them() {
    let listener = Net::default().listen("127.0.0.1", 0, 1).await.unwrap();
    let address = listener.address().unwrap();
    let mut arrivals = listener.arrivals(200).unwrap();
    // The only thread of this runtime waits for each of them. More than one could not wait with the system.
    let clients: Vec<_> = (0..100)
        .map(|_| std::net::TcpStream::connect(address).unwrap())
        .collect();
    for client in &clients {
        let (_, peer) = arrivals.next().await.unwrap();
        assert_eq!(peer, client.local_addr().unwrap());
    }
    arrivals.close().await;
    std::net::TcpListener::bind(address).unwrap();
}
