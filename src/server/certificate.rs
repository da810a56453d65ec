//! When the certificates that a server showed expire. Takes DER as it came in the handshake.

use rustls::pki_types::CertificateDer;
use x509_cert::Certificate;
use x509_cert::der::Decode;

/// When the certificates of one handshake expire, in Unix seconds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Expiry {
    /// The server's own certificate.
    pub own: u64,
    /// The first of all that were shown, where that is not the server's own.
    pub chain: Option<u64>,
}

impl Expiry {
    /// Of a server's certificate and those it sent with it; `None` where its own cannot be read.
    pub(super) fn of(own: &CertificateDer<'_>, others: &[CertificateDer<'_>]) -> Option<Expiry> {
        let own = expires(own)?;
        let first = others.iter().filter_map(expires).min();
        Some(Expiry {
            own,
            chain: first.filter(|first| *first < own),
        })
    }
}

fn expires(certificate: &CertificateDer<'_>) -> Option<u64> {
    let certificate = Certificate::from_der(certificate).ok()?;
    let until = certificate.tbs_certificate.validity.not_after;
    Some(until.to_unix_duration().as_secs())
}

#[cfg(test)]
mod tests {
    use rcgen::{CertificateParams, KeyPair, date_time_ymd};

    use super::*;

    fn certificate(year: i32) -> CertificateDer<'static> {
        let mut params = CertificateParams::new(vec!["db".into()]).unwrap();
        params.not_after = date_time_ymd(year, 1, 1);
        let key = KeyPair::generate().unwrap();
        params.self_signed(&key).unwrap().der().clone()
    }

    #[test]
    fn the_first_of_the_chain_to_expire_is_told_where_it_is_another() {
        const Y2030: u64 = 1_893_456_000;
        const Y2060: u64 = 2_840_140_800;
        let cases = [
            (2030, vec![], Some((Y2030, None))),
            (2030, vec![2060], Some((Y2030, None))),
            (2060, vec![2030], Some((Y2060, Some(Y2030)))),
            (2060, vec![2060, 2030], Some((Y2060, Some(Y2030)))),
        ];
        for (own, others, expected) in cases {
            let others: Vec<_> = others.into_iter().map(certificate).collect();
            let found = Expiry::of(&certificate(own), &others);
            let found = found.map(|expiry| (expiry.own, expiry.chain));
            assert_eq!(found, expected, "{own}");
        }
        let nonsense = CertificateDer::from(vec![0x30, 0x82, 1]);
        assert_eq!(Expiry::of(&nonsense, &[certificate(2030)]), None);
    }
}
