//! An SMTP server that holds a real conversation, records what it is sent and refuses as it was told.

mod conversation;

use std::collections::VecDeque;
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;
use std::time::Duration;

use super::{Authority, eventually};
use conversation::Conversation;

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

/// What becomes of a message for one recipient when all of it has been sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Misbehaviour {
    /// Nothing is said any more; the message is lost.
    Silence,
    /// The message is accepted and the connection breaks before that is said; once.
    BreakOnce,
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
    indigestible: Mutex<Option<String>>,
    misbehaviours: Mutex<Vec<(String, Misbehaviour)>>,
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

    /// From now on messages for this recipient come to a bad end.
    pub fn misbehave(&self, recipient: &str, how: Misbehaviour) {
        let mut all = self.state.misbehaviours.lock().unwrap();
        all.push((recipient.to_owned(), how));
    }

    /// Puts off every message with this text in it, from now on.
    pub fn choke_on(&self, text: Option<&str>) {
        *self.state.indigestible.lock().unwrap() = text.map(str::to_owned);
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
