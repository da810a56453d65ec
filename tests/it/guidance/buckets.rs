//! Uploads and retention in object storage: the real `aws` against moto, and a stand-in for `gcloud`.

use std::fs;
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

fn keys(jobs: &Jobs) -> Vec<String> {
    let query = [
        "s3api",
        "list-objects-v2",
        "--bucket",
        "rachel-backups",
        "--query",
        "Contents[].[Key]",
        "--output",
        "text",
    ];
    let listed = jobs.run("aws", &query);
    listed.is_good();
    let mut keys: Vec<String> = listed.stdout.lines().map(str::to_owned).collect();
    keys.sort();
    keys
}

#[test]
fn what_is_uploaded_is_compared_and_what_is_old_goes() {
    let postgres = server(15, &[]);
    let s3 = S3::start();
    let jobs = s3.jobs(&postgres);
    jobs.run("aws", &["s3", "mb", "s3://rachel-backups"])
        .is_good();
    jobs.run("dump.sh", &["rachel", "backups"]).is_silent();
    let dump = jobs.dump();
    let name = dump.file_name().unwrap().to_str().unwrap().to_owned();
    let upload = || jobs.run("upload.sh", &["backups", "s3://rachel-backups/daily"]);
    upload().is_silent();
    let expected = [format!("daily/{name}"), format!("daily/{name}.sha256")];
    assert_eq!(keys(&jobs), expected);
    let head = [
        "s3api",
        "head-object",
        "--bucket",
        "rachel-backups",
        "--key",
        &expected[0],
        "--output",
        "text",
        "--query",
        "ServerSideEncryption",
    ];
    assert_eq!(jobs.run("aws", &head).stdout, "AES256\n");
    assert_eq!(jobs.log().matches("uploaded ").count(), 1, "{}", jobs.log());
    // What is there is not brought again; the original stays.
    upload().is_silent();
    assert_eq!(jobs.log().matches("uploaded ").count(), 1, "{}", jobs.log());
    assert!(dump.exists());

    // Below the place there is a folder, which `aws s3 ls` would show as a line with PRE; the newest is bad.
    let whole = fs::read(&dump).unwrap();
    let objects = [
        ("daily/other/rachel_20190101T020000Z.dump", &whole[..]),
        ("daily/rachel_20200101T020000Z.dump", &whole),
        ("daily/rachel_20200102T020000Z.dump", &whole),
        ("daily/rachel_20200103T020000Z.dump", &whole),
        (
            "daily/rachel_29990101T020000Z.dump",
            &whole[..whole.len() / 2],
        ),
        ("daily/a file of somebody", b"x"),
    ];
    for (key, bytes) in objects {
        let file = jobs.scratch.write("object", bytes);
        let url = format!("s3://rachel-backups/{key}");
        jobs.run("aws", &["s3", "cp", file.to_str().unwrap(), &url])
            .is_good();
    }
    let before = keys(&jobs);
    let ended = jobs.run(
        "retain.sh",
        &["s3://rachel-backups/daily", "rachel", "30", "3"],
    );
    ended.failed("rachel_29990101T020000Z.dump in s3://rachel-backups/daily/ would not restore");
    let gone = "daily/rachel_20200101T020000Z.dump".to_owned();
    let left: Vec<String> = before.into_iter().filter(|key| *key != gone).collect();
    assert_eq!(keys(&jobs), left);
}

/// The first step after a disaster.
#[test]
fn the_newest_dump_and_roles_are_fetched() {
    let postgres = server(15, &[]);
    let s3 = S3::start();
    let mut jobs = s3.jobs(&postgres);
    jobs.run("aws", &["s3", "mb", "s3://rachel-backups"])
        .is_good();
    jobs.run("dump.sh", &["rachel", "backups"]).is_silent();
    jobs.run("globals.sh", &["backups"]).is_silent();
    let url = "s3://rachel-backups/daily";
    jobs.run("upload.sh", &["backups", url]).is_silent();
    let older = format!("{url}/rachel_20200101T020000Z.dump");
    jobs.run("aws", &["s3", "cp", "log", &older]).is_good();
    jobs.set("PLACE", url);
    jobs.set("DATABASE", "rachel");
    let restore = jobs.scratch.join("restore");
    jobs.set("RESTORE", restore.display());
    jobs.follow("fetch").is_good();
    let mut names: Vec<String> = fs::read_dir(&restore)
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    names.sort();
    assert_eq!(names, jobs.names());
    super::job::judged(&restore.join(jobs.dump().file_name().unwrap()));
    // One that is not what was written stops it.
    fs::write(jobs.dump(), "x").unwrap();
    let key = format!(
        "{url}/{}",
        jobs.dump().file_name().unwrap().to_str().unwrap()
    );
    jobs.run("aws", &["s3", "cp", jobs.dump().to_str().unwrap(), &key])
        .is_good();
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
    jobs.run("aws", &["s3", "mb", "s3://rachel-backups"])
        .is_good();
    let mut torn = s3.jobs(&postgres);
    torn.stub(
        "aws",
        &format!("case \"$*\" in *cp*' -') \"$REAL\" \"$@\" | head -c 100 ;; *) exec \"$REAL\" \"$@\" ;; esac").replace("$REAL", tool("aws").to_str().unwrap()),
    );
    jobs.run("cp", &["-r", "backups/.", torn.backups().to_str().unwrap()])
        .is_good();
    upload(&torn, "s3://rachel-backups/daily").failed("with its original failed");
    // Without the checksum beside it, it has not arrived: the next run brings it again.
    assert_eq!(keys(&jobs).len(), 1);
    upload(&jobs, "s3://rachel-backups/daily").is_silent();
    assert_eq!(keys(&jobs).len(), 2);
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
