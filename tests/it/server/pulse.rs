//! The sign of life: role, clock and certificate, and what a server says that takes nobody.

use std::process::Command;

use pgvigil::server::{Pulse, Trouble};

use super::{SECOND, encrypt, server};
use crate::harness::{Authority, Daemon, Postgres, eventually, eventually_async};

/// The first second of [`Authority::LAST_YEAR`].
const EXPIRES: u64 = 1_924_992_000;

async fn pulse(url: &str) -> Pulse {
    server(url).alive().await.unwrap().expect("an answer")
}

/// The server's clock is ours, so that what is seen of it must lie within the bound that is told.
fn check_clock(pulse: &Pulse) {
    let bound = pulse.round_trip.as_secs_f64() / 2.0;
    let Pulse { clock_skew, .. } = pulse;
    assert!(clock_skew.abs() <= bound + 1e-6, "{pulse:?}");
    assert!(bound > 0.0, "{pulse:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_sign_of_life_tells_role_clock_and_certificate() {
    for major in [13, 18] {
        let primary = Postgres::start(major);
        encrypt(&primary, &Authority::new(), "localhost");
        let clear = pulse(&primary.url("postgres", "postgres")).await;
        check_clock(&clear);
        assert_eq!((clear.standby, clear.certificate), (false, None), "{major}");
        let url = primary.url("postgres", "postgres");
        let secret = pulse(&url.replace("sslmode=disable", "sslmode=require")).await;
        let expiry = secret.certificate.expect("a certificate was shown");
        assert_eq!((expiry.own, expiry.chain), (EXPIRES, None), "{major}");
        let standby = primary.standby();
        let standby = pulse(&standby.url("postgres", "postgres")).await;
        check_clock(&standby);
        assert!(standby.standby, "{major}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn starting_is_told_from_stopping() {
    for major in [13, 18] {
        let primary = Postgres::start(major);
        let cold = primary.standby();
        cold.sql("postgres", "ALTER SYSTEM SET hot_standby = off");
        cold.stop();
        cold.start_unready();
        let url = cold.url("postgres", "postgres");
        eventually_async("it is starting", 10 * SECOND, || async {
            let refused = server(&url).alive().await.err()?;
            (refused.trouble == Trouble::Starting).then_some(())
        })
        .await;

        let mut session: Command = primary.command("psql");
        session.args(["-X", "-c", "SELECT pg_sleep(600)"]);
        let session = Daemon::spawn(session);
        let sleeping = "SELECT count(*) FROM pg_stat_activity WHERE query LIKE 'SELECT pg_sleep%'";
        eventually("the session is there", 10 * SECOND, || {
            (primary.sql("postgres", sleeping) == "1").then_some(())
        });
        primary.close();
        let url = primary.url("postgres", "postgres");
        let refused = eventually_async("it takes nobody", 10 * SECOND, || async {
            server(&url).alive().await.err()
        })
        .await;
        assert_eq!(refused.trouble, Trouble::Stopping, "{major}: {refused}");
        drop(session);
    }
}
