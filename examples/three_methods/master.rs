//! Method: master key/transaction key. Custodians bring the master key; all keys below travel in key blocks.

use std::time::Duration;

use cardroot::aeskey::{AesKey, AesKeyLength};
use cardroot::components::NoParity;
use cardroot::keyblock::methods::{
    Held, Kek, KeyHierarchy, KeyName, KeyReference, Loaded, Mac, Master, PartyId, Pin, SentRole, Stage,
    TdeaCmac,
};
use cardroot::keyblock::tdea_keys::{CmacKey, PinKey};
use cardroot::keyblock::{AesKbpk, BaseKey, BlockKey, KeyBlock, Version};
use cardroot::smid::iso8583::Message;
use cardroot::smid::{self, Smid, SmidList, SmidProfile};
use cardroot::tdea::{KcvMethod, KeyLength, MacMismatch};

use crate::room::Envelopes;
use crate::sale::{self, DIALECT, Names, TERMINAL};
use crate::{Failure, Story, rng};

type Node = KeyHierarchy<AesKbpk, TdeaCmac>;

const PROFILE: &SmidProfile = &SmidProfile::LENGTH_PREFIXED;
/// Trace number of the key exchange.
const EXCHANGE: &str = "000041";
const ACCEPTED: &str = "800";
const OVERLAP: Duration = Duration::from_secs(3600);
const NOW: Duration = Duration::ZERO;

/// Both parties, and how each one knows the other.
struct World {
    host: Node,
    terminal: Node,
    to_terminal: PartyId,
    to_host: PartyId,
}

pub fn sell(story: &mut Story) -> Result<(), Failure> {
    let mut world = World {
        host: Node::new(Version::D, OVERLAP)?,
        terminal: Node::new(Version::D, OVERLAP)?,
        to_terminal: PartyId::try_from(TERMINAL.as_bytes())?,
        to_host: PartyId::try_from(&b"ACQUIRER"[..])?,
    };
    world.load_master(story)?;

    // At installation the host sends the first keys: each one under the level above.
    let kek = world.send_first::<Kek>("KEK-1", AesKeyLength::Aes256)?;
    story.tell("host", format_args!("sends the key encrypting key {kek}, under the master key"));
    let mac = world.send_first::<Mac>("MAC-1", KeyLength::Double)?;
    let pin = world.send_first::<Pin>("PIN-1", KeyLength::Double)?;
    story.tell("host", format_args!("sends the transaction keys {mac} and {pin}, under that"));

    // In use, they are replaced by message.
    world.exchange(story)?;
    story.tell("", "the next sale is still under the old keys, its answer under the new ones:");
    world.trade(story, "000042")?;
    story.tell("", "which tells the terminal that the new keys are in use:");
    world.trade(story, "000043")
}

impl World {
    fn load_master(&mut self, story: &mut Story) -> Result<(), Failure> {
        let envelopes = Envelopes::<AesKey>::new("TERM0001 master", AesKeyLength::Aes256, KcvMethod::AesCmac);
        let nodes =
            [("host", &mut self.host, self.to_terminal), ("terminal", &mut self.terminal, self.to_host)];
        for (who, node, party) in nodes {
            let master = Loaded::from_ceremony(envelopes.enter(NoParity)?)?;
            let number = node.load_master(party, None, master)?.written();
            node.confirm::<Master>(party, number, NOW)?.written();
            story.tell(who, "loads the master key by ceremony");
        }
        Ok(())
    }

    /// Sends one of the first keys while both devices stand side by side.
    fn send_first<R: SentRole<AesKbpk, TdeaCmac>>(
        &mut self,
        name: &str,
        length: <<R::Key as BlockKey>::Base as BaseKey>::Length,
    ) -> Result<String, Failure> {
        let key_name = Some(KeyName::try_from(name.as_bytes())?);
        let (number, block) = self.host.offer::<R>(self.to_terminal, key_name, length, &mut rng())?.written();
        let taken = self.terminal.accept::<R>(self.to_host, &block, NOW)?.written();
        self.host.confirm::<R>(self.to_terminal, number, NOW)?.written();
        self.terminal.confirm::<R>(self.to_host, taken, NOW)?.written();
        Ok(name.to_owned())
    }

    /// The host replaces both transaction keys: key blocks in bit 96 of an 1804, bit 53 names the key of its MAC.
    fn exchange(&mut self, story: &mut Story) -> Result<(), Failure> {
        let Self { host, terminal, to_terminal, to_host } = self;
        let names = [b"PIN-2", b"MAC-2"].map(|name| KeyName::try_from(&name[..]));
        let [pin_name, mac_name] = [names[0]?, names[1]?];
        let offer = host.offer::<Pin>(*to_terminal, Some(pin_name), KeyLength::Double, &mut rng())?;
        let (pin_offered, pin_block) = offer.written();
        let offer = host.offer::<Mac>(*to_terminal, Some(mac_name), KeyLength::Double, &mut rng())?;
        let (mac_offered, mac_block) = offer.written();

        let mut message = Message::new("1804".parse()?);
        message.set_text(DIALECT, 11, EXCHANGE)?;
        message.set_text(DIALECT, 41, TERMINAL)?;
        message.set_bytes(DIALECT, 96, format!("{pin_block}{mac_block}").as_bytes())?;
        let mac_key = host.outgoing::<Mac>(*to_terminal)?;
        let sent = sale::seal(message, &name(&[mac_key.name()])?, |covered| mac_of(mac_key, covered))?;
        story.tell(
            "host",
            format_args!("sends an 1804 of {} bytes: PIN-2 and MAC-2 in bit 96, MAC under MAC-1", sent.len()),
        );

        let (_, _, received) = verify(terminal, *to_host, &sent)?;
        sale::expect(&received, "1804", EXCHANGE)?;
        let blocks = split_blocks(received.bytes(96).ok_or("no bit 96")?)?;
        let [pin_block, mac_block] = blocks.as_slice() else { return Err("not two key blocks".into()) };
        terminal.accept::<Pin>(*to_host, pin_block, NOW)?.written();
        terminal.accept::<Mac>(*to_host, mac_block, NOW)?.written();
        let mut answer = Message::new("1814".parse()?);
        for (field, text) in [(11, EXCHANGE), (39, ACCEPTED), (41, TERMINAL)] {
            answer.set_text(DIALECT, field, text)?;
        }
        let mac_key = terminal.outgoing::<Mac>(*to_host)?;
        let answer = sale::seal(answer, &name(&[mac_key.name()])?, |covered| mac_of(mac_key, covered))?;
        story.tell("terminal", "has both keys pending, answers with an 1814");

        let (_, _, answer) = verify(host, *to_terminal, &answer)?;
        // Confirmed by any other message, the old keys would be given up while the terminal has no others.
        sale::expect(&answer, "1814", EXCHANGE)?;
        if answer.text(39) != Some(ACCEPTED) {
            return Err("the terminal has not taken the keys".into());
        }
        host.confirm::<Pin>(*to_terminal, pin_offered, NOW)?.written();
        host.confirm::<Mac>(*to_terminal, mac_offered, NOW)?.written();
        story.tell("host", "takes the new keys into use, keeps the old ones for an hour");
        Ok(())
    }

    /// One sale. Bit 53 names the PIN key and the MAC key.
    fn trade(&mut self, story: &mut Story, trace: &str) -> Result<(), Failure> {
        let Self { host, terminal, to_terminal, to_host } = self;
        let (pin, mac) = (terminal.outgoing::<Pin>(*to_host)?, terminal.outgoing::<Mac>(*to_host)?);
        let names = name(&[pin.name(), mac.name()])?;
        let request = sale::request(&names, trace, pin.key(), |covered| mac_of(mac, covered))?;
        story.tell(
            "terminal",
            format_args!("sends a 1200 under {} and {}", shown(pin.name()), shown(mac.name())),
        );

        let (stage, _, message) = verify(host, *to_terminal, &request)?;
        let pin_name =
            message.smids(PROFILE)?.and_then(|smids| smids.pin(PROFILE).cloned()).ok_or("no SMID")?;
        let reference = KeyReference::Named(KeyName::try_from(pin_name.key_name.as_bytes())?);
        let (_, pin): (Stage, &Held<Loaded<PinKey>>) =
            host.incoming::<Pin>(*to_terminal, reference, NOW)?.next().ok_or("no such PIN key")?;
        let action = sale::judge_pin(&message, pin.key())?;
        let mac = host.outgoing::<Mac>(*to_terminal)?;
        let answer = sale::response(&message, action, &name(&[mac.name()])?, |covered| mac_of(mac, covered))?;
        story.tell(
            "host",
            format_args!(
                "verifies ({stage:?} key), opens the PIN, answers {action} under {}",
                shown(mac.name())
            ),
        );

        let (stage, number, answer) = verify(terminal, *to_host, &answer)?;
        story.tell("terminal", format_args!("verifies ({stage:?} key): {}", sale::action(&answer, trace)?));
        if stage == Stage::Pending {
            // Both keys came in one message: what is under the one says that the other one is in use too.
            terminal.confirm::<Mac>(*to_host, number, NOW)?.written();
            let pending = terminal.incoming::<Pin>(*to_host, KeyReference::Implicit, NOW)?;
            let number =
                pending.filter(|(stage, _)| *stage == Stage::Pending).map(|(_, pin)| pin.number()).next();
            terminal.confirm::<Pin>(*to_host, number.ok_or("no PIN key is pending")?, NOW)?.written();
            story.tell("terminal", "takes the new keys into use");
        }
        Ok(())
    }
}

/// Verifies a message under the MAC key that bit 53 names. Gives where that key stands, its number and the message.
fn verify(node: &Node, party: PartyId, bytes: &[u8]) -> Result<(Stage, u32, Message), Failure> {
    let claimed = Message::decode(DIALECT, bytes)?.smids(PROFILE)?.ok_or("bit 53 is missing")?;
    let claimed = claimed.mac(PROFILE).ok_or("no SMID of a MAC key")?;
    let reference = KeyReference::Named(KeyName::try_from(claimed.key_name.as_bytes())?);
    let (stage, key) = node.incoming::<Mac>(party, reference, NOW)?.next().ok_or("no such MAC key")?;
    let check =
        |covered: &[u8], code: &[u8; 8]| -> Result<(), MacMismatch> { key.key().verify_mac(covered, code) };
    Ok((stage, key.number(), Message::verify_with(DIALECT, bytes, check)?))
}

fn mac_of(key: &Held<Loaded<CmacKey>>, covered: &[u8]) -> [u8; 8] {
    *key.key().mac(covered).as_bytes()
}

/// The SMIDs of these keys, in this order.
fn name(keys: &[Option<KeyName>]) -> Result<Names<'static>, Failure> {
    let smid = |name: &Option<KeyName>| -> Result<Smid, Failure> {
        Ok(Smid::new(smid::KeyName::new(name.ok_or("the key has no name")?.as_bytes())?))
    };
    Ok(Names::Smids(
        PROFILE,
        match keys {
            [pin, mac] => SmidList::pin_and_mac(PROFILE, smid(pin)?, smid(mac)?),
            [mac] => SmidList::from(smid(mac)?),
            _ => return Err("one or two keys are named".into()),
        },
    ))
}

fn shown(name: Option<KeyName>) -> String {
    name.map(|name| String::from_utf8_lossy(name.as_bytes()).into_owned()).unwrap_or_default()
}

/// Key blocks say how long they are.
fn split_blocks(mut bytes: &[u8]) -> Result<Vec<KeyBlock>, Failure> {
    let mut blocks = Vec::new();
    while !bytes.is_empty() {
        let len: usize = str::from_utf8(bytes.get(1..5).ok_or("a block is cut off")?)?.parse()?;
        let (block, rest) = bytes.split_at_checked(len).ok_or("a block is cut off")?;
        blocks.push(KeyBlock::decode(block)?);
        bytes = rest;
    }
    Ok(blocks)
}
