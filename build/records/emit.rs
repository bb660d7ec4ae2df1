//! Writes the Rust code of a family. What the code stands on is in `src/broker/records/wire.rs`.

use super::schema::{Absent, Family, Field, Part, Role, Type};

/// The code of a family.
pub fn family(family: &Family) -> String {
    let mut out = String::new();
    for part in &family.parts {
        out += &definition(family, part);
        out += &default_values(part);
        out += &codec(part);
        out += &message(part);
    }
    out += &match family.keyed {
        true => keyed_record(family),
        false => framed_record(family),
    };
    out
}

fn definition(family: &Family, part: &Part) -> String {
    let default = match has_plain_default(part) {
        true => "Default, ",
        false => "",
    };
    let equality = match part.fields.iter().any(|field| has_float(family, &field.kind)) {
        true => "PartialEq",
        false => "PartialEq, Eq",
    };
    let fields: String = part
        .fields
        .iter()
        .map(|field| {
            format!(
                "    /// {}\n    pub {}: {},\n",
                field.doc,
                field.name,
                rust_type(field)
            )
        })
        .collect();
    format!(
        "/// {}\n#[derive(Debug, Clone, {default}{equality})]\npub struct {} {{\n{fields}}}\n\n",
        part.doc,
        part.type_name()
    )
}

fn has_plain_default(part: &Part) -> bool {
    part.fields.iter().all(|field| field.absent == Absent::Nothing)
}

/// Whether a number with a fraction is in it, which may be unlike itself.
fn has_float(family: &Family, kind: &Type) -> bool {
    match kind {
        Type::Plain(name) => name == "f64",
        Type::Array(inner) => has_float(family, inner),
        Type::Struct(name) => {
            let mut parts = family.parts.iter();
            let inner = parts.find(|part| part.role == Role::Struct && part.name == *name);
            inner.is_some_and(|part| part.fields.iter().any(|field| has_float(family, &field.kind)))
        }
        Type::Uuid | Type::String | Type::Bytes => false,
    }
}

fn rust_type(field: &Field) -> String {
    let kind = kind_name(&field.kind);
    match field.nullable {
        true => format!("Option<{kind}>"),
        false => kind,
    }
}

fn kind_name(kind: &Type) -> String {
    match kind {
        Type::Plain(name) | Type::Struct(name) => name.clone(),
        Type::Uuid => "Uuid".to_owned(),
        Type::String => "String".to_owned(),
        Type::Bytes => "Bytes".to_owned(),
        Type::Array(inner) => format!("Vec<{}>", kind_name(inner)),
    }
}

/// Where a value of its own stands for an absent field, Rust cannot derive the default.
fn default_values(part: &Part) -> String {
    if has_plain_default(part) {
        return String::new();
    }
    let fields: String = part
        .fields
        .iter()
        .map(|field| format!("            {}: {},\n", field.name, absent(field)))
        .collect();
    format!(
        "impl Default for {} {{\n    fn default() -> Self {{\n        Self {{\n{fields}        }}\n    }}\n}}\n\n",
        part.type_name()
    )
}

fn absent(field: &Field) -> String {
    match &field.absent {
        Absent::Nothing => "Default::default()".to_owned(),
        Absent::Empty => "Some(Default::default())".to_owned(),
        Absent::Value(value) => value.clone(),
    }
}

/// The condition under which a version has the field; `None` where all have it.
fn condition(field: &Field) -> Option<String> {
    match (field.since, field.only) {
        (_, Some(only)) => Some(format!("version == {only}")),
        (Some(since), None) => Some(format!("version >= {since}")),
        (None, None) => None,
    }
}

/// The condition under which the field says what its absence would not.
fn says_something(field: &Field) -> String {
    let name = format!("self.{}", field.name);
    match (&field.absent, &field.kind) {
        (Absent::Empty, _) => format!("{name} != Some(Default::default())"),
        (Absent::Value(value), Type::Plain(kind)) if kind == "bool" => match value.as_str() {
            "true" => format!("!{name}"),
            _ => name,
        },
        (Absent::Value(value), _) => format!("{name} != {value}"),
        (Absent::Nothing, _) if field.nullable => format!("{name}.is_some()"),
        (Absent::Nothing, Type::Plain(kind)) => match kind.as_str() {
            "bool" => name,
            "f64" => format!("{name} != 0.0"),
            _ => format!("{name} != 0"),
        },
        (Absent::Nothing, Type::Uuid) => format!("!{name}.is_nil()"),
        (Absent::Nothing, Type::Struct(_)) => format!("{name} != Default::default()"),
        (Absent::Nothing, Type::String | Type::Bytes | Type::Array(_)) => format!("!{name}.is_empty()"),
    }
}

/// In the fields behind the others, a struct that may be null is marked in its own way.
fn is_marked_struct(field: &Field) -> bool {
    field.tag.is_some() && field.nullable && matches!(field.kind, Type::Struct(_))
}

fn tagged(part: &Part) -> Vec<(u32, &Field)> {
    let mut fields: Vec<(u32, &Field)> = part
        .fields
        .iter()
        .filter_map(|field| Some((field.tag?, field)))
        .collect();
    fields.sort_by_key(|(tag, _)| *tag);
    fields
}

fn codec(part: &Part) -> String {
    let name = part.type_name();
    let nullable = match part.role {
        Role::Struct => format!("impl NullableStruct for {name} {{}}\n\n"),
        _ => String::new(),
    };
    format!(
        "impl Field for {name} {{\n{}\n{}}}\n\n{nullable}",
        reading(part),
        writing(part)
    )
}

fn reading(part: &Part) -> String {
    let plain = part.fields.iter().filter(|field| field.tag.is_none());
    let version = match plain.clone().any(|field| condition(field).is_some()) {
        true => "        let version = input.version();\n",
        false => "",
    };
    let fields: String = part
        .fields
        .iter()
        .map(|field| {
            let read = match (field.tag, condition(field)) {
                (Some(_), _) => absent(field),
                (None, None) => "Field::read(input)?".to_owned(),
                (None, Some(condition)) => {
                    format!(
                        "if {condition} {{ Field::read(input)? }} else {{ {} }}",
                        absent(field)
                    )
                }
            };
            format!("            {}: {read},\n", field.name)
        })
        .collect();
    let tagged = tagged(part);
    let (mutable, tags) = match tagged.is_empty() {
        true => ("", "        input.skip_tagged()?;\n".to_owned()),
        false => ("mut ", reading_tagged(&tagged)),
    };
    format!(
        "    fn read(input: &mut Reader<'_>) -> Result<Self> {{\n{version}        let {mutable}it = Self {{\n{fields}        \
         }};\n{tags}        Ok(it)\n    }}\n"
    )
}

fn reading_tagged(tagged: &[(u32, &Field)]) -> String {
    let arms: String = tagged
        .iter()
        .map(|(tag, field)| {
            let condition = condition(field)
                .map(|condition| format!(" if {}", condition.replace("version", "input.version()")));
            let read = match is_marked_struct(field) {
                true => "input.marked()?",
                false => "Field::read(input)?",
            };
            format!(
                "                {tag}{} => it.{} = {read},\n",
                condition.unwrap_or_default(),
                field.name
            )
        })
        .collect();
    format!(
        "        input.tagged(|tag, input| {{\n            match tag {{\n{arms}                _ => return Ok(false),\n            \
         }}\n            Ok(true)\n        }})?;\n"
    )
}

fn writing(part: &Part) -> String {
    let version = match part.fields.iter().any(|field| condition(field).is_some()) {
        true => "        let version = out.version();\n",
        false => "",
    };
    let mut body = String::new();
    for field in part.fields.iter().filter(|field| field.tag.is_none()) {
        let put = format!("self.{}.write(out);", field.name);
        body += &match condition(field) {
            None => format!("        {put}\n"),
            Some(condition) => format!("        if {condition} {{ {put} }}{}\n", otherwise(field)),
        };
    }
    let tagged = tagged(part);
    if tagged.is_empty() {
        body += "        out.no_tags();\n";
    } else {
        body += "        let mut tags = out.tags();\n";
        for (tag, field) in &tagged {
            let put = match is_marked_struct(field) {
                true => format!("tags.put_marked({tag}, &self.{});", field.name),
                false => format!("tags.put({tag}, &self.{});", field.name),
            };
            let says = says_something(field);
            body += &match condition(field) {
                None => format!("        if {says} {{ {put} }}\n"),
                Some(condition) => {
                    let otherwise = match field.ignorable {
                        true => String::new(),
                        false => format!(" else if {says} {{ tags.lacks({:?}); }}", field.name),
                    };
                    format!("        if {says} && {condition} {{ {put} }}{otherwise}\n")
                }
            };
        }
        body += "        out.put_tags(tags);\n";
    }
    format!("    fn write(&self, out: &mut Writer) {{\n{version}{body}    }}\n")
}

/// What becomes of a field between the others in a version that lacks it.
fn otherwise(field: &Field) -> String {
    match field.ignorable {
        true => String::new(),
        false => format!(
            " else if {} {{ out.lacks({:?}); }}",
            says_something(field),
            field.name
        ),
    }
}

fn message(part: &Part) -> String {
    if part.role == Role::Struct {
        return String::new();
    }
    let name = part.type_name();
    let flexible = part
        .flexible
        .map_or("i16::MAX".to_owned(), |first| first.to_string());
    format!(
        "impl Message for {name} {{\n    const NAME: &'static str = {name:?};\n    const VERSIONS: RangeInclusive<i16> = \
         {}..={};\n    const FLEXIBLE_SINCE: i16 = {flexible};\n}}\n\n",
        part.versions.0, part.versions.1
    )
}

/// One arm for each record, key or pair.
fn arms(parts: &[(i16, &Part)], arm: impl Fn(i16, &Part) -> String) -> String {
    parts.iter().map(|(kind, part)| arm(*kind, part)).collect()
}

fn framed_record(family: &Family) -> String {
    let records: Vec<(i16, &Part)> = kinds(family);
    let enum_name = &family.record;
    let variants = arms(&records, |_, part| {
        format!("    /// {}\n    {}({}),\n", part.doc, part.name, part.type_name())
    });
    let write = arms(&records, |_, part| {
        format!(
            "            Self::{}(record) => write_framed(Self::kind(self), version, record),\n",
            part.name
        )
    });
    let read = arms(&records, |kind, part| {
        format!("            {kind} => Self::{}(frame.body()?),\n", part.name)
    });
    format!(
        "/// A record of the log.\n#[derive(Debug, Clone, PartialEq)]\npub enum {enum_name} {{\n{variants}}}\n\nimpl \
         {enum_name} {{\n{}\n{}\n    /// The record's value in the log, in that version.\n    ///\n    /// # Errors\n    /// \
         [`RecordError`], when the version cannot hold it.\n    pub fn encode(&self, version: i16) -> Result<Bytes> {{\n        \
         match self {{\n{write}        }}\n    }}\n\n    /// Reads a record's value, and tells its version.\n    ///\n    /// # \
         Errors\n    /// [`RecordError`] names what is not known.\n    pub fn decode(value: &[u8]) -> Result<(Self, i16)> {{\n        \
         let frame = Frame::read(value)?;\n        let record = match frame.kind {{\n{read}            _ => return \
         Err(frame.unknown()),\n        }};\n        Ok((record, frame.version))\n    }}\n}}\n",
        all_kinds(&records),
        names(&records, "Record"),
    )
}

fn keyed_record(family: &Family) -> String {
    let keys: Vec<(i16, &Part)> = kinds(family);
    let enum_name = &family.record;
    let variants = arms(&keys, |_, part| {
        format!(
            "    /// {}\n    {name}({name}Key, Option<{name}Value>),\n",
            part.doc,
            name = part.name
        )
    });
    let write = arms(&keys, |_, part| {
        format!(
            "            Self::{}(key, value) => write_keyed(Self::kind(self), key, version, value.as_ref()),\n",
            part.name
        )
    });
    let read = arms(&keys, |kind, part| {
        format!(
            "            {kind} => Self::{}(pair.key()?, pair.value()?),\n",
            part.name
        )
    });
    format!(
        "/// A record of the log: a key, and a value unless it is a tombstone.\n#[derive(Debug, Clone, PartialEq)]\npub enum \
         {enum_name} {{\n{variants}}}\n\nimpl {enum_name} {{\n{}\n{}\n    /// Key and value in the log, the value in that \
         version.\n    ///\n    /// # Errors\n    /// [`RecordError`], when the version cannot hold it.\n    pub fn \
         encode(&self, version: i16) -> Result<KeyAndValue> {{\n        match self {{\n{write}        }}\n    }}\n\n    /// Reads \
         key and value.\n    ///\n    /// # Errors\n    /// [`RecordError`] names what is not known.\n    pub fn decode(key: \
         &[u8], value: Option<&[u8]>) -> Result<Self> {{\n        let pair = Pair::read(key, value)?;\n        \
         Ok(match pair.kind {{\n{read}            _ => return Err(pair.unknown()),\n        }})\n    }}\n}}\n",
        all_kinds(&keys),
        names(&keys, "Key"),
    )
}

fn kinds(family: &Family) -> Vec<(i16, &Part)> {
    let kind_of = |part: &Part| match part.role {
        Role::Record(kind) | Role::Key(kind) => Some(kind),
        Role::Value | Role::Struct => None,
    };
    family
        .parts
        .iter()
        .filter_map(|part| Some((kind_of(part)?, part)))
        .collect()
}

fn all_kinds(records: &[(i16, &Part)]) -> String {
    let kinds = arms(records, |kind, part| {
        format!("            Self::{}(..) => {kind},\n", part.name)
    });
    format!(
        "    /// The number of its type.\n    pub fn kind(&self) -> i16 {{\n        match self {{\n{kinds}        }}\n    }}\n"
    )
}

fn names(records: &[(i16, &Part)], ending: &str) -> String {
    let names = arms(records, |_, part| {
        format!(
            "            Self::{}(..) => \"{}{ending}\",\n",
            part.name, part.name
        )
    });
    format!(
        "    /// Kafka's name for it.\n    pub fn name(&self) -> &'static str {{\n        match self {{\n{names}        }}\n    \
         }}\n"
    )
}
