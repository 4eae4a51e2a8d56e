//! A terminal: the originating side of DUKPT over a chip that outlives it, and the messages that it makes.

use cardroot::dukpt::durable::{
    CurrentTransaction, Device, DeviceKey, NoRollbackProtection, OriginatorError, PinEntry,
    RollbackProtection, SlotsError, StateError, TwoSlots,
};
use cardroot::dukpt::{Bdk, Ksn, Originator, Transaction};
use cardroot::pin::{ClearPinBlock, Pan, Pin};
use cardroot::smid::iso8583::Message;

use crate::Failure;
use crate::chip::{Chip, Counter, Image, PowerFailed};
use crate::wire::{DIALECT, name_key, verify_response};

/// Whether the hardware has a counter of its own against old copies of the state.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Hardware {
    Counting,
    Plain,
}

#[derive(Debug)]
pub struct Terminal {
    /// Eight characters in bit 41.
    id: String,
    name: Ksn,
    chip: Chip,
    hardware: Hardware,
    /// The program, while it runs.
    running: Option<Running>,
    stan: u32,
}

#[derive(Debug)]
enum Running {
    Counting(Originator<TwoSlots<Chip>, RollbackProtection<Counter>>),
    Plain(Originator<TwoSlots<Chip>, NoRollbackProtection>),
}

/// Why a terminal makes no sale.
#[derive(Debug)]
pub enum Trouble {
    PowerFailed,
    /// The hardware's counter tells that somebody put an old copy of the state back.
    OldCopy,
    Other(Failure),
}

/// What a customer wants.
#[derive(Clone, Copy, Debug)]
pub struct Order<'a> {
    pub pan: &'a str,
    /// The PIN as it was typed.
    pub pin: &'a str,
    pub cents: u64,
}

/// A sale on its way: the request, and the key that its answer must be made with.
#[derive(Debug)]
pub struct Sale<'a> {
    transaction: CurrentTransaction<'a, Transaction>,
    /// What the answer must repeat: amount, trace number, terminal.
    fields: [(u8, String); 3],
    pub request: Vec<u8>,
}

impl Terminal {
    /// The key loading facility puts the initial key in; the base derivation key stays behind.
    pub fn load(bdk: &Bdk, name: Ksn, id: String, hardware: Hardware) -> Result<Self, Failure> {
        let chip = Chip::blank();
        let (key, store) = (bdk.derive_initial_key(&name)?, TwoSlots::new(chip.clone()));
        let running = match hardware {
            Hardware::Counting => {
                let device = Device::new(device_key(&name), Counter(chip.clone()));
                Originator::load(store, device, key).map(Running::Counting).map_err(Trouble::from)
            }
            Hardware::Plain => {
                let device = Device::without_rollback_protection(device_key(&name));
                Originator::load(store, device, key).map(Running::Plain).map_err(Trouble::from)
            }
        };
        Ok(Self { id, name, chip, hardware, running: Some(running?), stan: 0 })
    }

    /// What a thief has who copied the chip and got the device key: another terminal of the same name.
    pub fn clone_by_theft(&self) -> Self {
        let chip = Chip::with(self.chip.copy());
        let (id, name) = (self.id.clone(), self.name);
        Self { id, name, chip, hardware: Hardware::Plain, running: None, stan: self.stan }
    }

    pub const fn hardware(&self) -> Hardware {
        self.hardware
    }

    /// The power will fail so many steps of the chip from now on.
    pub fn fail_in(&self, steps: u32) {
        self.chip.fail_in(steps);
    }

    /// The program ends as it stands; the next sale starts it again from what is on the chip.
    pub fn crash(&mut self) {
        self.running = None;
    }

    pub fn copy_state(&self) -> Image {
        self.chip.copy()
    }

    /// Somebody puts an old copy on the chip and starts the terminal. Where that is refused, the chip is put right again.
    pub fn put_back(&mut self, image: &Image) -> Result<(), Trouble> {
        self.crash();
        self.chip.power_up();
        let current = self.chip.copy();
        self.chip.put_back(image);
        let started = self.switch_on().map(|_| ());
        if started.is_err() {
            self.chip.put_back(&current);
        }
        started
    }

    /// Takes the PIN and makes the request. The state has moved on, on the chip, before the key is used.
    pub fn sell(&mut self, order: Order<'_>) -> Result<Sale<'_>, Trouble> {
        self.stan = (self.stan + 1) % 1_000_000;
        let id = (41, self.id.clone());
        let fields = [(4, format!("{:012}", order.cents)), (11, format!("{:06}", self.stan)), id];
        let pan = Pan::from_ascii_digits(order.pan.as_bytes()).map_err(Failure::from)?;
        let pin = Pin::from_ascii_digits(order.pin.as_bytes()).map_err(Failure::from)?;
        let block = ClearPinBlock::encode_iso0(&pin, &pan);
        let PinEntry::Entered { block, transaction } = self.switch_on()?.request_pin_entry(&block)? else {
            return Err(Failure("the PIN got lost".to_owned()).into());
        };
        let request = request(order.pan, &fields, &block.to_bytes(), &transaction)?;
        Ok(Sale { transaction, fields, request })
    }

    /// The program, started from the chip if it does not run.
    fn switch_on(&mut self) -> Result<&mut Running, Trouble> {
        if self.chip.has_failed() {
            self.running = None;
            self.chip.power_up();
        }
        let running = match self.running.take() {
            Some(running) => running,
            None => self.start()?,
        };
        Ok(self.running.insert(running))
    }

    fn start(&self) -> Result<Running, Trouble> {
        let store = TwoSlots::new(self.chip.clone());
        Ok(match self.hardware {
            Hardware::Counting => {
                let device = Device::new(device_key(&self.name), Counter(self.chip.clone()));
                Running::Counting(Originator::open_named(store, device, &self.name)?)
            }
            Hardware::Plain => {
                let device = Device::without_rollback_protection(device_key(&self.name));
                Running::Plain(Originator::open_named(store, device, &self.name)?)
            }
        })
    }
}

impl Running {
    fn request_pin_entry(&mut self, entered: &ClearPinBlock) -> Result<PinEntry<'_>, Trouble> {
        match self {
            Self::Counting(originator) => Ok(originator.request_pin_entry(Some(entered))?),
            Self::Plain(originator) => Ok(originator.request_pin_entry(Some(entered))?),
        }
    }
}

impl Sale<'_> {
    /// The action code of the host's answer, if it is the host's and the answer to this sale.
    pub fn action_code(&self, answer: &[u8]) -> Result<String, Failure> {
        let response = verify_response(self.transaction.key(), answer)?;
        let repeats = |(field, text): &(u8, String)| response.text(*field) == Some(text);
        if !self.fields.iter().all(repeats) {
            return Err(Failure("the answer to another sale".to_owned()));
        }
        Ok(response.text(39).unwrap_or_default().to_owned())
    }

    /// The counter that the sale has used up.
    pub fn counter(&self) -> Result<u32, Failure> {
        Ok(self.transaction.ksn().counter()?.value())
    }
}

/// The request: account, amount, time, terminal, PIN block, the name of the key, and the MAC over all of it.
fn request(
    pan: &str,
    fields: &[(u8, String)],
    pin_block: &[u8],
    transaction: &Transaction,
) -> Result<Vec<u8>, Failure> {
    let mut message = Message::new("1200".parse()?);
    for (field, text) in [(2, pan), (3, "000000"), (12, "261121093000"), (49, "156")] {
        message.set_text(DIALECT, field, text)?;
    }
    for (field, text) in fields {
        message.set_text(DIALECT, *field, text)?;
    }
    message.set_bytes(DIALECT, 52, pin_block)?;
    name_key(&mut message, transaction.ksn())?;
    Ok(message.seal_with(DIALECT, |covered| *transaction.key().mac_request_key().mac(covered).as_bytes())?)
}

/// The key that the hardware of this terminal keeps: for show, made from its name.
fn device_key(name: &Ksn) -> DeviceKey {
    DeviceKey::from_fill(|key| key.iter_mut().zip(name.as_bytes().iter().cycle()).for_each(|(k, n)| *k = !n))
}

impl<R: std::error::Error + 'static> From<OriginatorError<SlotsError<PowerFailed>, R>> for Trouble {
    fn from(error: OriginatorError<SlotsError<PowerFailed>, R>) -> Self {
        match error {
            OriginatorError::Store(SlotsError::Medium(PowerFailed)) => Self::PowerFailed,
            // The only way in which a counter of this hardware fails.
            OriginatorError::RollbackCounter(_) => Self::PowerFailed,
            OriginatorError::State(StateError::Rollback { .. }) => Self::OldCopy,
            other => Self::Other(other.into()),
        }
    }
}

impl From<Failure> for Trouble {
    fn from(failure: Failure) -> Self {
        Self::Other(failure)
    }
}

impl From<Trouble> for Failure {
    fn from(trouble: Trouble) -> Self {
        match trouble {
            Trouble::PowerFailed => PowerFailed.into(),
            Trouble::OldCopy => Self("the terminal refuses an old copy of its state".to_owned()),
            Trouble::Other(failure) => failure,
        }
    }
}
