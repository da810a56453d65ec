//! An SMTP server that holds a real conversation, records what it is sent and refuses as it was told.

use std::collections::VecDeque;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;
use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use rustls::{ServerConfig, ServerConnection, StreamOwned};

use super::{Authority, eventually};

/// How the conversation is protected.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Transport {
    #[default]
    Plain,
    /// Begins in the clear and offers STARTTLS; mail and passwords are refused before it.
    StartTls,
    /// TLS from the first byte.
    Implicit,
}

/// What it demands of its clients.
#[derive(Debug, Clone, Default)]
pub struct SmtpOptions {
    pub transport: Transport,
    /// The one user and password; without them nobody needs to log in.
    pub login: Option<(String, String)>,
    /// `PLAIN`, `LOGIN` or both with a space between; empty means both.
    pub mechanisms: &'static str,
}

/// Where a scripted reply is given instead of the usual one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stage {
    /// Instead of the greeting.
    Connect,
    Mail,
    Rcpt,
    /// Instead of accepting the message once all of it has been sent.
    Data,
}

/// A message that was accepted.
#[derive(Debug, Clone)]
pub struct Letter {
    pub from: String,
    pub to: Vec<String>,
    /// Whether it came through TLS.
    pub encrypted: bool,
    /// Who had logged in.
    pub user: Option<String>,
    /// Headers and body as sent, dots unstuffed, lines ended by CR LF.
    pub data: String,
}

impl Letter {
    /// The first header of this name, unfolded; encoded words are left as they are.
    pub fn header(&self, name: &str) -> Option<String> {
        let head = self
            .data
            .split("\r\n\r\n")
            .next()?
            .replace("\r\n ", " ")
            .replace("\r\n\t", " ");
        head.split("\r\n").find_map(|line| {
            let (key, value) = line.split_once(':')?;
            key.eq_ignore_ascii_case(name)
                .then(|| value.trim().to_owned())
        })
    }
}

#[derive(Default)]
struct State {
    options: SmtpOptions,
    letters: Mutex<Vec<Letter>>,
    connections: Mutex<usize>,
    script: Mutex<VecDeque<(Stage, String)>>,
    unknown: Mutex<Vec<(String, String)>>,
    stopping: AtomicBool,
}

/// The server; see the module's head.
pub struct SmtpSink {
    address: SocketAddr,
    state: Arc<State>,
    authority: Authority,
    listening: Option<JoinHandle<()>>,
}

impl SmtpSink {
    /// Plain, without a login.
    pub fn start() -> SmtpSink {
        SmtpSink::with(SmtpOptions::default())
    }

    pub fn with(options: SmtpOptions) -> SmtpSink {
        SmtpSink::listen(0, options)
    }

    /// On a port of the caller's choice, to come back after having been away.
    pub fn listen(port: u16, options: SmtpOptions) -> SmtpSink {
        let listener = TcpListener::bind(("127.0.0.1", port)).expect("the sink's port");
        let address = listener.local_addr().unwrap();
        let authority = Authority::new();
        let tls = authority.server_config();
        let state = Arc::new(State {
            options,
            ..State::default()
        });
        let shared = Arc::clone(&state);
        let listening = std::thread::spawn(move || {
            for connection in listener.incoming().flatten() {
                if shared.stopping.load(Ordering::Acquire) {
                    return;
                }
                *shared.connections.lock().unwrap() += 1;
                let (shared, tls) = (Arc::clone(&shared), Arc::clone(&tls));
                std::thread::spawn(move || Conversation::new(&shared).hold(connection, tls));
            }
        });
        SmtpSink {
            address,
            state,
            authority,
            listening: Some(listening),
        }
    }

    pub fn port(&self) -> u16 {
        self.address.port()
    }

    /// The certificate that a client must trust; the server's name is `localhost` or 127.0.0.1.
    pub fn ca_pem(&self) -> String {
        self.authority.pem()
    }

    /// The next time a conversation comes to this stage, gives this reply, such as `451 4.3.0 try again later`.
    pub fn reply(&self, stage: Stage, reply: &str) {
        self.state
            .script
            .lock()
            .unwrap()
            .push_back((stage, reply.to_owned()));
    }

    /// Always refuses this recipient with this reply, such as `550 5.1.1 no such user`.
    pub fn refuse(&self, recipient: &str, reply: &str) {
        self.state
            .unknown
            .lock()
            .unwrap()
            .push((recipient.to_owned(), reply.to_owned()));
    }

    /// The messages accepted so far.
    pub fn letters(&self) -> Vec<Letter> {
        self.state.letters.lock().unwrap().clone()
    }

    /// How many connections there have been.
    pub fn connections(&self) -> usize {
        *self.state.connections.lock().unwrap()
    }

    /// Waits until `count` messages have been accepted; gives them all.
    pub fn wait_for(&self, count: usize, deadline: Duration) -> Vec<Letter> {
        eventually(&format!("{count} emails"), deadline, || {
            Some(self.letters()).filter(|letters| letters.len() >= count)
        })
    }
}

impl Drop for SmtpSink {
    fn drop(&mut self) {
        self.state.stopping.store(true, Ordering::Release);
        // Wakes the listener.
        let _ = TcpStream::connect(self.address);
        if let Some(listening) = self.listening.take() {
            let _ = listening.join();
        }
    }
}

trait Stream: Read + Write {}
impl<T: Read + Write> Stream for T {}
type Wire<'a> = BufReader<Box<dyn Stream + 'a>>;

struct Conversation<'a> {
    state: &'a State,
    encrypted: bool,
    user: Option<String>,
    from: Option<String>,
    to: Vec<String>,
}

/// How a conversation went on.
enum Next {
    TalkOn,
    StartTls,
    Ended,
}

impl<'a> Conversation<'a> {
    fn new(state: &'a State) -> Self {
        Conversation {
            state,
            encrypted: false,
            user: None,
            from: None,
            to: Vec::new(),
        }
    }

    fn hold(mut self, mut connection: TcpStream, tls: Arc<ServerConfig>) {
        let _ = connection.set_read_timeout(Some(Duration::from_secs(60)));
        if self.state.options.transport != Transport::Implicit {
            let mut wire: Wire = BufReader::new(Box::new(&mut connection));
            match self.greet(&mut wire).and_then(|()| self.talk(&mut wire)) {
                Some(Next::StartTls) => {}
                _ => return,
            }
        }
        let Ok(session) = ServerConnection::new(tls) else {
            return;
        };
        let mut wire: Wire = BufReader::new(Box::new(StreamOwned::new(session, connection)));
        self.encrypted = true;
        if self.state.options.transport == Transport::Implicit && self.greet(&mut wire).is_none() {
            return;
        }
        self.talk(&mut wire);
    }

    fn greet(&self, wire: &mut Wire) -> Option<()> {
        let refusal = self.scripted(Stage::Connect);
        say(
            wire,
            refusal.as_deref().unwrap_or("220 localhost ESMTP sink"),
        )?;
        refusal.is_none().then_some(())
    }

    fn talk(&mut self, wire: &mut Wire) -> Option<Next> {
        loop {
            let line = hear(wire)?;
            match self.answer(&line, wire)? {
                Next::TalkOn => {}
                other => return Some(other),
            }
        }
    }

    fn answer(&mut self, line: &str, wire: &mut Wire) -> Option<Next> {
        let (verb, rest) = line.split_once(' ').unwrap_or((line, ""));
        match verb.to_ascii_uppercase().as_str() {
            "EHLO" | "HELO" => say(wire, &self.capabilities())?,
            "STARTTLS" if self.must_encrypt() => {
                say(wire, "220 go ahead")?;
                return Some(Next::StartTls);
            }
            "NOOP" | "RSET" => {
                (self.from, self.to) = (None, Vec::new());
                say(wire, "250 ok")?;
            }
            "QUIT" => {
                say(wire, "221 bye")?;
                return Some(Next::Ended);
            }
            _ if self.must_encrypt() => say(wire, "530 5.7.0 must issue a STARTTLS command first")?,
            "AUTH" => self.log_in(rest, wire)?,
            _ if self.state.options.login.is_some() && self.user.is_none() => {
                say(wire, "530 5.7.0 authentication required")?;
            }
            "MAIL" => {
                let refusal = self.scripted(Stage::Mail);
                if refusal.is_none() {
                    self.from = Some(address(rest));
                }
                say(wire, refusal.as_deref().unwrap_or("250 ok"))?;
            }
            "RCPT" => self.recipient(&address(rest), wire)?,
            "DATA" if self.from.is_none() || self.to.is_empty() => {
                say(wire, "503 5.5.1 no recipients")?
            }
            "DATA" => self.message(wire)?,
            _ => say(wire, "502 5.5.2 not implemented")?,
        }
        Some(Next::TalkOn)
    }

    fn must_encrypt(&self) -> bool {
        self.state.options.transport == Transport::StartTls && !self.encrypted
    }

    fn capabilities(&self) -> String {
        let mut lines = vec!["localhost".to_owned(), "8BITMIME".into(), "SMTPUTF8".into()];
        if self.must_encrypt() {
            lines.push("STARTTLS".into());
        } else if self.state.options.login.is_some() {
            lines.push(format!("AUTH {}", self.mechanisms()));
        }
        let last = lines.pop().unwrap_or_default();
        let mut reply: String = lines.iter().map(|line| format!("250-{line}\r\n")).collect();
        reply += &format!("250 {last}");
        reply
    }

    fn mechanisms(&self) -> &'static str {
        match self.state.options.mechanisms {
            "" => "PLAIN LOGIN",
            chosen => chosen,
        }
    }

    fn log_in(&mut self, rest: &str, wire: &mut Wire) -> Option<()> {
        let (mechanism, initial) = rest.split_once(' ').unwrap_or((rest, ""));
        let mechanism = mechanism.to_ascii_uppercase();
        if !self
            .mechanisms()
            .split(' ')
            .any(|offered| offered == mechanism)
        {
            return say(wire, "504 5.5.4 mechanism not supported");
        }
        let given = if mechanism == "PLAIN" {
            let response = match initial {
                "" => ask(wire, "334 ")?,
                initial => decode(initial),
            };
            let mut parts = response.split('\0').skip(1).map(str::to_owned);
            (
                parts.next().unwrap_or_default(),
                parts.next().unwrap_or_default(),
            )
        } else {
            let user = match initial {
                "" => ask(wire, "334 VXNlcm5hbWU6")?,
                initial => decode(initial),
            };
            (user, ask(wire, "334 UGFzc3dvcmQ6")?)
        };
        if self.state.options.login.as_ref() == Some(&given) {
            self.user = Some(given.0);
            say(wire, "235 2.7.0 welcome")
        } else {
            say(wire, "535 5.7.8 authentication failed")
        }
    }

    fn recipient(&mut self, recipient: &str, wire: &mut Wire) -> Option<()> {
        let unknown = self.state.unknown.lock().unwrap();
        let refused = unknown
            .iter()
            .find(|(name, _)| name == recipient)
            .map(|(_, reply)| reply.clone());
        drop(unknown);
        match refused.or_else(|| self.scripted(Stage::Rcpt)) {
            Some(reply) => say(wire, &reply),
            None => {
                self.to.push(recipient.to_owned());
                say(wire, "250 ok")
            }
        }
    }

    fn message(&mut self, wire: &mut Wire) -> Option<()> {
        say(wire, "354 go ahead")?;
        let mut data = String::new();
        loop {
            let line = hear(wire)?;
            match line.strip_prefix('.') {
                Some("") => break,
                Some(unstuffed) => data += unstuffed,
                None => data += &line,
            }
            data += "\r\n";
        }
        let (from, to) = (self.from.take()?, std::mem::take(&mut self.to));
        if let Some(reply) = self.scripted(Stage::Data) {
            return say(wire, &reply);
        }
        let letter = Letter {
            from,
            to,
            encrypted: self.encrypted,
            user: self.user.clone(),
            data,
        };
        self.state.letters.lock().unwrap().push(letter);
        say(wire, "250 2.0.0 accepted")
    }

    fn scripted(&self, stage: Stage) -> Option<String> {
        let mut script = self.state.script.lock().unwrap();
        let place = script.iter().position(|(at, _)| *at == stage)?;
        script.remove(place).map(|(_, reply)| reply)
    }
}

fn say(wire: &mut Wire, reply: &str) -> Option<()> {
    wire.get_mut()
        .write_all(format!("{reply}\r\n").as_bytes())
        .ok()?;
    wire.get_mut().flush().ok()
}

fn hear(wire: &mut Wire) -> Option<String> {
    let mut line = Vec::new();
    if wire.read_until(b'\n', &mut line).ok()? == 0 {
        return None;
    }
    Some(
        String::from_utf8_lossy(&line)
            .trim_end_matches(['\r', '\n'])
            .to_owned(),
    )
}

fn ask(wire: &mut Wire, challenge: &str) -> Option<String> {
    say(wire, challenge)?;
    Some(decode(&hear(wire)?))
}

fn decode(text: &str) -> String {
    String::from_utf8_lossy(&STANDARD.decode(text).unwrap_or_default()).into_owned()
}

/// What stands between the angle brackets of `FROM:<a@b> SIZE=1`.
fn address(argument: &str) -> String {
    let from = argument.split_once('<').map_or(argument, |(_, rest)| rest);
    from.split('>').next().unwrap_or_default().to_owned()
}
