#!/bin/sh
# Constant time, checked: Memcheck over secrets marked as undefined, then the times of fixed and random secrets.
# Fails on any report that is not a verdict, and if a control that must be reported is not. See tools/ct-check/README.md.
set -eu
cd "$(dirname "$0")/../tools/ct-check"

if ! command -v valgrind >/dev/null; then
    apt-get update -q && apt-get install -q -y --no-install-recommends valgrind libc6-dbg
fi

target=${CARGO_TARGET_DIR:-target}
log=$(mktemp)
trap 'rm -f "$log"' EXIT

# The form for 32-bit targets too: it is the same code on every target.
for form in widest portable32; do
    flags=
    [ "$form" = widest ] || flags="--cfg cardroot_backend=\"$form\""
    RUSTFLAGS=$flags CARGO_TARGET_DIR=$target/ct-$form cargo build --quiet --release --locked
    echo "== memcheck, $form"
    # Reports are counted by the program; the log says where they are.
    if ! valgrind --quiet --error-limit=no --log-file="$log" "$target/ct-$form/release/ct-check" memcheck; then
        cat "$log"
        exit 1
    fi
done
echo "== timing"
"$target/ct-widest/release/ct-check" timing
