//! `pgvigil backup verify` beside `gunzip -t`, `pg_restore -l` and `pg_restore -f /dev/null` on the same files.

use std::path::Path;
use std::process::Command;

use crate::artefact::{self, Form};
use crate::child::{Cost, best_of};
use crate::it::harness::Scratch;

const RUNS: usize = 3;
/// Stored sizes: memory must be the same for both.
const SMALL: u64 = 20_000_000;
const LARGE: u64 = 2_000_000_000;

/// Speed on files of 200 MB, then memory at 20 MB and 2 GB.
pub fn run() {
    println!(
        "Speed: files of 200 MB, warm in the page cache, each program {RUNS} times in turn, the fastest told; MB/s of \
         the stored file (of its data before compression).\n"
    );
    println!(
        "| dump | `pgvigil backup verify` | `gunzip -t` | `pg_restore -l` | `pg_restore -f /dev/null` |\n| --- | --- | --- | --- | --- |"
    );
    for form in Form::ALL {
        speed(form);
    }
    println!("\nMemory at its most, and MB/s of the stored file.\n");
    println!("| dump | 20 MB | 2 GB |\n| --- | --- | --- |");
    for form in Form::ALL {
        println!(
            "| {} | {} | {} |",
            form.title(),
            memory(form, SMALL),
            memory(form, LARGE)
        );
    }
}

fn speed(form: Form) {
    let scratch = Scratch::new();
    let path = scratch.join("dump.gz");
    let data = artefact::write(&path, form, 200_000_000);
    let stored = std::fs::metadata(&path).unwrap().len();
    let ours = best_of(RUNS, || verify(&path));
    let told = |theirs: Cost| {
        format!(
            "{}, {:.2} times our time",
            rate(theirs, stored, data),
            theirs.wall.as_secs_f64() / ours.wall.as_secs_f64()
        )
    };
    let tool = |name: &str, arguments: &[&str]| {
        told(best_of(RUNS, || {
            let mut command = Command::new(name);
            command.args(arguments).arg(&path);
            command
        }))
    };
    let none = || "–".to_owned();
    let theirs = match form {
        Form::PlainInGzip => [tool("gunzip", &["-t"]), none(), none()],
        Form::Custom | Form::Uncompressed => [
            none(),
            tool("pg_restore", &["-l"]),
            tool("pg_restore", &["-f", "/dev/null"]),
        ],
    };
    println!(
        "| {} | {} | {} |",
        form.title(),
        rate(ours, stored, data),
        theirs.join(" | ")
    );
}

fn memory(form: Form, bytes: u64) -> String {
    let scratch = Scratch::new();
    let path = scratch.join("dump");
    artefact::write(&path, form, bytes);
    let cost = best_of(1, || verify(&path));
    format!(
        "{:.1} MB ({:.0} MB/s)",
        cost.peak as f64 / 1e6,
        bytes as f64 / 1e6 / cost.wall.as_secs_f64()
    )
}

fn rate(cost: Cost, stored: u64, data: u64) -> String {
    let per_second = |bytes: u64| bytes as f64 / 1e6 / cost.wall.as_secs_f64();
    format!("{:.0} MB/s ({:.0})", per_second(stored), per_second(data))
}

fn verify(path: &Path) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_pgvigil"));
    command.args(["backup", "verify"]).arg(path);
    command
}
