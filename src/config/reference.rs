//! The configuration reference, written from the calls that read the settings.

use crate::document::Reader;

use super::{ALIASES, Config};

/// Markdown: every key with kind, default and meaning, then the environment.
pub fn reference() -> String {
    let mut text = String::from(HEAD);
    for declared in Reader::describe(|s| drop(Config::read(s, &|_| None))) {
        let default = match declared.default.as_str() {
            "" => String::new(),
            default => format!("`{default}`"),
        };
        let doc = declared.doc.replace('|', "\\|");
        text.push_str(&format!(
            "| `{}` | {} | {default} | {doc} |\n",
            declared.path, declared.kind
        ));
    }
    text.push_str(ENVIRONMENT);
    for alias in ALIASES {
        text.push_str(&format!("| `{}` | {} |\n", alias.variable, alias.sets));
    }
    text
}

const HEAD: &str = "\
# Configuration

Defaults are overridden by `pgvigil.yml`, that by the environment, that by flags. `pgvigil.yml` is looked for in the
working directory, then in `/etc/pgvigil`; `--config` or `PGVIGIL_CONFIG` names another. Any value may be `${NAME}`, an
environment variable, and any text `KEY` may be written as `KEY_file`, a file that holds it. Unknown keys are errors.
`pgvigil check` finds every mistake at once.

| key | kind | default | meaning |
| --- | --- | --- | --- |
";

const ENVIRONMENT: &str = "
## Environment

`PGVIGIL_` and a key in capitals, with `__` for each dot, sets that key: `PGVIGIL_COLLECT__INTERVAL=30s`. A value that
begins with `[` or `{` is YAML. Shorter names:

| variable | sets |
| --- | --- |
";
