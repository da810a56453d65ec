//! A setting that cannot be printed, and that is read again when its file changes.

use std::fmt;
use std::path::PathBuf;

/// A password, token or secret URL: written in the configuration or kept in a file.
#[derive(Clone, PartialEq, Eq)]
pub enum Secret {
    /// The value itself.
    Value(String),
    /// A file whose content, without the line end, is the value.
    File(PathBuf),
}

impl Secret {
    /// The value as it is now.
    ///
    /// # Errors
    /// The file cannot be read; the message names the file and the cause, never the content.
    pub fn reveal(&self) -> Result<String, String> {
        match self {
            Secret::Value(value) => Ok(value.clone()),
            Secret::File(path) => std::fs::read_to_string(path)
                .map(|text| text.trim_end_matches(['\r', '\n']).to_owned())
                .map_err(|error| format!("cannot read `{}`: {error}", path.display())),
        }
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Secret::Value(_) => f.write_str("<secret>"),
            Secret::File(path) => write!(f, "<secret in {}>", path.display()),
        }
    }
}

impl fmt::Display for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(self, f)
    }
}
