//! One SMTP conversation for one recipient, and what each refusal in it means.

use std::fmt::Display;
use std::future::Future;
use std::time::Duration;

use lettre::Address;
use lettre::transport::smtp::Error;
use lettre::transport::smtp::authentication::{Credentials, Mechanism};
use lettre::transport::smtp::client::{AsyncSmtpConnection, Certificate, TlsParameters};
use lettre::transport::smtp::commands::{Data, Mail, Rcpt};
use lettre::transport::smtp::extension::ClientId;
use lettre::transport::smtp::response::Response;

use super::settings::{Encryption, Settings};
use crate::notify::failure::{Failure, Kind, causes};

/// The server may take this long for each answer, and for the whole of connecting.
const PATIENCE: Duration = Duration::from_secs(60);

/// Hands a mail to the server.
pub(super) async fn deliver(
    settings: &Settings,
    to: &Address,
    mail: &[u8],
    dialogue: &mut Vec<String>,
) -> Result<(), Failure> {
    let mut talk = Conversation::begin(settings, dialogue).await?;
    talk.login(settings).await?;
    let from = settings.from.email.clone();
    let command = Mail::new(Some(from), vec![]);
    talk.say(&format!("MAIL FROM:<{}>", settings.from.email), command)
        .await?;
    let command = Rcpt::new(to.clone(), vec![]);
    talk.say(&format!("RCPT TO:<{to}>"), command).await?;
    talk.say("DATA", Data).await?;
    let answer = within(talk.connection.message(mail)).await;
    let taken = talk.heard("the message", answer);
    taken.map_err(Failure::of_the_message)?;
    // It has been taken; how the server says goodbye does not matter.
    let _ = within(talk.connection.quit()).await;
    Ok(())
}

struct Conversation<'d> {
    connection: AsyncSmtpConnection,
    server: String,
    dialogue: &'d mut Vec<String>,
}

impl<'d> Conversation<'d> {
    async fn begin(settings: &Settings, dialogue: &'d mut Vec<String>) -> Result<Self, Failure> {
        let (host, port) = (&settings.server.host, settings.server.port);
        let server = format!("{host}:{port}");
        let name = ClientId::default();
        let implicit = match settings.encryption {
            Encryption::Implicit => Some(tls(settings)?),
            Encryption::Starttls | Encryption::None => None,
        };
        dialogue.push(format!("connect to {server}"));
        let address = (host.as_str(), port);
        let connected =
            AsyncSmtpConnection::connect_tokio1(address, Some(PATIENCE), &name, implicit, None);
        let connected = within(connected).await;
        let mut connection =
            connected.map_err(|trouble| trouble.of(&format!("cannot reach `{server}`")))?;
        if settings.encryption == Encryption::Starttls {
            dialogue.push("STARTTLS".into());
            if !connection.can_starttls() {
                let way_out = "set `tls: none` if it may be spoken to in clear, or use `smtps://`";
                let reason = format!("`{server}` offers no STARTTLS; {way_out}");
                return Err(Failure::permanent(reason));
            }
            let upgraded = within(connection.starttls(tls(settings)?, &name)).await;
            upgraded.map_err(|trouble| trouble.of(&format!("no encryption with `{server}`")))?;
        }
        Ok(Conversation {
            connection,
            server,
            dialogue,
        })
    }

    async fn login(&mut self, settings: &Settings) -> Result<(), Failure> {
        let (Some(user), Some(password)) = (&settings.server.user, &settings.password) else {
            return Ok(());
        };
        let password = password.reveal().map_err(Failure::temporary)?;
        let mechanisms = [Mechanism::Plain, Mechanism::Login];
        let server = &self.server;
        if self
            .connection
            .server_info()
            .get_auth_mechanism(&mechanisms)
            .is_none()
        {
            let way_out =
                "set `tls: starttls` if it wants encryption first, or take the user out of `smtp`";
            let reason = format!("`{server}` offers no login by PLAIN or LOGIN; {way_out}");
            return Err(Failure::permanent(reason));
        }
        let credentials = Credentials::new(user.clone(), password.clone());
        let answer = within(self.connection.auth(&mechanisms, &credentials)).await;
        let answer = self.heard(&format!("AUTH as `{user}`"), answer);
        answer.map_err(|failure| Failure {
            reason: failure.reason.replace(&password, "<secret>")
                + "; check the user in `smtp` and `password`",
            ..failure
        })
    }

    async fn say(&mut self, shown: &str, command: impl Display) -> Result<(), Failure> {
        let answer = within(self.connection.command(command)).await;
        self.heard(shown, answer)
    }

    fn heard(&mut self, shown: &str, answer: Result<Response, Trouble>) -> Result<(), Failure> {
        match answer {
            Ok(response) => {
                let words = response.first_line().unwrap_or_default();
                self.dialogue
                    .push(format!("{shown}: {} {words}", response.code()));
                Ok(())
            }
            Err(trouble) => {
                self.dialogue.push(format!("{shown}: {}", trouble.said));
                Err(trouble.of(&format!("`{}` did not take {shown}", self.server)))
            }
        }
    }
}

/// What went wrong in one step.
struct Trouble {
    said: String,
    kind: Kind,
}

impl Trouble {
    fn of(self, what: &str) -> Failure {
        let untrusted = self.said.contains("certificate");
        let way_out = if untrusted {
            "; set `ca` to the authority that signed it, and name the server as its certificate does"
        } else {
            ""
        };
        Failure {
            reason: format!("{what}: {}{way_out}", self.said),
            kind: self.kind,
        }
    }
}

impl From<Error> for Trouble {
    fn from(error: Error) -> Self {
        let said = match (error.status(), std::error::Error::source(&error)) {
            (Some(code), Some(words)) => format!("{code} {words}"),
            (Some(code), None) => code.to_string(),
            (None, _) => causes(&error),
        };
        // Only a 5xx is the server's last word: connections and certificates come back.
        let kind = if error.is_permanent() {
            Kind::Permanent
        } else {
            Kind::Temporary(None)
        };
        Trouble { said, kind }
    }
}

async fn within<T>(step: impl Future<Output = Result<T, Error>>) -> Result<T, Trouble> {
    match tokio::time::timeout(PATIENCE, step).await {
        Ok(result) => result.map_err(Trouble::from),
        Err(_) => Err(Trouble {
            said: format!("no answer within {} s", PATIENCE.as_secs()),
            kind: Kind::Temporary(None),
        }),
    }
}

fn tls(settings: &Settings) -> Result<TlsParameters, Failure> {
    let mut builder = TlsParameters::builder(settings.server.host.clone());
    if let Some(path) = &settings.ca {
        let unusable = |cause: &dyn Display| {
            Failure::permanent(format!("`ca` `{}` cannot be used: {cause}", path.display()))
        };
        let pem = std::fs::read(path).map_err(|error| unusable(&error))?;
        let certificate = Certificate::from_pem(&pem).map_err(|error| unusable(&error))?;
        builder = builder.add_root_certificate(certificate);
    }
    let unusable =
        |error: Error| Failure::permanent(format!("cannot set up TLS: {}", causes(&error)));
    builder.build().map_err(unusable)
}
