//! `pgvigil backup verify` of what lies in a bucket, with keys from the environment.

use object_store::ObjectStoreExt;

use super::{Dumps, PLAIN};
use crate::harness::{BUCKET, Moto, pgvigil};

#[tokio::test(flavor = "multi_thread")]
async fn a_backup_in_a_bucket_is_verified_by_hand() {
    let (moto, dumps) = (Moto::start().await, Dumps::take());
    let bucket = moto.bucket();
    let put = async |name: &str, content: &[u8]| {
        bucket
            .put(&name.into(), content.to_vec().into())
            .await
            .unwrap();
    };
    put("daily/a.dump", &dumps.custom).await;
    // Several pieces long.
    let (head, tail) = PLAIN.split_at(PLAIN.find("-- Dumped").unwrap());
    let large = format!("{head}{}{tail}", "-- more\n".repeat(9 << 17));
    put("daily/large.sql", large.as_bytes()).await;
    put("daily/half.sql", &PLAIN.as_bytes()[..60]).await;
    for (name, content) in &dumps.folder {
        put(&format!("dir/{name}"), content).await;
    }
    moto.guard().await;
    let ask = |address: &str, plain: &str, key: &str| {
        let mut command = pgvigil();
        command
            .args(["backup", "verify", address])
            .env("AWS_ENDPOINT_URL", &moto.url)
            .env("AWS_ALLOW_HTTP", plain)
            .env("AWS_ACCESS_KEY_ID", key)
            .env("AWS_SECRET_ACCESS_KEY", &moto.secret);
        let output = command.output().unwrap();
        let said = String::from_utf8([output.stdout, output.stderr].concat()).unwrap();
        assert!(!said.contains(&moto.secret), "{said}");
        (output.status.success(), said)
    };
    let verify = |path: &str, plain: &str| ask(&format!("s3://{BUCKET}/{path}"), plain, &moto.key);
    let cases = [
        ("daily/a.dump", "true", true, "a.dump: whole: complete"),
        (
            "daily/large.sql",
            "true",
            true,
            "large.sql: whole: complete",
        ),
        ("dir", "true", true, "dir: whole: complete"),
        (
            "daily/half.sql",
            "true",
            false,
            "half.sql: bad: does not end",
        ),
        (
            "daily/none",
            "true",
            false,
            "none: bad: cannot be read: its place has nothing of that name",
        ),
        (
            "daily/a.dump",
            "false",
            false,
            "is asked without encryption; set",
        ),
        // A folder of backups, and a pattern: each of them.
        ("daily", "true", false, "daily/large.sql: whole: complete"),
        (
            "daily/*.dump",
            "true",
            true,
            "daily/a.dump: whole: complete",
        ),
        (
            "daily/*.gz",
            "true",
            false,
            "holds no backup whose name is like `*.gz`",
        ),
        ("", "true", true, "/dir: whole: complete"),
    ];
    for (path, plain, is_good, words) in cases {
        let (was_good, said) = verify(path, plain);
        assert!(said.contains(words), "{path}: {said}");
        assert_eq!(was_good, is_good, "{path}: {said}");
    }
    for address in ["s3://nobucket", "s3://nobucket/daily", "s3://nobucket/a.*"] {
        let (was_good, said) = ask(address, "true", &moto.key);
        let words = format!("{address}: not verified: bucket `s3://nobucket");
        assert!(
            said.starts_with(&words) && said.contains("` does not exist; check"),
            "{said}"
        );
        assert!(!was_good, "{said}");
    }
    let (was_good, said) = ask(&format!("s3://{BUCKET}/daily"), "true", "AKIAWRONG");
    assert!(
        said.contains("not verified: bucket `s3://backups` does not accept the key (`"),
        "{said}"
    );
    assert!(!was_good, "{said}");
}
