//! What is said on one connection.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::sync::Arc;
use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use rustls::{ServerConfig, ServerConnection, StreamOwned};

use super::{Letter, Misbehaviour, Stage, State, Transport};

trait Stream: Read + Write {}
impl<T: Read + Write> Stream for T {}
type Wire<'a> = BufReader<Box<dyn Stream + 'a>>;

/// One client, from greeting to QUIT.
pub(super) struct Conversation<'a> {
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
    pub(super) fn new(state: &'a State) -> Self {
        Conversation {
            state,
            encrypted: false,
            user: None,
            from: None,
            to: Vec::new(),
        }
    }

    pub(super) fn hold(mut self, mut connection: TcpStream, tls: Arc<ServerConfig>) {
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
        let indigestible = self.state.indigestible.lock().unwrap().clone();
        if indigestible.is_some_and(|text| data.contains(&text)) {
            return say(wire, "451 4.3.0 cannot digest this");
        }
        if let Some(reply) = self.scripted(Stage::Data) {
            return say(wire, &reply);
        }
        let misbehaviour = self.misbehaviour(&to);
        if misbehaviour == Some(Misbehaviour::Silence) {
            // Until the client has had enough.
            hear(wire)?;
            return None;
        }
        let letter = Letter {
            from,
            to,
            encrypted: self.encrypted,
            user: self.user.clone(),
            data,
        };
        self.state.letters.lock().unwrap().push(letter);
        if misbehaviour == Some(Misbehaviour::BreakOnce) {
            return None;
        }
        say(wire, "250 2.0.0 accepted")
    }

    fn misbehaviour(&self, to: &[String]) -> Option<Misbehaviour> {
        let mut all = self.state.misbehaviours.lock().unwrap();
        let place = all.iter().position(|(name, _)| to.contains(name))?;
        match all[place].1 {
            Misbehaviour::BreakOnce => Some(all.remove(place).1),
            Misbehaviour::Silence => Some(Misbehaviour::Silence),
        }
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
