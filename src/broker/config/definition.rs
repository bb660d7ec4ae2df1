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
    List,
    /// Words out of these, separated by commas.
    ListOf(&'static [&'static str]),
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
    /// Checks a value.
    ///
    /// # Errors
    /// The text Kafka gives, with the name and the value.
    pub fn check(&self, value: &str) -> Result<(), String> {
        let (name, trimmed) = (self.name, value.trim());
        let invalid = |why: String| Err(format!("Invalid value {trimmed} for configuration {name}: {why}"));
        match self.kind {
            Kind::Boolean => match trimmed.to_ascii_lowercase().as_str() {
                "true" | "false" => Ok(()),
                _ => invalid("Expected value to be either true or false".to_owned()),
            },
            Kind::Int { min } => match trimmed.parse::<i32>() {
                Ok(number) if i64::from(number) >= min => Ok(()),
                Ok(_) => invalid(format!("Value must be at least {min}")),
                Err(_) => invalid("Not a number of type INT".to_owned()),
            },
            Kind::Long { min } => match trimmed.parse::<i64>() {
                Ok(number) if number >= min => Ok(()),
                Ok(_) => invalid(format!("Value must be at least {min}")),
                Err(_) => invalid("Not a number of type LONG".to_owned()),
            },
            Kind::Double { min, max } => match trimmed.parse::<f64>() {
                Ok(number) if number > max => invalid(format!("Value must be no more than {max:?}")),
                Ok(number) if number >= min => Ok(()),
                Ok(_) => invalid(format!("Value must be at least {min:?}")),
                Err(_) => invalid("Not a number of type DOUBLE".to_owned()),
            },
            Kind::OneOf(words) if !words.contains(&trimmed) => {
                invalid(format!("String must be one of: {}", words.join(", ")))
            }
            Kind::ListOf(words) => {
                let unknown = trimmed
                    .split(',')
                    .map(str::trim)
                    .find(|word| !words.contains(word));
                unknown.map_or(Ok(()), |_| {
                    invalid(format!("String must be one of: {}", words.join(", ")))
                })
            }
            Kind::OneOf(_) | Kind::String | Kind::List | Kind::Password => Ok(()),
        }
    }

    /// Number of the type in DescribeConfigs (KIP-569).
    pub fn type_code(&self) -> i8 {
        match self.kind {
            Kind::Boolean => 1,
            Kind::String | Kind::OneOf(_) => 2,
            Kind::Int { .. } => 3,
            Kind::Long { .. } => 5,
            Kind::Double { .. } => 6,
            Kind::List | Kind::ListOf(_) => 7,
            Kind::Password => 9,
        }
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
