//! What Java's deserializers make of bytes, as their values print.

use super::charset::Charset;
use crate::scripts::client_properties::Properties;

/// A class of `org.apache.kafka.common.serialization`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Deserializer {
    /// Bytes as they are. Java would print the array's address.
    ByteArray,
    /// Text.
    String(Charset),
    /// Two bytes.
    Short,
    /// Four bytes.
    Integer,
    /// Eight bytes.
    Long,
    /// Four bytes.
    Float,
    /// Eight bytes.
    Double,
    /// One byte, 0 or 1.
    Boolean,
    /// A UUID's text.
    Uuid(Charset),
    /// Bytes, those that are not printable as `\xHH`.
    Bytes,
    /// Bytes, of which only the count is printed.
    ByteBuffer,
    /// Nothing at all, not even the word for nothing.
    Void,
}

impl Deserializer {
    /// The class of that name, its text in `charset`.
    fn named(class: &str, charset: Charset) -> Option<Self> {
        let simple = class
            .strip_prefix("org.apache.kafka.common.serialization.")?
            .strip_suffix("Deserializer")?;
        Some(match simple {
            "ByteArray" => Deserializer::ByteArray,
            "String" => Deserializer::String(charset),
            "Short" => Deserializer::Short,
            "Integer" => Deserializer::Integer,
            "Long" => Deserializer::Long,
            "Float" => Deserializer::Float,
            "Double" => Deserializer::Double,
            "Boolean" => Deserializer::Boolean,
            "UUID" => Deserializer::Uuid(charset),
            "Bytes" => Deserializer::Bytes,
            "ByteBuffer" => Deserializer::ByteBuffer,
            "Void" => Deserializer::Void,
            _ => return None,
        })
    }

    /// The class that a property of the formatter names (`key.deserializer`, `value.deserializer`,
    /// `headers.deserializer`). What stands behind that name and a dot configures it: `key.deserializer.encoding` of
    /// the class, or `deserializer.encoding` of either, is the charset of its text. Of what cannot be had Kafka says so in
    /// its log, and shows the bytes as they are.
    pub fn configured(property: &str, properties: &Properties) -> Option<Self> {
        let class = properties.get(property)?;
        // To Java a header's value is a value.
        let own = if property.starts_with("key") {
            "key.deserializer.encoding"
        } else {
            "value.deserializer.encoding"
        };
        let encoding = [own, "deserializer.encoding"]
            .iter()
            .find_map(|name| properties.get(&format!("{property}.{name}")));
        let charset = encoding.map_or(Some(Charset::Utf8), |name| Charset::named(name));
        let found = Deserializer::named(class, charset.unwrap_or(Charset::Utf8));
        match (found, charset) {
            (Some(Deserializer::String(_) | Deserializer::Uuid(_)), None) => {
                let encoding = encoding.map_or("", String::as_str);
                eprintln!(
                    "Unable to instantiate a deserializer from {class}: unsupported encoding {encoding}"
                );
                None
            }
            (None, _) => {
                eprintln!("Unable to instantiate a deserializer from {class}");
                None
            }
            (found, _) => found,
        }
    }

    /// Appends what the bytes say.
    ///
    /// # Errors
    /// Java's words for bytes that do not fit.
    pub fn write(self, bytes: &[u8], out: &mut Vec<u8>) -> Result<(), String> {
        let text = match self {
            Deserializer::ByteArray => {
                out.extend_from_slice(bytes);
                return Ok(());
            }
            Deserializer::String(charset) => charset.decode(bytes),
            Deserializer::Short => {
                i16::from_be_bytes(sized(bytes, "ShortDeserializer is not 2")?).to_string()
            }
            Deserializer::Integer => {
                i32::from_be_bytes(sized(bytes, "IntegerDeserializer is not 4")?).to_string()
            }
            Deserializer::Long => i64::from_be_bytes(sized(bytes, "LongDeserializer is not 8")?).to_string(),
            Deserializer::Float => {
                let value = f32::from_be_bytes(sized(bytes, "Deserializer is not 4")?);
                let plain = format!("{value:?}");
                float(
                    f64::from(value.abs()),
                    plain,
                    format!("{value:E}"),
                    format!("{value:.1E}"),
                )
            }
            Deserializer::Double => {
                let value = f64::from_be_bytes(sized(bytes, "Deserializer is not 8")?);
                let plain = format!("{value:?}");
                float(value.abs(), plain, format!("{value:E}"), format!("{value:.1E}"))
            }
            Deserializer::Boolean => match sized::<1>(bytes, "BooleanDeserializer is not 1")? {
                [0] => "false".to_owned(),
                [1] => "true".to_owned(),
                [other] => {
                    return Err(format!(
                        "Unexpected byte received by BooleanDeserializer: {other}"
                    ));
                }
            },
            Deserializer::Uuid(charset) => {
                let text = charset.decode(bytes);
                uuid(&text)
                    .ok_or_else(|| format!("Error parsing data into UUID: {text}"))?
                    .to_string()
            }
            Deserializer::Bytes => bytes.iter().map(|byte| printable(*byte)).collect(),
            Deserializer::ByteBuffer => {
                format!("java.nio.HeapByteBuffer[pos=0 lim={0} cap={0}]", bytes.len())
            }
            Deserializer::Void => return Err("Data should be null for a VoidDeserializer.".to_owned()),
        };
        out.extend_from_slice(text.as_bytes());
        Ok(())
    }
}

fn sized<const N: usize>(bytes: &[u8], wrong: &str) -> Result<[u8; N], String> {
    bytes
        .try_into()
        .map_err(|_| format!("Size of data received by {wrong}"))
}

/// Five hexadecimal numbers, of as many digits as there are; of longer ones the end counts.
fn uuid(text: &str) -> Option<uuid::Uuid> {
    let numbers: Vec<i64> = text
        .split('-')
        .map(|part| i64::from_str_radix(part, 16).ok())
        .collect::<Option<_>>()?;
    let ([first, second, third, fourth, fifth], 0..=36) = (numbers.as_slice(), text.len()) else {
        return None;
    };
    let high = (first & 0xFFFF_FFFF) << 32 | (second & 0xFFFF) << 16 | third & 0xFFFF;
    let low = (fourth & 0xFFFF) << 48 | fifth & 0xFFFF_FFFF_FFFF;
    Some(uuid::Uuid::from_u64_pair(
        high.cast_unsigned(),
        low.cast_unsigned(),
    ))
}

fn printable(byte: u8) -> String {
    match byte {
        b' '..=b'~' if byte != b'\\' => char::from(byte).to_string(),
        _ => format!("\\x{byte:02X}"),
    }
}

/// A number of that size as Java's `toString` has it: with two digits at least, the second of `short` if need be.
fn float(size: f64, plain: String, scientific: String, short: String) -> String {
    if size.is_nan() {
        return "NaN".to_owned();
    }
    if size.is_infinite() {
        let sign = if plain.starts_with('-') { "-" } else { "" };
        return format!("{sign}Infinity");
    }
    if size == 0.0 || (1e-3..1e7).contains(&size) {
        return plain;
    }
    if scientific.contains('.') {
        scientific
    } else {
        short
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(class: &str, bytes: &[u8]) -> Result<String, String> {
        let mut out = Vec::new();
        let class = format!("org.apache.kafka.common.serialization.{class}Deserializer");
        Deserializer::named(&class, Charset::Utf8)
            .unwrap()
            .write(bytes, &mut out)?;
        Ok(String::from_utf8(out).unwrap())
    }

    #[test]
    fn bytes_print_as_java_prints_their_values() {
        assert_eq!(shown("Integer", b"null").unwrap(), "1853189228");
        assert_eq!(shown("Long", &(-5_i64).to_be_bytes()).unwrap(), "-5");
        assert_eq!(shown("Double", &1.5e10_f64.to_be_bytes()).unwrap(), "1.5E10");
        assert_eq!(shown("Double", &1e10_f64.to_be_bytes()).unwrap(), "1.0E10");
        assert_eq!(shown("Float", &1e-45_f32.to_be_bytes()).unwrap(), "1.4E-45");
        assert_eq!(shown("Float", &3.0_f32.to_be_bytes()).unwrap(), "3.0");
        assert_eq!(
            shown("UUID", b"1-2-3-4-5").unwrap(),
            "00000001-0002-0003-0004-000000000005"
        );
        assert!(shown("UUID", b"67e5504410b1426f9247bb680e5fe0c8").is_err());
        assert!(shown("Void", b"null").is_err());
        assert_eq!(shown("Bytes", b"a\\\x01").unwrap(), "a\\x5C\\x01");
        assert_eq!(
            shown("Integer", b"v1").unwrap_err(),
            "Size of data received by IntegerDeserializer is not 4"
        );
    }
}
