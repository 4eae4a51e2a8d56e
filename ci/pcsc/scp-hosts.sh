#!/bin/sh
# Two GlobalPlatform hosts that others wrote, against our security domain in a reader: crate scll and Py-GP.
#
#   CARDROOT_READER='CI PCD 00 00' CARDROOT_VPCD=localhost:35963 sh ci/pcsc/scp-hosts.sh
#
# A pcscd with vpcd must run already (ci/pcsc.sh starts one): CARDROOT_READER is the name of the reader, CARDROOT_VPCD where it takes
# cards. The network is used once, for Cargo's and PyPI's packages.
set -eu
cd "$(dirname "$0")/../.."
: "${CARDROOT_READER:?the name of the reader}" "${CARDROOT_VPCD:?host:port of the reader}"
target=${CARGO_TARGET_DIR:-$PWD/target}
tools=$target/scp-hosts

echo "building the hosts"
cargo build --quiet -p cardroot-card --example security_domain
CARGO_TARGET_DIR=$tools cargo build --quiet --locked --features pcsc --manifest-path tools/scp-acceptance/Cargo.toml
if [ ! -x "$tools/python/bin/python" ]; then
    python3 -m venv "$tools/python"
    "$tools/python/bin/pip" install --quiet --disable-pip-version-check pyscard==2.3.1 cryptography==3.3.2 Py-GP==1.0.0
fi

card=
finish() { [ -z "$card" ] || { kill "$card" 2>/dev/null || true; wait "$card" 2>/dev/null || true; }; }
trap finish EXIT
trap 'exit 1' INT TERM

# Runs a host with a fresh card in the reader.
with_card() {
    keys=$1 variant=$2
    shift 2
    "$target/debug/examples/security_domain" "$keys" "$variant" vpcd "$CARDROOT_VPCD" &
    card=$!
    # pcscd looks for cards every 0.4 s, and must see the last one leave before the next one comes.
    sleep 1
    "$@" "$keys" "$variant"
    finish
    card=
    sleep 1
}

for kind in 'tdea 15' 'tdea 55' 'aes128 10' 'aes128 30' 'aes128 60' 'aes128 70' 'aes192 70' 'aes256 70'; do
    # Two words each.
    with_card $kind "$tools/debug/scp-acceptance"
done
for kind in 'tdea 15' 'tdea 55' 'aes128 70'; do
    with_card $kind "$tools/python/bin/python" -W ignore ci/pcsc/py-gp.py "$CARDROOT_READER"
done
echo "every host was content"
