//! Checksums, computed while bytes pass by.

use std::fmt::Write;

use md5::{Digest, Md5};
use sha2::{Sha224, Sha256, Sha384, Sha512};

/// A way to compute a checksum.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) enum Algorithm {
    Crc32c,
    Md5,
    Sha1,
    Sha224,
    Sha256,
    Sha384,
    Sha512,
}

impl Algorithm {
    /// Its name, small.
    pub(super) fn name(self) -> &'static str {
        match self {
            Algorithm::Crc32c => "crc32c",
            Algorithm::Md5 => "md5",
            Algorithm::Sha1 => "sha1",
            Algorithm::Sha224 => "sha224",
            Algorithm::Sha256 => "sha256",
            Algorithm::Sha384 => "sha384",
            Algorithm::Sha512 => "sha512",
        }
    }

    /// How many hexadecimal digits its checksums have.
    pub(super) fn digits(self) -> usize {
        match self {
            Algorithm::Crc32c => 8,
            Algorithm::Md5 => 32,
            Algorithm::Sha1 => 40,
            Algorithm::Sha224 => 56,
            Algorithm::Sha256 => 64,
            Algorithm::Sha384 => 96,
            Algorithm::Sha512 => 128,
        }
    }
}

/// A checksum being computed.
#[derive(Clone)]
pub(super) enum Sum {
    Crc32c(u32),
    Md5(Md5),
    Sha1(ring::digest::Context),
    Sha224(Sha224),
    Sha256(Sha256),
    Sha384(Sha384),
    Sha512(Sha512),
}

impl Sum {
    pub(super) fn begin(algorithm: Algorithm) -> Sum {
        match algorithm {
            Algorithm::Crc32c => Sum::Crc32c(0),
            Algorithm::Md5 => Sum::Md5(Md5::new()),
            Algorithm::Sha1 => Sum::Sha1(ring::digest::Context::new(
                &ring::digest::SHA1_FOR_LEGACY_USE_ONLY,
            )),
            Algorithm::Sha224 => Sum::Sha224(Sha224::new()),
            Algorithm::Sha256 => Sum::Sha256(Sha256::new()),
            Algorithm::Sha384 => Sum::Sha384(Sha384::new()),
            Algorithm::Sha512 => Sum::Sha512(Sha512::new()),
        }
    }

    pub(super) fn add(&mut self, bytes: &[u8]) {
        match self {
            Sum::Crc32c(crc) => *crc = crc32c::crc32c_append(*crc, bytes),
            Sum::Md5(sum) => sum.update(bytes),
            Sum::Sha1(sum) => sum.update(bytes),
            Sum::Sha224(sum) => sum.update(bytes),
            Sum::Sha256(sum) => sum.update(bytes),
            Sum::Sha384(sum) => sum.update(bytes),
            Sum::Sha512(sum) => sum.update(bytes),
        }
    }

    /// The checksum in small hexadecimal digits.
    pub(super) fn hex(self) -> String {
        match self {
            // PostgreSQL writes the bytes as they lie in the memory of its machine: here a little-endian one.
            Sum::Crc32c(crc) => hex(&crc.to_le_bytes()),
            Sum::Md5(sum) => hex(&sum.finalize()),
            Sum::Sha1(sum) => hex(sum.finish().as_ref()),
            Sum::Sha224(sum) => hex(&sum.finalize()),
            Sum::Sha256(sum) => hex(&sum.finalize()),
            Sum::Sha384(sum) => hex(&sum.finalize()),
            Sum::Sha512(sum) => hex(&sum.finalize()),
        }
    }
}

fn hex(bytes: &[u8]) -> String {
    let mut text = String::with_capacity(2 * bytes.len());
    for byte in bytes {
        let _ = write!(text, "{byte:02x}");
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sums_are_those_of_other_tools() {
        let cases = [
            (Algorithm::Crc32c, "839206e3"),
            (Algorithm::Md5, "25f9e794323b453885f5181f1b624d0b"),
            (Algorithm::Sha1, "f7c3bc1d808e04732adf679965ccc34ca7ae3441"),
            (
                Algorithm::Sha256,
                "15e2b0d3c33891ebb0f1ef609ec419420c20e320ce94c65fbc8c3312448eb225",
            ),
        ];
        for (algorithm, expected) in cases {
            let mut sum = Sum::begin(algorithm);
            b"123456789".chunks(2).for_each(|piece| sum.add(piece));
            let seen = sum.hex();
            assert_eq!((seen.len(), seen.as_str()), (algorithm.digits(), expected));
        }
    }
}
