//! Method: fixed transaction key. Custodians bring the keys to host and terminal; messages mean them by the terminal's identifier.

use std::time::Duration;

use cardroot::components::Parity;
use cardroot::keyblock::methods::{FixedKeys, KeyReference, KeySet, Loaded, PartyId, TdeaCmac};
use cardroot::smid::iso8583::Message;
use cardroot::tdea::{KcvMethod, KeyLength, TdeaKey};

use crate::room::Envelopes;
use crate::sale::{self, DIALECT, Names, TERMINAL};
use crate::{Failure, Story};

const TRACE: &str = "000001";
const OVERLAP: Duration = Duration::from_secs(3600);

pub fn sell(story: &mut Story) -> Result<(), Failure> {
    let terminal_id = PartyId::try_from(TERMINAL.as_bytes())?;
    let now = Duration::ZERO;
    let envelopes = |label| Envelopes::<TdeaKey>::new(label, KeyLength::Double, KcvMethod::TdeaZeros);
    let (pin, mac) = (envelopes("TERM0001 PIN"), envelopes("TERM0001 MAC"));

    let (mut host, mut terminal) = (FixedKeys::<TdeaCmac>::new(OVERLAP), FixedKeys::<TdeaCmac>::new(OVERLAP));
    for (who, node) in [("host", &mut host), ("terminal", &mut terminal)] {
        let keys = KeySet::new()
            .with_pin(Loaded::from_ceremony(pin.enter(Parity::AdjustToOdd)?)?)
            .with_mac(Loaded::from_ceremony(mac.enter(Parity::AdjustToOdd)?)?);
        let change = node.replace(terminal_id, None, keys)?;
        let check_values: Vec<String> = change
            .records()
            .iter()
            .flat_map(|record| &record.keys)
            .map(|key| key.check_value.to_string())
            .collect();
        story.tell(
            who,
            format_args!("loads PIN and MAC key by ceremony, check values {}", check_values.join(" ")),
        );
        // A program that lives longer writes the change first: see the documentation of `methods`.
        let number = change.written();
        node.confirm(terminal_id, number, now)?.written();
    }

    let keys = terminal.outgoing(terminal_id)?.keys();
    let (pin_key, mac_key) = (keys.pin().ok_or("no PIN key")?, keys.mac().ok_or("no MAC key")?);
    let request =
        sale::request(&Names::Terminal, TRACE, pin_key, |covered| *mac_key.mac(covered).as_bytes())?;
    story.tell(
        "terminal",
        format_args!("sends a 1200 of {} bytes, keys meant by terminal {TERMINAL}", request.len()),
    );

    // The host believes nothing of the message but whose keys to try.
    let claimed = Message::decode(DIALECT, &request)?;
    let claimed = PartyId::try_from(claimed.text(41).ok_or("no terminal")?.as_bytes())?;
    let (keys, message) = host
        .incoming(claimed, KeyReference::Implicit, now)?
        .find_map(|(_, version)| {
            let mac = version.keys().mac()?;
            let verified =
                Message::verify_with(DIALECT, &request, |covered, code| mac.verify_mac(covered, code));
            Some((version.keys(), verified.ok()?))
        })
        .ok_or("no key verifies the MAC")?;
    let action = sale::judge_pin(&message, keys.pin().ok_or("no PIN key")?)?;
    story.tell("host", format_args!("verifies the MAC, opens the PIN, answers {action}"));
    let mac = keys.mac().ok_or("no MAC key")?;
    let response =
        sale::response(&message, action, &Names::Terminal, |covered| *mac.mac(covered).as_bytes())?;

    let answer = Message::verify_with(DIALECT, &response, |covered, code| mac_key.verify_mac(covered, code))?;
    story.tell("terminal", format_args!("verifies the MAC of the answer: {}", sale::action(&answer, TRACE)?));
    Ok(())
}
