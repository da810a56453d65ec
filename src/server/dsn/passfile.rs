//! libpq's password file: `host:port:database:user:password`, `*` for any, `\` before `:` and `\`.

use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use super::{DsnError, Target};

/// The password of the first line that fits. A file that is not there holds none.
pub(super) fn look_up(
    file: Option<&Path>,
    target: &Target,
    database: &str,
    user: &str,
) -> Result<Option<String>, DsnError> {
    let home = || std::env::home_dir().map(|home| home.join(".pgpass"));
    let Some(path) = file.map(PathBuf::from).or_else(home) else {
        return Ok(None);
    };
    let Ok(metadata) = std::fs::metadata(&path) else {
        return Ok(None);
    };
    if !metadata.is_file() {
        return Ok(None);
    }
    if metadata.permissions().mode() & 0o077 != 0 {
        return Err(DsnError::new(
            format!(
                "the password file `{}` can be read by others, so it is not used",
                path.display()
            ),
            format!("run `chmod 0600 {}`", path.display()),
        ));
    }
    let text = std::fs::read_to_string(&path).map_err(|error| {
        DsnError::new(
            format!(
                "cannot read the password file `{}`: {error}",
                path.display()
            ),
            "it must be readable by the user pgvigil runs as",
        )
    })?;
    let host = if target.is_socket() && target.host == "/var/run/postgresql" {
        "localhost"
    } else {
        &target.host
    };
    Ok(find(
        &text,
        &[host, &target.port.to_string(), database, user],
    ))
}

fn find(text: &str, wanted: &[&str; 4]) -> Option<String> {
    text.lines()
        .filter(|line| !line.starts_with('#'))
        .find_map(|line| {
            let fields = split(line);
            let (password, patterns) = fields
                .split_last()
                .filter(|(_, patterns)| patterns.len() == wanted.len())?;
            let fits = patterns
                .iter()
                .zip(wanted)
                .all(|(pattern, wanted)| pattern == "*" || pattern == wanted);
            fits.then(|| password.clone())
        })
}

fn split(line: &str) -> Vec<String> {
    let mut fields = vec![String::new()];
    let mut letters = line.chars();
    while let Some(letter) = letters.next() {
        let added = match letter {
            ':' if fields.len() < 5 => {
                fields.push(String::new());
                None
            }
            '\\' => letters.next(),
            _ => Some(letter),
        };
        if let Some(field) = fields.last_mut() {
            field.extend(added);
        }
    }
    fields
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_line_that_fits_counts() {
        let file = "# comment\nother:*:*:*:no\nh:5432:app:mon:a\\:b\\\\c\n*:*:*:mon:any:thing\n";
        let cases = [
            (["h", "5432", "app", "mon"], Some("a:b\\c")),
            (["h", "5433", "app", "mon"], Some("any:thing")),
            (["h", "5432", "app", "else"], None),
        ];
        for (wanted, password) in cases {
            assert_eq!(find(file, &wanted).as_deref(), password, "{wanted:?}");
        }
    }

    #[test]
    fn a_file_others_can_read_is_refused() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("pgpass");
        std::fs::write(&path, "*:*:*:*:s3cr3t\n").unwrap();
        let target = Target {
            host: "h".into(),
            address: None,
            port: 5432,
        };
        let with_mode = |mode| {
            std::fs::set_permissions(&path, std::fs::Permissions::from_mode(mode)).unwrap();
            look_up(Some(&path), &target, "d", "u")
        };
        assert_eq!(with_mode(0o600).unwrap().as_deref(), Some("s3cr3t"));
        let refused = with_mode(0o644).unwrap_err();
        assert!(
            refused.message.contains("can be read by others")
                && refused.hint.contains("chmod 0600")
        );
        assert_eq!(
            look_up(Some(&directory.path().join("none")), &target, "d", "u"),
            Ok(None)
        );
    }
}
