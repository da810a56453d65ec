//! A program on this machine: it reads the message, and its exit code says what became of it.

mod settings;

pub use settings::Settings;

use super::Context;
use super::failure::{Failure, Kind};
use super::message::Message;
use super::payload;
use super::words;
use crate::program::{Ended, Program};

/// Of what the program complains about, so many characters are shown.
const SHOWN: usize = 300;

/// `EX_TEMPFAIL`: the message is fine, the moment is not.
const TRY_AGAIN: i32 = 75;

/// One program.
#[derive(Debug, Clone)]
pub(super) struct Command {
    settings: Settings,
    receiver: String,
}

impl Command {
    /// That of a receiver.
    pub(super) fn new(settings: Settings, receiver: &str) -> Self {
        let receiver = receiver.to_owned();
        Command { settings, receiver }
    }

    /// The program, without its arguments.
    pub(super) fn place(&self) -> String {
        self.settings.program.clone()
    }

    /// Runs the program over a message; the group that the message belongs to.
    pub(super) async fn send(
        &self,
        message: &Message,
        context: &Context,
        dialogue: &mut Vec<String>,
    ) -> Result<String, Failure> {
        let input = payload::payload(message, &self.receiver, context, usize::MAX).to_string();
        let key = payload::key(message);
        dialogue.push(format!("run {}", self.settings.program));
        let program = Program {
            name: &self.settings.program,
            arguments: &self.settings.arguments,
            environment: &[("IDEMPOTENCY_KEY", &key)],
            input: input.as_bytes(),
            timeout: self.settings.timeout,
            ..Program::default()
        };
        let ended = program.run().await;
        let result = self.judge(ended);
        dialogue.push(match &result {
            Ok(()) => "exit code 0".into(),
            Err(failure) => failure.reason.clone(),
        });
        result.map(|()| payload::group(message))
    }

    fn judge(&self, ended: Ended) -> Result<(), Failure> {
        let program = &self.settings.program;
        let (code, said) = match ended {
            Ended::Exited { code: Some(0), .. } => return Ok(()),
            Ended::Exited { code, said, .. } => (code, said),
            Ended::TooLong => {
                let limit = self.settings.timeout;
                let reason = format!("`{program}` was not done within {limit:?} and was killed");
                return Err(Failure::temporary(reason));
            }
            Ended::NotStarted(cause) => {
                let reason = format!("cannot run `{program}`: {cause}");
                return Err(Failure::temporary(reason));
            }
        };
        let mut reason = match code {
            Some(code) => format!("`{program}` ended with {code}"),
            None => format!("`{program}` was killed by a signal"),
        };
        let first = said.lines().map(str::trim).find(|line| !line.is_empty());
        let said = words::cut(&words::one_line(first.unwrap_or_default()), SHOWN);
        if !said.is_empty() {
            reason.push_str(&format!(": {said}"));
        }
        let kind = match code {
            None | Some(TRY_AGAIN) => Kind::Temporary(None),
            Some(64..=78) => Kind::Permanent,
            // It may be this message that it cannot digest, so others are tried too.
            Some(_) => Kind::Doubtful,
        };
        Err(Failure { reason, kind })
    }
}
