//! Backups in a bucket, restored from there: a dump, a base backup in tar files with its WAL, and one that is all of it.

use std::fs;
use std::path::Path;

use object_store::{ObjectStore, ObjectStoreExt};

use super::{Scene, succeed};
use crate::harness::{BUCKET, Moto, Postgres, Scratch};

async fn put(bucket: &impl ObjectStore, name: &str, file: &Path) {
    let content = fs::read(file).unwrap();
    bucket.put(&name.into(), content.into()).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn what_lies_in_a_bucket_is_restored() {
    let moto = Moto::start().await;
    let (bucket, own) = (moto.bucket(), Scratch::new());
    let postgres = Postgres::start(15);
    postgres.sql("postgres", "CREATE TABLE notes AS VALUES ('a'), ('b')");
    let dump = own.join("a.dump");
    succeed(
        postgres
            .command("pg_dump")
            .args(["-Fc", "-f"])
            .arg(&dump)
            .arg("postgres"),
    );
    put(&bucket, "dumps/a.dump", &dump).await;
    let base = own.join("base");
    let mut command = postgres.command("pg_basebackup");
    command.args(["-c", "fast", "--no-sync", "-Ft", "-z", "-X", "stream", "-D"]);
    succeed(command.arg(&base));
    for entry in fs::read_dir(&base).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_str().unwrap();
        put(&bucket, &format!("whole/{name}"), &path).await;
        put(&bucket, &format!("bases/monday/{name}"), &path).await;
    }
    moto.guard().await;
    let cases = [
        ("dumps/*.dump", "a.dump", "dump"),
        ("bases/*", "monday", "full"),
        ("whole", ".", "full"),
    ];
    for (files, name, kind) in cases {
        let source = format!(
            "files: 's3://{BUCKET}/{files}', storage: {}",
            moto.storage()
        );
        let scene = Scene::new(&source, "assert: ['SELECT count(*) = 2 FROM notes']");
        let report = scene.restored(&[]);
        assert_eq!(
            (&report["backup"], &report["kind"]),
            (&name.into(), &kind.into()),
            "{report:#}"
        );
        scene.assert_tidy();
    }
}
