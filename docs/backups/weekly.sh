#!/bin/bash
# What autovacuum leaves to do, under load: weekly.sh DATABASE [INDEX...]
#
# Vacuums and analyzes, rebuilds the named indexes without locking anybody out, and tells of indexes that such a rebuild
# has left half done. Never REINDEX DATABASE on a system in use: it locks one table after another against writers.
. "$(dirname "$0")/job.sh"

database=${1:-}
[ -n "$database" ] || refuse "usage: weekly.sh DATABASE [INDEX...]"
shift
export PGDATABASE=$database PGAPPNAME=$job PGOPTIONS="${PGOPTIONS:-} -c lock_timeout=10s"

doing="vacuuming $database"
vacuumdb --analyze --no-password --quiet
for index in "$@"; do
  doing="rebuilding $index in $database"
  reindexdb --concurrently --index="$index" --no-password --quiet
done

doing="looking for invalid indexes in $database"
invalid=$(psql -XAtq --no-password -c "SELECT coalesce(string_agg(indexrelid::regclass::text, ', '), '')
  FROM pg_index JOIN pg_class ON pg_class.oid = indrelid WHERE NOT indisvalid AND relkind = 'r'")
doing="rebuilding: DROP INDEX CONCURRENTLY, then build again: $invalid"
[ -z "$invalid" ]
say INFO "$database is in order"
