//! How fields stand in bytes: what the generated code is built on.
//!
//! In flexible versions (KIP-482) lengths are compact (one more than what they count, 0 for null), and fields with tags
//! follow the others.

use bytes::{BufMut, Bytes, BytesMut};
use std::ops::RangeInclusive;
use uuid::Uuid;

/// Why a record cannot be read or written.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum RecordError {
    /// A kind of record that Apache Kafka 4.4 does not have.
    #[error("a record of type {0}")]
    UnknownType(u32),
    /// A version that Apache Kafka 4.4 does not have.
    #[error("{name} in version {version} (the newest that is known here is {newest})")]
    UnknownVersion {
        /// Kafka's name for it.
        name: &'static str,
        /// Its version.
        version: i32,
        /// The newest that is known.
        newest: i16,
    },
    /// A field that the version does not have.
    #[error("{name} in version {version} with a field that is not known here (tag {tag})")]
    UnknownField {
        /// Kafka's name for the record.
        name: &'static str,
        /// Its version.
        version: i16,
        /// Number of the field.
        tag: u32,
    },
    /// Bytes that do not follow the layout.
    #[error("{name}: {problem}")]
    Malformed {
        /// Kafka's name for the record, or what stands around it.
        name: &'static str,
        /// What is wrong.
        problem: &'static str,
    },
    /// A value that the version to be written has no place for.
    #[error("{name} in version {version} cannot hold {field}")]
    CannotHold {
        /// Kafka's name for the record.
        name: &'static str,
        /// The version.
        version: i16,
        /// The field, or what is too long.
        field: &'static str,
    },
}

/// Result of reading or writing.
pub type Result<T> = std::result::Result<T, RecordError>;

/// A record, key or value as a whole.
pub trait Message: Field {
    /// Kafka's name for it.
    const NAME: &'static str;
    /// The versions that are known.
    const VERSIONS: RangeInclusive<i16>;
    /// First version with compact lengths and tagged fields.
    const FLEXIBLE_SINCE: i16;
}

/// What stands in bytes.
pub trait Field: Sized {
    /// Takes it off the front.
    fn read(input: &mut Reader<'_>) -> Result<Self>;
    /// Adds it.
    fn write(&self, out: &mut Writer);
}

/// What may be null.
pub trait Nullable: Field {
    /// Takes it off the front.
    fn read_nullable(input: &mut Reader<'_>) -> Result<Option<Self>>;
    /// Adds it.
    fn write_nullable(value: Option<&Self>, out: &mut Writer);
}

/// A struct, which may be null by a byte before it.
pub trait NullableStruct: Field {}

/// Bytes that are read.
#[derive(Debug)]
pub struct Reader<'a> {
    rest: &'a [u8],
    name: &'static str,
    version: i16,
    flexible: bool,
    /// The last field that nobody took.
    unknown_tag: Option<u32>,
}

impl<'a> Reader<'a> {
    /// Reads a message in `version`.
    pub fn new<T: Message>(version: i16, bytes: &'a [u8]) -> Result<Self> {
        check_version::<T>(version)?;
        Ok(Reader {
            rest: bytes,
            name: T::NAME,
            version,
            flexible: version >= T::FLEXIBLE_SINCE,
            unknown_tag: None,
        })
    }

    /// The version of the message.
    pub fn version(&self) -> i16 {
        self.version
    }

    /// What does not follow a layout, `name`, but stands around those that do.
    pub fn around(name: &'static str, bytes: &'a [u8]) -> Self {
        Reader {
            rest: bytes,
            name,
            version: 0,
            flexible: true,
            unknown_tag: None,
        }
    }

    /// What has not been read.
    pub fn rest(&self) -> &'a [u8] {
        self.rest
    }

    /// The last tagged field that nobody took.
    pub fn unknown_tag(&self) -> Option<u32> {
        self.unknown_tag
    }

    /// An error of the bytes that are read.
    pub fn malformed(&self, problem: &'static str) -> RecordError {
        RecordError::Malformed {
            name: self.name,
            problem,
        }
    }

    fn take(&mut self, count: usize) -> Result<&'a [u8]> {
        let (taken, rest) = self
            .rest
            .split_at_checked(count)
            .ok_or_else(|| self.malformed("it ends too early"))?;
        self.rest = rest;
        Ok(taken)
    }

    fn array<const N: usize>(&mut self) -> Result<[u8; N]> {
        let mut bytes = [0; N];
        bytes.copy_from_slice(self.take(N)?);
        Ok(bytes)
    }

    /// Takes an unsigned variable-length number.
    pub fn uvarint(&mut self) -> Result<u32> {
        let mut value = 0u32;
        for shift in [0, 7, 14, 21, 28] {
            let [byte] = self.array()?;
            value |= u32::from(byte & 0x7f) << shift;
            if byte & 0x80 == 0 {
                return Ok(value);
            }
        }
        Err(self.malformed("a number has no end"))
    }

    /// A length; `None` is null. Before flexible versions, `short` ones have two bytes and others four.
    fn length(&mut self, short: bool) -> Result<Option<usize>> {
        let length = match (self.flexible, short) {
            (true, _) => i64::from(self.uvarint()?) - 1,
            (false, true) => i64::from(i16::read(self)?),
            (false, false) => i64::from(i32::read(self)?),
        };
        match usize::try_from(length) {
            Ok(length) if length <= self.rest.len() => Ok(Some(length)),
            Ok(_) => Err(self.malformed("a length is greater than what follows")),
            Err(_) if length == -1 => Ok(None),
            Err(_) => Err(self.malformed("a length is negative")),
        }
    }

    /// Hands each tagged field to `take`, which tells whether it knows it.
    pub fn tagged(&mut self, mut take: impl FnMut(u32, &mut Self) -> Result<bool>) -> Result<()> {
        if !self.flexible {
            return Ok(());
        }
        for _ in 0..self.uvarint()? {
            let tag = self.uvarint()?;
            let size = self.uvarint()? as usize;
            let mut field = Reader {
                rest: self.take(size)?,
                ..*self
            };
            if !take(tag, &mut field)? {
                self.unknown_tag = Some(tag);
            } else if !field.rest.is_empty() {
                return Err(self.malformed("a tagged field is longer than what it says"));
            } else {
                self.unknown_tag = self.unknown_tag.or(field.unknown_tag);
            }
        }
        Ok(())
    }

    /// Takes the tagged fields where none is known.
    pub fn skip_tagged(&mut self) -> Result<()> {
        self.tagged(|_, _| Ok(false))
    }

    /// A struct in a tagged field that may be null: there, the mark is a number of its own.
    pub fn marked<T: NullableStruct>(&mut self) -> Result<Option<T>> {
        match self.uvarint()? {
            0 => Ok(None),
            _ => T::read(self).map(Some),
        }
    }
}

fn check_version<T: Message>(version: i16) -> Result<()> {
    if T::VERSIONS.contains(&version) {
        return Ok(());
    }
    Err(RecordError::UnknownVersion {
        name: T::NAME,
        version: version.into(),
        newest: *T::VERSIONS.end(),
    })
}

/// Bytes that are written. What goes wrong is remembered, and told at the end.
#[derive(Debug)]
pub struct Writer {
    out: BytesMut,
    name: &'static str,
    version: i16,
    flexible: bool,
    failed: Option<RecordError>,
}

impl Writer {
    /// Writes a message in `version` behind what `out` holds.
    pub fn message<T: Message>(out: BytesMut, version: i16, message: &T) -> Result<Bytes> {
        check_version::<T>(version)?;
        let mut writer = Writer {
            out,
            name: T::NAME,
            version,
            flexible: version >= T::FLEXIBLE_SINCE,
            failed: None,
        };
        message.write(&mut writer);
        match writer.failed {
            None => Ok(writer.out.freeze()),
            Some(error) => Err(error),
        }
    }

    /// The version of the message.
    pub fn version(&self) -> i16 {
        self.version
    }

    /// The version has no place for what the field says.
    pub fn lacks(&mut self, field: &'static str) {
        self.failed = Some(RecordError::CannotHold {
            name: self.name,
            version: self.version,
            field,
        });
    }

    fn uvarint(&mut self, number: u32) {
        put_uvarint(&mut self.out, number);
    }

    fn length(&mut self, length: Option<usize>, short: bool) {
        // Null is -1, and 0 in the compact form.
        let number = length.map_or(Ok(-1), i32::try_from);
        match (number, self.flexible, short) {
            (Ok(number), true, _) => self.uvarint(number.wrapping_add(1).cast_unsigned()),
            (Ok(number), false, false) => self.out.put_i32(number),
            (Ok(number), false, true) => match i16::try_from(number) {
                Ok(number) => self.out.put_i16(number),
                Err(_) => self.lacks("a text of more than 32767 bytes"),
            },
            (Err(_), _, _) => self.lacks("more than 2 GiB"),
        }
    }

    /// Begins the tagged fields, which come in the order of their numbers.
    pub fn tags(&self) -> Tags {
        Tags {
            count: 0,
            fields: Writer {
                out: BytesMut::new(),
                failed: None,
                ..*self
            },
        }
    }

    /// Ends the tagged fields.
    pub fn put_tags(&mut self, tags: Tags) {
        if self.flexible {
            self.uvarint(tags.count);
            self.out.put_slice(&tags.fields.out);
        }
        if tags.fields.failed.is_some() {
            self.failed = tags.fields.failed;
        }
    }

    /// No tagged fields.
    pub fn no_tags(&mut self) {
        self.put_tags(self.tags());
    }
}

/// Adds an unsigned variable-length number.
pub fn put_uvarint(out: &mut BytesMut, mut number: u32) {
    while number >= 0x80 {
        out.put_u8((number & 0x7f) as u8 | 0x80);
        number >>= 7;
    }
    out.put_u8(number as u8);
}

/// The tagged fields of a message.
#[derive(Debug)]
pub struct Tags {
    count: u32,
    fields: Writer,
}

impl Tags {
    /// Adds one.
    pub fn put<T: Field>(&mut self, tag: u32, field: &T) {
        self.put_content(tag, |out| field.write(out));
    }

    /// Adds a struct that may be null.
    pub fn put_marked<T: NullableStruct>(&mut self, tag: u32, field: &Option<T>) {
        self.put_content(tag, |out| {
            out.uvarint(field.is_some().into());
            if let Some(field) = field {
                field.write(out);
            }
        });
    }

    fn put_content(&mut self, tag: u32, put: impl FnOnce(&mut Writer)) {
        let mut content = Writer {
            out: BytesMut::new(),
            failed: None,
            ..self.fields
        };
        put(&mut content);
        self.count += 1;
        self.fields.uvarint(tag);
        match u32::try_from(content.out.len()) {
            Ok(length) => self.fields.uvarint(length),
            Err(_) => self.fields.lacks("more than 4 GiB"),
        }
        self.fields.out.put_slice(&content.out);
        if content.failed.is_some() {
            self.fields.failed = content.failed;
        }
    }

    /// The version has no place for what the field says.
    pub fn lacks(&mut self, field: &'static str) {
        self.fields.lacks(field);
    }
}

macro_rules! numbers {
    ($($number:ty),*) => {$(
        impl Field for $number {
            fn read(input: &mut Reader<'_>) -> Result<Self> {
                Ok(<$number>::from_be_bytes(input.array()?))
            }

            fn write(&self, out: &mut Writer) {
                out.out.put_slice(&self.to_be_bytes());
            }
        }
    )*};
}

numbers!(i8, i16, u16, i32, i64, f64);

impl Field for bool {
    fn read(input: &mut Reader<'_>) -> Result<Self> {
        Ok(i8::read(input)? != 0)
    }

    fn write(&self, out: &mut Writer) {
        out.out.put_u8((*self).into());
    }
}

impl Field for Uuid {
    fn read(input: &mut Reader<'_>) -> Result<Self> {
        Ok(Uuid::from_bytes(input.array()?))
    }

    fn write(&self, out: &mut Writer) {
        out.out.put_slice(self.as_bytes());
    }
}

/// Fields for which null is told by their length.
macro_rules! never_null {
    () => {
        fn read(input: &mut Reader<'_>) -> Result<Self> {
            Self::read_nullable(input)?.ok_or_else(|| input.malformed("a field is null that must not be"))
        }

        fn write(&self, out: &mut Writer) {
            Self::write_nullable(Some(self), out);
        }
    };
}

impl Field for String {
    never_null!();
}

impl Nullable for String {
    fn read_nullable(input: &mut Reader<'_>) -> Result<Option<Self>> {
        let Some(length) = input.length(true)? else {
            return Ok(None);
        };
        let text = std::str::from_utf8(input.take(length)?);
        let text = text.map_err(|_| input.malformed("a text is not UTF-8"))?;
        Ok(Some(text.to_owned()))
    }

    fn write_nullable(value: Option<&Self>, out: &mut Writer) {
        out.length(value.map(String::len), true);
        out.out.put_slice(value.map_or(&[], |text| text.as_bytes()));
    }
}

impl Field for Bytes {
    never_null!();
}

impl Nullable for Bytes {
    /// A copy, so that one field does not keep all that it was read with.
    fn read_nullable(input: &mut Reader<'_>) -> Result<Option<Self>> {
        let length = input.length(false)?;
        length
            .map(|length| input.take(length).map(Bytes::copy_from_slice))
            .transpose()
    }

    fn write_nullable(value: Option<&Self>, out: &mut Writer) {
        out.length(value.map(Bytes::len), false);
        out.out.put_slice(value.map_or(&[], |bytes| bytes));
    }
}

impl<T: Field> Field for Vec<T> {
    never_null!();
}

impl<T: Field> Nullable for Vec<T> {
    fn read_nullable(input: &mut Reader<'_>) -> Result<Option<Self>> {
        let Some(count) = input.length(false)? else {
            return Ok(None);
        };
        // No room is made by the count: it is the record's word alone.
        let mut items = Vec::new();
        for _ in 0..count {
            items.push(T::read(input)?);
        }
        Ok(Some(items))
    }

    fn write_nullable(value: Option<&Self>, out: &mut Writer) {
        out.length(value.map(Vec::len), false);
        for item in value.into_iter().flatten() {
            item.write(out);
        }
    }
}

impl<T: NullableStruct> Nullable for T {
    fn read_nullable(input: &mut Reader<'_>) -> Result<Option<Self>> {
        match i8::read(input)? {
            mark if mark < 0 => Ok(None),
            _ => T::read(input).map(Some),
        }
    }

    fn write_nullable(value: Option<&Self>, out: &mut Writer) {
        match value {
            None => out.out.put_i8(-1),
            Some(value) => {
                out.out.put_i8(1);
                value.write(out);
            }
        }
    }
}

impl<T: Nullable> Field for Option<T> {
    fn read(input: &mut Reader<'_>) -> Result<Self> {
        T::read_nullable(input)
    }

    fn write(&self, out: &mut Writer) {
        T::write_nullable(self.as_ref(), out);
    }
}
