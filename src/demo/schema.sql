DO $$ BEGIN
    IF current_setting('shared_preload_libraries') = 'pg_stat_statements' THEN
        CREATE EXTENSION pg_stat_statements;
    END IF;
END $$;
CREATE ROLE rachel LOGIN;
CREATE ROLE pgvigil LOGIN CONNECTION LIMIT 3 IN ROLE pg_monitor;

CREATE TABLE users (
    id bigint PRIMARY KEY GENERATED ALWAYS AS IDENTITY,
    name text NOT NULL,
    email text NOT NULL,
    joined timestamptz NOT NULL DEFAULT now()
);
CREATE UNIQUE INDEX users_email ON users (email);
CREATE INDEX users_joined ON users (joined);

CREATE TABLE games (
    id bigint PRIMARY KEY GENERATED ALWAYS AS IDENTITY,
    player bigint NOT NULL REFERENCES users,
    score int NOT NULL,
    played timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX games_player ON games (player);
CREATE INDEX games_score ON games (score);

INSERT INTO users (name, email, joined)
SELECT 'Player ' || n, 'player' || n || '@example.com', now() - n * interval '1 hour'
FROM generate_series(1, 2000) n;

INSERT INTO games (player, score, played)
SELECT 1 + n % 2000, n % 97, now() - n * interval '1 minute'
FROM generate_series(1, 60000) n;

GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA public TO rachel;
ANALYZE;
