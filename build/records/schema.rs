//! Reads a layout.

/// A log and its records.
#[derive(Debug, PartialEq)]
pub struct Family {
    /// Names the file that is made.
    pub name: String,
    /// The enum of all its records.
    pub record: String,
    /// Whether its records have keys.
    pub keyed: bool,
    /// Its records, keys, values and structs, in their order.
    pub parts: Vec<Part>,
}

/// What a part of a layout is.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Role {
    /// A record of that type.
    Record(i16),
    /// A key of that type.
    Key(i16),
    /// The value of the key of the same name.
    Value,
    /// A part of others.
    Struct,
}

/// A record, key, value or struct.
#[derive(Debug, PartialEq)]
pub struct Part {
    /// What it is.
    pub role: Role,
    /// Its name, without the ending that its role gives it.
    pub name: String,
    /// What it means.
    pub doc: String,
    /// First and last version.
    pub versions: (i16, i16),
    /// First version with compact lengths and tagged fields.
    pub flexible: Option<i16>,
    /// Its fields, in the order of the log.
    pub fields: Vec<Field>,
}

impl Part {
    /// The name of its type in Rust, which is Kafka's own.
    pub fn type_name(&self) -> String {
        let ending = match self.role {
            Role::Record(_) => "Record",
            Role::Key(_) => "Key",
            Role::Value => "Value",
            Role::Struct => "",
        };
        format!("{}{ending}", self.name)
    }
}

/// A type of a field.
#[derive(Debug, Clone, PartialEq)]
pub enum Type {
    /// A number or a flag, by its name in Rust.
    Plain(String),
    /// A UUID.
    Uuid,
    /// Text.
    String,
    /// Bytes.
    Bytes,
    /// A struct, by its name.
    Struct(String),
    /// Any number of them.
    Array(Box<Type>),
}

/// What a field is where it is absent.
#[derive(Debug, Clone, PartialEq)]
pub enum Absent {
    /// Zero, false, nothing; null for what may be null.
    Nothing,
    /// Not null, but without content.
    Empty,
    /// That number or flag.
    Value(String),
}

/// A field.
#[derive(Debug, PartialEq)]
pub struct Field {
    /// Its name.
    pub name: String,
    /// Its type.
    pub kind: Type,
    /// It may be null.
    pub nullable: bool,
    /// First version that has it.
    pub since: Option<i16>,
    /// The one version that has it.
    pub only: Option<i16>,
    /// Its number behind the other fields.
    pub tag: Option<u32>,
    /// What it is where it is absent.
    pub absent: Absent,
    /// Versions that lack it drop it without a word.
    pub ignorable: bool,
    /// What it means.
    pub doc: String,
}

/// Reads the layout of a family.
///
/// # Errors
/// The first line that makes no sense.
pub fn parse(text: &str) -> Result<Family, String> {
    let mut family: Option<Family> = None;
    for (index, line) in text.lines().enumerate() {
        let line = line.trim_end();
        if line.is_empty() || line.starts_with('#') {
            continue;
        }
        let parsed = match &mut family {
            None => log(line).map(|log| family = Some(log)),
            Some(family) if line.starts_with(' ') => add_field(family, line.trim_start()),
            Some(family) => part(line).map(|part| family.parts.push(part)),
        };
        parsed.map_err(|problem| format!("line {}: {problem}: {line}", index + 1))?;
    }
    let family = family.ok_or("no line `log NAME RECORD framed` or `keyed`")?;
    check(&family)?;
    Ok(family)
}

fn log(line: &str) -> Result<Family, String> {
    let words: Vec<&str> = line.split(' ').collect();
    let ["log", name, record, form @ ("framed" | "keyed")] = words[..] else {
        return Err("expected `log NAME RECORD framed` or `keyed`".to_owned());
    };
    Ok(Family {
        name: name.to_owned(),
        record: record.to_owned(),
        keyed: form == "keyed",
        parts: Vec::new(),
    })
}

/// What stands before and behind ` // `.
fn documented(line: &str) -> Result<(Vec<&str>, String), String> {
    let (code, doc) = line
        .split_once(" // ")
        .ok_or("no ` // ` that says what it means")?;
    Ok((code.split(' ').collect(), doc.to_owned()))
}

fn number<T: std::str::FromStr>(word: &str) -> Result<T, String> {
    word.parse().map_err(|_| format!("{word} is no number"))
}

fn part(line: &str) -> Result<Part, String> {
    let (words, doc) = documented(line)?;
    let (role, name, rest) = match words[..] {
        ["record", name, "=", kind, ref rest @ ..] => (Role::Record(number(kind)?), name, rest),
        ["key", name, "=", kind] => (Role::Key(number(kind)?), name, &[][..]),
        ["value", name, ref rest @ ..] => (Role::Value, name, rest),
        ["struct", name] => (Role::Struct, name, &[][..]),
        _ => return Err("neither record, key, value nor struct".to_owned()),
    };
    let (versions, flexible) = match rest {
        [] if matches!(role, Role::Key(_) | Role::Struct) => ((0, 0), None),
        ["versions", versions, "flexible", flexible] => {
            let (first, last) = versions.split_once("..").unwrap_or((versions, versions));
            let flexible = match *flexible {
                "none" => None,
                first => Some(number(first)?),
            };
            ((number(first)?, number(last)?), flexible)
        }
        _ => return Err("expected `versions N..M flexible N`".to_owned()),
    };
    Ok(Part {
        role,
        name: name.to_owned(),
        doc,
        versions,
        flexible,
        fields: Vec::new(),
    })
}

fn add_field(family: &mut Family, line: &str) -> Result<(), String> {
    let part = family.parts.last_mut().ok_or("a field of nothing")?;
    part.fields.push(field(line)?);
    Ok(())
}

fn field(line: &str) -> Result<Field, String> {
    let (words, doc) = documented(line)?;
    let [name, kind, rest @ ..] = &words[..] else {
        return Err("expected `NAME: TYPE`".to_owned());
    };
    let name = name.strip_suffix(':').ok_or("no `:` behind the name")?;
    let nullable = kind.ends_with('?');
    let mut field = Field {
        name: name.to_owned(),
        kind: kind_of(kind.trim_end_matches('?'))?,
        nullable,
        since: None,
        only: None,
        tag: None,
        absent: Absent::Nothing,
        ignorable: false,
        doc,
    };
    let mut rest = rest.iter();
    while let Some(word) = rest.next() {
        let mut next = || rest.next().copied().ok_or(format!("nothing behind `{word}`"));
        match *word {
            "since" => field.since = Some(number(next()?)?),
            "only" => field.only = Some(number(next()?)?),
            "tag" => field.tag = Some(number(next()?)?),
            "ignorable" => field.ignorable = true,
            "=" => {
                field.absent = match next()? {
                    "empty" if nullable => Absent::Empty,
                    value if !nullable => Absent::Value(value.to_owned()),
                    value => return Err(format!("{value} is no value for what may be null")),
                }
            }
            other => return Err(format!("`{other}` is not known")),
        }
    }
    Ok(field)
}

fn kind_of(word: &str) -> Result<Type, String> {
    if let Some(inner) = word.strip_prefix('[').and_then(|word| word.strip_suffix(']')) {
        return Ok(Type::Array(Box::new(kind_of(inner)?)));
    }
    Ok(match word {
        "bool" | "i8" | "i16" | "i32" | "i64" | "u16" | "f64" => Type::Plain(word.to_owned()),
        "uuid" => Type::Uuid,
        "string" => Type::String,
        "bytes" => Type::Bytes,
        name if name.starts_with(|first: char| first.is_ascii_uppercase()) => Type::Struct(name.to_owned()),
        other => return Err(format!("{other} is no type")),
    })
}

/// What a line alone does not show: names that are there, types and tags that are so once.
fn check(family: &Family) -> Result<(), String> {
    let mut kinds = Vec::new();
    for part in &family.parts {
        if let Role::Record(kind) | Role::Key(kind) = part.role {
            if kinds.contains(&kind) {
                return Err(format!("{}: type {kind} is there already", part.name));
            }
            kinds.push(kind);
        }
        let fits = match part.role {
            Role::Record(_) => !family.keyed,
            Role::Key(_) => family.keyed && has(family, &part.name, Role::Value),
            Role::Value => family
                .parts
                .iter()
                .any(|key| key.name == part.name && matches!(key.role, Role::Key(_))),
            Role::Struct => true,
        };
        if !fits {
            return Err(format!("{} has no counterpart in such a log", part.type_name()));
        }
        let mut tags = Vec::new();
        for field in &part.fields {
            if let Some(name) = struct_of(&field.kind).filter(|name| !has(family, name, Role::Struct)) {
                return Err(format!("{}.{}: there is no struct {name}", part.name, field.name));
            }
            if field.tag.is_some_and(|tag| tags.contains(&tag)) {
                return Err(format!("{}.{}: the tag is there already", part.name, field.name));
            }
            tags.extend(field.tag);
        }
    }
    Ok(())
}

fn has(family: &Family, name: &str, role: Role) -> bool {
    family
        .parts
        .iter()
        .any(|part| part.name == name && part.role == role)
}

fn struct_of(kind: &Type) -> Option<&str> {
    match kind {
        Type::Struct(name) => Some(name),
        Type::Array(inner) => struct_of(inner),
        _ => None,
    }
}
