//! Google Cloud Storage, as fake-gcs-server speaks it.

use super::{Dumps, PLAIN, dumps_of, obstacle};
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
    dumps_of(&source(BUCKET)).await;
    let (said, _) = obstacle(&source("nobodys")).await.unwrap();
    assert!(said.starts_with("bucket `gs://nobodys/daily` "), "{said}");
}
