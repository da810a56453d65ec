//! S3, as moto speaks it, with signatures checked.

use object_store::{Attribute, Attributes, ObjectStore, ObjectStoreExt, PutOptions};
use pgvigil::backup::{Kind, Proof, State, Trouble};

use super::{DEADLINE, Dumps, PLAIN, obstacle, watch};
use crate::harness::{BUCKET, Moto, eventually_async, free_port};

#[tokio::test(flavor = "multi_thread")]
async fn a_bucket_is_read_like_a_folder() {
    let (moto, dumps) = (Moto::start().await, Dumps::take());
    let bucket = moto.bucket();
    let put = async |name: &str, content: &[u8]| {
        let path = object_store::path::Path::parse(name).unwrap();
        bucket.put(&path, content.to_vec().into()).await.unwrap();
    };
    put("daily/new.dump", &dumps.custom).await;
    put("daily/old.dump", &dumps.old()).await;
    put("daily/cut.dump", &dumps.custom[..dumps.custom.len() / 2]).await;
    put("daily/empty.dump", b"").await;
    put("daily/new.dump.sha256", b"x").await;
    put("daily/other.txt", b"x").await;
    for name in ["a&<b>\".dump", "100%.dump", "it's.dump"] {
        put(&format!("daily/{name}"), &dumps.custom).await;
    }
    put("dailynot/x.dump", b"").await;
    for (name, content) in &dumps.folder {
        put(&format!("daily/dir.dump/{name}"), content).await;
    }
    // More folders than are listed one by one.
    for n in 0..10 {
        put(&format!("daily/torn{n}.dump/3364.dat"), b"x").await;
        put(&format!("daily/stranger{n}.dump/readme"), b"x").await;
    }
    // A folder that the console has made, and an upload that was never finished.
    moto.put_bare("daily/made.dump/").await;
    let half = object_store::path::Path::from("daily/half.dump");
    let mut upload = bucket.put_multipart(&half).await.unwrap();
    upload.put_part(dumps.custom.clone().into()).await.unwrap();
    let class = PutOptions {
        attributes: Attributes::from_iter([(Attribute::StorageClass, "GLACIER")]),
        ..PutOptions::default()
    };
    let cold = object_store::path::Path::from("daily/cold.dump");
    let content = dumps.custom.clone();
    bucket.put_opts(&cold, content.into(), class).await.unwrap();
    moto.guard().await;

    let source = format!(
        "files: 's3://{BUCKET}/daily/*.dump', look: 1s, storage: {}",
        moto.storage()
    );
    let watched = watch(&source);
    let seen = watched.read(19).await;
    let one = |name: &str| seen.iter().find(|backup| backup.id == name).unwrap();
    for name in [
        "new.dump",
        "old.dump",
        "dir.dump",
        "a&<b>\".dump",
        "100%.dump",
        "it's.dump",
    ] {
        let backup = one(name);
        assert_eq!(
            (backup.state, backup.kind),
            (State::Done, Kind::Dump),
            "{backup:?}"
        );
        assert_eq!(backup.proof, Proof::Whole, "{backup:?}");
    }
    let md5 = one("new.dump").storage.checksum.clone().unwrap();
    assert_eq!(md5.len(), "md5:".len() + 32, "{md5}");
    assert_eq!(one("new.dump").bytes, dumps.custom.len() as u64);
    let folder: usize = dumps.folder.iter().map(|(_, content)| content.len()).sum();
    assert_eq!(one("dir.dump").bytes, folder as u64);
    let age = |name: &str| (one(name).finished.0 - one(name).moment().0) / 86_400_000;
    assert_eq!(age("new.dump"), 0);
    assert!(age("old.dump") > 300, "{}", age("old.dump"));
    assert_eq!(one("cut.dump").state, State::Damaged);
    assert_eq!(one("empty.dump").trouble, Some(Trouble::Empty));
    assert_eq!(one("torn9.dump").state, State::Damaged);
    let cold = one("cold.dump");
    assert_eq!(
        (cold.state, cold.proof),
        (State::Done, Proof::Listed),
        "{cold:?}"
    );
    assert_eq!(cold.storage.class.as_deref(), Some("GLACIER"));

    // Overwritten, and gone.
    bucket_put(&moto, "daily/new.dump", PLAIN).await;
    bucket.delete(&"daily/old.dump".into()).await.unwrap();
    watched
        .known("the changes are seen", |record| {
            let backups = &record.facts.sighting.as_ref()?.backups;
            let new = backups.iter().find(|backup| backup.id == "new.dump")?;
            let is_gone = !backups.iter().any(|backup| backup.id == "old.dump");
            (is_gone && new.bytes == PLAIN.len() as u64 && new.state == State::Done).then_some(())
        })
        .await;
    watched.stop().await;
}

async fn bucket_put(moto: &Moto, name: &str, content: &str) {
    let path = object_store::path::Path::parse(name).unwrap();
    let content = content.to_owned().into_bytes();
    moto.bucket().put(&path, content.into()).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn what_stands_in_the_way_is_named() {
    let moto = Moto::start().await;
    bucket_put(&moto, "daily/a.dump", PLAIN).await;
    moto.guard().await;
    let with = |files: &str, from: &str, to: &str| {
        let storage = moto.storage();
        assert!(storage.contains(from), "{storage}");
        format!("files: '{files}', storage: {}", storage.replace(from, to))
    };
    let good = format!("s3://{BUCKET}/daily/*");
    assert_eq!(obstacle(&with(&good, "", "")).await, None);
    let closed = format!("http://127.0.0.1:{}", free_port());
    let cases = [
        (
            with("s3://nobodys/daily/*", "", ""),
            "bucket `s3://nobodys/daily` does not exist; check its name in `files`",
            "folder_missing",
        ),
        (
            with(&format!("s3://{BUCKET}/daily/a.dump"), "", ""),
            "daily/a.dump` is a single object and no folder; name its folder, and a pattern that its name matches",
            "folder_unreadable",
        ),
        (
            with(&good, &moto.secret, "wrong"),
            "does not accept the key (`SignatureDoesNotMatch`); check the keys in `storage`",
            "folder_unreadable",
        ),
        (
            with(&good, &moto.key, "AKIAUNKNOWN"),
            "does not accept the key (`InvalidAccessKeyId`)",
            "folder_unreadable",
        ),
        (
            with(&good, &moto.url, &closed),
            "cannot be reached at `127.0.0.1:",
            "folder_unreadable",
        ),
        (
            with(
                &good,
                "access_key_id: ",
                "ca: /nowhere.pem, access_key_id: ",
            ),
            "cannot be asked: `/nowhere.pem`: No such file",
            "folder_unreadable",
        ),
    ];
    for (source, words, problem) in cases {
        let begun = std::time::Instant::now();
        let (said, named) = obstacle(&source).await.unwrap_or_default();
        assert!(said.contains(words), "{source}: {said}");
        assert!(!said.contains(&moto.secret), "{said}");
        assert_eq!(named, problem, "{said}");
        assert!(begun.elapsed() < DEADLINE / 2, "{said}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_there_is_nothing_there() {
    let moto = Moto::start().await;
    bucket_put(&moto, "daily2/a.dump", PLAIN).await;
    let storage = moto.storage();
    let source = format!("files: 's3://{BUCKET}/daily', look: 1s, storage: {storage}");
    let watched = watch(&source);
    watched
        .known("an empty place is seen", |record| {
            Some(record.facts.sighting.as_ref()?.backups.is_empty()).filter(|is_empty| *is_empty)
        })
        .await;
    // Moto cannot check the signature of such a name.
    bucket_put(&moto, "daily/ä ß.dump", PLAIN).await;
    assert_eq!(watched.read(1).await[0].id, "ä ß.dump");
    // A server that is gone leaves what is known, and says so.
    drop(moto);
    let lost = watched
        .known("the loss is told", |record| record.facts.obstacle.clone())
        .await;
    assert!(lost.to_string().contains("cannot be reached at"), "{lost}");
    eventually_async("what is known stays", DEADLINE, || async {
        let known = watched.records.all()[0].facts.sighting.clone()?;
        (known.backups.len() == 1).then_some(())
    })
    .await;
    watched.stop().await;
}
