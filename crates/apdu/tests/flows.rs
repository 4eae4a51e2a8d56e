//! The scripted dialogues of `apdu_flows.csv`: what the channel sends for each command, and what it delivers.

#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::expect_used,
    clippy::std_instead_of_alloc,
    unreachable_pub,
    reason = "a panic is the report; a test program has std and no users"
)]

mod common;

use std::collections::BTreeMap;

use cardroot_apdu::{
    CardTransport, Chaining, Channel, ChannelError, CommandApdu, Header, Le, Repetition, ResponseApdu,
    Script, ScriptError, ScriptedTransport, T0Transport,
};
use common::{hex, rows};

/// One dialogue of the file.
#[derive(Default)]
struct Flow {
    /// The wire: `>` and `<` lines.
    script: String,
    /// Commands on the wire.
    sent: Vec<Vec<u8>>,
    /// The command behind the wire, where T=0 changes it.
    apdu: Option<Vec<u8>>,
    steps: usize,
}

fn flows() -> BTreeMap<String, Flow> {
    let mut flows = BTreeMap::<String, Flow>::new();
    for row in rows(include_str!("data/apdu_flows.csv")) {
        let bytes = hex(&row[3]);
        let flow = flows.entry(row[0].clone()).or_default();
        flow.steps += 1;
        match row[2].as_str() {
            "apdu" => flow.apdu = Some(bytes),
            mark => {
                let digits = base16ct::upper::encode_string(&bytes);
                flow.script += &format!("{mark} {digits}\n");
                if mark == ">" {
                    flow.sent.push(bytes);
                }
            }
        }
    }
    flows
}

/// What a command must come to.
#[derive(Debug, Eq, PartialEq)]
enum Outcome {
    Answer(Vec<u8>, u16),
    Stalled,
    ChainBroken { part: usize, status: u16 },
}
use Outcome::{Answer, ChainBroken, Stalled};

fn outcome<E: core::fmt::Debug>(result: Result<ResponseApdu, ChannelError<E>>) -> Outcome {
    match result {
        Ok(response) => Answer(response.data().to_vec(), response.status().word()),
        Err(ChannelError::Stalled) => Stalled,
        Err(ChannelError::ChainBroken { part, status }) => ChainBroken { part, status: status.word() },
        Err(other) => panic!("{other:?}"),
    }
}

fn ok(data: &str) -> Outcome {
    Answer(hex(data), 0x9000)
}

fn status(word: u16) -> Outcome {
    Answer(Vec::new(), word)
}

fn repeatable(bytes: &[u8]) -> CommandApdu {
    CommandApdu::decode(bytes).unwrap().with_repetition(Repetition::Allowed)
}

/// Sends each of `commands` and ends the script.
fn play<T: CardTransport<Error: core::fmt::Debug>>(
    transport: T,
    commands: &[CommandApdu],
    transmit: impl Fn(&mut Channel<T>, &CommandApdu) -> Result<ResponseApdu, ChannelError<T::Error>>,
) -> (T, Vec<Outcome>) {
    let mut channel = Channel::new(transport);
    let outcomes = commands.iter().map(|command| outcome(transmit(&mut channel, command))).collect();
    (channel.into_transport(), outcomes)
}

fn scripted(flow: &Flow) -> ScriptedTransport {
    ScriptedTransport::new(flow.script.parse::<Script>().unwrap())
}

/// Flows whose commands the host sends one by one: at `positions` on the wire; the channel sends the others itself.
fn plain_flow(name: &str) -> Option<(&'static [usize], Vec<Outcome>)> {
    Some(match name {
        "rsp_chain_1" => (&[0], vec![ok("{AA*16}")]),
        "rsp_chain_300" => (&[0], vec![ok("{AA*256}{BB*44}")]),
        "rsp_chain_6100" => (&[0], vec![ok("{AA*256}{BB*256}CC")]),
        "rsp_chain_channel2" | "rsp_chain_channel5" | "rsp_chain_gp" => (&[0], vec![ok("{AA*8}")]),
        "rsp_chain_error_mid" => (&[0], vec![status(0x6F00)]),
        "rsp_chain_6C_in_get_response" => (&[0], vec![ok("{AA*16}")]),
        "rsp_chain_loop" => (&[0], vec![Stalled]),
        "rsp_chain_warning_end" => (&[0], vec![Answer(hex("{AA*256}{BB*4}"), 0x6282)]),
        "rsp_get_response_cold" => (&[0], vec![status(0x6985)]),
        "le_retry" => (&[0], vec![ok("{AA*17}")]),
        "le_retry_6C00" => (&[0], vec![ok("{AA*256}")]),
        "le_retry_once" => (&[0], vec![status(0x6C12)]),
        "le_retry_case1" => (&[0], vec![status(0x6C11)]),
        "le_retry_case4_t1" => (&[0], vec![ok("{AA*32}")]),
        "cmd_chain_interrupted" | "cmd_chain_p1p2_change" => (&[0, 1], vec![ok(""), status(0x6883)]),
        "channel_open" => (&[0, 1, 2], vec![ok("01"), ok(""), ok("")]),
        "channel_open_numbered" => (&[0, 1], vec![ok(""), ok("")]),
        "channel_not_open" => (&[0], vec![status(0x6881)]),
        "channel_close_basic" => (&[0], vec![status(0x6A86)]),
        "channel_exhausted" => (&[0], vec![status(0x6A81)]),
        _ => return None,
    })
}

/// Flows in which the channel chains: the data of the whole command, its Le, and the outcome.
fn chained_flow(name: &str) -> Option<(&'static str, Option<Le>, Outcome)> {
    Some(match name {
        "cmd_chain_600" => ("{AA*255}{BB*255}{CC*90}", None, ok("")),
        "cmd_chain_exact_510" => ("{AA*255}{BB*255}", None, ok("")),
        "cmd_chain_255" => ("{AA*255}", None, ok("")),
        "cmd_chain_unsupported" => ("{AA*256}", None, ChainBroken { part: 0, status: 0x6884 }),
        "cmd_chain_overflow" => ("{AA*256}", None, ChainBroken { part: 0, status: 0x6A84 }),
        "cmd_chain_plus_response" => ("{AA*255}BBCC", Some(Le::MAX_SHORT), ok("{DD*256}{EE*16}")),
        _ => return None,
    })
}

/// Flows over T=0 and what each command comes to.
fn t0_flow(name: &str) -> Option<Outcome> {
    Some(match name {
        "t0_case1" | "t0_case3s" | "t0_case4s_9000" | "t0_case3e_envelope" => ok(""),
        "t0_case2s" => ok("{AA*17}"),
        "t0_case4s" => ok("{AA*32}"),
        "t0_case2e" => ok("{AA*256}{BB*256}"),
        "t0_case4e_small" => ok("{AA*256}"),
        _ => return None,
    })
}

fn check_plain(flow: &Flow, positions: &[usize], expected: Vec<Outcome>) {
    let commands: Vec<_> = positions.iter().map(|position| repeatable(&flow.sent[*position])).collect();
    let (card, outcomes) = play(scripted(flow), &commands, Channel::transmit);
    assert_eq!(outcomes, expected);
    card.finish().unwrap();
}

fn check_chained(flow: &Flow, data: &str, le: Option<Le>, expected: Outcome) {
    let first = CommandApdu::decode(&flow.sent[0]).unwrap().header();
    let class = first.class.with_chaining(Chaining::LastOrOnly).unwrap();
    let command = CommandApdu::new(Header { class, ..first }).with_data(&hex(data)).unwrap();
    let command = le.into_iter().fold(command, CommandApdu::with_le);
    let (card, outcomes) = play(scripted(flow), &[command], Channel::transmit_chained);
    assert_eq!(outcomes, [expected]);
    card.finish().unwrap();
}

fn check_t0(flow: &Flow, expected: Outcome) {
    let command = repeatable(flow.apdu.as_ref().unwrap_or(&flow.sent[0]));
    let (card, outcomes) = play(T0Transport::new(scripted(flow)), &[command], Channel::transmit);
    assert_eq!(outcomes, [expected]);
    card.into_inner().finish().unwrap();
}

/// The host of this flow lets announced data lapse by another command. The channel never does: it stays with the first
/// two steps and then fetches. The others are for a simulated card to follow.
fn check_pending_dropped(flow: &Flow) {
    let result = Channel::new(scripted(flow)).transmit(&repeatable(&flow.sent[0]));
    assert!(matches!(result, Err(ChannelError::Link(ScriptError::Deviation { line: 3, .. }))), "{result:?}");
}

#[test]
fn every_flow_is_followed() {
    let flows = flows();
    let (mut steps, mut by_card) = (0, 0);
    for (name, flow) in &flows {
        println!("{name}");
        steps += flow.steps;
        if let Some((positions, expected)) = plain_flow(name) {
            check_plain(flow, positions, expected);
        } else if let Some((data, le, expected)) = chained_flow(name) {
            check_chained(flow, data, le, expected);
        } else if let Some(expected) = t0_flow(name) {
            check_t0(flow, expected);
        } else {
            assert_eq!(name, "rsp_pending_dropped");
            check_pending_dropped(flow);
            by_card += 1;
        }
    }
    println!("{} flows, {steps} steps; {by_card} of the flows is the card's to follow", flows.len());
    assert_eq!((flows.len(), steps, by_card), (38, 150, 1));
}
