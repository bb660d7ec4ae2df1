//! Layouts of messages, read from their text.

/// From which version to which something holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Versions {
    first: i16,
    last: i16,
}

impl Versions {
    const NONE: Versions = Versions { first: 1, last: 0 };

    /// Whether it holds for `version`.
    pub fn contain(self, version: i16) -> bool {
        (self.first..=self.last).contains(&version)
    }

    /// `none`, `3`, `0-4` or `2+`.
    fn parse(text: &str) -> Option<Self> {
        if text == "none" {
            return Some(Versions::NONE);
        }
        let (first, last) = match (text.strip_suffix('+'), text.split_once('-')) {
            (Some(first), _) => (first.parse().ok()?, i16::MAX),
            (None, Some((first, last))) => (first.parse().ok()?, last.parse().ok()?),
            (None, None) => (text.parse().ok()?, text.parse().ok()?),
        };
        Some(Versions { first, last })
    }
}

/// What a field holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Type {
    Bool,
    Int8,
    Int16,
    Uint16,
    Int32,
    Int64,
    Float64,
    String,
    Uuid,
    Bytes,
    /// The fields below it.
    Struct,
}

impl Type {
    fn parse(text: &str) -> Option<Self> {
        Some(match text {
            "bool" => Type::Bool,
            "int8" => Type::Int8,
            "int16" => Type::Int16,
            "uint16" => Type::Uint16,
            "int32" => Type::Int32,
            "int64" => Type::Int64,
            "float64" => Type::Float64,
            "string" => Type::String,
            "uuid" => Type::Uuid,
            "bytes" => Type::Bytes,
            "struct" => Type::Struct,
            _ => return None,
        })
    }
}

/// One field.
#[derive(Debug, Clone)]
pub struct Field {
    /// Its name in JSON.
    pub name: &'static str,
    /// What it, or each of its elements, holds.
    pub kind: Type,
    /// Whether it holds any number of them.
    pub is_array: bool,
    /// The versions that have it.
    pub versions: Versions,
    /// The versions in which it may be null.
    pub nullable: Versions,
    /// Its number, in the versions that write it behind the others (KIP-482).
    pub tag: Option<(u32, Versions)>,
    /// What its values from 0 on are called; those behind them are told as numbers.
    pub names: Option<Vec<&'static str>>,
    /// Its JSON when a tagged field is absent.
    pub default: String,
    /// The fields of a struct.
    pub fields: Vec<Field>,
}

/// One message.
#[derive(Debug, Clone)]
pub struct Schema {
    /// Its name.
    pub name: &'static str,
    /// Its number among its family; -1 when it has none.
    pub api_key: i16,
    /// The versions that are known.
    pub versions: Versions,
    /// The versions with compact lengths and tagged fields.
    pub flexible: Versions,
    /// Its fields, in the order of the wire.
    pub fields: Vec<Field>,
}

/// Reads the layouts of a family; a line that is not understood is left out with all below it, and the test of the
/// files tells.
pub fn parse(text: &'static str) -> Vec<Schema> {
    let mut lines: Vec<(usize, &'static str)> = text
        .lines()
        .map(|line| {
            let body = line.trim_start();
            (line.len() - body.len(), body)
        })
        .filter(|(_, body)| !body.is_empty())
        .collect();
    lines.reverse();
    let mut schemas = Vec::new();
    while let Some((_, head)) = lines.pop() {
        let fields = fields_below(&mut lines, 0);
        if let Some(schema) = schema(head, fields) {
            schemas.push(schema);
        }
    }
    schemas
}

/// Takes the fields that are indented deeper than `indent`.
fn fields_below(lines: &mut Vec<(usize, &'static str)>, indent: usize) -> Vec<Field> {
    let mut fields = Vec::new();
    while let Some((_, line)) = lines.pop_if(|(depth, _)| *depth > indent) {
        let inner = fields_below(lines, indent + 1);
        if let Some(field) = field(line, inner) {
            fields.push(field);
        }
    }
    fields
}

fn schema(head: &'static str, fields: Vec<Field>) -> Option<Schema> {
    let words: Vec<&'static str> = head.split(' ').collect();
    let [name, key, "versions", versions, "flexible", flexible] = words[..] else {
        return None;
    };
    Some(Schema {
        name,
        api_key: key.parse().unwrap_or(-1),
        versions: Versions::parse(versions)?,
        flexible: Versions::parse(flexible)?,
        fields,
    })
}

fn field(line: &'static str, fields: Vec<Field>) -> Option<Field> {
    let mut words = line.split(' ');
    let name = words.next()?;
    let kind = words.next()?;
    let is_array = kind.starts_with("[]");
    let kind = Type::parse(kind.trim_start_matches("[]"))?;
    let versions = Versions::parse(words.next()?)?;
    let (mut nullable, mut tag, mut names, mut default) = (Versions::NONE, None, None, None);
    while let Some(word) = words.next() {
        match word {
            "nullable" => nullable = Versions::parse(words.next()?)?,
            "tag" => tag = Some((words.next()?.parse().ok()?, Versions::parse(words.next()?)?)),
            "names" => names = Some(words.next()?.split(',').collect()),
            "default" => default = Some(words.next()?.to_owned()),
            _ => return None,
        }
    }
    let default = default.unwrap_or_else(|| empty(kind, is_array).to_owned());
    Some(Field {
        name,
        kind,
        is_array,
        versions,
        nullable,
        tag,
        names,
        default,
        fields,
    })
}

fn empty(kind: Type, is_array: bool) -> &'static str {
    match kind {
        _ if is_array => "[]",
        Type::Bool => "false",
        Type::Float64 => "0.0",
        Type::String | Type::Bytes => "\"\"",
        Type::Uuid => "\"AAAAAAAAAAAAAAAAAAAAAA\"",
        Type::Struct => "{}",
        _ => "0",
    }
}
