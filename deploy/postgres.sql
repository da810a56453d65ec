-- What a database administrator runs once: the extension and a role that may look and nothing else.
-- `pgvigil grants` prints the same for your own server.
CREATE EXTENSION pg_stat_statements;
CREATE ROLE pgvigil LOGIN PASSWORD 'pgvigil' CONNECTION LIMIT 3;
GRANT pg_monitor, pg_use_reserved_connections TO pgvigil;

CREATE TABLE users (id bigint PRIMARY KEY GENERATED ALWAYS AS IDENTITY, name text NOT NULL UNIQUE, joined timestamptz NOT NULL DEFAULT now());
CREATE TABLE games (id bigint PRIMARY KEY GENERATED ALWAYS AS IDENTITY, player bigint NOT NULL REFERENCES users, score int NOT NULL, played timestamptz NOT NULL DEFAULT now());
INSERT INTO users (name) SELECT 'player' || n FROM generate_series(1, 1000) n;
INSERT INTO games (player, score) SELECT 1 + n % 1000, n % 97 FROM generate_series(1, 20000) n;
