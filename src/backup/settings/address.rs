//! Where files lie: a folder or a bucket, as `files:` and the command line name it.

use std::path::{Path, PathBuf};

use super::Access;

/// A folder or a place in a bucket, and which of its files are meant.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Files {
    /// Where they lie; folders below it are not searched.
    pub root: Root,
    /// A file name in which `*` and `?` match.
    pub pattern: String,
}

/// What files lie in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Root {
    /// A folder of this machine.
    Folder(PathBuf),
    /// A place in a bucket.
    Bucket(Address),
}

impl Default for Root {
    fn default() -> Self {
        Root::Folder(PathBuf::new())
    }
}

/// A place in an object store.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Address {
    /// Which protocol it speaks.
    pub provider: Provider,
    /// The bucket, or Azure's container.
    pub bucket: String,
    /// The folders in it, with `/` between them and none at the end; empty for the bucket itself.
    pub prefix: String,
    /// How it is reached.
    pub access: Access,
}

/// The protocols of object stores.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Provider {
    /// Amazon S3, and the many that speak as it does.
    S3,
    /// Google Cloud Storage.
    Google,
    /// Azure Blob Storage.
    Azure,
}

/// What stands before `://`, and what it means.
const SCHEMES: [(&str, Provider); 6] = [
    ("s3", Provider::S3),
    ("gs", Provider::Google),
    ("az", Provider::Azure),
    ("azure", Provider::Azure),
    ("abfs", Provider::Azure),
    ("abfss", Provider::Azure),
];

impl Address {
    /// As a person writes it, without secrets.
    pub fn title(&self) -> String {
        let scheme = match self.provider {
            Provider::S3 => "s3",
            Provider::Google => "gs",
            Provider::Azure => "az",
        };
        let slash = if self.prefix.is_empty() { "" } else { "/" };
        format!("{scheme}://{}{slash}{}", self.bucket, self.prefix)
    }

    /// The bucket or container alone, and the path in it.
    fn read(scheme: &str, rest: &str) -> Result<(Address, String), String> {
        let Some((_, provider)) = SCHEMES.iter().find(|(name, _)| *name == scheme) else {
            return Err(format!(
                "`{scheme}://` is not supported; name a local folder, `s3://`, `gs://` or `az://`"
            ));
        };
        let (place, path) = rest.split_once('/').unwrap_or((rest, ""));
        let mut access = Access::default();
        // `abfss://CONTAINER@ACCOUNT.dfs.core.windows.net/PATH`, as Hadoop writes it.
        let bucket = match place.split_once('@') {
            Some((container, host)) if *provider == Provider::Azure => {
                access.account = host.split('.').next().map(str::to_owned);
                container
            }
            _ => place,
        };
        let is_name = |c: char| c.is_ascii_alphanumeric() || "-_.".contains(c);
        if bucket.is_empty() || !bucket.chars().all(is_name) {
            // What is written there may be a key and its secret.
            return Err(format!(
                "`{scheme}://` is not followed by the name of a bucket; keys belong into `storage`"
            ));
        }
        let address = Address {
            provider: *provider,
            bucket: bucket.into(),
            prefix: String::new(),
            access,
        };
        Ok((address, path.trim_matches('/').into()))
    }
}

impl Files {
    /// A folder or an address of a bucket, perhaps with a pattern as its last part.
    ///
    /// # Errors
    /// Words for the user.
    pub fn read(text: &str) -> Result<Files, String> {
        match text.split_once("://") {
            Some((scheme, rest)) => in_bucket(text, scheme, rest),
            None => in_folder(text),
        }
    }

    /// The same, reached in this way where it is a bucket.
    pub(super) fn reached(mut self, access: &Access) -> Files {
        if let Root::Bucket(address) = &mut self.root {
            address.access = access.clone().or(&address.access);
        }
        self
    }
}

fn matches(text: &str) -> bool {
    text.contains(['*', '?'])
}

fn misplaced(text: &str) -> String {
    format!("`{text}`: `*` and `?` match in the file name only")
}

fn in_bucket(text: &str, scheme: &str, rest: &str) -> Result<Files, String> {
    let (mut address, path) = Address::read(scheme, rest)?;
    let (folder, last) = path.rsplit_once('/').unwrap_or(("", &path));
    if matches(folder) {
        return Err(misplaced(text));
    }
    let is_pattern = matches(last);
    address.prefix = if is_pattern { folder } else { &path }.into();
    Ok(Files {
        pattern: if is_pattern { last } else { "*" }.into(),
        root: Root::Bucket(address),
    })
}

fn in_folder(text: &str) -> Result<Files, String> {
    let path = Path::new(text);
    let folder = match path.parent() {
        Some(parent) if matches(&parent.to_string_lossy()) => return Err(misplaced(text)),
        Some(parent) if parent.as_os_str().is_empty() => Path::new("."),
        Some(parent) => parent,
        None => path,
    };
    let (folder, pattern) = match path.file_name().and_then(|last| last.to_str()) {
        Some(last) if matches(last) => (folder, last),
        _ => (path, "*"),
    };
    Ok(Files {
        root: Root::Folder(folder.into()),
        pattern: pattern.into(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &str) -> String {
        match Files::read(text) {
            Ok(Files { root, pattern }) => match root {
                Root::Folder(folder) => format!("{} {pattern}", folder.display()),
                Root::Bucket(address) => {
                    let account = address.access.account.clone().unwrap_or_default();
                    format!("{} {pattern} {account}", address.title())
                        .trim_end()
                        .into()
                }
            },
            Err(words) => words,
        }
    }

    #[test]
    fn a_place_and_a_pattern() {
        let cases = [
            ("/b/rachel_*.sql.gz", "/b rachel_*.sql.gz"),
            ("/b/daily", "/b/daily *"),
            ("/b/daily/", "/b/daily/ *"),
            ("dump-?.gz", ". dump-?.gz"),
            ("/", "/ *"),
            ("s3://b/daily/rachel_*.gz", "s3://b/daily rachel_*.gz"),
            ("s3://b/daily/", "s3://b/daily *"),
            ("s3://b", "s3://b *"),
            ("s3://b/*.gz", "s3://b *.gz"),
            ("gs://b/x/y", "gs://b/x/y *"),
            ("az://c/x/*", "az://c/x *"),
            ("abfss://c@acc.dfs.core.windows.net/x/*", "az://c/x * acc"),
        ];
        for (text, expected) in cases {
            assert_eq!(check(text), expected, "{text}");
        }
    }

    #[test]
    fn what_is_no_place_is_told_without_secrets() {
        let cases = [
            ("ftp://b/x", "`ftp://` is not supported"),
            ("s3:///x", "`s3://` is not followed by the name of a bucket"),
            (
                "s3://AKIA:hunter2@b/x",
                "`s3://` is not followed by the name of a bucket",
            ),
            ("s3://b/*/x", "`s3://b/*/x`: `*` and `?` match in"),
            ("/*/x", "`/*/x`: `*` and `?` match in the file name only"),
        ];
        for (text, start) in cases {
            let said = check(text);
            assert!(said.starts_with(start), "{text}: {said}");
            assert!(!said.contains("hunter2"), "{said}");
        }
    }
}
