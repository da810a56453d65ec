//! An SMTP server for the demo's own mail: takes whatever it is sent and hands it on.

use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::mpsc::UnboundedSender;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use super::arrival::Arrival;

/// Receives mail until `stop`.
pub(super) async fn run(
    listener: TcpListener,
    arrivals: UnboundedSender<Arrival>,
    stop: CancellationToken,
) {
    let mut conversations = JoinSet::new();
    loop {
        tokio::select! {
            () = stop.cancelled() => return,
            accepted = listener.accept() => if let Ok((connection, _)) = accepted {
                let arrivals = arrivals.clone();
                conversations.spawn(async move {
                    // A client that breaks off has sent no mail.
                    let _ = converse(connection, &arrivals).await;
                });
            },
            Some(_) = conversations.join_next() => {}
        }
    }
}

async fn converse(
    mut connection: TcpStream,
    arrivals: &UnboundedSender<Arrival>,
) -> std::io::Result<()> {
    let (input, mut output) = connection.split();
    let mut lines = BufReader::new(input).lines();
    output.write_all(b"220 pgvigil demo\r\n").await?;
    while let Some(line) = lines.next_line().await? {
        let verb = line
            .split(' ')
            .next()
            .unwrap_or_default()
            .to_ascii_uppercase();
        let reply = match verb.as_str() {
            "EHLO" => "250-pgvigil demo\r\n250 8BITMIME\r\n",
            "HELO" | "MAIL" | "RCPT" | "RSET" | "NOOP" => "250 ok\r\n",
            "QUIT" => "221 bye\r\n",
            "DATA" => {
                output.write_all(b"354 go ahead\r\n").await?;
                let mut message = String::new();
                while let Some(line) = lines.next_line().await? {
                    if line == "." {
                        break;
                    }
                    // A line that begins with a dot was sent with one more.
                    message += line.strip_prefix('.').unwrap_or(&line);
                    message.push('\n');
                }
                // Nobody listens any more when the demo is ending.
                let _ = arrivals.send(Arrival::Mail(message));
                "250 accepted\r\n"
            }
            _ => "502 not here\r\n",
        };
        output.write_all(reply.as_bytes()).await?;
        if verb == "QUIT" {
            break;
        }
    }
    Ok(())
}
