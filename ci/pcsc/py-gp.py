"""Py-GP 1.0.0, a GlobalPlatform host that others wrote, against the card in a reader: sessions of protocol 02 or 03.

    py-gp.py READER LENGTH I      length of its keys 40 41 42 ... in bytes, variant of its protocol: as cardroot card serve takes them

Py-GP ships the PC/SC module of Windows only; that of pyscard, which has the same functions, goes in its place.
"""

import sys

import smartcard.scard

sys.modules["pygp.connection.pcsc"] = smartcard.scard
sys.modules["pygp.connection.pcsc.scard"] = smartcard.scard

import pygp  # noqa: E402, after the modules are in place
from pygp.constants import (  # noqa: E402
    SECURITY_LEVEL_C_DEC_C_MAC,
    SECURITY_LEVEL_C_MAC,
)


def main(reader, length, variant):
    kind, protocol = ("DES-ECB", "02") if variant in ("15", "55") else ("AES", "03")
    key = bytes(range(0x40, 0x40 + int(length))).hex().upper()
    pygp.set_key(*(f"01/{identifier}/{kind}/{key}" for identifier in (1, 2, 3)))
    pygp.terminal(reader)
    pygp.change_protocol("T1")
    pygp.card()

    # Outside of sessions: in them Py-GP enciphers the data of commands that have none, which no card takes.
    pygp.select_isd()
    pygp.get_key_information()
    expect("key information", pygp.last_status(), "9000")
    for level in (SECURITY_LEVEL_C_MAC, SECURITY_LEVEL_C_DEC_C_MAC):
        pygp.select_isd()
        pygp.auth(keysetversion="01", scp=protocol, scpi=variant, securitylevel=level)
        # Every command moves the chaining value: a session that went wrong would show in the second at the latest.
        for _ in range(3):
            pygp.get_status_isd()
            expect("the status of the domain", pygp.last_status(), "9000")
        print(f"Py-GP: protocol {protocol}, i = {variant}: level {level:02X}")
    # Three data groupings, more than one block of them.
    grouping = "01FA" + "{:02X}".format(200) + "5A" * 200
    pygp.store_data(grouping + "0102" + grouping[4:] + "9000" + "03" + "8BAF47")
    expect("data groupings", pygp.last_status(), "9000")
    print(f"Py-GP: protocol {protocol}, i = {variant}: data groupings stored")
    pygp.close()


def expect(what, status, expected):
    if status.upper() != expected:
        sys.exit(f"Py-GP: {what}: {status}")


main(*sys.argv[1:])
