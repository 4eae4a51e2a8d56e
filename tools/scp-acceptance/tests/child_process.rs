//! The host against the card as a child process, without a reader: this program is the reader.
//!
//! The card is `cardroot card serve --profile gp`; the environment variable `CARDROOT` names the program.

use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::process::{Child, Command, Stdio};

use heapless::Vec;
use scll::limits::RAPDU_MAX;
use scll::transport::{AtrAts, Transport, TransportCaps, TransportError, TransportProtocol};
use scp_acceptance::{KINDS, Kind, drive};

/// A card in another process, which speaks to its reader as it would to vpcd.
struct Process {
    child: Child,
    card: TcpStream,
}

impl Process {
    fn start(kind: Kind) -> Self {
        let program = std::env::var_os("CARDROOT").expect("CARDROOT names the program");
        let reader = TcpListener::bind("127.0.0.1:0").expect("a port is free");
        let port = reader.local_addr().expect("it is bound").port().to_string();
        let child = Command::new(program)
            .args(["card", "serve", "--profile", "gp", "--port", &port])
            .args(["--known-domain-key", kind.length, "--variant", kind.variant])
            .stdout(Stdio::null())
            .spawn()
            .expect("the card program starts");
        let (card, _) = reader.accept().expect("the card connects");
        Self { child, card }
    }

    fn send(&mut self, message: &[u8]) -> std::io::Result<()> {
        let length = u16::try_from(message.len()).expect("a short command").to_be_bytes();
        self.card.write_all(&[&length, message].concat())
    }

    fn exchange(&mut self, message: &[u8]) -> std::io::Result<std::vec::Vec<u8>> {
        self.send(message)?;
        let mut length = [0; 2];
        self.card.read_exact(&mut length)?;
        let mut answer = vec![0; usize::from(u16::from_be_bytes(length))];
        self.card.read_exact(&mut answer)?;
        Ok(answer)
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Transport for Process {
    fn transmit(&mut self, command: &[u8]) -> Result<Vec<u8, RAPDU_MAX>, TransportError> {
        let answer = self.exchange(command).map_err(|_| TransportError::ReaderGone)?;
        Vec::from_slice(&answer).map_err(|()| TransportError::ProtocolError)
    }

    fn capabilities(&self) -> TransportCaps {
        TransportCaps { handles_t0_get_response: true, protocol: TransportProtocol::T1, contactless: false }
    }

    fn reset(&mut self) -> Result<AtrAts, TransportError> {
        self.send(&[0x02]).map_err(|_| TransportError::ReaderGone)?;
        let atr = self.exchange(&[0x04]).map_err(|_| TransportError::ReaderGone)?;
        Ok(AtrAts { bytes: Vec::from_slice(&atr).expect("an ATR"), protocol: TransportProtocol::T1 })
    }

    fn protocol(&self) -> TransportProtocol {
        TransportProtocol::T1
    }

    fn is_connected(&self) -> bool {
        true
    }
}

#[test]
fn scll_drives_every_kind_of_domain_at_every_level() {
    let sessions: usize = KINDS.into_iter().map(|kind| drive(kind, Process::start(kind))).sum();
    println!("{sessions} sessions");
    assert_eq!(sessions, 56);
}
