use super::*;
use proptest::prelude::*;
use std::sync::LazyLock;

const FILE: &str = r#"
syntax = "proto2";
package fleet;
import "google/protobuf/timestamp.proto";
import "parts/kind.proto";

message Ride {
  required int64 vehicle = 1;
  optional uint64 most = 2;
  repeated Stop stops = 3;
  map<string, Stop> by_name = 4;
  optional bytes raw = 5;
  optional parts.Kind kind = 6;
  optional google.protobuf.Timestamp at = 7;
  oneof who { string driver = 8; int32 robot = 9; }
  extensions 100 to 200;
  message Stop { required string name = 1; optional Ride next = 2; }
}
extend Ride { optional Ride.Stop last = 100; }
"#;

fn folder() -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    let parts = folder.path().join("parts");
    std::fs::create_dir(&parts).unwrap();
    std::fs::write(folder.path().join("ride.proto"), FILE).unwrap();
    let kind = "syntax = \"proto2\"; package parts; enum Kind { CAR = 0; BIKE = 1; } message Other {}";
    std::fs::write(parts.join("kind.proto"), kind).unwrap();
    folder
}

fn decoder(name: &str) -> Decoder {
    let folder = folder();
    Decoder::open(&folder.path().join("ride.proto"), name).unwrap()
}

fn shown(bytes: &[u8]) -> String {
    decoder("Ride").decode(bytes).unwrap().get().to_owned()
}

#[test]
fn a_message_is_shown_with_the_files_names_and_its_numbers_as_numbers() {
    assert_eq!(shown(&[0x08, 7]), r#"{"vehicle":7}"#);
    let most = [0x08, 7, 0x10, 255, 255, 255, 255, 255, 255, 255, 255, 255, 1];
    assert_eq!(shown(&most), r#"{"vehicle":7,"most":18446744073709551615}"#);
    let negative = [0x08, 255, 255, 255, 255, 255, 255, 255, 255, 255, 1];
    assert_eq!(shown(&negative), r#"{"vehicle":-1}"#);
    let stops = [
        0x08, 7, 0x1a, 3, 0x0a, 1, b'a', 0x22, 8, 0x0a, 1, b'k', 0x12, 3, 0x0a, 1, b'b',
    ];
    let expected = r#"{"vehicle":7,"stops":[{"name":"a"}],"by_name":{"k":{"name":"b"}}}"#;
    assert_eq!(shown(&stops), expected);
    let others = [0x08, 7, 0x2a, 2, 0, 255, 0x30, 1, 0x3a, 2, 0x08, 0, 0x48, 5];
    let expected = r#"{"vehicle":7,"raw":"AP8=","kind":"BIKE","at":"1970-01-01T00:00:00Z","robot":5}"#;
    assert_eq!(shown(&others), expected);
    // A field that nobody knows is passed over.
    assert_eq!(shown(&[0x08, 7, 0x58, 1]), r#"{"vehicle":7}"#);
}

#[test]
fn what_lacks_a_required_field_is_none_wherever_it_lacks_it() {
    let decoder = decoder("fleet.Ride");
    for (bytes, field) in [
        (&[][..], "vehicle"),
        (&[0x10, 1], "vehicle"),
        (&[0x08, 7, 0x1a, 0], "stops.name"),
        (&[0x08, 7, 0x22, 5, 0x0a, 1, b'k', 0x12, 0], "by_name.name"),
        (&[0x08, 7, 0x1a, 5, 0x0a, 1, b'a', 0x12, 0], "stops.next.vehicle"),
        (&[0x08, 7, 0xa2, 0x06, 0], "[fleet.last].name"),
    ] {
        let why = decoder.decode(bytes).unwrap_err();
        assert_eq!(
            why,
            format!("`{field}` is missing, which is required"),
            "{bytes:?}"
        );
    }
    assert!(decoder.decode(b"hello").is_err());
    assert!(decoder.decode(&[0x08]).is_err());
}

#[test]
fn messages_are_known_by_their_names_with_or_without_package() {
    let folder = folder();
    let file = folder.path().join("ride.proto");
    // Neither what is imported nor what a map is made of.
    assert_eq!(message_names(&file).unwrap(), ["fleet.Ride", "fleet.Ride.Stop"]);
    for (name, found) in [
        ("Ride", "fleet.Ride"),
        ("Stop", "fleet.Ride.Stop"),
        ("fleet.Ride.Stop", "fleet.Ride.Stop"),
    ] {
        assert_eq!(Decoder::open(&file, name).unwrap().name(), found);
    }
}

#[test]
fn what_cannot_be_used_says_why_and_what_to_type() {
    let folder = folder();
    let file = |name: &str, text: &str| {
        let path = folder.path().join(name);
        std::fs::write(&path, text).unwrap();
        path
    };
    let failure = |path: &Path, name: &str| Decoder::open(path, name).unwrap_err();
    let ride = folder.path().join("ride.proto");
    let unknown = failure(&ride, "Rid");
    assert_eq!(unknown.why(), Some("it has fleet.Ride, fleet.Ride.Stop"));
    let hint = format!(
        "velo consume TOPIC --decode protobuf --proto {} --message fleet.Ride",
        ride.display()
    );
    assert_eq!(unknown.hints(), [hint]);
    let twice = file(
        "twice.proto",
        "syntax = \"proto3\"; message A { message B {} } message C { message B {} }",
    );
    assert_eq!(failure(&twice, "B").why(), Some("it has several of that name"));
    let empty = file("empty.proto", "");
    assert_eq!(failure(&empty, "A").why(), Some("it has no messages at all"));
    let slip = file(
        "slip.proto",
        "syntax = \"proto3\";\nmessage A {\n  int64 = 1;\n}\n",
    );
    let why = failure(&slip, "A").why().unwrap().to_owned();
    assert!(why.starts_with("slip.proto:3:9: "), "{why}");
    let import = file(
        "import.proto",
        "syntax = \"proto3\"; import \"none.proto\"; message A {}",
    );
    let why = failure(&import, "A").why().unwrap().to_owned();
    assert!(why.contains("none.proto"), "{why}");
    let none = failure(&folder.path().join("none.proto"), "A");
    assert!(
        none.what().contains("none.proto") && none.why().is_some(),
        "{none}"
    );
    failure(folder.path(), "A");
    let binary = folder.path().join("binary.proto");
    std::fs::write(&binary, [0, 255, 254]).unwrap();
    failure(&binary, "A");
}

proptest! {
    #[test]
    fn no_bytes_do_harm(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
        static RIDE: LazyLock<Decoder> = LazyLock::new(|| decoder("Ride"));
        let _ = RIDE.decode(&bytes);
    }

    #[test]
    fn no_text_of_a_file_does_harm(text in "(message|\\{|\\}|;|=|[0-9]|[a-z \n\"\\\\]){0,60}") {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("a.proto");
        std::fs::write(&file, text).unwrap();
        let _ = message_names(&file);
    }
}
