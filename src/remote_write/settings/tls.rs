//! `tls_config`: whom to trust, and what to show.

use std::path::PathBuf;

use crate::document::Section;

/// Whom to trust, and what to show.
#[derive(Debug, Clone, PartialEq)]
pub(in crate::remote_write) struct Tls {
    /// The authorities whose certificates are trusted, in place of the system's.
    pub(in crate::remote_write) ca: Option<PathBuf>,
    /// The certificate to show, and its private key.
    pub(in crate::remote_write) identity: Option<(PathBuf, PathBuf)>,
    /// Whether any certificate is good enough.
    pub(in crate::remote_write) insecure: bool,
}

impl Tls {
    /// Reads the section.
    pub(super) fn read(s: &mut Section) -> Self {
        let doc = "Authorities in PEM that are trusted in place of the system's.";
        let ca = s.optional_path("ca_file", doc);
        let doc = "A certificate to show, in PEM, where the endpoint asks for one.";
        let cert = s.optional_path("cert_file", doc);
        let key = s.optional_path("key_file", "The private key of `cert_file`, in PEM.");
        let doc = "Whether any certificate is accepted: who is in between can then read and change everything.";
        let insecure = s.flag("insecure_skip_verify", false, doc);
        if cert.is_some() != key.is_some() {
            s.problem("", "`cert_file` and `key_file` go together", None);
        }
        Tls {
            ca,
            identity: cert.zip(key),
            insecure,
        }
    }

    /// Whether anything of it is in files, which may change.
    pub(in crate::remote_write) fn is_in_files(&self) -> bool {
        self.ca.is_some() || self.identity.is_some()
    }
}
