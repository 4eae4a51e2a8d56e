#!/bin/bash
# Cards through a real pcscd: our card under programs that others wrote, our security domain under hosts that others wrote,
# our host over every way in which a link fails, our host against a card that others wrote. pcscd, its virtual readers and
# programs come from Debian's packages, the hosts of secure channels from crates.io (scll) and PyPI (Py-GP).
#
#   ci/pcsc.sh          half a minute once everything is built; ends whatever it started
#   ci/pcsc.sh bless    writes the transcripts in ci/pcsc anew
#
# As root it works in namespaces of its own: a pcscd beside it is not disturbed, and no port is open to the network.
set -euo pipefail
cd "$(dirname "$0")/.."
kept=$PWD/ci/pcsc

if [ "${1:-}" != inside ] && [ "${1:-}" != isolated ]; then
    .ci/need pcscd libpcsclite-dev pkg-config vsmartcard-vpcd vsmartcard-vpicc opensc pcsc-tools \
        iproute2 python3-venv python3-dev gcc

    echo "== building"
    cargo build --quiet -p cardroot-cli --features pcsc
    tests=$(cargo test --quiet --no-run -p cardroot --features pcsc --test pcsc --message-format=json |
        sed -n 's/.*"executable":"\([^"]*\)".*/\1/p' | tail -n 1)
    target=$(cargo metadata --format-version 1 --no-deps | sed -n 's/.*"target_directory":"\([^"]*\)".*/\1/p')

    # It takes an older zeroize than the workspace, which therefore can't be built into the same folder.
    acceptance() { CARGO_TARGET_DIR=$target/scp-acceptance cargo "$1" --quiet --locked --features pcsc "${@:2}"; }
    (cd tools/scp-acceptance && acceptance build && acceptance test --no-run)

    # Makes a Python environment that can import MODULE out of the packages that follow, unless it is there.
    python_with() {
        local folder=$target/$1 module=$2
        shift 2
        if ! "$folder/bin/python" -c "import $module" 2>/dev/null; then
            /usr/bin/python3 -m venv --clear "$folder"
            "$folder/bin/pip" install --quiet --disable-pip-version-check "$@"
        fi
    }
    # Debian's vicc needs a package that Debian has under another name only.
    python_with vicc-venv Crypto pycryptodome
    python_with py-gp-venv smartcard pyscard==2.3.1 cryptography==3.3.2 Py-GP==1.0.0

    export CARDROOT="$target/debug/cardroot" PCSC_TESTS="$tests" VICC_PYTHON="$target/vicc-venv/bin/python"
    export SCLL="$target/scp-acceptance/debug/scp-acceptance" PY_GP_PYTHON="$target/py-gp-venv/bin/python"

    echo "== a host that others wrote against our security domain, without a reader"
    (cd tools/scp-acceptance && acceptance test --test child_process -- --nocapture)
    export BLESS="${1:-}"
    if [ "$(id -u)" = 0 ] && unshare -mn true 2>/dev/null; then
        exec unshare -mn ci/pcsc.sh isolated
    fi
    exec ci/pcsc.sh inside
fi

work=$(mktemp -d)
started=()
finish() {
    status=$?
    for process in "${started[@]}"; do
        kill "$process" 2>/dev/null || true
    done
    for process in "${started[@]}"; do
        wait "$process" 2>/dev/null || true
    done
    if [ "$status" != 0 ]; then
        tail -n 40 "$work"/*.log >&2
    fi
    rm -rf "$work"
}
trap finish EXIT
trap 'exit 1' INT TERM

# Runs a program aside, its output in a file.
aside() {
    local name=$1
    shift
    "$@" >"$work/$name.log" 2>&1 &
    started+=($!)
}

# Tries a command until it succeeds, for five seconds.
eventually() {
    for _ in $(seq 100); do
        "$@" >/dev/null 2>&1 && return 0
        sleep 0.05
    done
    echo "in vain: $*" >&2
    return 1
}

if [ "$1" = isolated ]; then
    ip link set lo up
    mkdir -p /run/pcscd
    mount -t tmpfs none /run/pcscd
fi

# Two readers: on a port and on the next one. The driver has memory for no more.
mkdir "$work/readers" "$work/no-readers"
port=35963
printf 'FRIENDLYNAME "Cardroot"\nDEVICENAME /dev/null:0x%04X\nLIBPATH %s\nCHANNELID 0x%04X\n' \
    $port /usr/lib/pcsc/drivers/serial/libifdvpcd.so $port >"$work/readers/vpcd"
first="Cardroot 00 00"
second="Cardroot 00 01"

echo "== pcscd"
# Later versions ask polkit for leave, which needs dbus.
polkit=$(pcscd --help 2>&1 | grep -o -- --disable-polkit || true)
# Starts the service with the readers of a folder.
service() {
    aside "pcscd-$1" pcscd --foreground --info $polkit -c "$work/$1"
    eventually "$CARDROOT" apdu readers
}
service readers

echo "== our card under programs that others wrote"
aside card-t1 "$CARDROOT" card serve --profile user --known-transport-key --port $port --protocol t1
aside card-t0 "$CARDROOT" card serve --profile sam --known-transport-key --port $((port + 1)) --protocol t0
has_card() { opensc-tool -r "$1" -a; }
has_none() { ! has_card "$1"; }
cards=("${started[@]:1}")
eventually has_card "$first"
eventually has_card "$second"

# Compares a transcript with the one that is kept. Challenges differ from run to run: their bytes are shown as dots.
transcript() {
    local name=$1
    if [ -n "$BLESS" ]; then cp "$work/$name" "$kept/$name"; fi
    diff -u "$kept/$name" "$work/$name" || { echo "$name differs" >&2; exit 1; }
    echo "$name: $(wc -l <"$work/$name") lines as kept"
}

opensc() {
    opensc-tool -r "$1" -c default -s 00A40000023F00 -s 00A40000023F0000 -s 00A4000002ABCD -s 00B0950004 -s 0020000003123456 \
        -s 80CA006600 2>&1
    opensc-tool -r "$1" -a 2>&1
}
opensc "$first" >"$work/opensc-t1.txt"
transcript opensc-t1.txt
opensc "$second" >"$work/opensc-t0.txt"
transcript opensc-t0.txt

scripted() {
    scriptor -r "$1" "$kept/commands-$2.scriptor" 2>&1 | sed -E \
        -e '/^> 00 84/,/^$/ s/^< .* 90 00 :/< .. 90 00 :/' -e '/^Using/d'
}
scripted "$first" t1 >"$work/scriptor-t1.txt"
transcript scriptor-t1.txt
scripted "$second" t0 >"$work/scriptor-t0.txt"
transcript scriptor-t0.txt

echo "== our program as the host"
"$CARDROOT" apdu readers
"$CARDROOT" apdu run "$kept/session.apdu" --reader "$first"
"$CARDROOT" apdu run "$kept/session-t0.apdu" --reader "$second"

# The readers are needed for other cards.
kill "${cards[@]}"
eventually has_none "$first"
eventually has_none "$second"

echo "== a card issued by a plan through pcscd, and compared with it after its power was cut"
desk=$work/desk
mkdir -p "$desk/keys"
for function in issuing application-control line-protection internal-authentication purchase tac; do
    "$CARDROOT" key generate --length double --out "$desk/keys/$function.hex" >/dev/null
done
"$CARDROOT" key generate --length double --out "$desk/transport.hex" >/dev/null
od -An -v -tx1 -N64 /dev/urandom | tr -d ' \n' >"$desk/state.hex"
printf 5793 >"$desk/pin.hex"
printf '[text]\nholder = "Ada Lovelace"\n[hex]\nserial = "37010026000000000001"\n' >"$desk/ada.toml"
order=(--plan crates/cli/tests/data/card_issue/user-card.toml --city-keys "$desk/keys" --city 3701FFFFFFFFFFFF
    --card 3701002600000001 --data "$desk/ada.toml" --secret "pin=@$desk/pin.hex"
    --transport-key "@$desk/transport.hex" --reader "$first")
# The card of the file is in the reader, a blank one at first.
with_kept_card() {
    local card
    aside "kept-$3" "$CARDROOT" card serve --profile user --transport-key "@$desk/transport.hex" \
        --state "$desk/user.card" --state-key "@$desk/state.hex" --port $port
    card=${started[-1]}
    eventually has_card "$first"
    "$@" "${order[@]}"
    kill -9 "$card"
    eventually has_none "$first"
}
with_kept_card "$CARDROOT" card issue
with_kept_card "$CARDROOT" card inspect

echo "== a key card gives a SAM its key, each made by a plan, in two readers"
"$CARDROOT" key generate --length double --out "$desk/keys/external-authentication.hex" >/dev/null
"$CARDROOT" key generate --length double --out "$desk/exchange.hex" >/dev/null
printf '[text]\nterminal = "T00001"\n' >"$desk/sam.toml"
# Makes a card of a plan that stays in its reader: made PROFILE READER PORT SERIAL PLAN.
made() {
    aside "family-$1" "$CARDROOT" card serve --profile "$1" --transport-key "@$desk/transport.hex" --serial "$4" \
        --state "$desk/$1.card" --state-key "@$desk/state.hex" --port "$3"
    eventually has_card "$2"
    "$CARDROOT" card issue --plan "$5" --city-keys "$desk/keys" --city 3701FFFFFFFFFFFF --card "$4" \
        --data "$desk/sam.toml" --secret "pin=@$desk/pin.hex" --exchange-key "@$desk/exchange.hex" \
        --transport-key "@$desk/transport.hex" --reader "$2" >/dev/null
}
made city "$first" $port 8660636974790001 crates/cli/tests/data/card_issue/key-card.toml
made sam "$second" $((port + 1)) 8660002073616D01 examples/province/sam-card.toml
cards=("${started[@]: -2}")
card_key() {
    "$CARDROOT" diversify pboc --key "@$desk/keys/$1.hex" --factor "$2" --out "$desk/$3" >/dev/null
}
card_key external-authentication 8660636974790001 officer.hex
card_key application-control 8660002073616D01 sam-master.hex
give() {
    "$CARDROOT" card give --key-card "$first" --pin "@$1" --key "@$desk/officer.hex" --reader "$second" --kind sam \
        --serial 8660002073616D01 --master "@$desk/sam-master.hex" --usage 22 --version 1
}
printf 1234 >"$desk/wrong-pin.hex"
if give "$desk/wrong-pin.hex"; then echo "a key left without the PIN" >&2; exit 1; fi
give "$desk/pin.hex"
kill "${cards[@]}"
eventually has_none "$first"
eventually has_none "$second"

echo "== our security domain under hosts of secure channels that others wrote"
# Runs a host with a fresh card in the reader: with_domain LENGTH I COMMAND…
with_domain() {
    local length=$1 variant=$2 card
    shift 2
    aside "domain-$length-$variant" "$CARDROOT" card serve --profile gp --known-domain-key "$length" --variant "$variant" --port $port
    card=${started[-1]}
    eventually has_card "$first"
    "$@"
    kill "$card"
    eventually has_none "$first"
}
scll() { with_domain "$1" "$2" "$SCLL" "$first" "$1" "$2"; }
py_gp() { with_domain "$1" "$2" "$PY_GP_PYTHON" -W ignore "$kept/py-gp.py" "$first" "$1" "$2"; }
for kind in '16 15' '16 55' '16 10' '16 30' '16 60' '16 70' '24 70' '32 70'; do
    # Two words: length of the keys, variant.
    scll $kind
done
for kind in '16 15' '16 55' '16 70'; do
    py_gp $kind
done

echo "== our host over everything that goes wrong, and against a card that others wrote"
PYTHONPATH=/usr/lib/python3/site-packages/virtualsmartcard:/usr/lib/python3/site-packages \
    aside vicc "$VICC_PYTHON" /usr/bin/vicc -t iso7816 --hostname 127.0.0.1 --port $((port + 1))
eventually has_card "$second"
CARDROOT_PCSC_READER=$first CARDROOT_PCSC_PORT=$port CARDROOT_PCSC_VICC=$second \
    "$PCSC_TESTS" --ignored --nocapture --test-threads=1 --skip service

echo "== no service, one that ends in mid-command, one without readers"
"$PCSC_TESTS" --exact without_a_service_there_is_none
CARDROOT_PCSC_READER=$first CARDROOT_PCSC_PORT=$port CARDROOT_PCSC_SERVICE=${started[0]} \
    "$PCSC_TESTS" --ignored --exact a_service_that_ends_is_an_error_and_no_answer
service no-readers
"$PCSC_TESTS" --ignored --exact a_service_without_readers_has_none
echo "== done"
