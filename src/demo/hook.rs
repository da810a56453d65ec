//! An HTTP server in the place of Slack: takes what is posted and hands it on.

use axum::Router;
use axum::extract::State;
use axum::routing::post;
use tokio::net::TcpListener;
use tokio::sync::mpsc::UnboundedSender;
use tokio_util::sync::CancellationToken;

use super::arrival::Arrival;

/// Receives posts until `stop`.
pub(super) async fn run(
    listener: TcpListener,
    arrivals: UnboundedSender<Arrival>,
    stop: CancellationToken,
) {
    let router = Router::new()
        .route("/{*path}", post(receive))
        .with_state(arrivals);
    let serving =
        axum::serve(listener, router).with_graceful_shutdown(stop.clone().cancelled_owned());
    // A client that keeps its connection must not keep the demo.
    let _ = stop.run_until_cancelled(serving.into_future()).await;
}

async fn receive(State(arrivals): State<UnboundedSender<Arrival>>, body: String) -> &'static str {
    // Nobody listens any more when the demo is ending.
    let _ = arrivals.send(Arrival::Slack(body));
    "ok"
}
