//! The fleet: terminals that trade, lose power and are tampered with, and those who listen on their lines.

use std::collections::VecDeque;
use std::mem;
use std::time::{Duration, Instant};

use cardroot::dukpt::Bdk;
use cardroot::dukpt::guard::OriginatorId;

use crate::Failure;
use crate::bank::Customer;
use crate::chip::Image;
use crate::dice::Dice;
use crate::expect::{Expectation, Message};
use crate::figures::Figures;
use crate::forgery::Forgery;
use crate::keys::terminal_name;
use crate::ledger::{Judged, Outcome};
use crate::line::{Line, Network, Reply};
use crate::terminal::{Hardware, Order, Sale, Terminal, Trouble};
use crate::wire::{APPROVED, NOT_DONE};

/// One terminal of so many is cloned.
const CLONED: u32 = 500;
/// The line of a clone, and of the one who replays and forges: not those of the terminals.
const CLONE: u16 = 0x8000;
const STRANGER: u16 = 0xFFFF;
/// The most terminals that there are lines for.
pub const MOST_TERMINALS: u32 = 0x7FFF;
/// How many old messages of each terminal the stranger keeps.
const OVERHEARD: usize = 8;

/// What happens to a terminal next.
#[derive(Clone, Copy, Debug)]
enum Event {
    Sale,
    WrongPin,
    /// The request gets lost on its way.
    Lost,
    /// The answer gets lost, and the terminal asks once more.
    AskedAgain,
    /// Power fails within the next steps of the chip, or some sales later.
    PowerCut,
    /// The program ends and starts again.
    Restart,
    /// Somebody copies the chip.
    Copied,
    /// Somebody puts the copy back.
    PutBack,
    /// An old message comes again.
    Replay,
    Forgery(Forgery),
}

/// How often of 1000.
const EVENTS: [(u32, Event); 16] = [
    (670, Event::Sale),
    (20, Event::WrongPin),
    (20, Event::Lost),
    (40, Event::AskedAgain),
    (50, Event::PowerCut),
    (30, Event::Restart),
    (40, Event::Copied),
    (20, Event::PutBack),
    (60, Event::Replay),
    (10, Event::Forgery(Forgery::AlteredAmount)),
    (10, Event::Forgery(Forgery::LastCounter)),
    (6, Event::Forgery(Forgery::ForeignKeySet)),
    (6, Event::Forgery(Forgery::CounterZero)),
    (6, Event::Forgery(Forgery::TooManyOnes)),
    (6, Event::Forgery(Forgery::CutShort)),
    (6, Event::Forgery(Forgery::NoKeyName)),
];

/// One name: the terminal that has it, the clone if there is one, and what the host must know of both.
#[derive(Debug)]
struct Post {
    originator: OriginatorId,
    terminal: Terminal,
    line: u16,
    will_be_cloned: bool,
    clone: Option<Terminal>,
    /// What somebody has copied from the chip, and whether it has made a sale since.
    copy: Option<(Image, bool)>,
    expectation: Expectation,
    /// The last message accepted and its answer.
    last: Option<(Message, Vec<u8>)>,
    overheard: VecDeque<Message>,
}

/// The terminals that share a line.
#[derive(Debug)]
pub struct Crew<'a> {
    posts: Vec<Post>,
    dice: Dice,
    customers: &'a [Customer],
    /// Steps, if they are counted.
    goal: Option<u64>,
    desk: Desk<'a>,
}

/// Where the terminals of a crew send their messages, and keep their account.
#[derive(Debug)]
struct Desk<'a> {
    line: Line<'a>,
    account: Account,
    /// The host has crashed: does it know its last answers?
    roll_call_is_due: bool,
}

/// What a crew has done and seen.
#[derive(Debug, Default)]
pub struct Account {
    pub expectations: Vec<(OriginatorId, Expectation)>,
    pub cloned: Vec<OriginatorId>,
    /// Sum of all approved sales.
    pub cents: u64,
    pub power_cuts: u64,
    pub lost: u64,
    /// Old copies that the terminal's hardware refused, and those that came up.
    pub copies_refused: u64,
    pub copies_in_use: u64,
    /// Answers from before a crash that were asked for again after it.
    pub asked_after_crash: u64,
    /// Microseconds from request to answer.
    pub latencies: Vec<u32>,
    /// What the fleet did not expect.
    pub surprises: Vec<String>,
}

/// How a fleet is made.
#[derive(Clone, Copy, Debug)]
pub struct Plan<'a> {
    pub terminals: u32,
    pub connections: u32,
    pub seed: u64,
    pub key_set: u64,
    pub goal: Option<u64>,
    pub customers: &'a [Customer],
}

impl<'a> Crew<'a> {
    /// Loads the terminals of the `number`th line.
    pub fn load(plan: &Plan<'a>, number: u32, bdk: &Bdk, network: &'a Network) -> Result<Self, Failure> {
        let own = (number..plan.terminals).step_by(plan.connections as usize);
        let posts = own.map(|index| Post::load(index, plan.key_set, bdk)).collect::<Result<_, _>>()?;
        let (each, rest) = (u64::from(plan.connections), u64::from(number));
        Ok(Self {
            posts,
            dice: Dice::new(plan.seed, number.into()),
            customers: plan.customers,
            goal: plan.goal.map(|goal| goal / each + u64::from(rest < goal % each)),
            desk: Desk { line: Line::new(network), account: Account::default(), roll_call_is_due: false },
        })
    }

    /// Trades until the goal is reached.
    pub fn trade(mut self, figures: &Figures) -> Result<Account, Failure> {
        let mut steps = 0;
        while self.goal.map_or(figures.share() < 1.0, |goal| steps < goal) {
            self.step()?;
            steps += 1;
            figures.step();
            while mem::take(&mut self.desk.roll_call_is_due) {
                self.call_roll()?;
            }
        }
        self.desk.line.hang_up();
        let mut account = self.desk.account;
        for post in self.posts {
            account.cloned.extend(post.clone.is_some().then_some(post.originator));
            account.expectations.push((post.originator, post.expectation));
        }
        Ok(account)
    }

    /// Something happens to one of the terminals.
    fn step(&mut self) -> Result<(), Failure> {
        let Self { posts, dice, customers, desk, .. } = self;
        let index = dice.index(posts.len());
        let (event, chance) = (event(dice), dice.below(u32::MAX));
        let customer = dice.pick(customers);
        let (Some(post), Some(customer)) = (posts.get_mut(index), customer) else { return Ok(()) };

        let overheard = post.overheard.get(chance as usize % post.overheard.len().max(1)).cloned();
        match (event, overheard) {
            (Event::Replay, Some(old)) => return post.replay(desk, old),
            (Event::Forgery(forgery), Some(old)) => return post.forge(desk, forgery, &old),
            (Event::PowerCut, _) => post.terminal.fail_in(1 + chance % 16),
            (Event::Restart, _) => post.terminal.crash(),
            (Event::Copied, _) => post.copy = Some((post.terminal.copy_state(), false)),
            (Event::PutBack, _) => post.put_back(desk),
            _ => {}
        }
        if post.will_be_cloned && post.clone.is_none() && post.last.is_some() {
            post.clone = Some(post.terminal.clone_by_theft());
        }
        let pin = if matches!(event, Event::WrongPin) { "00000" } else { &customer.pin };
        let order = Order { pan: &customer.pan, pin, cents: u64::from(100 + chance % 50_000) };
        post.sell(desk, order, event, chance % 2 == 0)
    }

    /// After a crash of the host: every answer that a terminal got before is known to it, word for word.
    fn call_roll(&mut self) -> Result<(), Failure> {
        for post in &mut self.posts {
            if let Some((message, _)) = post.last.clone() {
                post.replay(&mut self.desk, message)?;
                self.desk.account.asked_after_crash += 1;
            }
        }
        Ok(())
    }
}

fn event(dice: &mut Dice) -> Event {
    let mut ticket = dice.below(EVENTS.iter().map(|(often, _)| often).sum());
    for (often, event) in EVENTS {
        if ticket < often {
            return event;
        }
        ticket -= often;
    }
    Event::Sale
}

impl Post {
    fn load(index: u32, key_set: u64, bdk: &Bdk) -> Result<Self, Failure> {
        let name = terminal_name(key_set, index)?;
        let hardware = if index.is_multiple_of(2) { Hardware::Counting } else { Hardware::Plain };
        Ok(Self {
            originator: OriginatorId::from(&name),
            terminal: Terminal::load(bdk, name, format!("T{index:07}"), hardware)?,
            line: u16::try_from(index)? + 1,
            will_be_cloned: index % CLONED == CLONED / 2,
            clone: None,
            copy: None,
            expectation: Expectation::default(),
            last: None,
            overheard: VecDeque::new(),
        })
    }

    /// A sale, at the terminal or at its clone.
    fn sell(
        &mut self,
        desk: &mut Desk<'_>,
        order: Order<'_>,
        event: Event,
        at_clone: bool,
    ) -> Result<(), Failure> {
        let clone = self.clone.as_mut().filter(|_| at_clone);
        let copied = self.copy.as_mut().filter(|_| clone.is_none());
        let (terminal, line) = match clone {
            Some(clone) => (clone, self.line | CLONE),
            None => (&mut self.terminal, self.line),
        };
        let sale = match terminal.sell(order) {
            Ok(sale) => sale,
            Err(Trouble::PowerFailed) => {
                desk.account.power_cuts += 1;
                return Ok(());
            }
            Err(trouble) => return Err(trouble.into()),
        };
        if let Some((_, is_old)) = copied {
            *is_old = true;
        }
        if matches!(event, Event::Lost) {
            desk.account.lost += 1;
            return Ok(());
        }
        let accepted_as =
            if matches!(event, Event::WrongPin) { Outcome::WrongPin } else { Outcome::Approved };
        let message = Message { line, counter: sale.counter()?, bytes: sale.request.clone() };
        let (judged, reply) = desk.ask(&mut self.expectation, &message, accepted_as)?;
        if judged.outcome.is_refused() {
            desk.expect(reply.answer.is_empty(), || format!("{judged:?} was answered"));
            return Ok(());
        }
        desk.take_answer(&sale, accepted_as, order.cents, &reply, &mut self.expectation);
        if !reply.retried {
            self.overheard.truncate(OVERHEARD - 1);
            self.overheard.push_front(message.clone());
        }
        self.last = Some((message.clone(), reply.answer));
        if matches!(event, Event::AskedAgain) { self.replay(desk, message) } else { Ok(()) }
    }

    /// A message comes again: from the terminal, which may, or from a stranger.
    fn replay(&mut self, desk: &mut Desk<'_>, mut message: Message) -> Result<(), Failure> {
        let last = self.last.as_ref().filter(|(last, _)| last.counter == message.counter);
        if last.is_none() {
            message.line = STRANGER;
        }
        let (judged, reply) = desk.ask(&mut self.expectation, &message, Outcome::Approved)?;
        // What was answered before is answered in the same words, and what is old not at all.
        let same = last.map_or(&[][..], |(_, answer)| answer);
        desk.expect(reply.answer == same, || format!("{judged:?} and another answer"));
        Ok(())
    }

    fn forge(&mut self, desk: &mut Desk<'_>, forgery: Forgery, passed: &Message) -> Result<(), Failure> {
        let judged = Judged { outcome: forgery.outcome(), skipped: 0 };
        let reply = desk.line.ask(STRANGER, forgery.forge(&passed.bytes)?, judged)?;
        desk.roll_call_is_due |= reply.retried;
        desk.expect(reply.answer.is_empty(), || format!("{forgery:?} was answered"));
        if judged.outcome == Outcome::WrongMac {
            self.expectation.was_forged();
        }
        Ok(())
    }

    /// Somebody puts the copy back that he made.
    fn put_back(&mut self, desk: &mut Desk<'_>) {
        let Some((copy, true)) = self.copy.take() else { return };
        match (self.terminal.put_back(&copy), self.terminal.hardware()) {
            (Ok(()), Hardware::Plain) => desk.account.copies_in_use += 1,
            (Err(Trouble::OldCopy), Hardware::Counting) => desk.account.copies_refused += 1,
            (other, hardware) => desk.expect(false, || format!("an old copy, {hardware:?}: {other:?}")),
        }
    }
}

impl Desk<'_> {
    fn ask(
        &mut self,
        expectation: &mut Expectation,
        message: &Message,
        accepted_as: Outcome,
    ) -> Result<(Judged, Reply), Failure> {
        let judged = expectation.judge(message, accepted_as);
        let asked = Instant::now();
        let reply = self.line.ask(message.line, message.bytes.clone(), judged)?;
        self.account.latencies.push(micros(asked.elapsed()));
        expectation.follow(message, judged, reply.retried);
        self.roll_call_is_due |= reply.retried;
        Ok((judged, reply))
    }

    /// The terminal opens the answer to a sale.
    fn take_answer(
        &mut self,
        sale: &Sale<'_>,
        accepted_as: Outcome,
        cents: u64,
        reply: &Reply,
        expectation: &mut Expectation,
    ) {
        match sale.action_code(&reply.answer) {
            Ok(code) if code == NOT_DONE && reply.retried => expectation.was_not_booked(),
            Ok(code) if Outcome::of_action_code(&code) == accepted_as => {
                self.account.cents += if code == APPROVED { cents } else { 0 };
            }
            other => self.expect(false, || format!("{accepted_as:?} answered with {other:?}")),
        }
    }

    fn expect(&mut self, as_expected: bool, surprise: impl FnOnce() -> String) {
        if !as_expected {
            self.account.surprises.push(surprise());
        }
    }
}

fn micros(duration: Duration) -> u32 {
    u32::try_from(duration.as_micros()).unwrap_or(u32::MAX)
}

impl Account {
    /// Takes in what another crew has done.
    pub fn add(&mut self, other: Self) {
        self.expectations.extend(other.expectations);
        self.cloned.extend(other.cloned);
        self.cents += other.cents;
        self.power_cuts += other.power_cuts;
        self.lost += other.lost;
        self.copies_refused += other.copies_refused;
        self.copies_in_use += other.copies_in_use;
        self.asked_after_crash += other.asked_after_crash;
        self.latencies.extend(other.latencies);
        self.surprises.extend(other.surprises);
    }
}
