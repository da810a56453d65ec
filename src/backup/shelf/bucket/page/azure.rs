//! A page as Azure writes it.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::Deserialize;

use super::{Folder, Object, Page, md5, moment, plain};
use crate::backup::sighting::Storage;

#[derive(Deserialize)]
pub(super) struct Container {
    #[serde(rename = "Blobs", default)]
    blobs: Blobs,
    #[serde(rename = "NextMarker", default)]
    next: Option<String>,
}

#[derive(Deserialize, Default)]
struct Blobs {
    #[serde(rename = "Blob", default)]
    objects: Vec<Blob>,
    #[serde(rename = "BlobPrefix", default)]
    folders: Vec<Folder>,
}

#[derive(Deserialize)]
struct Blob {
    #[serde(rename = "Name")]
    name: String,
    #[serde(rename = "Properties")]
    properties: Properties,
}

#[derive(Deserialize)]
struct Properties {
    #[serde(rename = "Last-Modified")]
    modified: String,
    #[serde(rename = "Content-Length")]
    bytes: u64,
    #[serde(rename = "Etag", default)]
    tag: Option<String>,
    #[serde(rename = "AccessTier", default)]
    class: Option<String>,
    #[serde(rename = "Content-MD5", default)]
    md5: Option<String>,
    #[serde(rename = "ServerEncrypted", default)]
    is_encrypted: Option<bool>,
    #[serde(rename = "ResourceType", default)]
    shape: Option<String>,
}

impl Container {
    pub(super) fn page(self) -> Result<Page, String> {
        let is_file = |blob: &Blob| blob.properties.shape.as_deref() != Some("directory");
        let objects = self.blobs.objects.into_iter().filter(is_file);
        Ok(Page {
            objects: objects.map(Blob::object).collect::<Result<_, _>>()?,
            folders: self
                .blobs
                .folders
                .into_iter()
                .map(|folder| folder.name)
                .collect(),
            next: self.next.filter(|token| !token.is_empty()),
        })
    }
}

impl Blob {
    fn object(self) -> Result<Object, String> {
        let told = self.properties;
        let sum = told.md5.and_then(|sum| STANDARD.decode(sum).ok());
        let hex = |sum: Vec<u8>| sum.iter().map(|byte| format!("{byte:02x}")).collect();
        let hex: Option<String> = sum.map(hex);
        Ok(Object {
            key: self.name,
            bytes: told.bytes,
            modified: moment(&told.modified)?,
            version: told.tag.map(|tag| tag.trim_matches('"').to_owned()),
            storage: Storage {
                class: told.class.map(|class| plain(&class, 40)),
                is_encrypted: told.is_encrypted,
                checksum: hex.and_then(|hex| md5(&hex)),
            },
        })
    }
}
