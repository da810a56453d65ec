//! An HTTP server that records what it is sent and answers as it was told.

use std::collections::VecDeque;
use std::io::{BufRead, BufReader, Write};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use super::eventually;

/// What was asked.
#[derive(Debug, Clone)]
pub struct Request {
    pub method: String,
    /// With its query.
    pub path: String,
    /// In their order; names in lower case.
    pub headers: Vec<(String, String)>,
    /// As text; what is none is in `bytes`.
    pub body: String,
    pub bytes: Vec<u8>,
    /// When all of it had come.
    pub at: Instant,
}

impl Request {
    pub fn header(&self, name: &str) -> Option<&str> {
        let name = name.to_ascii_lowercase();
        self.headers
            .iter()
            .find(|(key, _)| *key == name)
            .map(|(_, value)| value.as_str())
    }

    pub fn json(&self) -> serde_json::Value {
        serde_json::from_str(&self.body).unwrap_or_else(|error| panic!("{error}: {}", self.body))
    }
}

/// In the body of an answer it stands for all that was asked, as error pages of proxies repeat it.
pub const ECHO: &str = "<what was asked>";

/// What is answered.
#[derive(Debug, Clone)]
pub struct Answer {
    pub status: u16,
    pub headers: Vec<(String, String)>,
    pub body: String,
    /// How long it keeps the client waiting.
    pub delay: Duration,
    /// Whether the body is all that is said, be it HTTP or not; nothing is a connection that breaks.
    pub bare: bool,
}

impl Answer {
    pub fn new(status: u16, headers: &[(&str, &str)], body: &str) -> Answer {
        let owned = |(name, value): &(&str, &str)| ((*name).to_owned(), (*value).to_owned());
        Answer {
            status,
            headers: headers.iter().map(owned).collect(),
            body: body.to_owned(),
            delay: Duration::ZERO,
            bare: false,
        }
    }

    /// The text and nothing else, which may be no HTTP at all.
    pub fn bare(text: &str) -> Answer {
        Answer {
            bare: true,
            ..Answer::new(0, &[], text)
        }
    }

    pub fn after(self, delay: Duration) -> Answer {
        Answer { delay, ..self }
    }
}

impl Default for Answer {
    fn default() -> Self {
        Answer::new(200, &[], "ok")
    }
}

type Answering = Arc<dyn Fn(&Request) -> Answer + Send + Sync>;

#[derive(Default)]
struct State {
    requests: Mutex<Vec<Request>>,
    script: Mutex<VecDeque<Answer>>,
    usual: Mutex<Answer>,
    answering: Mutex<Option<Answering>>,
    stopping: AtomicBool,
}

/// Answers each request with the next of its script, and with its usual answer (200) once the script is used up.
pub struct HttpSink {
    address: SocketAddr,
    state: Arc<State>,
    listening: Option<JoinHandle<()>>,
}

impl HttpSink {
    pub fn start() -> HttpSink {
        HttpSink::listen(0)
    }

    /// On a port of the caller's choice, to come back after having been away.
    pub fn listen(port: u16) -> HttpSink {
        let listener = TcpListener::bind(("127.0.0.1", port)).expect("the sink's port");
        let address = listener.local_addr().unwrap();
        let state = Arc::<State>::default();
        let shared = Arc::clone(&state);
        let listening = std::thread::spawn(move || {
            for connection in listener.incoming().flatten() {
                if shared.stopping.load(Ordering::Acquire) {
                    return;
                }
                let shared = Arc::clone(&shared);
                std::thread::spawn(move || serve(&connection, &shared));
            }
        });
        HttpSink {
            address,
            state,
            listening: Some(listening),
        }
    }

    /// Without a slash at its end.
    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Appends answers to the script.
    pub fn script(&self, answers: impl IntoIterator<Item = Answer>) {
        self.state.script.lock().unwrap().extend(answers);
    }

    /// What is answered when the script is used up.
    pub fn usually(&self, answer: Answer) {
        *self.state.usual.lock().unwrap() = answer;
    }

    /// What is answered then, by what was asked.
    pub fn answering(&self, answer: impl Fn(&Request) -> Answer + Send + Sync + 'static) {
        *self.state.answering.lock().unwrap() = Some(Arc::new(answer));
    }

    /// All requests so far, also those that were answered with an error.
    pub fn requests(&self) -> Vec<Request> {
        self.state.requests.lock().unwrap().clone()
    }

    /// Waits until there have been `count` requests; gives them all.
    pub fn wait_for(&self, count: usize, deadline: Duration) -> Vec<Request> {
        eventually(&format!("{count} HTTP requests"), deadline, || {
            Some(self.requests()).filter(|requests| requests.len() >= count)
        })
    }
}

impl Drop for HttpSink {
    fn drop(&mut self) {
        self.state.stopping.store(true, Ordering::Release);
        // Wakes the listener.
        let _ = TcpStream::connect(self.address);
        if let Some(listening) = self.listening.take() {
            let _ = listening.join();
        }
    }
}

/// One request per connection: it says so, and clients open the next.
fn serve(connection: &TcpStream, state: &State) {
    let Some(request) = read(&mut BufReader::new(connection)) else {
        return;
    };
    let asked = format!(
        "{} {} {:?} {}",
        request.method, request.path, request.headers, request.body
    );
    state.requests.lock().unwrap().push(request.clone());
    let scripted = state.script.lock().unwrap().pop_front();
    let answering = state.answering.lock().unwrap().clone();
    let usual = || match answering {
        Some(answering) => answering(&request),
        None => state.usual.lock().unwrap().clone(),
    };
    let mut answer = scripted.unwrap_or_else(usual);
    answer.body = answer.body.replace(ECHO, &asked);
    std::thread::sleep(answer.delay);
    let mut head = format!(
        "HTTP/1.1 {} Scripted\r\nContent-Length: {}\r\nConnection: close\r\n",
        answer.status,
        answer.body.len()
    );
    for (name, value) in &answer.headers {
        head += &format!("{name}: {value}\r\n");
    }
    let mut stream = connection;
    let whole = match answer.bare {
        true => answer.body,
        false => format!("{head}\r\n{}", answer.body),
    };
    let _ = stream.write_all(whole.as_bytes());
    let _ = stream.shutdown(Shutdown::Write);
}

fn read(stream: &mut impl BufRead) -> Option<Request> {
    let first = line(stream)?;
    let mut words = first.split(' ');
    let (method, path) = (words.next()?.to_owned(), words.next()?.to_owned());
    let mut headers = Vec::new();
    loop {
        let header = line(stream)?;
        if header.is_empty() {
            break;
        }
        let (name, value) = header.split_once(':')?;
        headers.push((name.to_ascii_lowercase(), value.trim().to_owned()));
    }
    let length = headers.iter().find(|(name, _)| name == "content-length");
    let mut body = vec![0; length.map_or(Some(0), |(_, value)| value.parse().ok())?];
    stream.read_exact(&mut body).ok()?;
    Some(Request {
        method,
        path,
        headers,
        body: String::from_utf8_lossy(&body).into_owned(),
        bytes: body,
        at: Instant::now(),
    })
}

fn line(stream: &mut impl BufRead) -> Option<String> {
    let mut text = String::new();
    (stream.read_line(&mut text).ok()? > 0).then(|| text.trim_end().to_owned())
}
