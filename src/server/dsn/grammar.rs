//! The two grammars of a connection string: a URI, and `key=value` pairs.

use super::{DsnError, Parameters};

/// `[user[:password]@][host[:port][,…]][/database][?key=value[&…]]`. Unlike libpq the last `@` ends the password, so
/// that one with an unencoded `@` is neither cut nor taken for a host.
pub(super) fn uri(text: &str) -> Result<Parameters, DsnError> {
    let mut parameters = Parameters::default();
    let (before_query, query) = text
        .split_once('?')
        .map_or((text, ""), |(head, query)| (head, query));
    let (authority, database) = before_query
        .split_once('/')
        .map_or((before_query, ""), |(head, path)| (head, path));
    if database.contains('@') || query.contains('@') && !authority.contains('@') {
        return Err(DsnError::new(
            "has an `@` after the host",
            "percent-encode `/` and `?` in the password as `%2F` and `%3F`",
        ));
    }
    let (credentials, hosts) = authority.rsplit_once('@').unwrap_or(("", authority));
    let (user, password) = credentials.split_once(':').unwrap_or((credentials, ""));
    parameters.set("user", &decoded(user)?);
    parameters.set("password", &decoded(password)?);
    parameters.set("dbname", &decoded(database)?);
    let (mut names, mut ports) = (Vec::new(), Vec::new());
    for host in hosts.split(',') {
        let (name, port) = host_and_port(host)?;
        names.push(decoded(name)?);
        ports.push(port);
    }
    if names.iter().any(|name| !name.is_empty()) {
        parameters.set("host", &names.join(","));
    }
    if ports.iter().any(|port| !port.is_empty()) {
        parameters.set("port", &ports.join(","));
    }
    for pair in query.split('&').filter(|pair| !pair.is_empty()) {
        let (key, value) = pair.split_once('=').ok_or_else(|| {
            DsnError::new(
                "has a parameter without a value",
                "write `?key=value&key=value`",
            )
        })?;
        match (key, value) {
            ("ssl", "true") => parameters.insert("sslmode", "require".into())?,
            _ => parameters.insert(&decoded(key)?, decoded(value)?)?,
        }
    }
    Ok(parameters)
}

fn host_and_port(text: &str) -> Result<(&str, &str), DsnError> {
    if let Some(rest) = text.strip_prefix('[') {
        let (address, rest) = rest.split_once(']').ok_or_else(|| {
            DsnError::new("has an IPv6 address without its `]`", "write `[::1]:5432`")
        })?;
        return match rest.strip_prefix(':') {
            Some(port) => Ok((address, port)),
            None if rest.is_empty() => Ok((address, "")),
            None => Err(DsnError::new(
                "has something between `]` and the port",
                "write `[::1]:5432`",
            )),
        };
    }
    Ok(text.split_once(':').unwrap_or((text, "")))
}

fn decoded(text: &str) -> Result<String, DsnError> {
    let wrong = || {
        DsnError::new(
            "has a `%` that is no percent-encoding",
            "write `%25` for a percent sign, and the bytes of UTF-8 for any other letter",
        )
    };
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let [first, tail @ ..] = rest {
        if *first == b'%' {
            let digits = tail
                .get(..2)
                .and_then(|two| std::str::from_utf8(two).ok())
                .ok_or_else(wrong)?;
            let valid = digits.bytes().all(|digit| digit.is_ascii_hexdigit());
            let byte = u8::from_str_radix(digits, 16)
                .ok()
                .filter(|byte| valid && *byte != 0)
                .ok_or_else(wrong)?;
            bytes.push(byte);
            rest = &tail[2..];
        } else {
            bytes.push(*first);
            rest = tail;
        }
    }
    String::from_utf8(bytes).map_err(|_| wrong())
}

/// `key = value`, values quoted with `'` where they hold spaces, `\` before a quote or backslash.
pub(super) fn key_values(text: &str) -> Result<Parameters, DsnError> {
    let mut parameters = Parameters::default();
    let mut rest = text.trim_start();
    while !rest.is_empty() {
        let (key, after) = rest.split_once('=').ok_or_else(|| {
            DsnError::new(
                "has a word without `=`",
                "a value with spaces must be quoted: `password='two words'`",
            )
        })?;
        let (value, after) = value(after.trim_start())?;
        parameters.insert(key.trim(), value)?;
        rest = after.trim_start();
    }
    Ok(parameters)
}

fn value(text: &str) -> Result<(String, &str), DsnError> {
    let quoted = text.starts_with('\'');
    let mut value = String::new();
    let mut letters = text.char_indices().skip(usize::from(quoted));
    while let Some((place, letter)) = letters.next() {
        match letter {
            '\\' => value.extend(letters.next().map(|(_, escaped)| escaped)),
            '\'' if quoted => return Ok((value, &text[place + 1..])),
            _ if !quoted && letter.is_whitespace() => return Ok((value, &text[place..])),
            _ => value.push(letter),
        }
    }
    if quoted {
        Err(DsnError::new(
            "has a quoted value without its closing quote",
            "end the value with `'`",
        ))
    } else {
        Ok((value, ""))
    }
}
