//! `/federate` beside that of a Prometheus over the same samples and with the same external labels.

use std::sync::Arc;

use pgvigil::sample::{Labels, STALE, Source, Sources, Timestamp};
use pgvigil::web::api::Api;
use pgvigil::web::{Settings, View, router};

use super::corpus::encoded;
use super::{over, told};
use crate::harness::Prometheus;
use crate::web::ask_of;

/// Current series, series of some minutes ago, and one that is out of sight.
fn samples(now: i64) -> String {
    let (now, earlier, long_ago) = (now - 1, now - 200, now - 400);
    format!(
        r#"# TYPE current gauge
current{{instance="a:1",job="one"}} 1.5 {now}
current{{instance="b:1",job="one",zone="own"}} 1e21 {now}
current{{kind="a \"quote\" \\ \n end"}} NaN {now}
current{{kind="inf"}} +Inf {now}
# TYPE earlier gauge
earlier{{job="one"}} 1.5e-9 {earlier}
# TYPE long_ago gauge
long_ago{{job="one"}} 3 {long_ago}
# TYPE lonely gauge
lonely 123456789 {now}
# EOF
"#
    )
}

#[tokio::test(flavor = "multi_thread")]
async fn a_prometheus_above_reads_what_one_would_give() {
    let _ = rustls::crypto::ring::default_provider().install_default();
    let samples = samples(Timestamp::now().0 / 1000);
    let config = "global: {external_labels: {zone: eu, account: '7'}}\n";
    let prometheus = Prometheus::with(&samples, config, &[]);
    let view = Arc::new(View {
        api: Api {
            external_labels: Labels::new([("zone", "eu"), ("account", "7")]),
            ..told()
        },
        ..over(&samples)
    });
    let service = router(view.clone(), &Settings::default());
    let client = reqwest::Client::new();
    let cases = [
        ("match[]=current", true),
        ("match[]=current{job=\"one\"}", true),
        (
            "match[]=current&match[]=current{zone=\"own\"}&match[]=earlier",
            true,
        ),
        ("match[]={__name__=~\".+\"}", true),
        ("match[]={}", true),
        ("match[]={job=~\".*\"}", true),
        ("match[]=long_ago", true),
        ("match[]=nosuch", true),
        ("", true),
        ("match[]=current(", false),
        ("match[]=current[5m]", false),
        ("match[]=", false),
    ];
    for (asked, good) in cases {
        let path = format!("/federate?{}", encoded(asked));
        let theirs = client.get(format!("{}{path}", prometheus.url()));
        let theirs = theirs.send().await.unwrap();
        let ours = ask_of(service.clone(), &path, &[]).await;
        assert_eq!(ours.status, theirs.status(), "{asked}");
        let kind =
            |headers: &axum::http::HeaderMap| headers["content-type"].to_str().unwrap().to_owned();
        // Names need no escaping here, and so there is nothing to say of it.
        let expected = kind(theirs.headers()).replace("; escaping=underscores", "");
        assert_eq!(kind(&ours.headers), expected, "{asked}");
        let theirs = theirs.text().await.unwrap();
        if good {
            assert_eq!(ours.text(), theirs, "{asked}");
        } else {
            assert!(ours.text().contains("parse error: "), "{}", ours.text());
        }
    }

    let ended = Labels::new([("__name__", "lonely")]);
    let sources = Sources::one(Source::new("rachel", "", "corpus"));
    view.store
        .append(Timestamp::now(), &sources, [(ended, STALE)]);
    let page = ask_of(service, "/federate?match[]=lonely", &[]).await;
    assert_eq!(page.text(), "", "a series that has ended");
}
