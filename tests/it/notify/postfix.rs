//! Mail through Debian's postfix: real encryption, a real login, and what arrives in the maildir.

use std::fs::{self, File};
use std::net::TcpStream;
use std::process::Command;

use pgvigil::incident::Ledger;
use pgvigil::notify;

use super::{DEADLINE, Senders, context, settings};
use crate::harness::{Authority, Daemon, Letter, Scratch, eventually, free_port, is_root, tool};

/// A server that takes mail from the user `u` with the password `hunter2` only.
struct Postfix {
    smtp: u16,
    smtps: u16,
    // It is ended before its files go.
    daemon: Daemon,
    dir: Scratch,
}

impl Postfix {
    /// Nothing, said aloud, when we are not root, as whom its parts must be started.
    fn start() -> Option<Postfix> {
        if !is_root() {
            eprintln!("skipped: only root can start postfix");
            return None;
        }
        let dir = Scratch::new();
        let (smtp, smtps) = (free_port(), free_port());
        configure(&dir, smtp, smtps);
        let conf = dir.join("conf");
        succeed(
            Command::new(tool("postfix"))
                .arg("-c")
                .arg(&conf)
                .arg("check"),
        );
        let programs = Command::new(tool("postconf"))
            .args(["-dh", "daemon_directory"])
            .output();
        let programs = String::from_utf8(programs.unwrap().stdout).unwrap();
        let mut master = Command::new(format!("{}/master", programs.trim()));
        master.arg("-c").arg(&conf).arg("-s");
        let daemon = Daemon::spawn(master);
        for port in [smtp, smtps] {
            eventually("postfix listens", DEADLINE, || {
                TcpStream::connect(("127.0.0.1", port)).ok()
            });
        }
        Some(Postfix {
            smtp,
            smtps,
            daemon,
            dir,
        })
    }

    /// A receiver for each of the two ways in, called like its scheme and its mailbox.
    fn receivers(&self, password: &str) -> String {
        let ca = self.dir.join("ca.pem");
        let ways = [
            ("smtp", "starttls", self.smtp),
            ("smtps", "implicit", self.smtps),
        ];
        let receivers = ways.map(|(scheme, tls, port)| {
            format!(
                "{{name: {scheme}, email: {{to: {scheme}@example.com, from: pgvigil@example.com, tls: {tls}, \
                 smtp: '{scheme}://u:{password}@localhost:{port}', ca: '{}'}}}}",
                ca.display()
            )
        });
        receivers.join(", ")
    }

    /// The mail in a mailbox that tells of this state, once it is there.
    fn letter(&self, mailbox: &str, state: &str) -> Letter {
        let folder = self.dir.join("mail").join(mailbox).join("new");
        let what = format!("{state} in {mailbox}");
        eventually(&what, DEADLINE, || {
            let files = fs::read_dir(&folder).ok()?.flatten();
            let mut letters = files.map(|file| letter(&fs::read_to_string(file.path()).unwrap()));
            letters.find(|letter| letter.header("X-Pgvigil-State").as_deref() == Some(state))
        })
    }
}

fn configure(dir: &Scratch, smtp: u16, smtps: u16) {
    for folder in ["queue", "data", "mail"] {
        fs::create_dir(dir.join(folder)).unwrap();
    }
    let files = [
        ("conf/main.cf", include_str!("postfix/main.cf")),
        ("conf/master.cf", include_str!("postfix/master.cf")),
        ("conf/sasl/smtpd.conf", include_str!("postfix/smtpd.conf")),
    ];
    for (name, text) in files {
        let text = text.replace("DIR", dir.path().to_str().unwrap());
        let text = text.replace("PORT_SMTPS", &smtps.to_string());
        dir.write(name, text.replace("PORT_SMTP", &smtp.to_string()));
    }
    let authority = Authority::new();
    let (certificate, key) = authority.issue(&["localhost"]);
    dir.write("ca.pem", authority.pem());
    dir.write("server.pem", certificate);
    dir.write("server.key", key);

    let password = dir.write("password", "hunter2");
    let users = dir.join("conf/sasldb2");
    let mut register = Command::new(tool("saslpasswd2"));
    register.args(["-p", "-c", "-u", "localhost", "-f"]);
    register
        .arg(&users)
        .arg("u")
        .stdin(File::open(password).unwrap());
    succeed(&mut register);
    succeed(
        Command::new("chown")
            .arg("postfix")
            .args([users, dir.join("data")]),
    );
    succeed(Command::new("chown").arg("nobody").arg(dir.join("mail")));
}

fn succeed(command: &mut Command) {
    let output = command.output().unwrap();
    assert!(output.status.success(), "{command:?}: {output:?}");
}

/// A file of a maildir. How it came is what postfix has noted in it.
fn letter(text: &str) -> Letter {
    let mut letter = Letter {
        from: String::new(),
        to: Vec::new(),
        encrypted: false,
        user: None,
        data: text.replace('\n', "\r\n"),
    };
    let noted = |name| letter.header(name).unwrap_or_default();
    let (from, to, received) = (
        noted("Return-Path"),
        noted("Delivered-To"),
        noted("Received"),
    );
    let user = received.split_once("(Authenticated sender: ");
    letter.user = user.and_then(|(_, rest)| Some(rest.split_once(')')?.0.to_owned()));
    letter.encrypted = received.contains("(using TLSv1");
    (letter.from, letter.to) = (from, vec![to]);
    letter
}

#[tokio::test(flavor = "multi_thread")]
async fn an_incident_arrives_as_one_thread_by_both_ways_in() {
    let Some(postfix) = Postfix::start() else {
        return;
    };
    let senders = Senders::start(&postfix.receivers("hunter2"), Ledger::memory());
    let alert = senders.fire("PostgresqlConnectionsHigh");
    let firing = ["smtp", "smtps"].map(|mailbox| postfix.letter(mailbox, "firing"));
    senders.end(&alert);
    for (mailbox, firing) in ["smtp", "smtps"].into_iter().zip(firing) {
        let resolved = postfix.letter(mailbox, "resolved");
        for letter in [&firing, &resolved] {
            assert_eq!(letter.from, "<pgvigil@example.com>");
            assert_eq!(letter.to, [format!("{mailbox}@example.com")]);
            assert!(letter.encrypted, "{}", letter.data);
            assert_eq!(
                letter.user.as_deref(),
                Some("u@localhost"),
                "{}",
                letter.data
            );
            let subject = letter.header("Subject");
            assert_eq!(
                subject.as_deref(),
                Some("[rachel] PostgresqlConnectionsHigh")
            );
        }
        let root = firing.header("Message-ID");
        assert!(root.is_some() && resolved.header("Message-ID") != root);
        assert_eq!(firing.header("In-Reply-To"), None);
        assert_eq!(resolved.header("In-Reply-To"), root);
        assert_eq!(resolved.header("References"), root);
        assert_eq!(senders.error(mailbox), None);
    }
    senders.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_wrong_password_is_said_to_be_the_setting_to_change() {
    let Some(postfix) = Postfix::start() else {
        return;
    };
    let receivers = settings(&postfix.receivers("hunter3"));
    let outcomes = notify::test(&receivers, &context()).await;
    assert_eq!(outcomes.len(), 2);
    for outcome in &outcomes {
        let error = outcome.error.as_deref().unwrap();
        assert!(
            error.contains("did not take AUTH as `u`: 535 5.7.8")
                && error.contains("check the user in `smtp` and `password`"),
            "{error}\n{}",
            postfix.daemon.output()
        );
    }
    let said = format!("{outcomes:?}");
    // `\0u\0hunter3` and `hunter3` as they go over the wire.
    for secret in ["hunter3", "AHUAaHVudGVyMw==", "aHVudGVyMw=="] {
        assert!(!said.contains(secret), "{said}");
    }
}
