#!/bin/sh
# Runs the tests of the store, and the example, that need PostgreSQL, against private servers on loopback that end with this script.
#
#   sh ci/postgres.sh         contract, migrations, crashes, races, failover, and the acquirer's host with its ledger: about a minute
#                             once everything is built
#   sh ci/postgres.sh long    the long forms and the bench too
#
# PostgreSQL and its tools come from Debian's packages. As root, the servers and the tests run as the user `postgres`, because
# PostgreSQL does not run as root.
set -eu
cd "$(dirname "$0")/.."
long=${1:-}

.ci/need postgresql pgbouncer openssl

bin=$(ls -d /usr/lib/postgresql/*/bin | sort -V | tail -n 1)
work=$(mktemp -d)
chmod 755 "$work"
mkdir "$work/tmp"

unprivileged() { "$@"; }
if [ "$(id -u)" = 0 ]; then
    chown -R postgres "$work"
    unprivileged() { runuser -u postgres -- "$@"; }
fi

# Whatever a test that was stopped in the middle has left: each server wrote its number into its folder.
finish() {
    for file in $(find "$work" -name postmaster.pid -o -name pgbouncer.pid); do
        kill -QUIT "$(head -n 1 "$file")" 2>/dev/null || true
    done
    rm -rf "$work"
}
trap finish EXIT
trap 'exit 1' INT TERM

echo "building the tests"
cargo test --quiet --no-run -p cardroot-store --all-features
cargo test --no-run -p cardroot-store --all-features --message-format=json 2>/dev/null |
    sed -n 's/.*"executable":"\([^"]*\)".*/\1/p' |
    while read -r program; do
        case $(basename "$program") in postgres-* | postgres_servers-*) cp "$program" "$work/" ;; esac
    done

echo "building the example"
cargo build --quiet --release -p examples --features postgres --example acquirer
cp "${CARGO_TARGET_DIR:-target}/release/examples/acquirer" "$work/"

echo "starting a server"
unprivileged "$bin/initdb" -D "$work/data" -U postgres -A trust -k --no-instructions >"$work/initdb.log"
port=$((20000 + $$ % 20000))
unprivileged "$bin/pg_ctl" start -s -w -D "$work/data" -l "$work/tmp/log" \
    -o "-p $port -c listen_addresses=127.0.0.1 -c unix_socket_directories=$work/tmp -c max_connections=200"

export CARDROOT_POSTGRES_URL="host=127.0.0.1 port=$port user=postgres dbname=postgres"
export CARDROOT_POSTGRES_BIN="$bin"
export TMPDIR="$work/tmp"
for program in "$work"/postgres-* "$work"/postgres_servers-*; do
    (cd "$work/tmp" && unprivileged "$program" --ignored --nocapture --test-threads=2 \
        $([ "$long" = long ] || echo --skip for_long))
done

# A host that crashes twice over one server, and its ledger.
"$work/acquirer" --postgres "$CARDROOT_POSTGRES_URL" --terminals 500 --transactions 5000 --connections 16

[ "$long" != long ] || cargo bench -p benches --features postgres --bench store
