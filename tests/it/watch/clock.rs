//! The clock of the machine jumps an hour, forward and back, under the real binary: `libfaketime` moves it.

use std::path::Path;

use crate::harness::{Daemon, pgvigil};

use super::{PATIENCE, Stage};

const LIBRARIES: [&str; 2] = [
    "/usr/lib/x86_64-linux-gnu/faketime/libfaketimeMT.so.1",
    "/usr/lib/aarch64-linux-gnu/faketime/libfaketimeMT.so.1",
];

#[test]
fn a_clock_that_jumps_loses_no_end_and_tells_nobody_twice() {
    let library = LIBRARIES
        .into_iter()
        .find(|library| Path::new(library).exists());
    let library = library.expect("`make lab` installs libfaketime");
    for (jump, most) in [("+3600", 2), ("-3600", 3)] {
        let stage = Stage::set(15);
        let clock = stage.scratch.write("clock", "+0");
        let mut command = pgvigil();
        command.arg("--config").arg(&stage.config);
        command.env("LD_PRELOAD", library);
        command.env("FAKETIME_TIMESTAMP_FILE", &clock);
        command
            .env("FAKETIME_NO_CACHE", "1")
            .env("FAKETIME_DONT_FAKE_MONOTONIC", "1");
        let watch = Daemon::spawn(command);
        stage.shows("pg_up 1");
        let sessions = stage.sessions(12);
        let opened = stage.mails(1)[0].clone();

        stage.scratch.write("clock", jump);
        stage.has_evaluated_again(16.0);
        drop(sessions);
        let letters = stage.mail.letters();
        assert!(letters.len() < most, "{jump}: {letters:?}");
        let state = |letter: &crate::harness::Letter| letter.header("X-Pgvigil-State");
        assert!(
            letters
                .iter()
                .all(|letter| state(letter).as_deref() == Some("firing")),
            "{jump}"
        );
        let closed = stage.mail.wait_for(letters.len() + 1, PATIENCE);
        let closed = closed.last().unwrap();
        assert_eq!(
            state(closed).as_deref(),
            Some("resolved"),
            "{jump}: {}",
            watch.output()
        );
        assert_eq!(
            closed.header("In-Reply-To"),
            opened.header("Message-ID"),
            "{jump}"
        );
    }
}
