//! `velo velib api`: JCDecaux's answers about the simulated city over HTTP, for programs written for JCDecaux's API.

use super::{Simulation, Station};
use crate::failure::{Failure, Outcome};
use crate::ui::{Interrupt, Ui};
use http_body_util::Full;
use hyper::body::{Bytes, Incoming};
use hyper::header::{ALLOW, CONTENT_TYPE};
use hyper::service::service_fn;
use hyper::{Method, Request, Response, StatusCode};
use hyper_util::rt::{TokioIo, TokioTimer};
use parking_lot::Mutex;
use std::convert::Infallible;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio::net::TcpListener;

/// Where JCDecaux's API tells the stations.
pub const PATH: &str = "/vls/v1/stations";

/// How long a client may take to send its request's headers.
const PATIENCE: Duration = Duration::from_secs(10);
/// How often the server looks for Ctrl-C.
const GLANCE: Duration = Duration::from_millis(20);

/// The city as its visitors find it: it moves on by the time that has passed.
struct City {
    simulation: Simulation,
    speed: u32,
    seen: Instant,
}

impl City {
    fn stations(&mut self) -> &[Station] {
        let now = Instant::now();
        self.simulation.advance((now - self.seen) * self.speed);
        self.seen = now;
        self.simulation.stations()
    }
}

/// Serves the city on loopback until Ctrl-C. Prints the address, with a key, once it answers. One second is `speed`
/// seconds of the city; `port` 0 lets the system choose.
///
/// # Errors
/// When the port is taken, and at Ctrl-C.
pub fn serve(simulation: Simulation, speed: u32, port: u16, ui: Ui, interrupt: Interrupt) -> Outcome {
    let city = Arc::new(Mutex::new(City {
        simulation,
        speed,
        seen: Instant::now(),
    }));
    tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(|error| Failure::request("cannot start the server").because(error))?
        .block_on(async move {
            let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, port))
                .await
                .map_err(|error| {
                    Failure::request(format!("cannot listen on 127.0.0.1:{port}"))
                        .because(error)
                        .hint("velo velib api --port 0")
                })?;
            let address = listener
                .local_addr()
                .map_err(|error| Failure::request("cannot tell the server's port").because(error))?;
            announce(address, ui)?;
            tokio::select! {
                result = accept(listener, city, ui) => result,
                () = interrupted(interrupt) => Err(Failure::interrupted()),
            }
        })
}

fn announce(address: SocketAddr, ui: Ui) -> Outcome {
    ui.line(format!("http://{address}{PATH}?apiKey=velo"))?;
    ui.say("Any key will do. Ctrl-C ends it.");
    Ok(())
}

async fn interrupted(interrupt: Interrupt) {
    while !interrupt.pressed() {
        tokio::time::sleep(GLANCE).await;
    }
}

async fn accept(listener: TcpListener, city: Arc<Mutex<City>>, ui: Ui) -> Outcome {
    loop {
        let stream = match listener.accept().await {
            Ok((stream, _)) => stream,
            Err(error) => {
                // Too many open files, or a client that left at once: the others are still served.
                ui.say(format!("a connection was not accepted: {error}"));
                tokio::time::sleep(GLANCE).await;
                continue;
            }
        };
        let city = Arc::clone(&city);
        tokio::spawn(async move {
            let service = service_fn(move |request| {
                let answer = answer(&request, &city);
                async move { Ok::<_, Infallible>(answer) }
            });
            let served = hyper::server::conn::http1::Builder::new()
                .timer(TokioTimer::new())
                .header_read_timeout(PATIENCE)
                .serve_connection(TokioIo::new(stream), service)
                .await;
            if let Err(error) = served {
                tracing::debug!(%error, "a client's connection ended early");
            }
        });
    }
}

fn answer(request: &Request<Incoming>, city: &Mutex<City>) -> Response<Full<Bytes>> {
    if request.uri().path().trim_end_matches('/') != PATH {
        return json(StatusCode::NOT_FOUND, error("Not found"));
    }
    if request.method() != Method::GET && request.method() != Method::HEAD {
        let mut response = json(StatusCode::METHOD_NOT_ALLOWED, error("Method not allowed"));
        response
            .headers_mut()
            .insert(ALLOW, hyper::header::HeaderValue::from_static("GET, HEAD"));
        return response;
    }
    let query = request.uri().query().unwrap_or_default();
    if parameter(query, "apiKey").is_none_or(str::is_empty) {
        return json(StatusCode::FORBIDDEN, error("Unauthorized"));
    }
    let mut city = city.lock();
    let stations = city.stations();
    let Some(contract) = parameter(query, "contract") else {
        return listed(&stations.iter().collect::<Vec<_>>());
    };
    let chosen: Vec<&Station> = stations
        .iter()
        .filter(|station| station.contract_name.eq_ignore_ascii_case(contract))
        .collect();
    if chosen.is_empty() {
        return json(
            StatusCode::BAD_REQUEST,
            error("Specified contract does not exist"),
        );
    }
    listed(&chosen)
}

fn parameter<'a>(query: &'a str, name: &str) -> Option<&'a str> {
    query
        .split('&')
        .filter_map(|pair| pair.split_once('='))
        .find(|(key, _)| *key == name)
        .map(|(_, value)| value)
}

fn listed(stations: &[&Station]) -> Response<Full<Bytes>> {
    match serde_json::to_string(stations) {
        Ok(body) => json(StatusCode::OK, body),
        Err(why) => json(StatusCode::INTERNAL_SERVER_ERROR, error(&why.to_string())),
    }
}

fn error(text: &str) -> String {
    serde_json::json!({ "error": text }).to_string()
}

fn json(status: StatusCode, body: String) -> Response<Full<Bytes>> {
    let mut response = Response::new(Full::new(Bytes::from(body)));
    *response.status_mut() = status;
    response.headers_mut().insert(
        CONTENT_TYPE,
        hyper::header::HeaderValue::from_static("application/json; charset=utf-8"),
    );
    response
}
