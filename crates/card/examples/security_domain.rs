//! A security domain for hosts that others wrote: on standard input and output, or plugged into a pcscd through vpcd.
//!
//! ```text
//! security_domain KEYS I stdio           messages as vpcd frames them: length (2), bytes
//! security_domain KEYS I vpcd HOST:PORT  connects to the port that vpcd listens on
//!
//! KEYS  tdea, aes128, aes192 or aes256: version 01, every key 40 41 42 and so on
//! I     the variant: 15 or 55; 00, 10, 30, 60 or 70
//! ```

use core::time::Duration;
use std::io::{self, Read, Write};
use std::net::TcpStream;
use std::os::linux::net::TcpStreamExt as _;
use std::{env, thread};

use apdu::commands::gp::KeyVersion;
use apdu::secure::{scp02, scp03};
use cardroot_card::gp::{DomainKeys, DomainProfile, SecurityDomain};
use diversify::block::{AesKey, AesKeyLength};
use diversify::gp;
use rand_core::{CryptoRng, UnwrapErr};
use tdea::{KeyLength, TdeaKey};

/// T=1, no historical bytes that mean anything, with a check byte.
const ATR: [u8; 9] = [0x3B, 0x85, 0x01, 0x56, 0x43, 0x41, 0x52, 0x44, 0xC6];

type Failure = Box<dyn core::error::Error>;

fn main() -> Result<(), Failure> {
    let arguments: Vec<String> = env::args().skip(1).collect();
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let (domain, link) = match arguments.as_slice() {
        [keys, i, link @ ..] => (domain(keys, u8::from_str_radix(i, 16)?)?, link),
        _ => return Err("usage: security_domain KEYS I stdio|vpcd HOST:PORT".into()),
    };
    match link {
        ["stdio"] => serve(domain, io::stdin().lock(), io::stdout().lock(), |_| Ok(())),
        ["vpcd", address] => {
            let stream = connect(address)?;
            // vpcd sends length and bytes apart; a delayed acknowledgement in between would cost 40 ms.
            serve(domain, &stream, &stream, |stream| stream.set_quickack(true))
        }
        _ => Err("the link is stdio, or vpcd and an address".into()),
    }
}

fn domain(keys: &str, i: u8) -> Result<SecurityDomain<impl CryptoRng>, Failure> {
    let mut profile = DomainProfile::new([0x4B, 0x52, 0, 0, 0, 0, 0, 0, 0, 1]);
    let keys = match keys {
        "tdea" => tdea_keys(),
        "aes128" => aes_keys(AesKeyLength::Aes128),
        "aes192" => aes_keys(AesKeyLength::Aes192),
        "aes256" => aes_keys(AesKeyLength::Aes256),
        _ => return Err("the keys are tdea, aes128, aes192 or aes256".into()),
    };
    match (&keys, i) {
        (DomainKeys::Tdea(_), 0x15) => profile.scp02 = scp02::Implementation::I15,
        (DomainKeys::Tdea(_), 0x55) => profile.scp02 = scp02::Implementation::I55,
        (DomainKeys::Tdea(_), _) => return Err("protocol 02 has variants 15 and 55".into()),
        (DomainKeys::Aes(_), _) => {
            profile.scp03 = scp03::Implementation::from_byte(i).ok_or("no variant of protocol 03")?;
        }
    }
    let version = KeyVersion::new(0x01).ok_or("a version")?;
    Ok(SecurityDomain::new(profile, version, keys, UnwrapErr(getrandom::SysRng))?)
}

/// `40 41 42 …`, the key that GlobalPlatform cards for tests have.
fn fill(key: &mut [u8]) {
    key.iter_mut().zip(0x40..).for_each(|(byte, value)| *byte = value);
}

fn tdea_keys() -> DomainKeys {
    let key = || TdeaKey::from_fill(KeyLength::Double, fill);
    DomainKeys::Tdea(gp::CardKeys {
        enc: gp::Kenc::from_key(key()),
        mac: gp::Kmac::from_key(key()),
        dek: gp::Kdek::from_key(key()),
    })
}

fn aes_keys(length: AesKeyLength) -> DomainKeys {
    let key = || AesKey::from_fill(length, fill);
    DomainKeys::Aes(gp::aes::CardKeys {
        enc: gp::aes::Kenc::from_key(key()),
        mac: gp::aes::Kmac::from_key(key()),
        dek: gp::aes::Kdek::from_key(key()),
    })
}

/// Waits until vpcd listens.
fn connect(address: &str) -> Result<TcpStream, Failure> {
    for _ in 0..100 {
        if let Ok(stream) = TcpStream::connect(address) {
            return Ok(stream);
        }
        thread::sleep(Duration::from_millis(50));
    }
    Err("vpcd does not listen".into())
}

/// Answers until the other side closes the link.
fn serve<I: Read, O: Write>(
    mut domain: SecurityDomain<impl CryptoRng>,
    mut input: I,
    mut output: O,
    before_read: impl Fn(&I) -> io::Result<()>,
) -> Result<(), Failure> {
    loop {
        let mut length = [0; 2];
        before_read(&input)?;
        match input.read_exact(&mut length) {
            Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => return Ok(()),
            result => result?,
        }
        let mut message = vec![0; usize::from(u16::from_be_bytes(length))];
        before_read(&input)?;
        input.read_exact(&mut message)?;
        let answer = match message.as_slice() {
            // Power off, power on, reset: no answer.
            [0x00..=0x02] => {
                domain.reset();
                continue;
            }
            [0x04] => &ATR[..],
            _ => domain.process(&message),
        };
        let framed = [&u16::try_from(answer.len())?.to_be_bytes(), answer].concat();
        output.write_all(&framed)?;
        output.flush()?;
    }
}
