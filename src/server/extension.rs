//! An extension as it is installed in a database.

use std::fmt;
use std::str::FromStr;

/// One installed extension.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Extension {
    /// Its version there, which may be older than the server offers.
    pub version: ExtensionVersion,
    /// The schema of its functions and views.
    pub schema: String,
}

/// A version such as `1.10`, in the order of its numbers.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Default)]
pub struct ExtensionVersion(Vec<u32>);

impl FromStr for ExtensionVersion {
    type Err = String;

    /// The numbers up to the first part that is none: `1.3-dev` counts as 1.
    fn from_str(text: &str) -> Result<Self, String> {
        let numbers = text.split('.').map_while(|part| part.parse().ok());
        match numbers.collect::<Vec<u32>>() {
            none if none.is_empty() => Err(format!("`{text}` is no version, such as 1.10")),
            numbers => Ok(ExtensionVersion(numbers)),
        }
    }
}

impl fmt::Display for ExtensionVersion {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let numbers: Vec<String> = self.0.iter().map(u32::to_string).collect();
        f.write_str(&numbers.join("."))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_are_ordered_by_their_numbers() {
        let version = |text: &str| text.parse::<ExtensionVersion>();
        assert!(version("1.9") < version("1.10"));
        assert!(version("1.10") < version("1.10.1"));
        assert_eq!(version("1.3-dev").unwrap().to_string(), "1");
        assert_eq!(
            version("next"),
            Err("`next` is no version, such as 1.10".into())
        );
    }
}
