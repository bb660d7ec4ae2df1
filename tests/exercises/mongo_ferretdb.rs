//! `velo mongo ingest` into FerretDB, which speaks MongoDB's protocol and answers otherwise where it cannot do the same.

use super::mongo_support::{MongoServer, arguments, dead, people, send};
use super::velib_support::{create, velo, write};
use crate::support::cluster::Cluster;
use mongodb::bson::{Document, doc};

/// Runs an ingest of `people` to its end, and answers what it says.
fn ingest(cluster: &Cluster, server: &MongoServer, more: &[&str]) -> String {
    let uri = server.uri();
    let more = [&["--exit-at-end"], more].concat();
    velo(cluster, &arguments("people", &uri, &more)).succeeds().stderr
}

fn read_again(cluster: &Cluster) {
    let reset = ["group", "reset", "people", "--to", "earliest", "--execute"];
    velo(cluster, &reset).succeeds();
}

fn unique_dni(server: &MongoServer) {
    server.run(doc! {"createIndexes": "people", "indexes": [
        {"key": {"dni": 1}, "name": "dni_1", "unique": true}
    ]});
}

/// Its duplicate key errors name no index: what is there already must not become a dead letter, and what another index
/// refuses must.
fn what_is_there_is_no_dead_letter_and_what_another_index_refuses_is(server: &MongoServer) {
    let cluster = Cluster::classroom();
    create(&cluster, "people", 2);
    unique_dni(server);
    let mut values = people(0..1_200);
    for (number, value) in values.iter_mut().enumerate() {
        value["dni"] = number.into();
    }
    values.push(serde_json::json!({"nombre": "Otra", "dni": 7}));
    write(&cluster, "people", &values);
    let said = ingest(&cluster, server, &[]);
    assert!(
        said.contains("1201 records read: 1200 written, 0 already there, 1 dead"),
        "{said}"
    );
    read_again(&cluster);
    let said = ingest(&cluster, server, &[]);
    assert!(
        said.contains("1201 records read: 0 written, 1200 already there, 1 dead"),
        "{said}"
    );
    assert_eq!(server.count(), 1_200);
    // A letter that is there is not written again.
    let dead = dead(&cluster, "people");
    assert_eq!(dead.len(), 1);
    assert!(dead[0].1.contains("duplicate key"), "{dead:?}");
}

/// It stops at the first update that it refuses, and names it the first: the others must be written all the same.
fn a_refused_replacement_stops_no_other(server: &MongoServer) {
    let cluster = Cluster::classroom();
    create(&cluster, "people", 1);
    unique_dni(server);
    for (key, dni) in [("a", 1), ("b", 2), ("c", 1), ("d", 4)] {
        send(
            &cluster,
            "people",
            Some(key),
            Some(format!("{{\"dni\":{dni}}}").as_bytes()),
        );
    }
    let said = ingest(&cluster, server, &["--id", "key"]);
    assert!(
        said.contains("4 records read: 3 written, 0 already there, 1 dead"),
        "{said}"
    );
    let found = |server: &MongoServer| {
        let mut found: Vec<Document> = server.documents();
        found.sort_by_key(|document| document.get_str("_id").unwrap().to_owned());
        found
    };
    let three = [
        doc! {"_id": "a", "dni": 1},
        doc! {"_id": "b", "dni": 2},
        doc! {"_id": "d", "dni": 4},
    ];
    assert_eq!(found(server), three);
    // A replacement of what is there, by what another document has.
    send(&cluster, "people", Some("b"), Some(b"{\"dni\":4}"));
    send(&cluster, "people", Some("a"), Some(b"{\"dni\":9}"));
    let said = ingest(&cluster, server, &["--id", "key"]);
    assert!(
        said.contains("2 records read: 1 written, 0 already there, 1 dead"),
        "{said}"
    );
    let three = [
        doc! {"_id": "a", "dni": 9},
        doc! {"_id": "b", "dni": 2},
        doc! {"_id": "d", "dni": 4},
    ];
    assert_eq!(found(server), three);
    let offsets: Vec<String> = dead(&cluster, "people")
        .into_iter()
        .map(|(offset, _)| offset)
        .collect();
    assert_eq!(offsets, ["2", "4"]);
}

/// It closes the connection when it is sent a kind of BSON that it does not know: that one is a dead letter, and the
/// others are written.
fn what_it_cannot_read_is_a_dead_letter(server: &MongoServer) {
    let cluster = Cluster::classroom();
    create(&cluster, "people", 1);
    for number in ["1", "123456789012345678901234567890", "3", "4"] {
        send(
            &cluster,
            "people",
            None,
            Some(format!("{{\"n\":{number}}}").as_bytes()),
        );
    }
    let said = ingest(&cluster, server, &[]);
    assert!(
        said.contains("4 records read: 3 written, 0 already there, 1 dead"),
        "{said}"
    );
    let dead = dead(&cluster, "people");
    assert_eq!((dead.len(), dead[0].0.as_str()), (1, "1"));
    assert!(dead[0].1.contains("closes the connection"), "{dead:?}");
}

macro_rules! on_both_stores {
    ($($name:ident),* $(,)?) => {
        mod on_sqlite {
            use super::MongoServer;
            $(
                #[test]
                #[cfg_attr(not(peer = "ferretdb"), ignore = "FerretDB is not here: scripts/dev/test builds it")]
                fn $name() {
                    super::$name(&MongoServer::ferretdb_on_sqlite());
                }
            )*
        }
        mod on_postgresql {
            use super::MongoServer;
            $(
                #[test]
                #[cfg_attr(
                    not(all(peer = "ferretdb", peer = "postgresql")),
                    ignore = "FerretDB or PostgreSQL is not here: scripts/dev/test fetches them"
                )]
                fn $name() {
                    super::$name(&MongoServer::ferretdb_on_postgresql());
                }
            )*
        }
    };
}

on_both_stores! {
    what_is_there_is_no_dead_letter_and_what_another_index_refuses_is,
    a_refused_replacement_stops_no_other,
    what_it_cannot_read_is_a_dead_letter,
}
