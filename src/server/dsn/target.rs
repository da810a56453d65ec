//! The hosts of a connection string: libpq's lists of names, addresses and ports, paired.

use std::net::IpAddr;
use std::path::{Path, PathBuf};

use super::{DsnError, Parameters};

/// One host to try.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Target {
    /// The name, address or socket directory, as written; what a certificate must name.
    pub host: String,
    /// The address to use instead of looking the name up.
    pub address: Option<IpAddr>,
    /// The port.
    pub port: u16,
}

impl Target {
    /// Whether it is a directory with a Unix socket.
    pub fn is_socket(&self) -> bool {
        self.address.is_none() && self.host.starts_with('/')
    }

    /// Whether it is on this machine, as far as its address says.
    pub fn is_local(&self) -> bool {
        let address = self.address.or_else(|| self.host.parse().ok());
        let loopback = address.is_some_and(|address| address.is_loopback());
        self.is_socket() || loopback || self.address.is_none() && self.host == "localhost"
    }

    /// The socket's path inside its directory.
    pub fn socket(&self) -> PathBuf {
        PathBuf::from(format!("{}/.s.PGSQL.{}", self.host, self.port))
    }

    /// `host:port`, with brackets around an IPv6 address.
    pub fn place(&self) -> String {
        if self.host.contains(':') {
            format!("[{}]:{}", self.host, self.port)
        } else {
            format!("{}:{}", self.host, self.port)
        }
    }
}

/// libpq's pairing of `host`, `hostaddr` and `port` lists.
pub(super) fn list(parameters: &Parameters) -> Result<Vec<Target>, DsnError> {
    let list = |key: &str| -> Vec<String> {
        match parameters.get(key) {
            "" => Vec::new(),
            text => text.split(',').map(|part| part.trim().to_owned()).collect(),
        }
    };
    let (hosts, addresses, ports) = (list("host"), list("hostaddr"), list("port"));
    if !hosts.is_empty() && !addresses.is_empty() && hosts.len() != addresses.len() {
        return Err(DsnError::new(
            format!(
                "there are {} hosts but {} addresses in `hostaddr`",
                hosts.len(),
                addresses.len()
            ),
            "give one address for each host",
        ));
    }
    let count = hosts.len().max(addresses.len()).max(1);
    if ports.len() > 1 && ports.len() != count {
        return Err(DsnError::new(
            format!("there are {} ports for {count} hosts", ports.len()),
            "give one port for all, or one for each host",
        ));
    }
    (0..count)
        .map(|place| {
            let address = match addresses.get(place).map_or("", String::as_str) {
                "" => None,
                text => Some(text.parse::<IpAddr>().map_err(|_| {
                    DsnError::new(
                        "`hostaddr` is no IP address",
                        "write a name into `host` instead",
                    )
                })?),
            };
            let host = match hosts.get(place).map_or("", String::as_str) {
                "" => address.map_or_else(default_host, |address| address.to_string()),
                host => host.to_owned(),
            };
            let port = ports
                .get(place)
                .or_else(|| ports.first().filter(|_| ports.len() == 1));
            Ok(Target {
                host,
                address,
                port: port_number(port.map_or("", String::as_str))?,
            })
        })
        .collect()
}

fn port_number(text: &str) -> Result<u16, DsnError> {
    if text.is_empty() {
        return Ok(5432);
    }
    text.parse::<u16>().ok().filter(|port| *port > 0).ok_or_else(|| {
        DsnError::new(
            "the port is no number from 1 to 65535",
            "in a URI, percent-encode `:` `/` `@` `?` and `#` in the password as `%3A` `%2F` `%40` `%3F` and `%23`",
        )
    })
}

fn default_host() -> String {
    let directory = "/var/run/postgresql";
    if Path::new(directory).is_dir() {
        directory.into()
    } else {
        "localhost".into()
    }
}
