//! `velo velib api`, and the source that fetches from such an API.

use super::velib_support::{Answer, FakeApi, Running, eventually, http, station};
use serde_json::Value;
use std::time::Duration;
use velodrome::exercises::velib::http_source::HttpSource;
use velodrome::exercises::velib::told::Told;
use velodrome::failure::Failure;
use velodrome::ui::{Interrupt, OutputFormat, Ui};

const QUICK: Duration = Duration::from_millis(300);

fn fetch(source: &HttpSource) -> Result<Vec<Told>, Failure> {
    let ui = Ui::new(OutputFormat::Table, 0, true);
    let answer = source.fetch(ui, Interrupt::watch().unwrap())?;
    assert!(answer.skipped.is_empty(), "{answer:?}");
    Ok(answer.stations)
}

fn two_stations() -> Answer {
    Answer::Status(200, Value::from(vec![station(1, 3), station(2, 4)]).to_string())
}

/// The server's `HOST:PORT` and the target it announces.
fn serve() -> (Running, String, String) {
    let api = Running::start_anywhere(&["velib", "api", "--port", "0", "--speed", "3600"]);
    let url = api.first_line();
    let rest = url.strip_prefix("http://").unwrap();
    let (address, target) = rest.split_at(rest.find('/').unwrap());
    assert!(target.starts_with("/vls/v1/stations?apiKey="), "{url}");
    (api, address.to_owned(), target.to_owned())
}

#[test]
fn the_announced_address_tells_all_stations_and_the_city_lives() {
    let (_api, address, target) = serve();
    let ask = || -> Vec<Value> {
        let (status, body) = http("GET", &address, &target);
        assert_eq!(status, 200);
        serde_json::from_str(&body).unwrap()
    };
    let first = ask();
    assert_eq!(first.len(), 280);
    assert_eq!(first[0]["address"], "12 RUE DU POIDS DE L'HUILE");
    eventually(|| ask() != first, || "the stations never change".to_owned());
}

#[test]
fn mistakes_are_answered_as_jcdecaux_answers_them() {
    let (_api, address, target) = serve();
    let (status, body) = http("GET", &address, "/vls/v1/stations");
    assert_eq!((status, body.as_str()), (403, r#"{"error":"Unauthorized"}"#));
    assert_eq!(http("GET", &address, "/vls/v1/stations?apiKey=").0, 403);
    assert_eq!(
        http("GET", &address, &format!("{target}&contract=Toulouse")).0,
        200
    );
    assert_eq!(
        http("GET", &address, &format!("{target}&contract=Atlantis")).0,
        400
    );
    assert_eq!(http("GET", &address, "/vls/v1/bicycles?apiKey=k").0, 404);
    assert_eq!(http("DELETE", &address, &target).0, 405);
}

#[test]
fn ctrl_c_ends_the_server_with_130() {
    let (mut api, _, _) = serve();
    assert_eq!(api.interrupt(), 130);
}

#[test]
fn jcdecaux_is_asked_with_the_key_in_the_address() {
    let api = FakeApi::start(vec![two_stations()]);
    let stations = fetch(&HttpSource::jcdecaux(&api.url, "topsecret", QUICK)).unwrap();
    assert_eq!(stations.len(), 2);
    assert_eq!(
        api.asked.lock().unwrap()[0],
        "GET /vls/v1/stations?apiKey=topsecret HTTP/1.1"
    );
}

#[test]
fn a_refused_key_is_told_at_once_and_never_shown() {
    let api = FakeApi::start(vec![Answer::Status(403, r#"{"error":"Unauthorized"}"#.into())]);
    let failure = fetch(&HttpSource::jcdecaux(&api.url, "topsecret", QUICK)).unwrap_err();
    let text = failure.to_string();
    assert!(text.contains("refuses the key"), "{text}");
    assert!(text.contains("JCDECAUX_API_KEY"), "{text}");
    assert!(!text.contains("topsecret"), "{text}");
    assert_eq!(api.asked.lock().unwrap().len(), 1);
}

#[test]
fn a_server_in_trouble_or_silent_is_asked_again() {
    let api = FakeApi::start(vec![
        Answer::Status(500, "oops".into()),
        Answer::Silence,
        two_stations(),
    ]);
    let stations = fetch(&HttpSource::at(&format!("{}?apiKey=k", api.url), QUICK)).unwrap();
    assert_eq!(stations.len(), 2);
    assert_eq!(api.asked.lock().unwrap().len(), 3);
}

#[test]
fn an_answer_that_is_no_list_of_stations_is_told_as_what_it_says() {
    let list = "the answer is not a list of stations";
    let refused = "refuses the key";
    let none = "no stations from http://";
    for (status, body, what, why) in [
        (200, "<html>", list, "it says: a web page"),
        (
            200,
            "<html><title>Maintenance</title>",
            list,
            "it says: a web page, `Maintenance`",
        ),
        (200, r#"{"error":"Unauthorized"}"#, list, "it says: Unauthorized"),
        (
            200,
            r#"{"error":{"message":"no such contract"}}"#,
            list,
            "it says: no such contract",
        ),
        (200, r#"[{"number":1,"#, list, "it says: [{\"number\":1,"),
        (200, "", list, "EOF"),
        (
            401,
            r#"{"error":"Unauthorized"}"#,
            refused,
            "it answered 401: Unauthorized",
        ),
        (
            403,
            "<html><title>Forbidden</title>",
            refused,
            "it answered 403: a web page, `Forbidden`",
        ),
        (
            400,
            r#"{"message":"Specified contract does not exist"}"#,
            none,
            "it answered 400: Specified contract",
        ),
        (404, "", none, "it answered 404"),
        (
            401,
            "key topsecret is unknown",
            refused,
            "it answered 401: key … is unknown",
        ),
    ] {
        let api = FakeApi::start(vec![Answer::Status(status, body.into())]);
        let failure = fetch(&HttpSource::at(&format!("{}?apiKey=topsecret", api.url), QUICK)).unwrap_err();
        assert!(failure.what().contains(what), "{body}: {failure}");
        assert!(failure.why().unwrap().contains(why), "{body}: {failure}");
    }
}
