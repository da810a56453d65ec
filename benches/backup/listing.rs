//! Listing 100,000 objects of a bucket, beside as many files of a folder.

use std::fs::File;
use std::io::{BufRead, BufReader, Write};
use std::net::{TcpListener, TcpStream};
use std::process::Command;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use pgvigil::backup::{self, Settings};
use pgvigil::document::{Reader, parse};

const OBJECTS: usize = 100_000;
/// As many as S3 puts on a page.
const PAGE: usize = 1000;
/// Dumps in the directory format, and how many files each has.
const FOLDERS: usize = 1000;
/// A way to a store in the same region.
const AWAY: Duration = Duration::from_millis(10);

pub fn run() {
    println!(
        "\nOne look at {OBJECTS} backups. The store is a server of this process on the same machine that waits before each answer; pages of {PAGE}. Peak is of a process that does nothing else.\n"
    );
    println!("| place | requests | look s | peak MB |");
    println!("| --- | --- | --- | --- |");
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name);
    std::fs::create_dir(path("empty")).unwrap();
    std::fs::create_dir(path("full")).unwrap();
    for number in 0..OBJECTS {
        File::create(path("full").join(format!("{number}.dump"))).unwrap();
    }
    for (name, title) in [("empty", "an empty folder"), ("full", "files of a folder")] {
        print(
            title,
            &format!("files: '{}/*.dump'", path(name).display()),
            None,
        );
    }
    let cases = [
        ("objects, the store answers at once", Duration::ZERO, "flat"),
        ("objects, the store is 10 ms away", AWAY, "flat"),
        ("objects in 1000 folders, 10 ms away", AWAY, "folders"),
    ];
    for (title, away, form) in cases {
        let store = Store::start(away, form == "folders");
        let source = format!(
            "files: 's3://bucket/{form}/*.dump', storage: {{endpoint: 'http://127.0.0.1:{}', allow_http: true, anonymous: true, region: r}}",
            store.port
        );
        print(title, &source, Some(&store));
    }
}

fn print(title: &str, source: &str, store: Option<&Store>) {
    let mut command = Command::new(std::env::current_exe().unwrap());
    let output = command.args(["look", source]).output().unwrap();
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(output.status.success(), "{output:?}");
    let requests = store.map_or("–".into(), |store| {
        store.requests.load(Ordering::Relaxed).to_string()
    });
    println!("| {title} | {requests} | {} |", said.trim());
}

/// One look, in the process that is measured.
pub fn look(source: &str) {
    let text = format!("backups: [{{name: n, {source}}}]");
    let reader = Reader::new(None);
    let settings = reader.read(&parse("bench", &text).unwrap(), Settings::read);
    assert_eq!(reader.problems(), []);
    let began = Instant::now();
    assert_eq!(backup::try_out(&settings[0]).obstacles, [""; 0]);
    let took = began.elapsed();
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = status
        .lines()
        .find(|line| line.starts_with("VmHWM:"))
        .unwrap();
    let kilobytes: f64 = line.split_whitespace().nth(1).unwrap().parse().unwrap();
    println!("{:.2} | {:.0}", took.as_secs_f64(), kilobytes / 1024.0);
}

/// An S3 with nothing but listings.
struct Store {
    port: u16,
    requests: Arc<AtomicUsize>,
}

impl Store {
    fn start(away: Duration, has_folders: bool) -> Store {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let requests = Arc::new(AtomicUsize::new(0));
        let counted = requests.clone();
        std::thread::spawn(move || {
            for connection in listener.incoming().flatten() {
                let counted = counted.clone();
                std::thread::spawn(move || serve(&connection, away, has_folders, &counted));
            }
        });
        Store { port, requests }
    }
}

fn serve(connection: &TcpStream, away: Duration, has_folders: bool, counted: &AtomicUsize) {
    let mut lines = BufReader::new(connection).lines();
    while let Some(Ok(first)) = lines.next() {
        while lines
            .next()
            .is_some_and(|line| line.is_ok_and(|line| !line.is_empty()))
        {}
        counted.fetch_add(1, Ordering::Relaxed);
        std::thread::sleep(away);
        let (status, body) = if first.contains("list-type=2") {
            ("200 OK", page(&first, has_folders))
        } else {
            ("404 Not Found", String::new())
        };
        let head = format!(
            "HTTP/1.1 {status}\r\nContent-Length: {}\r\n\r\n",
            body.len()
        );
        let mut stream = connection;
        if stream.write_all((head + &body).as_bytes()).is_err() {
            return;
        }
    }
}

fn page(request: &str, has_folders: bool) -> String {
    let parameter = |name: &str| {
        let rest = request.split_once(&format!("{name}="))?.1;
        rest.split(['&', ' ']).next()
    };
    let first: usize = parameter("continuation-token").map_or(0, |token| token.parse().unwrap());
    let prefix = parameter("prefix").unwrap_or_default();
    let mut text = String::from("<ListBucketResult>");
    let one = |key: String| {
        format!(
            "<Contents><Key>{key}</Key><LastModified>2026-01-02T03:04:05.000Z</LastModified><ETag>\"d41d8cd98f00b204e9800998ecf8427e\"</ETag><Size>123456</Size><StorageClass>STANDARD</StorageClass></Contents>"
        )
    };
    let files = OBJECTS / FOLDERS;
    let of_folder = |folder: usize, file: usize| one(format!("folders/{folder}.dump/{file}.dat"));
    let mut last = OBJECTS;
    match (has_folders, request.contains("delimiter=")) {
        (false, _) => {
            last = first + PAGE;
            text.extend((first..last).map(|number| one(format!("flat/{number}.dump"))));
        }
        (true, true) => {
            let folder = |number| {
                format!("<CommonPrefixes><Prefix>folders/{number}.dump/</Prefix></CommonPrefixes>")
            };
            text.extend((0..FOLDERS).map(folder));
        }
        (true, false) => match prefix
            .split("%2F")
            .nth(1)
            .and_then(|name| name.split('.').next())
        {
            Some(folder) if !folder.is_empty() => {
                let folder = folder.parse().unwrap();
                text.extend((0..files).map(|file| of_folder(folder, file)));
            }
            _ => {
                last = first + PAGE;
                text.extend((first..last).map(|number| of_folder(number / files, number % files)));
            }
        },
    }
    if last < OBJECTS {
        text += &format!(
            "<IsTruncated>true</IsTruncated><NextContinuationToken>{last}</NextContinuationToken>"
        );
    }
    text + "</ListBucketResult>"
}
