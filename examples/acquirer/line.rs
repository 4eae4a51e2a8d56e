//! The fleet's end of the network.

use std::collections::HashMap;
use std::io::{self, BufReader};
use std::net::{SocketAddr, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, PoisonError};
use std::thread;
use std::time::Duration;

use crate::Failure;
use crate::ledger::{Expected, Judged};
use crate::wire::{Frame, HOST};

/// After so long without an answer a line counts as dead.
const PATIENCE: Duration = Duration::from_secs(30);

/// What the fleet expected of each message that was answered, by connection and in order.
pub type Conversations = HashMap<SocketAddr, Vec<Expected>>;

/// The way to the host. It stays when the host goes.
#[derive(Debug)]
pub struct Network {
    host: SocketAddr,
    closed: AtomicBool,
    conversations: Mutex<Conversations>,
}

impl Network {
    pub fn to(host: SocketAddr) -> Self {
        Self { host, closed: AtomicBool::new(false), conversations: Mutex::default() }
    }

    /// The host won't come back.
    pub fn close(&self) {
        self.closed.store(true, Ordering::Release);
    }

    pub fn into_conversations(self) -> Conversations {
        self.conversations.into_inner().unwrap_or_else(PoisonError::into_inner)
    }
}

/// One connection at a time, for the terminals that share it.
#[derive(Debug)]
pub struct Line<'a> {
    network: &'a Network,
    connection: Option<Connection>,
}

#[derive(Debug)]
struct Connection {
    own: SocketAddr,
    stream: BufReader<TcpStream>,
    answered: Vec<Expected>,
}

#[derive(Debug)]
pub struct Reply {
    /// Empty if the host refused.
    pub answer: Vec<u8>,
    /// The line went dead at least once while the host had the message: it may have judged it then.
    pub retried: bool,
}

impl<'a> Line<'a> {
    pub const fn new(network: &'a Network) -> Self {
        Self { network, connection: None }
    }

    /// Sends a message, the same again if the line goes dead, until there is an answer.
    pub fn ask(&mut self, source: u16, message: Vec<u8>, expected: Judged) -> Result<Reply, Failure> {
        let request = Frame { destination: HOST, source, message };
        let mut retried = false;
        loop {
            let asked = self.connection().and_then(|connection| {
                let answer = connection.ask(&request)?;
                connection.answered.push(if retried { expected.after_crash() } else { expected.into() });
                Ok(answer)
            });
            if let Ok(answer) = asked {
                return Ok(Reply { answer, retried });
            }
            self.hang_up();
            retried = true;
            if self.network.closed.load(Ordering::Acquire) {
                return Err(Failure("the host is gone".to_owned()));
            }
            thread::sleep(Duration::from_millis(1));
        }
    }

    fn connection(&mut self) -> io::Result<&mut Connection> {
        let connection = match self.connection.take() {
            Some(connection) => connection,
            None => Connection::to(self.network.host)?,
        };
        Ok(self.connection.insert(connection))
    }

    pub fn hang_up(&mut self) {
        if let Some(Connection { own, answered, .. }) = self.connection.take() {
            let conversations = &self.network.conversations;
            conversations.lock().unwrap_or_else(PoisonError::into_inner).insert(own, answered);
        }
    }
}

impl Connection {
    fn to(host: SocketAddr) -> io::Result<Self> {
        let stream = TcpStream::connect(host)?;
        stream.set_nodelay(true)?;
        stream.set_read_timeout(Some(PATIENCE))?;
        Ok(Self { own: stream.local_addr()?, stream: BufReader::new(stream), answered: vec![] })
    }

    fn ask(&mut self, request: &Frame) -> io::Result<Vec<u8>> {
        request.send(self.stream.get_mut())?;
        Ok(Frame::receive(&mut self.stream)?.message)
    }
}
