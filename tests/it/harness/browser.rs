//! Chromium, driven by a script of a test's own.

use std::io::Write;
use std::path::Path;
use std::process::{Command, Stdio};

use serde_json::{Value, json};

use super::{Scratch, folder, tool};

/// Runs a script below `tests/it` that drives the browser as it is asked to; gives what the script says.
pub fn browse(script: &str, mut asked: Value) -> Value {
    let scratch = Scratch::new();
    asked["browser"] = json!(tool("chromium"));
    asked["driver"] = json!(folder().join("browser/node_modules/playwright-core"));
    asked["profile"] = json!(scratch.path().join("profile"));
    let mut child = Command::new(tool("node"))
        .arg(
            Path::new(env!("CARGO_MANIFEST_DIR"))
                .join("tests/it")
                .join(script),
        )
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut input = child.stdin.take().unwrap();
    input.write_all(asked.to_string().as_bytes()).unwrap();
    drop(input);
    let output = child.wait_with_output().unwrap();
    let said = String::from_utf8_lossy(&output.stdout);
    serde_json::from_str(said.trim())
        .unwrap_or_else(|_| panic!("{said}{}", String::from_utf8_lossy(&output.stderr)))
}
