//! Azure Blob Storage, as Azurite speaks it.

use super::{Dumps, PLAIN, dumps_of, obstacle};
use crate::harness::{Azurite, BUCKET};

#[tokio::test(flavor = "multi_thread")]
async fn a_container_of_azure_is_read() {
    let (azurite, dumps) = (Azurite::start().await, Dumps::take());
    azurite.put("daily/a.dump", dumps.custom.clone()).await;
    azurite.put("daily/b.dump", &PLAIN.as_bytes()[..60]).await;
    for (name, content) in &dumps.folder {
        azurite
            .put(&format!("daily/dir.dump/{name}"), content.clone())
            .await;
    }
    let source = |bucket: &str, storage: &str| {
        format!("files: 'az://{bucket}/daily/*.dump', look: 1s, storage: {storage}")
    };
    let storage = azurite.storage();
    let seen = dumps_of(&source(BUCKET, &storage)).await;
    let checksum = seen[0].storage.checksum.as_deref().unwrap_or_default();
    assert!(checksum.starts_with("md5:"), "{:?}", seen[0].storage);

    let (said, problem) = obstacle(&source("nobodys", &storage)).await.unwrap();
    assert!(said.contains("does not exist"), "{said}");
    assert_eq!(problem, "folder_missing");
    let wrong = storage.replace("Eby8", "Abcd");
    let (said, _) = obstacle(&source(BUCKET, &wrong)).await.unwrap();
    // Azure itself says `AuthenticationFailed`.
    assert!(said.contains("does not let this key in"), "{said}");
    assert!(!said.contains("vdM02xNOcqFlqUwJ"), "{said}");
}
