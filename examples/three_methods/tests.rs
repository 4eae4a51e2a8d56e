//! The run itself is the test; here, what must stand in its story.

#![allow(clippy::unwrap_used, reason = "tests")]

use cardroot::smid::iso8583::Message;

use super::*;

fn story(sell: Sell) -> String {
    let mut story = Story(Vec::new());
    sell(&mut story).unwrap();
    story.0.join("\n")
}

#[test]
fn fixed_keys_are_loaded_alike_and_serve_a_sale() {
    let story = story(fixed::sell);
    let check_values = |who: &str| {
        let line =
            story.lines().find(|line| line.trim().starts_with(who) && line.contains("ceremony")).unwrap();
        line.split("values ").last().unwrap().to_owned()
    };
    assert_eq!(check_values("host"), check_values("terminal"));
    assert!(story.ends_with("verifies the MAC of the answer: 000"), "{story}");
}

#[test]
fn replaced_keys_overlap_and_then_serve() {
    let story = story(master::sell);
    let order = [
        "sends a 1200 under PIN-1 and MAC-1",
        "verifies (Previous key), opens the PIN, answers 000 under MAC-2",
        "verifies (Pending key): 000",
        "sends a 1200 under PIN-2 and MAC-2",
        "verifies (Current key), opens the PIN, answers 000 under MAC-2",
        "verifies (Current key): 000",
    ];
    let mut rest = story.as_str();
    for line in order {
        let (_, after) = rest.split_once(line).unwrap_or_else(|| panic!("{line} is missing in {story}"));
        rest = after;
    }
}

#[test]
fn a_terminal_that_is_loaded_from_a_key_block_trades() {
    let story = story(dukpt::sell);
    assert!(story.contains("keys named by FFFF9876543210E00001"), "{story}");
    assert!(story.ends_with("verifies the MAC of the answer: 000"), "{story}");
}

#[test]
fn what_somebody_sends_back_or_sent_before_is_no_answer() {
    let message = |mti: &str, trace: &str| {
        let mut message = Message::new(mti.parse().unwrap());
        message.set_text(sale::DIALECT, 11, trace).unwrap();
        message.set_text(sale::DIALECT, 39, sale::APPROVED).unwrap();
        message
    };
    assert_eq!(sale::action(&message("1210", "000002"), "000002").unwrap(), sale::APPROVED);
    assert!(sale::action(&message("1200", "000002"), "000002").is_err(), "its own request");
    assert!(sale::action(&message("1210", "000001"), "000002").is_err(), "the answer to an older one");
    assert!(sale::expect(&message("1814", "000040"), "1814", "000041").is_err(), "an older exchange");
}
