//! A page of a listing, as S3 (and Google through the same protocol) and Azure write it. Names are taken as they are.

mod azure;

use serde::Deserialize;

use crate::backup::sighting::Storage;
use crate::sample::Timestamp;

/// A page of a listing.
#[derive(Debug, Clone, PartialEq, Default)]
pub(super) struct Page {
    pub(super) objects: Vec<Object>,
    /// The folders, with the slash at their end, where they were asked for.
    pub(super) folders: Vec<String>,
    /// What asks for the next page.
    pub(super) next: Option<String>,
}

/// An object, as a listing shows it.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Object {
    /// Its whole name.
    pub(super) key: String,
    pub(super) bytes: u64,
    pub(super) modified: Timestamp,
    /// The ETag, without quotes.
    pub(super) version: Option<String>,
    pub(super) storage: Storage,
}

/// Reads a page.
///
/// # Errors
/// What it is instead, in words.
pub(super) fn read(text: &str) -> Result<Page, String> {
    match root(text) {
        "ListBucketResult" => quick_xml::de::from_str::<Bucket>(text)
            .map_err(|error| damaged(&error))
            .and_then(|bucket| {
                // A page that says that there are more and not how to ask for them would end too early.
                if bucket.is_truncated && bucket.next.is_none() {
                    return Err("a listing without its end".into());
                }
                bucket.page()
            }),
        "EnumerationResults" => quick_xml::de::from_str::<azure::Container>(text)
            .map_err(|error| damaged(&error))
            .and_then(azure::Container::page),
        "" => Err("something that is no XML".into()),
        other => Err(format!("a `{other}`")),
    }
}

/// The code, the message and the region of an error.
pub(super) fn error(text: &str) -> (String, String, String) {
    let read: Option<Fault> = quick_xml::de::from_str(text).ok();
    let fault = read.filter(|_| root(text) == "Error").unwrap_or_default();
    (
        plain(&fault.code, 60),
        plain(&fault.message, 200),
        plain(&fault.region, 40),
    )
}

/// What a stranger says, short and on one line.
pub(super) fn plain(text: &str, limit: usize) -> String {
    let fit = |c: &char| !c.is_control() && *c != '`';
    text.lines()
        .next()
        .unwrap_or_default()
        .chars()
        .filter(fit)
        .take(limit)
        .collect()
}

fn damaged(error: &quick_xml::DeError) -> String {
    format!("a damaged listing ({})", plain(&error.to_string(), 100))
}

/// The name of the first element.
fn root(text: &str) -> &str {
    let mut rest = text.trim_start_matches('\u{feff}').trim_start();
    while let Some(after) = ["<?", "<!"].iter().find_map(|s| rest.strip_prefix(s)) {
        rest = after
            .split_once('>')
            .map_or("", |(_, rest)| rest)
            .trim_start();
    }
    let name = rest.strip_prefix('<').unwrap_or_default();
    let end = name.find(|c: char| !c.is_ascii_alphanumeric());
    let name = &name[..end.unwrap_or(0)];
    if name.len() > 60 { "" } else { name }
}

#[derive(Deserialize, Default)]
#[serde(rename_all = "PascalCase", default)]
struct Fault {
    code: String,
    message: String,
    region: String,
}

#[derive(Deserialize)]
struct Bucket {
    #[serde(rename = "Contents", default)]
    objects: Vec<Content>,
    #[serde(rename = "CommonPrefixes", default)]
    folders: Vec<Folder>,
    #[serde(rename = "IsTruncated", default)]
    is_truncated: bool,
    #[serde(rename = "NextContinuationToken", default)]
    next: Option<String>,
}

#[derive(Deserialize)]
struct Folder {
    #[serde(rename = "Prefix", alias = "Name", default)]
    name: String,
}

#[derive(Deserialize)]
struct Content {
    #[serde(rename = "Key")]
    key: String,
    #[serde(rename = "Size")]
    bytes: u64,
    #[serde(rename = "LastModified")]
    modified: String,
    #[serde(rename = "ETag", default)]
    tag: Option<String>,
    #[serde(rename = "StorageClass", default)]
    class: Option<String>,
}

impl Bucket {
    fn page(self) -> Result<Page, String> {
        let objects = self.objects.into_iter().map(Content::object);
        Ok(Page {
            objects: objects.collect::<Result<_, _>>()?,
            folders: self.folders.into_iter().map(|folder| folder.name).collect(),
            next: self.next.filter(|token| !token.is_empty()),
        })
    }
}

impl Content {
    fn object(self) -> Result<Object, String> {
        let version = self.tag.map(|tag| tag.trim_matches('"').to_owned());
        let checksum = version.as_deref().and_then(md5);
        Ok(Object {
            bytes: self.bytes,
            modified: moment(&self.modified)?,
            version,
            storage: Storage {
                class: self
                    .class
                    .map(|class| plain(&class, 40))
                    .filter(|class| !class.is_empty()),
                is_encrypted: None,
                checksum,
            },
            key: self.key,
        })
    }
}

/// The ETag of what was uploaded in one part is the MD5 of its bytes; of several parts, it says how many.
fn md5(tag: &str) -> Option<String> {
    let is_sum = tag.len() == 32 && tag.bytes().all(|byte| byte.is_ascii_hexdigit());
    is_sum.then(|| format!("md5:{}", tag.to_ascii_lowercase()))
}

/// `2026-11-29T17:00:00.000Z`, or `Sun, 29 Nov 2026 17:00:00 GMT`.
fn moment(text: &str) -> Result<Timestamp, String> {
    let read = text
        .parse::<jiff::Timestamp>()
        .or_else(|_| jiff::fmt::rfc2822::parse(text).map(|moment| moment.timestamp()));
    read.map(|moment| Timestamp(moment.as_millisecond()))
        .map_err(|_| "a listing with a time that is none".into())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &str) -> String {
        match read(text) {
            Ok(page) => {
                let objects = page.objects.iter().map(|object| {
                    format!(
                        "{:?} {} {} {:?} {:?}",
                        object.key,
                        object.bytes,
                        object.modified.rfc3339(),
                        object.version,
                        object.storage
                    )
                });
                let mut lines: Vec<String> = objects.collect();
                lines.push(format!("{:?} {:?}", page.folders, page.next));
                lines.join("\n")
            }
            Err(words) => words,
        }
    }

    #[test]
    fn a_page_of_s3() {
        let text = "<?xml version=\"1.0\"?>\n<ListBucketResult xmlns=\"http://s3\"><Name>b</Name><CommonPrefixes><Prefix>d/</Prefix></CommonPrefixes>\
            <Contents><Key>d&amp;&#x0A;x//y</Key><LastModified>2026-11-29T17:00:00.123Z</LastModified><ETag>&quot;D41D8CD98F00B204E9800998ECF8427E&quot;</ETag><Size>5</Size><StorageClass>GLACIER</StorageClass></Contents>\
            <CommonPrefixes><Prefix>e/</Prefix></CommonPrefixes>\
            <Contents><Key>z</Key><LastModified>2026-11-29T17:00:00Z</LastModified><ETag>\"d41d8cd98f00b204e9800998ecf8427e-2\"</ETag><Size>6</Size></Contents>\
            <IsTruncated>true</IsTruncated><NextContinuationToken>t&lt;1</NextContinuationToken></ListBucketResult>";
        assert_eq!(
            check(text),
            "\"d&\\nx//y\" 5 2026-11-29T17:00:00.123Z Some(\"D41D8CD98F00B204E9800998ECF8427E\") Storage { class: Some(\"GLACIER\"), is_encrypted: None, checksum: Some(\"md5:d41d8cd98f00b204e9800998ecf8427e\") }\n\
             \"z\" 6 2026-11-29T17:00:00.000Z Some(\"d41d8cd98f00b204e9800998ecf8427e-2\") Storage { class: None, is_encrypted: None, checksum: None }\n\
             [\"d/\", \"e/\"] Some(\"t<1\")"
        );
    }

    #[test]
    fn a_page_of_azure() {
        let text = "\u{feff}<?xml version=\"1.0\"?><EnumerationResults><Blobs><Blob><Name>a/x</Name><Properties><Last-Modified>Sun, 29 Nov 2026 17:00:00 GMT</Last-Modified><Etag>0x8D</Etag><Content-Length>5</Content-Length><Content-MD5>1B2M2Y8AsgTpgAmY7PhCfg==</Content-MD5><AccessTier>Hot</AccessTier><ServerEncrypted>true</ServerEncrypted></Properties></Blob>\
            <Blob><Name>a/dir</Name><Properties><Last-Modified>Sun, 29 Nov 2026 17:00:00 GMT</Last-Modified><Content-Length>0</Content-Length><ResourceType>directory</ResourceType></Properties></Blob><BlobPrefix><Name>a/b/</Name></BlobPrefix></Blobs><NextMarker/></EnumerationResults>";
        assert_eq!(
            check(text),
            "\"a/x\" 5 2026-11-29T17:00:00.000Z Some(\"0x8D\") Storage { class: Some(\"Hot\"), is_encrypted: Some(true), checksum: Some(\"md5:d41d8cd98f00b204e9800998ecf8427e\") }\n[\"a/b/\"] None"
        );
        let none = "<EnumerationResults><Blobs /><NextMarker /></EnumerationResults>";
        assert_eq!(check(none), "[] None");
    }

    #[test]
    fn what_is_no_listing_is_no_empty_one() {
        let cases = [
            (
                "<ListAllMyBucketsResult><Buckets/></ListAllMyBucketsResult>",
                "a `ListAllMyBucketsResult`",
            ),
            ("<!DOCTYPE html><html>", "a `html`"),
            ("", "something that is no XML"),
            ("{}", "something that is no XML"),
            (
                "<ListBucketResult><Contents><Key>a</Key>",
                "a damaged listing",
            ),
            (
                "<ListBucketResult><IsTruncated>true</IsTruncated></ListBucketResult>",
                "a listing without its end",
            ),
        ];
        for (text, start) in cases {
            assert!(check(text).starts_with(start), "{text}: {}", check(text));
        }
        assert_eq!(check("<ListBucketResult/>"), "[] None");
    }
}
