//! Encrypted files, which can be recognised and no more.

/// How the content is encrypted, where it is.
pub(super) fn how(head: &[u8]) -> Option<&'static str> {
    const MAGIC: [(&[u8], &str); 4] = [
        (b"age-encryption.org/", "age"),
        (b"-----BEGIN AGE ENCRYPTED FILE-----", "age"),
        (b"-----BEGIN PGP MESSAGE-----", "PGP"),
        (b"Salted__", "OpenSSL"),
    ];
    let named = MAGIC.iter().find(|(magic, _)| head.starts_with(magic));
    named
        .map(|(_, how)| *how)
        .or_else(|| is_pgp(head).then_some("PGP"))
}

/// A session key packet, by its tag and its version: a public key's (3) or a password's (4 and later).
fn is_pgp(head: &[u8]) -> bool {
    matches!(
        head,
        [0x84 | 0xc1, _, 3, ..] | [0x85, _, _, 3, ..] | [0x8c | 0xc3, _, 4..=6, ..]
    )
}
