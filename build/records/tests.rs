use super::{emit, schema};

const SMALL: &str = "\
log small SmallRecord framed

record Thing = 7 versions 0..2 flexible 1 // A thing.
    id: i32 = -1 // Its number.
    name: string? since 1 // Its name.
    parts: [Part] since 2 tag 0 // Its parts.

struct Part // A part.
    size: i64 only 2 ignorable // Its size.
";

fn refusal(text: &str) -> String {
    schema::parse(text).unwrap_err()
}

#[test]
fn a_layout_is_read_as_it_stands() {
    let family = schema::parse(SMALL).unwrap();
    assert_eq!(
        (family.name.as_str(), family.keyed, family.parts.len()),
        ("small", false, 2)
    );
    let thing = &family.parts[0];
    assert_eq!(
        (thing.role, thing.versions, thing.flexible),
        (schema::Role::Record(7), (0, 2), Some(1))
    );
    assert_eq!(thing.fields[0].absent, schema::Absent::Value("-1".into()));
    assert!(thing.fields[1].nullable);
    assert_eq!((thing.fields[2].since, thing.fields[2].tag), (Some(2), Some(0)));
    assert_eq!(family.parts[1].fields[0].only, Some(2));
}

#[test]
fn the_code_follows_the_layout() {
    let code = emit::family(&schema::parse(SMALL).unwrap());
    for expected in [
        "pub struct ThingRecord {",
        "    /// Its name.\n    pub name: Option<String>,",
        "name: if version >= 1 { Field::read(input)? } else { Default::default() },",
        "0 if input.version() >= 2 => it.parts = Field::read(input)?,",
        "if version >= 1 { self.name.write(out); } else if self.name.is_some() { out.lacks(\"name\"); }",
        "if version == 2 { self.size.write(out); }\n",
        "const VERSIONS: RangeInclusive<i16> = 0..=2;",
        "7 => Self::Thing(frame.body()?),",
    ] {
        assert!(code.contains(expected), "{expected}\nis not in\n{code}");
    }
}

#[test]
fn what_makes_no_sense_is_told_by_its_line() {
    for (from, to, said) in [
        ("id: i32 = -1", "id: i33 = -1", "line 4: i33 is no type"),
        (" // Its number.", "", "line 4: no ` // ` that says what it means"),
        ("since 1 //", "sense 1 //", "line 5: `sense` is not known"),
        (
            "[Part] since",
            "[Parts] since",
            "Thing.parts: there is no struct Parts",
        ),
        (
            "framed",
            "bare",
            "line 1: expected `log NAME RECORD framed` or `keyed`",
        ),
        (
            "record Thing = 7",
            "key Thing = 7",
            "line 3: neither record, key, value nor struct",
        ),
        (
            "struct Part //",
            "record Part = 7 versions 0 flexible 0 //",
            "there is no struct Part",
        ),
    ] {
        let told = refusal(&SMALL.replacen(from, to, 1));
        assert!(told.contains(said), "{told}\ndoes not say\n{said}");
    }
}
