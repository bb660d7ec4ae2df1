//! What Java's deserializers make of bytes, as their values print.

/// A class of `org.apache.kafka.common.serialization`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Deserializer {
    /// Bytes as they are. Java would print the array's address.
    ByteArray,
    /// UTF-8.
    String,
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
    Uuid,
    /// Bytes, those that are not printable as `\xHH`.
    Bytes,
    /// Bytes, of which only the count is printed.
    ByteBuffer,
}

impl Deserializer {
    /// The class of that name.
    pub fn named(class: &str) -> Option<Self> {
        let simple = class
            .strip_prefix("org.apache.kafka.common.serialization.")?
            .strip_suffix("Deserializer")?;
        Some(match simple {
            "ByteArray" => Deserializer::ByteArray,
            "String" => Deserializer::String,
            "Short" => Deserializer::Short,
            "Integer" => Deserializer::Integer,
            "Long" => Deserializer::Long,
            "Float" => Deserializer::Float,
            "Double" => Deserializer::Double,
            "Boolean" => Deserializer::Boolean,
            "UUID" => Deserializer::Uuid,
            "Bytes" => Deserializer::Bytes,
            "ByteBuffer" => Deserializer::ByteBuffer,
            _ => return None,
        })
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
            Deserializer::String => String::from_utf8_lossy(bytes).into_owned(),
            Deserializer::Short => {
                i16::from_be_bytes(sized(bytes, "ShortDeserializer is not 2")?).to_string()
            }
            Deserializer::Integer => {
                i32::from_be_bytes(sized(bytes, "IntegerDeserializer is not 4")?).to_string()
            }
            Deserializer::Long => i64::from_be_bytes(sized(bytes, "LongDeserializer is not 8")?).to_string(),
            Deserializer::Float => {
                let value = f32::from_be_bytes(sized(bytes, "Deserializer is not 4")?);
                float(
                    f64::from(value.abs()),
                    &format!("{value:?}"),
                    &format!("{value:E}"),
                )
            }
            Deserializer::Double => {
                let value = f64::from_be_bytes(sized(bytes, "Deserializer is not 8")?);
                float(value.abs(), &format!("{value:?}"), &format!("{value:E}"))
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
            Deserializer::Uuid => {
                let text = String::from_utf8_lossy(bytes);
                uuid::Uuid::parse_str(&text)
                    .map_err(|_| format!("Error parsing data into UUID: {text}"))?
                    .to_string()
            }
            Deserializer::Bytes => bytes.iter().map(|byte| printable(*byte)).collect(),
            Deserializer::ByteBuffer => {
                format!("java.nio.HeapByteBuffer[pos=0 lim={0} cap={0}]", bytes.len())
            }
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

fn printable(byte: u8) -> String {
    match byte {
        b' '..=b'~' if byte != b'\\' => char::from(byte).to_string(),
        _ => format!("\\x{byte:02X}"),
    }
}

/// A number of that size as Java's `toString` has it.
fn float(size: f64, plain: &str, scientific: &str) -> String {
    if size.is_nan() {
        return "NaN".to_owned();
    }
    if size.is_infinite() {
        let sign = if plain.starts_with('-') { "-" } else { "" };
        return format!("{sign}Infinity");
    }
    if size == 0.0 || (1e-3..1e7).contains(&size) {
        return plain.to_owned();
    }
    match scientific.split_once('E') {
        Some((digits, power)) if !digits.contains('.') => format!("{digits}.0E{power}"),
        _ => scientific.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(class: &str, bytes: &[u8]) -> Result<String, String> {
        let mut out = Vec::new();
        Deserializer::named(&format!(
            "org.apache.kafka.common.serialization.{class}Deserializer"
        ))
        .unwrap()
        .write(bytes, &mut out)?;
        Ok(String::from_utf8(out).unwrap())
    }

    #[test]
    fn bytes_print_as_java_prints_their_values() {
        assert_eq!(shown("Integer", b"null").unwrap(), "1853189228");
        assert_eq!(shown("Long", &(-5_i64).to_be_bytes()).unwrap(), "-5");
        assert_eq!(shown("Double", &1.5e10_f64.to_be_bytes()).unwrap(), "1.5E10");
        assert_eq!(shown("Float", &3.0_f32.to_be_bytes()).unwrap(), "3.0");
        assert_eq!(shown("Bytes", b"a\\\x01").unwrap(), "a\\x5C\\x01");
        assert_eq!(
            shown("Integer", b"v1").unwrap_err(),
            "Size of data received by IntegerDeserializer is not 4"
        );
    }
}
