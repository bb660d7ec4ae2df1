//! For `scripts/dev/bench/connects`, built by `rustc -O`:
//!
//!     connects serve                  a plain accept loop: takes a connection, reads its question, answers, takes the next;
//!                                     prints HOST:PORT
//!     connects ask HOST:PORT COUNT    COUNT clients that connect at once, each with a question; prints the seconds until all
//!                                     are answered, the longest connect, how many took longer than the first second (after
//!                                     which the system sends a lost SYN again), and how many got no answer

use std::collections::VecDeque;
use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::os::fd::AsRawFd;
use std::sync::{Arc, Barrier};
use std::time::{Duration, Instant};

/// Clients of one thread; they connect one after the other.
const PER_THREAD: usize = 40;
/// More than there are clients in a round.
const MOST_OPEN: usize = 10_000;
/// When a lost SYN is sent again, and a bit less.
const SECOND_SYN: Duration = Duration::from_millis(900);
/// ApiVersions, version 0: its length, its number, its version, a correlation id, no client id.
const QUESTION: [u8; 14] = [0, 0, 0, 10, 0, 18, 0, 0, 0, 0, 0, 7, 0xff, 0xff];
/// About as long as a broker's answer.
const ANSWER: usize = 400;

unsafe extern "C" {
    /// The system's own.
    fn listen(socket: i32, backlog: i32) -> i32;
}

fn main() {
    let words: Vec<String> = std::env::args().collect();
    match words.get(1).map(String::as_str) {
        Some("serve") => serve(),
        Some("ask") => ask(&words[2], words[3].parse().expect("a number of clients")),
        _ => panic!("serve, or ask HOST:PORT COUNT"),
    }
}

fn serve() {
    let listener = TcpListener::bind("127.0.0.1:0").expect("an address");
    // The standard library lets 128 connections wait; asked again, the system lets as many wait as it may.
    // SAFETY: the socket is open, and nothing is passed but numbers.
    assert_eq!(unsafe { listen(listener.as_raw_fd(), i32::MAX) }, 0);
    println!("{}", listener.local_addr().expect("its address"));
    let mut answer = [0; 4 + ANSWER];
    answer[..4].copy_from_slice(&(ANSWER as u32).to_be_bytes());
    let mut open = VecDeque::new();
    for stream in listener.incoming() {
        let mut stream = stream.expect("a connection");
        let mut question = QUESTION;
        if stream.read_exact(&mut question).and_then(|()| stream.write_all(&answer)).is_ok() {
            open.push_back(stream);
        }
        // Those of the round before have gone.
        if open.len() > MOST_OPEN {
            open.pop_front();
        }
    }
}

fn ask(address: &str, count: usize) {
    let threads = count.div_ceil(PER_THREAD);
    let begin = Arc::new(Barrier::new(threads + 1));
    let clients: Vec<_> = (0..threads)
        .map(|thread| {
            let (begin, address) = (Arc::clone(&begin), address.to_owned());
            let mine = PER_THREAD.min(count - thread * PER_THREAD);
            std::thread::Builder::new()
                .stack_size(1 << 18)
                .spawn(move || {
                    begin.wait();
                    let outcomes: Vec<_> = (0..mine).map(|_| one(&address)).collect();
                    let (streams, waits): (Vec<_>, Vec<_>) = outcomes.into_iter().unzip();
                    let answered = streams.into_iter().map(answer).collect::<Vec<_>>();
                    // Open until all are answered.
                    begin.wait();
                    (waits, answered.iter().filter(|answer| answer.is_none()).count())
                })
                .expect("a thread")
        })
        .collect();
    begin.wait();
    let start = Instant::now();
    begin.wait();
    let seconds = start.elapsed().as_secs_f64();
    let (mut waits, mut failed) = (Vec::new(), 0);
    for client in clients {
        let (its_waits, its_failed) = client.join().expect("its waits");
        waits.extend(its_waits);
        failed += its_failed;
    }
    let longest = waits.iter().max().map_or(0.0, Duration::as_secs_f64);
    let late = waits.iter().filter(|wait| **wait > SECOND_SYN).count();
    println!("{seconds:.4} {longest:.4} {late} {failed}");
}

/// Connects and asks; answers how long the connect took.
fn one(address: &str) -> (Option<TcpStream>, Duration) {
    let start = Instant::now();
    let stream = TcpStream::connect(address);
    let wait = start.elapsed();
    let asked = stream.and_then(|mut stream| stream.write_all(&QUESTION).map(|()| stream));
    (asked.ok(), wait)
}

/// Reads the answer, and keeps the connection.
fn answer(stream: Option<TcpStream>) -> Option<TcpStream> {
    let mut stream = stream?;
    let mut length = [0; 4];
    stream.read_exact(&mut length).ok()?;
    let mut answer = vec![0; u32::from_be_bytes(length) as usize];
    stream.read_exact(&mut answer).ok()?;
    Some(stream)
}
