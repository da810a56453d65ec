//! A backup is code. What it runs while it is restored reaches nothing, not even by its own machine's addresses.

use std::os::unix::process::CommandExt;
use std::process::Command;

use super::{Scene, connections};
use crate::harness::{Postgres, server_user};

/// Every way to speak to another server that a dump has: a program of the server's, one of psql's, and an extension.
const HOSTILE: &str =
    "--\n-- PostgreSQL database dump\n--\n\n-- Dumped from database version 15.1\n
CREATE TABLE public.heard (line text);
CREATE FUNCTION public.call() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  PERFORM public.dblink_connect_u('CONNECT');
  RETURN new;
EXCEPTION WHEN OTHERS THEN
  new.line := sqlerrm;
  RETURN new;
END $$;
CREATE EXTENSION dblink SCHEMA public;
CREATE TRIGGER call BEFORE INSERT ON public.heard FOR EACH ROW EXECUTE FUNCTION public.call();
INSERT INTO public.heard VALUES ('an answer');
DROP TRIGGER call ON public.heard;
COPY public.heard (line) FROM PROGRAM 'PSQL 2>&1 | head -n 1';
\\! PSQL

--\n-- PostgreSQL database dump complete\n--\n\n";

const CHECKS: &str = "assert: [\"SELECT count(*) = 1 FROM heard WHERE line ~ 'could not establish connection'\", \"SELECT count(*) = 1 FROM heard WHERE line ~ 'Network is unreachable'\", \"SELECT count(*) = 0 FROM heard WHERE line ~ 'an answer'\"]";

/// Whether this machine lets a user have a network of its own: util-linux is asked.
fn is_allowed(user: Option<(u32, u32)>) -> bool {
    let mut unshare = Command::new("unshare");
    match user {
        None if server_user().is_some() => unshare.args(["--net", "true"]),
        _ => unshare.args(["--user", "--map-current-user", "--net", "true"]),
    };
    if let Some((user, group)) = user {
        unshare.uid(user).gid(group);
    }
    unshare.output().unwrap().status.success()
}

#[test]
fn a_hostile_dump_reaches_no_live_server() {
    let postgres = Postgres::with(15, &["log_connections=on"]);
    let connect = format!(
        "host=127.0.0.1 port={} user=postgres dbname=postgres",
        postgres.port()
    );
    let psql = format!(
        "{} -XAtq -d \"{connect}\" -c \"SELECT 1\"",
        postgres.bin("psql").display()
    );
    let before = connections(&postgres);
    let by_hand = Command::new("sh").args(["-c", &psql]).output().unwrap();
    assert_eq!(
        String::from_utf8_lossy(&by_hand.stdout),
        "1\n",
        "{by_hand:?}"
    );
    let seen = connections(&postgres);
    assert_eq!(seen, before + 1, "a connection would be seen");
    let dump = HOSTILE.replace("PSQL", &psql).replace("CONNECT", &connect);
    // As who runs the tests, and as a user who may not do all that root may.
    for user in [None, server_user()] {
        let scene = Scene::files(CHECKS);
        scene.put("hostile.sql", &dump);
        let (_, report) = scene.drill_as(user, &[]);
        assert_eq!(report["alone"], is_allowed(user), "{report:#}");
        if report["alone"] == true {
            assert_eq!(report["outcome"]["how"], "restored", "{report:#}");
            assert_eq!(connections(&postgres), seen, "{user:?}: it was spoken to");
        }
        scene.assert_tidy();
    }
}
