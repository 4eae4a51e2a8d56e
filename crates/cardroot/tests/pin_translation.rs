//! PIN blocks on their way through a switch, between any two methods of key management.
#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "a panic here is the test's report"
)]

use core::convert::Infallible;
use core::time::Duration;

use cardroot::aeskey::{AesKey, AesKeyLength};
use cardroot::dukpt::legacy::edition_1992::SingleDesReceiver;
use cardroot::dukpt::{self, Ksn, aes};
use cardroot::keyblock::methods::{
    self, Aes, FixedKeys, Kek, KeyHierarchy, KeySet, Loaded, Master, PartyId, TdeaRetail,
};
use cardroot::keyblock::{
    AesKbpk, BlockKey, DerivationKbpk, Exportability, Form, ModeOfUse, NewKey, ProtectionKey, Version,
    aes_keys, tdea_keys,
};
use cardroot::pin::PinBlockFormat::{self, Iso0, Iso1, Iso3, Iso4};
use cardroot::pin::translation::{self, Blocks, Iso4Blocks, Translation};
use cardroot::pin::{
    ClearPinBlock, DecryptIso4PinBlock, DecryptPinBlock, EncryptIso4PinBlock, EncryptPinBlock,
    EncryptedIso4PinBlock, EncryptedPinBlock, Iso4PanField, Iso4PinField, Pan, Pin,
};
use cardroot::tdea::{KeyLength, TdeaKey};
use getrandom::SysRng;
use getrandom::rand_core::UnwrapErr;

fn rng() -> UnwrapErr<SysRng> {
    UnwrapErr(SysRng)
}

type Decrypts = Box<dyn DecryptPinBlock<Error = Infallible>>;
type Encrypts = Box<dyn EncryptPinBlock<Error = Infallible>>;
type DecryptsIso4 = Box<dyn DecryptIso4PinBlock<Error = Infallible>>;
type EncryptsIso4 = Box<dyn EncryptIso4PinBlock<Error = Infallible>>;

/// The PIN keys of one link: of who sends over it, and of who receives.
enum Keys {
    Tdea(Encrypts, Decrypts),
    Aes(EncryptsIso4, DecryptsIso4),
}

/// A link by its method of key management.
struct Link {
    method: &'static str,
    keys: Keys,
}

/// An enciphered block of either length.
enum Block {
    Eight(EncryptedPinBlock),
    Sixteen(EncryptedIso4PinBlock),
}

impl Link {
    fn tdea<E, D>(method: &'static str, encrypts: E, decrypts: D) -> Self
    where
        E: EncryptPinBlock<Error = Infallible> + 'static,
        D: DecryptPinBlock<Error = Infallible> + 'static,
    {
        Self { method, keys: Keys::Tdea(Box::new(encrypts), Box::new(decrypts)) }
    }

    fn aes<E, D>(method: &'static str, encrypts: E, decrypts: D) -> Self
    where
        E: EncryptIso4PinBlock<Error = Infallible> + 'static,
        D: DecryptIso4PinBlock<Error = Infallible> + 'static,
    {
        Self { method, keys: Keys::Aes(Box::new(encrypts), Box::new(decrypts)) }
    }

    fn formats(&self) -> &'static [PinBlockFormat] {
        match self.keys {
            Keys::Tdea(..) => &[Iso0, Iso1, Iso3],
            Keys::Aes(..) => &[Iso4],
        }
    }

    /// What the sender does.
    fn send(&self, format: PinBlockFormat, pin: &Pin, pan: &Pan) -> Block {
        match &self.keys {
            Keys::Tdea(key, _) => {
                let clear = match format {
                    Iso0 => ClearPinBlock::encode_iso0(pin, pan),
                    Iso1 => ClearPinBlock::encode_iso1(pin, &mut rng()),
                    _ => ClearPinBlock::encode_iso3(pin, pan, &mut rng()),
                };
                Block::Eight(key.encrypt_pin_block(&clear).unwrap())
            }
            Keys::Aes(key, _) => {
                let field = Iso4PinField::encode(pin, &mut rng());
                Block::Sixteen(key.encrypt_iso4_pin_block(&field, &Iso4PanField::encode(pan)).unwrap())
            }
        }
    }

    /// What the receiver does.
    fn receive(&self, format: PinBlockFormat, block: &Block, pan: &Pan) -> Pin {
        match (&self.keys, block) {
            (Keys::Tdea(_, key), Block::Eight(block)) => {
                key.decrypt_pin_block(*block).unwrap().decode(format, pan).unwrap()
            }
            (Keys::Aes(_, key), Block::Sixteen(block)) => {
                key.decrypt_iso4_pin_block(*block, &Iso4PanField::encode(pan)).unwrap().decode().unwrap()
            }
            _ => panic!("{}: a block of another length", self.method),
        }
    }
}

/// What the switch does: it receives over `from` and sends over `to`.
fn translate(
    (from, from_format): (&Link, PinBlockFormat),
    (to, to_format): (&Link, PinBlockFormat),
    block: &Block,
    pan: &Pan,
) -> Block {
    let (pan, rng) = (Some(pan), &mut rng());
    match (&from.keys, &to.keys, block) {
        (Keys::Tdea(_, from), Keys::Tdea(to, _), Block::Eight(block)) => {
            let (from, to) = (Blocks::new(from_format, &**from), Blocks::new(to_format, &**to));
            Block::Eight(Translation::new(from, to, pan).unwrap().translate(*block, rng).unwrap())
        }
        (Keys::Tdea(_, from), Keys::Aes(to, _), Block::Eight(block)) => {
            let (from, to) = (Blocks::new(from_format, &**from), Iso4Blocks::new(&**to));
            Block::Sixteen(Translation::new(from, to, pan).unwrap().translate(*block, rng).unwrap())
        }
        (Keys::Aes(_, from), Keys::Tdea(to, _), Block::Sixteen(block)) => {
            let (from, to) = (Iso4Blocks::new(&**from), Blocks::new(to_format, &**to));
            Block::Eight(Translation::new(from, to, pan).unwrap().translate(*block, rng).unwrap())
        }
        (Keys::Aes(_, from), Keys::Aes(to, _), Block::Sixteen(block)) => {
            let (from, to) = (Iso4Blocks::new(&**from), Iso4Blocks::new(&**to));
            Block::Sixteen(Translation::new(from, to, pan).unwrap().translate(*block, rng).unwrap())
        }
        _ => panic!("{}: a block of another length", from.method),
    }
}

fn aes_key(bytes: [u8; 16]) -> AesKey {
    AesKey::try_from(bytes.as_slice()).unwrap()
}

/// The key of the first transaction of ANS X9.24-1:2009 A.4.
fn tdes_dukpt() -> dukpt::TransactionKey {
    let bdk = TdeaKey::from(0x0123456789ABCDEF_FEDCBA9876543210_u128.to_be_bytes());
    let ksn = Ksn::from_wire(&[0xFF, 0xFF, 0x98, 0x76, 0x54, 0x32, 0x10, 0xE0, 0x00, 0x01]).unwrap();
    let initial_key = dukpt::Bdk::from_key(bdk).derive_initial_key(&ksn).unwrap();
    initial_key.derive_transaction_key(&ksn).unwrap()
}

/// The key of the first transaction of the example of ANS X9.24-3:2017.
fn aes_dukpt() -> aes::TransactionKey {
    let bdk = aes_key(0xFEDCBA9876543210_F1F1F1F1F1F1F1F1_u128.to_be_bytes());
    let id = aes::InitialKeyId::from(0x1234567890123456_u64.to_be_bytes());
    let ksn = aes::Ksn::try_from(&[id.as_bytes(), [0, 0, 0, 1].as_slice()].concat()[..]).unwrap();
    let initial_key = aes::Bdk::from_key(bdk).derive_initial_key(&id);
    initial_key.derive_transaction_key(&ksn, aes::OnesLimit::Sixteen).unwrap()
}

/// The same key by way of a key block, as the key of one direction: what the master key/transaction key method does.
fn by_block<K: BlockKey, O: BlockKey, P: ProtectionKey>(key: K, mode: ModeOfUse, kbpk: &P) -> O {
    let form = Form::new(P::VERSIONS[0], Exportability::None);
    let block = NewKey::new(key, mode).unwrap().wrap(kbpk, &form, &mut rng()).unwrap();
    block.unwrap(kbpk).unwrap().into_key::<O>().unwrap().into_unbound_key()
}

fn transaction_keys_tdea() -> (tdea_keys::PinEncryptionKey, tdea_keys::PinDecryptionKey) {
    let kbpk = DerivationKbpk::from_key(TdeaKey::generate(KeyLength::Triple, &mut rng()));
    let key = TdeaKey::generate(KeyLength::Double, &mut rng());
    let pin_key = || tdea_keys::PinKey::from_key(key.duplicate());
    (by_block(pin_key(), ModeOfUse::ENCRYPT, &kbpk), by_block(pin_key(), ModeOfUse::DECRYPT, &kbpk))
}

fn transaction_keys_aes() -> (aes_keys::PinEncryptionKey, aes_keys::PinDecryptionKey) {
    let kbpk = AesKbpk::from_key(AesKey::generate(AesKeyLength::Aes256, &mut rng()));
    let key = AesKey::generate(AesKeyLength::Aes256, &mut rng());
    let pin_key = || aes_keys::PinKey::from_key(key.duplicate());
    (by_block(pin_key(), ModeOfUse::ENCRYPT, &kbpk), by_block(pin_key(), ModeOfUse::DECRYPT, &kbpk))
}

fn links() -> Vec<Link> {
    let fixed =
        || tdea_keys::PinKey::from_key(TdeaKey::from(0x5DB50B454F8389AD_CE573BE50861F2BF_u128.to_be_bytes()));
    let fixed_aes =
        || aes_keys::PinKey::from_key(aes_key(0x000102030405060708090A0B0C0D0E0F_u128.to_be_bytes()));
    let (encrypts, decrypts) = transaction_keys_tdea();
    let (encrypts_aes, decrypts_aes) = transaction_keys_aes();
    let aes_pin_key = || aes_dukpt().pin_key(AesKeyLength::Aes128).unwrap();
    let tdea_pin_key = || aes_dukpt().pin_key_tdea(KeyLength::Double);
    vec![
        Link::tdea("TDES DUKPT", tdes_dukpt().pin_key(), tdes_dukpt().pin_key()),
        Link::tdea("AES DUKPT, TDEA working key", tdea_pin_key(), tdea_pin_key()),
        Link::aes("AES DUKPT", aes_pin_key(), aes_pin_key()),
        Link::tdea("fixed transaction key", fixed(), fixed()),
        Link::aes("fixed transaction key, AES", fixed_aes(), fixed_aes()),
        Link::tdea("master key/transaction key", encrypts, decrypts),
        Link::aes("master key/transaction key, AES", encrypts_aes, decrypts_aes),
    ]
}

fn pin(digits: &str) -> Pin {
    Pin::from_ascii_digits(digits.as_bytes()).unwrap()
}

fn pan(digits: &str) -> Pan {
    Pan::from_ascii_digits(digits.as_bytes()).unwrap()
}

/// PIN and PAN of every published row that has both, with format, block and key.
fn published() -> Vec<[&'static str; 5]> {
    let lines = include_str!("data/pinblocks.csv").lines().filter(|line| !line.starts_with('#')).skip(1);
    let rows: Vec<[&str; 5]> = lines
        .map(|line| {
            let columns: Vec<&str> = line.split(',').collect();
            [columns[0], columns[1], columns[2], columns[4], columns[5]]
        })
        .filter(|[_, _, pan, ..]| !pan.is_empty())
        .collect();
    assert_eq!(rows.len(), 8);
    rows
}

#[test]
fn published_pins_go_from_every_method_to_every_other_in_every_allowed_format() {
    let (links, mut translated) = (links(), 0);
    for [_, digits, account, ..] in published() {
        let (pin, pan) = (pin(digits), pan(account));
        for (from, to) in links.iter().flat_map(|from| links.iter().map(move |to| (from, to))) {
            for (from_format, to_format) in
                from.formats().iter().flat_map(|one| to.formats().iter().map(move |other| (*one, *other)))
            {
                if translation::check(from_format, to_format).is_err() {
                    continue;
                }
                let sent = from.send(from_format, &pin, &pan);
                let passed_on = translate((from, from_format), (to, to_format), &sent, &pan);
                let received = to.receive(to_format, &passed_on, &pan);
                assert!(
                    received.ct_eq(&pin),
                    "{} {from_format:?} to {} {to_format:?}",
                    from.method,
                    to.method
                );
                translated += 1;
            }
        }
    }
    // 4 methods with TDEA keys and 3 with AES keys; 9 pairs of formats less those that lose the PAN.
    assert_eq!(translated, 8 * (4 * 4 * 7 + 4 * 3 * 3 + 3 * 4 * 2 + 3 * 3));
    println!("{translated} translations");
}

/// The block of ANS X9.24-1:2009 A.4: PIN 1234, PAN 4012345678909, format 0.
const A4_BLOCK: [u8; 8] = [0x1B, 0x9C, 0x18, 0x45, 0xEB, 0x99, 0x3A, 0x7A];
const A4_PAN: &str = "4012345678909";

#[test]
fn translation_into_format_0_under_tdes_dukpt_gives_the_published_block() {
    let pan = pan(A4_PAN);
    let dukpt = tdes_dukpt().pin_key();
    for link in links() {
        let format = link.formats().last().copied().unwrap();
        let to = Link::tdea("TDES DUKPT", tdes_dukpt().pin_key(), tdes_dukpt().pin_key());
        let sent = link.send(format, &pin("1234"), &pan);
        match translate((&link, format), (&to, Iso0), &sent, &pan) {
            Block::Eight(block) => assert_eq!(block.to_bytes(), A4_BLOCK, "{}", link.method),
            Block::Sixteen(_) => panic!("{}", link.method),
        }
    }
    let opened = dukpt.decrypt_pin_block(EncryptedPinBlock::from(A4_BLOCK)).unwrap();
    assert!(opened.decode_iso0(&pan).unwrap().ct_eq(&pin("1234")));
}

#[test]
fn published_block_of_tdes_dukpt_arrives_under_aes_dukpt() {
    let (links, pan) = (links(), pan(A4_PAN));
    let [from, _, to, ..] = links.as_slice() else { panic!("the links are seven") };
    let sent = Block::Eight(EncryptedPinBlock::from(A4_BLOCK));
    let passed_on = translate((from, Iso0), (to, Iso4), &sent, &pan);
    assert!(to.receive(Iso4, &passed_on, &pan).ct_eq(&pin("1234")));
}

#[test]
fn published_blocks_of_format_4_arrive_under_tdes_dukpt() {
    let links = links();
    let [dukpt, _, aes_dukpt, ..] = links.as_slice() else { panic!("the links are seven") };
    let mut checked = 0;
    for [_, digits, account, block, key] in published().into_iter().filter(|[format, ..]| *format == "4") {
        let key = || AesKey::try_from(&base16ct::mixed::decode_vec(key).unwrap()[..]).unwrap();
        let fixed = || aes_keys::PinKey::from_key(key());
        let from = Link::aes("the published key", fixed(), fixed());
        let block = base16ct::mixed::decode_vec(block).unwrap();
        let sent = Block::Sixteen(EncryptedIso4PinBlock::try_from(&block[..]).unwrap());
        let pan = pan(account);
        let passed_on = translate((&from, Iso4), (dukpt, Iso3), &sent, &pan);
        assert!(dukpt.receive(Iso3, &passed_on, &pan).ct_eq(&pin(digits)));
        // The first of them is a block of AES DUKPT.
        if checked == 0 {
            let passed_on = translate((aes_dukpt, Iso4), (dukpt, Iso0), &sent, &pan);
            assert!(dukpt.receive(Iso0, &passed_on, &pan).ct_eq(&pin(digits)));
        }
        checked += 1;
    }
    assert_eq!(checked, 3);
}

/// What a terminal of 1992 sent is read with a key that can do nothing else, and goes on under another method.
#[test]
fn published_block_of_a_1992_terminal_arrives_under_aes_dukpt() {
    let bdk = TdeaKey::from(0x0123456789ABCDEF_FEDCBA9876543210_u128.to_be_bytes());
    let ksn = Ksn::from([0xFF, 0xFF, 0x98, 0x76, 0x54, 0x32, 0x10, 0xE0, 0x00, 0x02]);
    let terminals = SingleDesReceiver::new(dukpt::Bdk::from_key(bdk)).unwrap();
    let key = terminals.derive_pin_key(&ksn).unwrap();
    let block = EncryptedPinBlock::from([0xB7, 0x69, 0x97, 0xF8, 0x3C, 0x14, 0x79, 0xDB]);

    let (to, pan) = (aes_dukpt().pin_key(AesKeyLength::Aes128).unwrap(), pan(A4_PAN));
    let translation = Translation::new(Blocks::new(Iso0, &key), Iso4Blocks::new(&to), Some(&pan)).unwrap();
    let passed_on = translation.translate(block, &mut rng()).unwrap();
    let field = to.decrypt_iso4_pin_block(passed_on, &Iso4PanField::encode(&pan)).unwrap();
    assert!(field.decode().unwrap().ct_eq(&pin("1234")));
}

/// A key out of a block, which is how a node takes keys.
fn loaded<K: BlockKey, P: ProtectionKey>(key: K, mode: ModeOfUse, kbpk: &P) -> Loaded<K> {
    let form = Form::new(P::VERSIONS[0], Exportability::None);
    let block = NewKey::new(key, mode).unwrap().wrap(kbpk, &form, &mut rng()).unwrap();
    Loaded::from(block.unwrap(kbpk).unwrap().into_key::<K>().unwrap())
}

#[test]
fn a_pin_goes_from_a_node_of_fixed_keys_to_a_node_of_a_hierarchy() {
    let (overlap, now) = (Duration::from_secs(60), Duration::from_secs(1));
    let party = |name: &str| PartyId::try_from(name.as_bytes()).unwrap();
    let (terminal, issuer) = (party("TERM0001"), party("ISSUER"));

    let kbpk = DerivationKbpk::from_key(TdeaKey::generate(KeyLength::Triple, &mut rng()));
    let pin_key = tdea_keys::PinKey::from_key(TdeaKey::generate(KeyLength::Double, &mut rng()));
    let mut fixed = FixedKeys::<TdeaRetail>::new(overlap);
    let keys = KeySet::new().with_pin(loaded(pin_key.duplicate(), ModeOfUse::ENCRYPT_AND_DECRYPT, &kbpk));
    let number = fixed.replace(terminal, None, keys).unwrap().written();
    fixed.confirm(terminal, number, now).unwrap().written();

    let exchange = || AesKbpk::from_key(AesKey::generate(AesKeyLength::Aes256, &mut rng()));
    let (wrapping, master) = (exchange(), exchange());
    let node = |peer| {
        let mut node = KeyHierarchy::<AesKbpk, Aes>::new(Version::D, overlap).unwrap();
        let key = loaded(master.duplicate(), ModeOfUse::ENCRYPT_AND_DECRYPT, &wrapping);
        let number = node.load_master(peer, None, key).unwrap().written();
        node.confirm::<Master>(peer, number, now).unwrap().written();
        node
    };
    let (mut switch, mut issuing) = (node(issuer), node(party("SWITCH")));
    let peer = party("SWITCH");
    let (number, block) =
        switch.offer::<Kek>(issuer, None, AesKeyLength::Aes256, &mut rng()).unwrap().written();
    issuing.accept::<Kek>(peer, &block, now).unwrap().written();
    switch.confirm::<Kek>(issuer, number, now).unwrap().written();
    let (number, block) =
        switch.offer::<methods::Pin>(issuer, None, AesKeyLength::Aes128, &mut rng()).unwrap().written();
    let taken = issuing.accept::<methods::Pin>(peer, &block, now).unwrap().written();
    issuing.confirm::<methods::Pin>(peer, taken, now).unwrap().written();
    switch.confirm::<methods::Pin>(issuer, number, now).unwrap().written();

    let (pin, pan) = (pin("1234"), pan("4012345678909"));
    let Ok(sent) = pin_key.encrypt_pin_block(&ClearPinBlock::encode_iso0(&pin, &pan));
    let from = fixed.outgoing(terminal).unwrap().keys().pin().unwrap();
    let to = switch.outgoing::<methods::Pin>(issuer).unwrap().key();
    let translation = Translation::new(Blocks::new(Iso0, from), Iso4Blocks::new(to), Some(&pan)).unwrap();
    let arrived = translation.translate(sent, &mut rng()).unwrap();
    let key = issuing.outgoing::<methods::Pin>(peer).unwrap().key();
    let Ok(field) = key.decrypt_iso4_pin_block(arrived, &Iso4PanField::encode(&pan));
    assert!(field.decode().unwrap().ct_eq(&pin));
}
