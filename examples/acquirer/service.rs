//! Where the host listens: one thread takes connections in, a pool of threads answers them.

use std::collections::HashMap;
use std::io::{BufReader, ErrorKind};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::mpsc::{Receiver, channel};
use std::sync::{Mutex, PoisonError};
use std::thread;
use std::time::Duration;

use cardroot::dukpt::guard::ReplayGuard;

use crate::Failure;
use crate::figures::Figures;
use crate::host::Host;
use crate::ledger::Judged;
use crate::wire::{Frame, HOST};
use crate::witness::Power;

/// How often the listener looks up when nobody calls.
const LOOK_UP: Duration = Duration::from_millis(2);

/// What the host made of each message, by connection and in order.
pub type Conversations = HashMap<SocketAddr, Vec<Judged>>;

/// The machine that a host runs on.
#[derive(Debug)]
pub struct Service<'a> {
    pub listener: &'a TcpListener,
    pub workers: usize,
    pub power: &'a Power,
    pub figures: &'a Figures,
}

/// What the workers share.
struct Shared<'a, 'h, G> {
    host: &'a Host<'h, G>,
    calls: Mutex<Receiver<TcpStream>>,
    conversations: Mutex<Conversations>,
    failure: Mutex<Option<Failure>>,
}

impl Service<'_> {
    /// Answers until the power fails, which `fails_now` decides. All lines are dead then, whatever was on them.
    pub fn run<G: ReplayGuard + Sync>(
        &self,
        host: &Host<'_, G>,
        mut fails_now: impl FnMut() -> bool,
    ) -> Result<Conversations, Failure> {
        let (calls, waiting) = channel();
        let shared = Shared {
            host,
            calls: Mutex::new(waiting),
            conversations: Mutex::default(),
            failure: Mutex::default(),
        };
        let listened = thread::scope(|scope| {
            for _ in 0..self.workers {
                scope.spawn(|| self.work(&shared));
            }
            let mut lines = vec![];
            let listened = loop {
                if fails_now() || self.power.has_failed() {
                    break Ok(());
                }
                match self.listener.accept() {
                    Ok((line, _)) => {
                        lines.extend(line.try_clone());
                        let _ = calls.send(line);
                    }
                    Err(error) if error.kind() == ErrorKind::WouldBlock => thread::sleep(LOOK_UP),
                    Err(error) => break Err(error),
                }
            };
            self.fail(&lines);
            drop(calls);
            listened
        });
        listened?;
        match shared.failure.into_inner().unwrap_or_else(PoisonError::into_inner) {
            Some(failure) => Err(failure),
            None => Ok(shared.conversations.into_inner().unwrap_or_else(PoisonError::into_inner)),
        }
    }

    /// Half of the lines go dead before the machine does: what is asked on them is still done, and nobody learns of it.
    fn fail(&self, lines: &[TcpStream]) {
        // Some are closed already; that is no error.
        let cut = |lines: &[TcpStream]| lines.iter().for_each(|line| drop(line.shutdown(Shutdown::Both)));
        let (first, rest) = lines.split_at(lines.len() / 2);
        cut(first);
        thread::sleep(LOOK_UP);
        self.power.fail();
        cut(rest);
    }

    /// A thread of the pool: one call after the other.
    fn work<G: ReplayGuard>(&self, shared: &Shared<'_, '_, G>) {
        loop {
            let call = shared.calls.lock().unwrap_or_else(PoisonError::into_inner).recv();
            let Ok(line) = call else { return };
            let Ok(caller) = line.peer_addr() else { continue };
            let mut judged = vec![];
            let failure = self.talk(shared.host, line, &mut judged).err();
            let mut conversations = shared.conversations.lock().unwrap_or_else(PoisonError::into_inner);
            conversations.insert(caller, judged);
            if let Some(failure) = failure {
                self.power.fail();
                shared.failure.lock().unwrap_or_else(PoisonError::into_inner).get_or_insert(failure);
            }
        }
    }

    /// Answers on one line until it goes dead.
    fn talk<G: ReplayGuard>(
        &self,
        host: &Host<'_, G>,
        line: TcpStream,
        judged: &mut Vec<Judged>,
    ) -> Result<(), Failure> {
        // The listener does not wait; its lines do.
        line.set_nonblocking(false)?;
        line.set_nodelay(true)?;
        let mut line = BufReader::new(line);
        while let Ok(request) = Frame::receive(&mut line) {
            let (new, response) = match host.answer(request.source, &request.message) {
                Ok(answer) => answer,
                Err(_) if self.power.has_failed() => break,
                Err(failure) => return Err(failure),
            };
            judged.push(new);
            self.figures.judged(new.outcome);
            let response = Frame { destination: request.source, source: HOST, message: response };
            if response.send(line.get_mut()).is_err() {
                break;
            }
        }
        Ok(())
    }
}
