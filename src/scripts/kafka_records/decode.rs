//! Bytes to JSON, by a layout.

use super::json;
use super::schema::{Field, Schema, Type};

/// Bytes that do not fit their layout, and why.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Malformed(String);

impl Malformed {
    pub(super) fn new(why: impl Into<String>) -> Self {
        Malformed(why.into())
    }
}

impl std::fmt::Display for Malformed {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0)
    }
}

type Result<T> = std::result::Result<T, Malformed>;

/// Gives the JSON of a `bytes` field that holds a message of its own; `None` leaves it as bytes.
pub(super) type Inner<'a> = &'a dyn Fn(&str, &[u8]) -> Option<String>;

/// The version that keys and values of coordinators' topics begin with.
pub fn leading_version(bytes: &[u8]) -> Result<(i16, &[u8])> {
    let mut input = Input { rest: bytes };
    Ok((input.i16()?, input.rest))
}

/// Kind and version that a record of the metadata log begins with, behind the version of its frame, and the rest.
pub fn metadata_frame(bytes: &[u8]) -> Result<(i16, i16, &[u8])> {
    let mut input = Input { rest: bytes };
    let frame = input
        .varint()
        .map_err(|_| Malformed::new("Error while reading frame version"))?;
    if frame != 1 {
        return Err(Malformed::new(format!(
            "Could not deserialize metadata record due to unknown frame version {frame}(only frame version 1 is \
             supported)"
        )));
    }
    let mut short = || {
        let number = input.varint()?;
        i16::try_from(number).map_err(|_| Malformed::new(format!("{number} is too large for a version")))
    };
    let (kind, version) = (short()?, short()?);
    Ok((kind, version, input.rest))
}

/// The JSON of a message that takes all of `bytes`.
pub fn to_json(schema: &Schema, version: i16, bytes: &[u8]) -> Result<String> {
    to_json_with(schema, version, bytes, &|_, _| None)
}

/// The same, where some fields hold messages of their own.
pub fn to_json_with(schema: &Schema, version: i16, bytes: &[u8], inner: Inner<'_>) -> Result<String> {
    let (json, rest) = decode(schema, version, bytes, inner)?;
    if rest.is_empty() {
        Ok(json)
    } else {
        Err(Malformed::new(format!(
            "Found {} byte(s) of garbage after {}",
            rest.len(),
            schema.name
        )))
    }
}

/// The JSON of a message that `bytes` begin with; what follows it is not looked at.
pub fn to_json_prefix(schema: &Schema, version: i16, bytes: &[u8]) -> Result<String> {
    Ok(decode(schema, version, bytes, &|_, _| None)?.0)
}

fn decode<'a>(
    schema: &Schema,
    version: i16,
    bytes: &'a [u8],
    inner: Inner<'_>,
) -> Result<(String, &'a [u8])> {
    if !schema.versions.contain(version) {
        return Err(Malformed::new(format!(
            "Can't read version {version} of {}",
            schema.name
        )));
    }
    let mut decoder = Decoder {
        input: Input { rest: bytes },
        version,
        flexible: schema.flexible.contain(version),
        inner,
    };
    let mut out = String::new();
    decoder.structure(&schema.fields, &mut out)?;
    Ok((out, decoder.input.rest))
}

struct Decoder<'a, 'b> {
    input: Input<'a>,
    version: i16,
    flexible: bool,
    inner: Inner<'b>,
}

impl Decoder<'_, '_> {
    /// Fields in their order; tagged ones come last on the wire, and only those unlike their default are shown.
    fn structure(&mut self, fields: &[Field], out: &mut String) -> Result<()> {
        let version = self.version;
        let shown = fields.iter().filter(|field| field.versions.contain(version));
        let shown: Vec<&Field> = shown.collect();
        let mut texts: Vec<Option<String>> = vec![None; shown.len()];
        for (field, text) in shown.iter().zip(&mut texts) {
            if tag_of(field, version).is_none() {
                *text = Some(self.field(field)?);
            }
        }
        if self.flexible {
            for _ in 0..self.input.varint()? {
                let tag = self.input.varint()?;
                let size = self.input.varint()?;
                let bytes = self.input.take(size as usize)?;
                let known = shown.iter().position(|field| tag_of(field, version) == Some(tag));
                if let Some((field, text)) = known.and_then(|at| Some((shown.get(at)?, texts.get_mut(at)?))) {
                    let rest = std::mem::replace(&mut self.input, Input { rest: bytes });
                    let json = self.field(field)?;
                    self.input = rest;
                    *text = (json != field.default).then_some(json);
                }
            }
        }
        let named = shown
            .iter()
            .zip(texts)
            .filter_map(|(field, text)| Some((field.name, text?)));
        let members: Vec<String> = named.map(|(name, text)| format!("\"{name}\":{text}")).collect();
        out.push_str(&format!("{{{}}}", members.join(",")));
        Ok(())
    }

    fn field(&mut self, field: &Field) -> Result<String> {
        let mut out = String::new();
        let nullable = field.nullable.contain(self.version);
        // A struct that may be null has a mark before it: -1 if it is, in a tagged field 0.
        let last_null = if tag_of(field, self.version).is_some() {
            0
        } else {
            -1
        };
        if field.is_array {
            match self.length(true)? {
                Some(count) => self.array(field, count, &mut out)?,
                None => out.push_str("null"),
            }
        } else if field.kind == Type::Struct && nullable && self.input.i8()? <= last_null {
            out.push_str("null");
        } else {
            self.value(field, &mut out)?;
        }
        Ok(out)
    }

    fn array(&mut self, field: &Field, count: usize, out: &mut String) -> Result<()> {
        out.push('[');
        for at in 0..count {
            if at > 0 {
                out.push(',');
            }
            self.value(field, out)?;
        }
        out.push(']');
        Ok(())
    }

    fn value(&mut self, field: &Field, out: &mut String) -> Result<()> {
        match field.kind {
            Type::Bool => out.push_str(if self.input.i8()? != 0 { "true" } else { "false" }),
            Type::Int8 => number_or_name(self.input.i8()?, field, out),
            Type::Int16 => out.push_str(&self.input.i16()?.to_string()),
            Type::Uint16 => out.push_str(&u16::from_be_bytes(self.input.array()?).to_string()),
            Type::Int32 => out.push_str(&i32::from_be_bytes(self.input.array()?).to_string()),
            Type::Int64 => out.push_str(&i64::from_be_bytes(self.input.array()?).to_string()),
            Type::Float64 => json::float(f64::from_be_bytes(self.input.array()?), out),
            Type::Uuid => json::uuid(self.input.take(16)?, out),
            Type::Struct => self.structure(&field.fields, out)?,
            Type::String => match self.length(false)? {
                None => out.push_str("null"),
                Some(length) => json::string(&String::from_utf8_lossy(self.input.take(length)?), out),
            },
            Type::Bytes => match self.length(true)? {
                None => out.push_str("null"),
                Some(length) => {
                    let bytes = self.input.take(length)?;
                    match (self.inner)(field.name, bytes) {
                        Some(text) => out.push_str(&text),
                        None => json::bytes(bytes, out),
                    }
                }
            },
        }
        Ok(())
    }

    /// A length; `None` is null. Strings have two bytes for it before flexible versions, all others four.
    fn length(&mut self, long: bool) -> Result<Option<usize>> {
        let length = match (self.flexible, long) {
            (true, _) => i64::from(self.input.varint()?) - 1,
            (false, true) => i64::from(i32::from_be_bytes(self.input.array()?)),
            (false, false) => i64::from(self.input.i16()?),
        };
        Ok(usize::try_from(length).ok())
    }
}

/// A small number, or what it is called, which Kafka's tools always quote.
fn number_or_name(number: i8, field: &Field, out: &mut String) {
    let Some(names) = &field.names else {
        return out.push_str(&number.to_string());
    };
    let name = usize::try_from(number).ok().and_then(|at| names.get(at));
    json::string(&name.map_or_else(|| number.to_string(), ToString::to_string), out);
}

fn tag_of(field: &Field, version: i16) -> Option<u32> {
    let (tag, versions) = field.tag?;
    versions.contain(version).then_some(tag)
}

/// Bytes being read.
#[derive(Debug)]
struct Input<'a> {
    rest: &'a [u8],
}

impl<'a> Input<'a> {
    fn take(&mut self, count: usize) -> Result<&'a [u8]> {
        let (taken, rest) = self.rest.split_at_checked(count).ok_or_else(|| {
            Malformed::new(format!(
                "Error reading {count} bytes: only {} are there",
                self.rest.len()
            ))
        })?;
        self.rest = rest;
        Ok(taken)
    }

    fn array<const N: usize>(&mut self) -> Result<[u8; N]> {
        let mut bytes = [0; N];
        bytes.copy_from_slice(self.take(N)?);
        Ok(bytes)
    }

    fn i8(&mut self) -> Result<i8> {
        Ok(i8::from_be_bytes(self.array()?))
    }

    fn i16(&mut self) -> Result<i16> {
        Ok(i16::from_be_bytes(self.array()?))
    }

    fn varint(&mut self) -> Result<u32> {
        let mut value = 0u32;
        for shift in (0..35).step_by(7) {
            let [byte] = self.array()?;
            value |= u32::from(byte & 0x7f).checked_shl(shift).unwrap_or(0);
            if byte & 0x80 == 0 {
                return Ok(value);
            }
        }
        Err(Malformed::new("Varint is too long"))
    }
}
