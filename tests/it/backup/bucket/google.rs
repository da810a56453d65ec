//! Google Cloud Storage, as fake-gcs-server speaks it.

use pgvigil::backup::{Proof, State};

use super::{Dumps, PLAIN, Watched, obstacle};
use crate::harness::{BUCKET, FakeGcs};

#[tokio::test(flavor = "multi_thread")]
async fn a_bucket_of_google_is_read() {
    let (gcs, dumps) = (FakeGcs::start().await, Dumps::take());
    gcs.put("daily/a.dump", dumps.custom.clone()).await;
    gcs.put("daily/b.dump", &PLAIN.as_bytes()[..60]).await;
    for (name, content) in &dumps.folder {
        gcs.put(&format!("daily/dir.dump/{name}"), content.clone())
            .await;
    }
    let source = |bucket: &str| {
        let storage = gcs.storage();
        format!("files: 'gs://{bucket}/daily/*.dump', look: 1s, storage: {storage}")
    };
    let watched = Watched::start(&source(BUCKET));
    let seen = watched.read(3).await;
    let states: Vec<_> = seen
        .iter()
        .map(|b| (b.id.as_str(), b.state, b.proof))
        .collect();
    assert_eq!(
        states,
        [
            ("a.dump", State::Done, Proof::Whole),
            ("b.dump", State::Damaged, Proof::Opened),
            ("dir.dump", State::Done, Proof::Whole)
        ]
    );
    watched.stop().await;
    let (said, _) = obstacle(&source("nobodys")).await.unwrap();
    assert!(said.starts_with("bucket `gs://nobodys/daily` "), "{said}");
}
