//! What is checked: every operation on a key, each on secrets that the checks choose.

use std::hint::black_box;

use cipher::{BlockCipherEncrypt, KeyInit};
use tdea::bulk::sliced::{Direction, KeyPlanes, LaneMask, Planes, StepBuffer};
use tdea::bulk::{Engine, MacKeys};
use tdea::hazmat::{DesKey, DesMac, KeyMask};
use tdea::{Backend, CbcMac, Cmac, MacPadding, Mode, Padding, RetailMac, TdeaKey};

/// Blocks of data: more than a batch of the narrowest sliced form, which has 64 lanes.
const BLOCKS: usize = 70;

/// Two keys and some data, all of them secret.
#[derive(Clone)]
pub struct Secret {
    /// Triple length; its first two parts serve as a double-length key.
    pub keys: [[u8; 24]; 2],
    /// Plaintext, ciphertext or a message.
    pub data: [[u8; 8]; BLOCKS],
}

impl Secret {
    /// All zeros.
    pub const ZERO: Self = Self { keys: [[0; 24]; 2], data: [[0; 8]; BLOCKS] };

    fn double(&self, index: usize) -> TdeaKey {
        TdeaKey::from(*self.keys[index].first_chunk::<16>().expect("24 bytes"))
    }

    fn triple(&self) -> TdeaKey {
        TdeaKey::from(self.keys[0])
    }

    fn message(&self) -> &[u8] {
        &self.data.as_flattened()[..29]
    }
}

/// An operation on secrets.
pub struct Operation {
    /// What it does.
    pub name: &'static str,
    /// How many verdicts on secrets it branches on by design.
    pub verdicts: usize,
    /// Does it.
    pub run: fn(&Secret),
}

const fn silent(name: &'static str, run: fn(&Secret)) -> Operation {
    Operation { name, verdicts: 0, run }
}

/// Everything that is claimed to be constant time.
pub const OPERATIONS: &[Operation] = &[
    silent("TDEA key schedule", |secret| {
        black_box(secret.triple().cipher());
    }),
    silent("TDEA one block, both ways", |secret| {
        let (cipher, mut block) = (secret.double(0).cipher(), secret.data[0]);
        cipher.encrypt_block(&mut block);
        black_box(&mut block);
        cipher.decrypt_block(&mut block);
        black_box(block);
    }),
    silent("TDEA two blocks", |secret| {
        let mut blocks = [secret.data[0], secret.data[1]];
        secret.double(0).cipher().encrypt_two(&mut blocks);
        black_box(blocks);
    }),
    silent("DES one block, both ways", |secret| {
        let (key, mut block) = (DesKey::left_half(&secret.double(0)), secret.data[0]);
        key.encrypt_block(&mut block);
        black_box(&mut block);
        key.decrypt_block(&mut block);
        black_box(block);
    }),
    silent("DES two blocks, a key each", |secret| {
        let key = secret.double(0);
        let mut blocks = [secret.data[0], secret.data[1]];
        DesKey::encrypt_pair([&DesKey::left_half(&key), &DesKey::right_half(&key)], &mut blocks);
        black_box(blocks);
    }),
    silent("DES and TDEA two blocks, a key and its variant", |secret| {
        let key = secret.double(0);
        let mut blocks = [secret.data[0], secret.data[1]];
        DesKey::left_half(&key).encrypt_masked(&HALF_MASK, &mut blocks);
        black_box(&mut blocks);
        key.encrypt_masked(&HALF_MASK, &mut blocks);
        black_box(blocks);
    }),
    silent("ECB and CBC, both ways", |secret| {
        let (cipher, mut data) = (secret.triple().cipher(), secret.data);
        let data = &mut data.as_flattened_mut()[..40];
        for mode in [Mode::Ecb, Mode::CBC_ZERO_IV] {
            cipher.encrypt(mode, data).expect("whole blocks");
            cipher.decrypt(mode, black_box(data)).expect("whole blocks");
        }
        black_box(data);
    }),
    silent("padding on", |secret| {
        let mut out = [0; 32];
        let cipher = secret.double(0).cipher();
        black_box(cipher.encrypt_padded(Mode::CBC_ZERO_IV, Padding::OneAndZeros, secret.message(), &mut out))
            .expect("room for 32 bytes");
        black_box(out);
    }),
    silent("retail MAC", |secret| {
        black_box(RetailMac::compute(&secret.double(0), Padding::OneAndZeros, secret.message()))
            .expect("a double-length key");
    }),
    silent("CBC-MAC", |secret| {
        black_box(CbcMac::compute(&secret.triple(), Padding::LengthFirst, secret.message())).expect("padded");
    }),
    silent("DES MAC", |secret| {
        let mut mac = DesMac::new(&DesKey::left_half(&secret.double(0)), MacPadding::Zeros);
        mac.update(secret.message());
        black_box(mac.finalize()).expect("padded");
    }),
    silent("CMAC", |secret| {
        black_box(Cmac::compute(&secret.triple(), secret.message()));
    }),
    silent("check value", |secret| {
        black_box(secret.double(0).kcv());
    }),
    silent("variant, XOR of halves", |secret| {
        let variant = secret.double(0).variant(&[0xC0; 8]);
        black_box(DesKey::xor_of_halves(&variant)).expect("a double-length key");
    }),
    silent("parity set", |secret| {
        black_box(secret.triple().into_odd_parity());
    }),
    silent("keys compared", |secret| {
        black_box(secret.double(0).ct_eq(&secret.double(1)));
    }),
    Operation {
        name: "parity checked",
        verdicts: 1,
        run: |secret| {
            black_box(secret.triple().check_parity().is_ok());
        },
    },
    Operation {
        name: "strength checked",
        // Equal parts, then weak and semi-weak for either part.
        verdicts: 5,
        run: |secret| {
            black_box(secret.double(0).check_strength().is_ok());
        },
    },
    Operation {
        name: "MAC verified",
        verdicts: 1,
        run: |secret| {
            let mac = Cmac::compute(&secret.double(0), secret.message());
            black_box(mac.verify(&secret.data[0]).is_ok());
        },
    },
    silent("bulk: one key", |secret| {
        let mut blocks = secret.data;
        bulk().encrypt(&secret.double(0), &mut blocks);
        black_box(&mut blocks);
        bulk().decrypt_cbc(&secret.triple(), [0; 8], &mut blocks);
        black_box(blocks);
    }),
    silent("bulk: a key each", |secret| {
        let mut blocks = secret.data;
        bulk().encrypt_each(&many_keys(secret), &mut blocks).expect("as many keys as blocks");
        black_box(blocks);
    }),
    silent("bulk: child keys", |secret| {
        let mut children = many_keys(secret);
        bulk()
            .diversify(&secret.double(0), &secret.data, &mut children)
            .expect("as many children as factors");
        black_box(children);
    }),
    silent("bulk: retail MACs, a key each", |secret| {
        let messages: Vec<&[u8]> = (0..BLOCKS).map(|index| &secret.message()[..8 + index % 20]).collect();
        bulk()
            .retail_macs(MacKeys::Each(&many_keys(secret)), Padding::OneAndZeros, &messages, |_, mac| {
                black_box(mac);
            })
            .expect("double-length keys, one a message");
    }),
    silent("bulk: a step of DUKPT in sliced form", |secret| {
        let (engine, batch) = (bulk(), &secret.data[..64]);
        let (mut left, mut right) = (Planes::new(), Planes::new());
        engine.read_lanes(batch, &mut left);
        engine.read_lanes(&batch[..50], &mut right);
        let (mut counter, mut register, mut moved) = (Planes::new(), Planes::new(), LaneMask::new());
        engine.copy(&mut counter, &right);
        engine.move_highest_bit(&mut counter, &mut register, 21, &mut moved);
        engine.non_reversible_step([&mut left, &mut right], &register, &moved, &mut StepBuffer::new());
        // Working keys take a variant of it.
        let mut key = KeyPlanes::new();
        engine.des_keys(&left, [0; 8], &mut key);
        engine.mask_keys(&mut key, &HALF_MASK);
        engine.run(&mut right, &[(&key, Direction::Encrypt)]);
        let mut out = [[0; 8]; 64];
        engine.write_lanes(&right, &mut out);
        black_box(out);
    }),
];

/// What DUKPT XORs onto keys.
const HALF_VARIANT: [u8; 8] = [0xC0, 0xC0, 0xC0, 0xC0, 0, 0, 0, 0];
const HALF_MASK: KeyMask = KeyMask::new(HALF_VARIANT);

/// One block of the crate `des`, whose S-boxes are tables.
pub fn table_driven(secret: &Secret) {
    let (cipher, mut block) = (des::TdesEde3::new((&secret.keys[0]).into()), secret.data[0]);
    cipher.encrypt_block((&mut block).into());
    black_box(block);
}

/// A comparison that stops at the first difference.
pub fn hasty_comparison(secret: &Secret) {
    let equal = secret.data.as_flattened().iter().all(|byte| black_box(*byte) == 0);
    black_box(equal);
}

/// The sliced road of the back end in use, however few the blocks.
fn bulk() -> Engine {
    Engine::on(Backend::active()).expect("the active back end is available").always_sliced()
}

fn many_keys(secret: &Secret) -> Vec<TdeaKey> {
    (0..BLOCKS).map(|index| secret.double(index % 2)).collect()
}
