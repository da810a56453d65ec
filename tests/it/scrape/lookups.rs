//! What is read once for each value that another collector shows.

use super::*;

const SHOWS: &str = "
name: things
doc: Things.
labels: [id]
queries: [{sql: 'SELECT id, 1 AS n FROM public.things'}]
metrics: {own_thing: {from: n, help: A thing.}}
";

const TEXTS: &str = "
name: texts
doc: The texts of things.
labels: [id]
lookup: {of: things, label: id}
queries: [{sql: 'SELECT id, body FROM public.things WHERE id IN (${unknown})'}]
metrics: {own_text: {value: 1, labels: [id, body], help: What a thing says.}}
";

#[tokio::test(flavor = "multi_thread")]
async fn a_text_is_read_once_kept_while_it_is_needed_and_forgotten() {
    let postgres = Postgres::with(18, &["standard_conforming_strings=off"]);
    postgres.sql(
        "postgres",
        "CREATE TABLE things (id text PRIMARY KEY, body text);
         INSERT INTO things VALUES ('a', 'first'), ('it''s \"' || chr(92), 'odd'), ('silent', NULL)",
    );
    let own = [("things.yml", SHOWS), ("texts.yml", TEXTS)]
        .map(|(name, text)| (name.to_owned(), text.to_owned()));
    let watch = Watch::with(&postgres.url("postgres", "postgres"), &own);
    let says = |id: &str, body: &str| {
        watch
            .value(&format!("own_text{{body={body:?}, id={id:?}}}"))
            .is_some()
    };
    let wait = |id: &str, body: &str| {
        eventually(&format!("{id:?} says {body:?}"), PATIENCE, || {
            says(id, body).then_some(())
        });
    };
    wait("a", "first");
    wait("it's \"\\", "odd");

    postgres.sql(
        "postgres",
        "UPDATE things SET body = 'second' WHERE id = 'a'; INSERT INTO things VALUES ('b', 'new')",
    );
    wait("b", "new");
    assert!(says("a", "first") && !says("a", "second"), "read again");

    postgres.sql("postgres", "DELETE FROM things WHERE id = 'a'");
    eventually("what a said is forgotten", PATIENCE, || {
        (!says("a", "first")).then_some(())
    });
    assert!(says("b", "new"));
    postgres.sql("postgres", "INSERT INTO things VALUES ('a', 'second')");
    wait("a", "second");
}
