//! Method: derived unique key per transaction. The terminal gets its initial key in a key block; every message names a key of its own.

use cardroot::aeskey::{AesKey, AesKeyLength};
use cardroot::dukpt::guard::{MemoryGuard, Policy, RequestId, block_on};
use cardroot::dukpt::{
    self, Accepted, Bdk, InitialKey, KeySetId, KeySets, Ksn, Receiver, VolatileOriginator,
};
use cardroot::keyblock::{
    self, AesKbpk, BlockKey, Content, Exportability, Form, KeyBlock, ModeOfUse, NewKey, OptionalBlock,
};
use cardroot::smid::iso8583::Message;
use cardroot::smid::{KeyName, Smid, SmidList, SmidProfile};
use cardroot::tdea::{KeyLength, TdeaKey};

use crate::sale::{self, DIALECT, Names};
use crate::{Failure, Story, rng};

const TRACE: &str = "000001";
const PROFILE: &SmidProfile = &SmidProfile::KEY_NAME_10_SENT_AS_8;

pub fn sell(story: &mut Story) -> Result<(), Failure> {
    let key_set = KeySetId::new(0xFF_FF98_7654, 40)?;
    let ksn = Ksn::from([0xFF, 0xFF, 0x98, 0x76, 0x54, 0x32, 0x10, 0xE0, 0x00, 0x00]);
    let bdk = Bdk::from_key(TdeaKey::generate(KeyLength::Double, &mut rng()));

    // The loading facility has the base key and wraps what it derives for one terminal.
    let loading = AesKbpk::from_key(AesKey::generate(AesKeyLength::Aes256, &mut rng()));
    let block = wrap_initial_key(&bdk, &ksn, &loading)?;
    story.tell(
        "facility",
        format_args!("wraps the initial key of {ksn} in a key block of {} characters", block.as_str().len()),
    );

    let mut terminal = VolatileOriginator::load(open_initial_key(&block, &loading)?);
    let mut key_sets = KeySets::new();
    key_sets.insert(key_set, bdk)?;
    let host = Receiver::new(key_sets, MemoryGuard::new(Policy::Strict));

    let transaction = terminal.next_transaction()?;
    let names = Names::Smids(PROFILE, SmidList::from(Smid::new(KeyName::new(transaction.ksn().as_bytes())?)));
    let (pin_key, mac_key) = (transaction.key().pin_key(), transaction.key().mac_request_key());
    let request = sale::request(&names, TRACE, &pin_key, |covered| *mac_key.mac(covered).as_bytes())?;
    story.tell(
        "terminal",
        format_args!("sends a 1200 of {} bytes, keys named by {}", request.len(), transaction.ksn()),
    );

    // Nothing opens before the MAC is right and the counter is new.
    let claimed = Message::decode(DIALECT, &request)?.smids(PROFILE)?.ok_or("bit 53 is missing")?;
    let claimed = claimed.mac(PROFILE).ok_or("no SMID")?;
    let derived = host.derive(&Ksn::from_wire(claimed.key_name.as_bytes())?)?;
    let (derived, message) = derived.authenticate(|key: &dukpt::TransactionKey| {
        Message::verify_with(DIALECT, &request, |covered, code| {
            key.mac_request_key().verify_mac(covered, code)
        })
    })?;
    let Accepted::New { transaction: accepted, .. } = block_on(host.accept(derived, RequestId([1; 16])))?
    else {
        return Err("the message is not new".into());
    };
    let action = sale::judge_pin(&message, &accepted.key().pin_key())?;
    story.tell("host", format_args!("verifies MAC and counter, opens the PIN, answers {action}"));
    let mac_key = accepted.key().mac_response_key();
    let response = sale::response(&message, action, &names, |covered| *mac_key.mac(covered).as_bytes())?;

    let mac_key = transaction.key().mac_response_key();
    let answer = Message::verify_with(DIALECT, &response, |covered, code| mac_key.verify_mac(covered, code))?;
    story.tell("terminal", format_args!("verifies the MAC of the answer: {}", sale::action(&answer, TRACE)?));
    Ok(())
}

/// `B1`, with the name of the key in `KS`.
fn wrap_initial_key(bdk: &Bdk, ksn: &Ksn, loading: &AesKbpk) -> Result<KeyBlock, Failure> {
    let initial_key = bdk.derive_initial_key(ksn)?;
    let key = keyblock::tdea_keys::InitialKey::from_key(initial_key.expose_key().duplicate());
    let name = OptionalBlock::key_serial_number(ksn.initial().as_bytes());
    let form = Form { optional_blocks: vec![name], ..Form::new(keyblock::Version::D, Exportability::None) };
    Ok(NewKey::new(key, ModeOfUse::DERIVE)?.wrap(loading, &form, &mut rng())?)
}

fn open_initial_key(block: &KeyBlock, loading: &AesKbpk) -> Result<InitialKey, Failure> {
    let opened = block.unwrap(loading)?.into_key::<keyblock::tdea_keys::InitialKey>()?;
    let names = opened.header().optional_blocks.iter().find_map(|block| match block.content() {
        Content::KeySerialNumber(name) => Some(name.to_owned()),
        _ => None,
    });
    let ksn = base16ct::upper::decode_vec(names.ok_or("the key has no name")?)?;
    Ok(InitialKey::from_key(opened.into_unbound_key().into_base(), &Ksn::try_from(&*ksn)?)?)
}
