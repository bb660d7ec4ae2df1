//! What is known of a setting: its type, default, meaning.

/// Type of a setting, and the values it takes.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Kind {
    /// `true` or `false`.
    Boolean,
    /// A 32-bit number, from the least allowed on.
    Int {
        /// The least value.
        min: i64,
    },
    /// A 64-bit number, from the least allowed on.
    Long {
        /// The least value.
        min: i64,
    },
    /// A number with a fraction, between the two.
    Double {
        /// The least value.
        min: f64,
        /// The greatest value.
        max: f64,
    },
    /// Any text.
    String,
    /// One of these words.
    OneOf(&'static [&'static str]),
    /// Words separated by commas.
    List {
        /// Whether there may be none.
        may_be_empty: bool,
    },
    /// Words out of some, separated by commas.
    ListOf {
        /// Those.
        words: &'static [&'static str],
        /// Whether there may be none.
        may_be_empty: bool,
    },
    /// Text that is never shown.
    Password,
}

/// A setting.
#[derive(Debug, Clone, Copy)]
pub struct Definition {
    /// Kafka's name.
    pub name: &'static str,
    /// What values it takes.
    pub kind: Kind,
    /// Kafka's default; `None` is null.
    pub default: Option<&'static str>,
    /// What it does, in one sentence.
    pub doc: &'static str,
}

impl Definition {
    /// A value as Kafka reads and shows it: without the blanks around it and around the items of a list, `true` and `false`
    /// in small letters, numbers as Java writes them.
    ///
    /// # Errors
    /// The text Kafka gives, with the name and the value.
    pub fn canonical(&self, value: &str) -> Result<String, String> {
        let trimmed = trim(value);
        let invalid = |value: &str, why: &str| {
            Err(format!(
                "Invalid value {value} for configuration {}: {why}",
                self.name
            ))
        };
        match self.kind {
            Kind::Boolean => match trimmed.to_ascii_lowercase().as_str() {
                word @ ("true" | "false") => Ok(word.to_owned()),
                _ => invalid(value, "Expected value to be either true or false"),
            },
            Kind::Int { min } => match trimmed.parse::<i32>() {
                Ok(number) => self.at_least(min, i64::from(number)),
                Err(_) => invalid(value, "Not a number of type INT"),
            },
            Kind::Long { min } => match trimmed.parse::<i64>() {
                Ok(number) => self.at_least(min, number),
                Err(_) => invalid(value, "Not a number of type LONG"),
            },
            Kind::Double { min, max } => match double(trimmed) {
                Some(number) if number < min => {
                    invalid(&double_text(number), &format!("Value must be at least {min}"))
                }
                Some(number) if number > max => {
                    invalid(&double_text(number), &format!("Value must be no more than {max}"))
                }
                Some(number) => Ok(double_text(number)),
                None => invalid(value, "Not a number of type DOUBLE"),
            },
            Kind::OneOf(words) if !words.contains(&trimmed) => invalid(trimmed, &one_of(words)),
            Kind::OneOf(_) | Kind::String | Kind::Password => Ok(trimmed.to_owned()),
            Kind::List { may_be_empty } => self.list(trimmed, &[], may_be_empty),
            Kind::ListOf { words, may_be_empty } => self.list(trimmed, words, may_be_empty),
        }
    }

    fn at_least(&self, min: i64, number: i64) -> Result<String, String> {
        if number >= min {
            return Ok(number.to_string());
        }
        Err(format!(
            "Invalid value {number} for configuration {}: Value must be at least {min}",
            self.name
        ))
    }

    /// The items of a list, each once, out of `words` unless there are none.
    fn list(&self, text: &str, words: &[&str], may_be_empty: bool) -> Result<String, String> {
        let name = self.name;
        if text.is_empty() {
            return match (may_be_empty, words) {
                (true, _) => Ok(String::new()),
                (false, []) => Err(format!(
                    "Configuration '{name}' must not be empty. Valid values include: any non-empty value"
                )),
                (false, words) => Err(format!(
                    "Configuration '{name}' must not be empty. Valid values include: [{}]",
                    words.join(", ")
                )),
            };
        }
        let mut items: Vec<&str> = Vec::new();
        for item in text.split(',').map(trim) {
            if item.is_empty() {
                return Err(format!("Configuration '{name}' values must not be empty."));
            }
            if !words.is_empty() && !words.contains(&item) {
                return Err(format!(
                    "Invalid value {item} for configuration {name}: {}",
                    one_of(words)
                ));
            }
            if !items.contains(&item) {
                items.push(item);
            }
        }
        Ok(items.join(","))
    }

    /// Number of the type in DescribeConfigs (KIP-569).
    pub fn type_code(&self) -> i8 {
        match self.kind {
            Kind::Boolean => 1,
            Kind::String | Kind::OneOf(_) => 2,
            Kind::Int { .. } => 3,
            Kind::Long { .. } => 5,
            Kind::Double { .. } => 6,
            Kind::List { .. } | Kind::ListOf { .. } => 7,
            Kind::Password => 9,
        }
    }
}

/// What Java takes for the blanks around a text.
pub(super) fn trim(text: &str) -> &str {
    text.trim_matches(|letter| letter <= ' ')
}

fn one_of(words: &[&str]) -> String {
    format!("String must be one of: {}", words.join(", "))
}

/// A number as Java reads it: `NaN` and `Infinity` by these names alone, and a `d` or `f` may end it.
fn double(text: &str) -> Option<f64> {
    let number = text.strip_suffix(['d', 'D', 'f', 'F']).unwrap_or(text);
    let is_decimal = |letter: char| letter.is_ascii_digit() || ".+-eE".contains(letter);
    match number {
        "NaN" => Some(f64::NAN),
        "Infinity" | "+Infinity" => Some(f64::INFINITY),
        "-Infinity" => Some(f64::NEG_INFINITY),
        _ if number.chars().all(is_decimal) => number.parse().ok(),
        _ => None,
    }
}

/// A number as Java writes it: with an exponent below a thousandth and from ten million on.
fn double_text(number: f64) -> String {
    let size = number.abs();
    if number.is_infinite() {
        return format!("{number}").replace("inf", "Infinity");
    }
    if size == 0.0 || number.is_nan() || (1e-3..1e7).contains(&size) {
        return format!("{number:?}");
    }
    let text = format!("{number:e}");
    match text.split_once('e') {
        Some((digits, exponent)) if digits.contains('.') => format!("{digits}E{exponent}"),
        Some((digits, exponent)) => format!("{digits}.0E{exponent}"),
        None => text,
    }
}

/// A table of definitions: name, kind, default or `null`, meaning.
macro_rules! settings {
    ($($name:literal : $kind:expr, $default:tt, $doc:literal;)*) => {
        &[$(Definition { name: $name, kind: $kind, default: settings!(@ $default), doc: $doc },)*]
    };
    (@ null) => { None };
    (@ $default:literal) => { Some($default) };
}
pub(super) use settings;

#[cfg(test)]
mod tests {
    use super::*;

    fn told(kind: Kind, value: &str) -> Result<String, String> {
        let definition = Definition {
            name: "x",
            kind,
            default: None,
            doc: "",
        };
        definition.canonical(value)
    }

    #[test]
    fn numbers_are_written_as_java_writes_them() {
        let ratio = Kind::Double { min: 0.0, max: 1e300 };
        for (given, shown) in [
            ("1", "1.0"),
            (" .25 ", "0.25"),
            ("0.5d", "0.5"),
            ("1e-1", "0.1"),
            ("0.001", "0.001"),
            ("0.0001", "1.0E-4"),
            ("0.00012", "1.2E-4"),
            ("1e-9", "1.0E-9"),
            ("12345678", "1.2345678E7"),
            ("0.1234567890123456789", "0.12345678901234568"),
            ("NaN", "NaN"),
        ] {
            assert_eq!(told(ratio, given).as_deref(), Ok(shown), "{given}");
        }
        for given in ["inf", "nan", "x", "", "1,5", "infinity"] {
            let refused = format!("Invalid value {given} for configuration x: Not a number of type DOUBLE");
            assert_eq!(told(ratio, given), Err(refused));
        }
        assert_eq!(told(Kind::Long { min: 0 }, " +007 ").as_deref(), Ok("7"));
        assert_eq!(told(Kind::Int { min: 0 }, "-0").as_deref(), Ok("0"));
    }
}
