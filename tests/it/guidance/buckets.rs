//! Uploads and retention in object storage: the real `aws` against moto, and a stand-in for `gcloud`.

use std::fs;
use std::path::Path;
use std::process::Command;
use std::time::Duration;

use super::job::{Ended, Jobs};
use super::server;
use crate::harness::{Daemon, Postgres, eventually, folder as lab, free_port, tool};

/// S3, with a bucket `rachel-backups`.
struct S3 {
    port: u16,
    _server: Daemon,
}

impl S3 {
    fn start() -> S3 {
        let port = free_port();
        let mut server = Command::new(lab().join("stores/bin/moto_server"));
        server.args(["-H", "127.0.0.1", "-p", &port.to_string()]);
        let server = Daemon::spawn(server);
        eventually("moto answers", Duration::from_secs(60), || {
            std::net::TcpStream::connect(("127.0.0.1", port)).ok()
        });
        S3 {
            port,
            _server: server,
        }
    }

    /// `aws` takes a second to start; what only prepares and looks goes without it.
    fn curl(&self, arguments: &[&str], path: &str) -> String {
        let mut command = Command::new(tool("curl"));
        command
            .args(["--silent", "--show-error", "--fail", "--user", "key:secret"])
            .args(["--aws-sigv4", "aws:amz:us-east-1:s3"])
            .args(arguments);
        command.arg(format!(
            "http://127.0.0.1:{}/rachel-backups{path}",
            self.port
        ));
        let output = command.output().unwrap();
        assert!(output.status.success(), "{path}: {output:?}");
        String::from_utf8(output.stdout).unwrap()
    }

    fn make_bucket(&self) {
        self.curl(&["--request", "PUT"], "");
    }

    fn put(&self, key: &str, file: &Path) {
        self.curl(
            &["--upload-file", file.to_str().unwrap()],
            &format!("/{key}"),
        );
    }

    fn keys(&self) -> Vec<String> {
        let listed = self.curl(&[], "?list-type=2");
        let keys = listed
            .split("<Key>")
            .skip(1)
            .map(|rest| rest.split("</Key>").next().unwrap());
        keys.map(str::to_owned).collect()
    }

    fn jobs(&self, postgres: &Postgres) -> Jobs {
        let mut jobs = Jobs::of(postgres);
        jobs.stub("aws", &format!("exec {} \"$@\"", tool("aws").display()));
        jobs.set(
            "AWS_ENDPOINT_URL",
            format!("http://127.0.0.1:{}", self.port),
        );
        for (name, value) in [
            ("AWS_ACCESS_KEY_ID", "key"),
            ("AWS_SECRET_ACCESS_KEY", "secret"),
            ("AWS_DEFAULT_REGION", "us-east-1"),
            ("AWS_EC2_METADATA_DISABLED", "true"),
            ("AWS_MAX_ATTEMPTS", "1"),
        ] {
            jobs.set(name, value);
        }
        jobs
    }
}

#[test]
fn what_is_uploaded_is_compared_and_what_is_old_goes() {
    let postgres = server(15, &[]);
    let s3 = S3::start();
    let jobs = s3.jobs(&postgres);
    s3.make_bucket();
    jobs.run("dump.sh", &["rachel", "backups"]).is_silent();
    let dump = jobs.dump();
    let name = dump.file_name().unwrap().to_str().unwrap().to_owned();
    let upload = || jobs.run("upload.sh", &["backups", "s3://rachel-backups/daily"]);
    upload().is_silent();
    let expected = [format!("daily/{name}"), format!("daily/{name}.sha256")];
    assert_eq!(s3.keys(), expected);
    let head = s3
        .curl(&["--head"], &format!("/{}", expected[0]))
        .to_lowercase();
    assert!(
        head.contains("x-amz-server-side-encryption: aes256"),
        "{head}"
    );
    assert_eq!(jobs.log().matches("uploaded ").count(), 1, "{}", jobs.log());
    // What is there is not brought again; the original stays.
    upload().is_silent();
    assert_eq!(jobs.log().matches("uploaded ").count(), 1, "{}", jobs.log());
    assert!(dump.exists());

    // Below the place there is a folder, which `aws s3 ls` would show as a line with PRE; the newest is bad.
    let whole = fs::read(&dump).unwrap();
    let objects = [
        ("daily/a_file_of_somebody", &b"x"[..]),
        ("daily/other/rachel_20190101T020000Z.dump", &whole),
        ("daily/rachel_20200101T020000Z.dump", &whole),
        ("daily/rachel_20200102T020000Z.dump", &whole),
        (
            "daily/rachel_29990101T020000Z.dump",
            &whole[..whole.len() / 2],
        ),
    ];
    for (key, bytes) in objects {
        s3.put(key, &jobs.scratch.write("object", bytes));
    }
    let before = s3.keys();
    let ended = jobs.run(
        "retain.sh",
        &["s3://rachel-backups/daily", "rachel", "30", "2"],
    );
    ended.failed("rachel_29990101T020000Z.dump in s3://rachel-backups/daily/ would not restore");
    let gone = "daily/rachel_20200101T020000Z.dump".to_owned();
    let left: Vec<String> = before.into_iter().filter(|key| *key != gone).collect();
    assert_eq!(s3.keys(), left);
}

/// The first step after a disaster.
#[test]
fn the_newest_dump_and_roles_are_fetched() {
    let postgres = server(15, &[]);
    let s3 = S3::start();
    let mut jobs = s3.jobs(&postgres);
    s3.make_bucket();
    jobs.run("dump.sh", &["rachel", "backups"]).is_silent();
    jobs.run("globals.sh", &["backups"]).is_silent();
    for name in jobs.names() {
        s3.put(&format!("daily/{name}"), &jobs.backups().join(&name));
    }
    s3.put("daily/rachel_20200101T020000Z.dump", &jobs.dump());
    s3.put("daily/other/rachel_29990101T020000Z.dump", &jobs.dump());
    let restore = jobs.scratch.join("restore");
    jobs.set("PLACE", "s3://rachel-backups/daily");
    jobs.set("DATABASE", "rachel");
    jobs.set("RESTORE", restore.display());
    jobs.follow("fetch").is_good();
    let mut names: Vec<String> = fs::read_dir(&restore)
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    names.sort();
    assert_eq!(names, jobs.names());
    let name = jobs.dump().file_name().unwrap().to_owned();
    super::job::judged(&restore.join(&name));
    // One that is not what was written stops it.
    s3.put(
        &format!("daily/{}", name.display()),
        &jobs.scratch.write("x", "x"),
    );
    let ended = jobs.follow("fetch");
    assert_ne!(ended.code, Some(0), "{ended:?}");
}

#[test]
fn an_upload_that_fails_removes_nothing_and_says_so() {
    let postgres = server(15, &[]);
    let s3 = S3::start();
    let jobs = s3.jobs(&postgres);
    jobs.run("dump.sh", &["rachel", "backups"]).is_silent();
    let before = jobs.names();
    let upload =
        |jobs: &Jobs, url: &str| jobs.run("upload.sh", &[jobs.backups().to_str().unwrap(), url]);
    upload(&jobs, "s3://no-such-bucket/daily").failed("listing s3://no-such-bucket/daily/ failed");
    assert_eq!(upload(&jobs, "/a/folder").code, Some(2));
    // The guide's option, which `aws s3 cp` does not have: the tool here is the real one.
    let guide = jobs.run(
        "aws",
        &[
            "s3",
            "cp",
            "x",
            "s3://b/x",
            "--server-side-encryption",
            "AES256",
        ],
    );
    assert!(guide.stderr.contains("Unknown options"), "{guide:?}");
    // What arrives is not what was sent.
    s3.make_bucket();
    let mut torn = s3.jobs(&postgres);
    torn.stub(
        "aws",
        &"case \"$*\" in *cp*' -') \"$REAL\" \"$@\" | head -c 100 ;; *) exec \"$REAL\" \"$@\" ;; esac".replace("$REAL", tool("aws").to_str().unwrap()),
    );
    jobs.run("cp", &["-r", "backups/.", torn.backups().to_str().unwrap()])
        .is_good();
    upload(&torn, "s3://rachel-backups/daily").failed("with its original failed");
    // Without the checksum beside it, it has not arrived: the next run brings it again.
    assert_eq!(s3.keys().len(), 1);
    upload(&jobs, "s3://rachel-backups/daily").is_silent();
    assert_eq!(s3.keys().len(), 2);
    drop(s3);
    upload(&jobs, "s3://rachel-backups/daily").failed("listing");
    assert_eq!(jobs.names(), before);
}

/// `gcloud storage` over a folder, with the options that the scripts use and no others.
const GCLOUD: &str = r#"
store=$(dirname "$0")/../bucket
[ "$1" = storage ] && verb=$2 && shift 2 || exit 2
words=()
for word in "$@"; do
  case $verb:$word in
    cp:--quiet | cp:--no-user-output-enabled | rm:--quiet | rm:--no-user-output-enabled) ;;
    *:-*) echo "ERROR: (gcloud.storage.$verb) unrecognized arguments: $word" >&2; exit 2 ;;
    *) words+=("${word/#gs:\/\/rachel-backups/$store}") ;;
  esac
done
case $verb in
  cp) mkdir -p "$(dirname "${words[1]}")" && cp "${words[0]}" "${words[1]}" ;;
  cat) cat "${words[0]}" ;;
  rm) rm "${words[0]}" ;;
  ls) cd "$store" && find "${words[0]%\*\*}" -type f 2>/dev/null | sed "s|^$store|gs://rachel-backups|" | grep . ||
    { echo "ERROR: (gcloud.storage.ls) One or more URLs matched no objects." >&2; exit 1; } ;;
  *) exit 2 ;;
esac
"#;

#[test]
fn google_takes_them_too() {
    let postgres = server(15, &[]);
    let mut jobs = Jobs::of(&postgres);
    jobs.stub("gcloud", GCLOUD);
    fs::create_dir(jobs.scratch.join("bucket")).unwrap();
    jobs.run("dump.sh", &["rachel", "backups"]).is_silent();
    let run = |program: &str, arguments: &[&str]| -> Ended { jobs.run(program, arguments) };
    run("upload.sh", &["backups", "gs://rachel-backups/daily"]).is_silent();
    let stored = jobs
        .scratch
        .join("bucket/daily")
        .join(jobs.dump().file_name().unwrap());
    super::job::judged(&stored);
    let old = jobs
        .scratch
        .join("bucket/daily/rachel_20200101T020000Z.dump");
    fs::copy(&stored, &old).unwrap();
    run(
        "retain.sh",
        &["gs://rachel-backups/daily", "rachel", "30", "1"],
    )
    .is_silent();
    assert!(stored.exists() && !old.exists());
}
