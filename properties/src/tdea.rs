//! Keys, paddings and MACs.

use ::tdea::hazmat::{DesKey, DesMac};
use ::tdea::{
    BLOCK_LEN, CbcMac, Cmac, Mac, MacError, MacPadding, Mode, Padding, PaddingError, RetailMac, TdeaKey,
};

use crate::Reach;
use crate::input::Input;

/// A key of 16 or 24 bytes, and of no other length, loads as it is. Setting its parity changes neither what it encrypts to
/// nor what is thought of its strength.
pub fn tdea_key_ignores_parity(data: &[u8]) -> Reach {
    let key = TdeaKey::try_from(data);
    assert_eq!(key.is_ok(), [16, 24].contains(&data.len()));
    let Ok(key) = key else { return Reach::Refused };
    assert_eq!(key.expose_bytes(), data);
    assert_eq!(TdeaKey::try_from_odd_parity(data).is_ok(), key.check_parity().is_ok());

    let odd = key.duplicate().into_odd_parity();
    assert_eq!(odd.check_parity(), Ok(()));
    assert_eq!(odd.ct_eq(&key), key.check_parity().is_ok());
    assert_eq!(odd.check_strength(), key.check_strength());
    assert_eq!(odd.kcv(), key.kcv());
    let mut block = [0x5A; 8];
    key.cipher().encrypt_block(&mut block);
    odd.cipher().decrypt_block(&mut block);
    assert_eq!(block, [0x5A; 8]);
    Reach::Held
}

const PADDINGS: [Padding; 4] = [Padding::None, Padding::Zeros, Padding::OneAndZeros, Padding::LengthFirst];

/// Any data comes back from under every padding that tells itself from data, in every mode; any bytes have a right padding
/// or a wrong one, and those that have a right one are what padding gives.
///
/// Input: key, initial vector, data.
pub fn tdea_padding_round_trip(data: &[u8]) -> Reach {
    let mut input = Input::new(data);
    let cipher = TdeaKey::from(input.array::<16>()).cipher();
    let iv = input.array();
    let data = input.take_rest();
    for padding in PADDINGS {
        let Ok(len) = padding.padded_len(data.len()) else {
            assert!(padding == Padding::None && !data.len().is_multiple_of(BLOCK_LEN));
            continue;
        };
        let mut padded = vec![0xA5; len + 1];
        assert_eq!(padding.pad_into(data, &mut padded), Ok(len));
        assert_eq!(padded.pop(), Some(0xA5), "nothing is written beyond");
        let short = Err(PaddingError::Buffer { needed: len, found: len.saturating_sub(1) });
        assert!(len == 0 || padding.pad_into(data, &mut vec![0; len - 1]) == short);
        for mode in [Mode::Ecb, Mode::Cbc { iv }] {
            let encrypted = cipher.encrypt_padded_vec(mode, padding, data).unwrap();
            let mut decrypted = encrypted.clone();
            cipher.decrypt(mode, &mut decrypted).unwrap();
            assert_eq!(decrypted, padded);
            match cipher.decrypt_padded_vec(mode, padding, &encrypted) {
                Ok(plain) => assert_eq!(plain.expose_bytes(), data),
                Err(error) => assert_eq!((padding, error), (Padding::Zeros, PaddingError::Ambiguous)),
            }
        }
    }
    strip(data)
}

fn strip(padded: &[u8]) -> Reach {
    let mut reach = Reach::Refused;
    for padding in PADDINGS {
        if let Ok(data) = padding.strip(padded) {
            let mut again = vec![0; padded.len()];
            assert_eq!(padding.pad_into(data, &mut again), Ok(padded.len()));
            assert_eq!(again, padded);
            reach = Reach::Held;
        }
    }
    reach
}

/// A message that comes in pieces has the code of the whole message, and of the message that was padded beforehand, by every
/// algorithm and padding.
///
/// Input: key, number of pieces, their lengths, message.
pub fn tdea_mac_incremental_equals_one_shot(data: &[u8]) -> Reach {
    let mut input = Input::new(data);
    let key = TdeaKey::from(input.array::<16>());
    let single = DesKey::left_half(&key);
    let lengths = input.counted();
    let message = input.take_rest();
    let pieces = pieces(lengths, message);

    let one_shot = |padding, message: &[u8]| {
        bytes([
            CbcMac::compute(&key, padding, message),
            RetailMac::compute(&key, padding, message),
            DesMac::compute(&single, padding, message),
        ])
    };

    for padding in PADDINGS {
        let in_pieces = match padding {
            Padding::None if message.is_empty() || !message.len().is_multiple_of(BLOCK_LEN) => {
                assert!(one_shot(padding, message).iter().all(Result::is_err));
                continue;
            }
            Padding::None | Padding::Zeros => MacPadding::Zeros,
            Padding::OneAndZeros => MacPadding::OneAndZeros,
            Padding::LengthFirst => MacPadding::LengthFirst { message_len: message.len() as u64 },
        };
        let mut cbc = CbcMac::new(&key, in_pieces);
        let mut retail = RetailMac::new(&key, in_pieces).unwrap();
        let mut des = DesMac::new(&single, in_pieces);
        for piece in &pieces {
            cbc.update(piece);
            retail.update(piece);
            des.update(piece);
        }
        let codes = bytes([cbc.finalize(), retail.finalize(), des.finalize()]);
        assert_eq!(codes, one_shot(padding, message));

        let mut padded = vec![0; padding.padded_len(message.len()).unwrap()];
        padding.pad_into(message, &mut padded).unwrap();
        assert_eq!(codes, one_shot(Padding::None, &padded));
    }
    let mut mac = Cmac::new(&key);
    pieces.iter().for_each(|piece| mac.update(piece));
    assert_eq!(mac.finalize().as_bytes(), Cmac::compute(&key, message).as_bytes());
    Reach::Held
}

fn bytes(codes: [Result<Mac, MacError>; 3]) -> [Result<[u8; BLOCK_LEN], MacError>; 3] {
    codes.map(|code| code.map(|code| *code.as_bytes()))
}

/// Cuts `message` into pieces of these lengths and what is left.
fn pieces<'a>(lengths: &[u8], message: &'a [u8]) -> Vec<&'a [u8]> {
    let mut rest = Input::new(message);
    let mut pieces: Vec<_> = lengths.iter().map(|len| rest.take((*len).into())).collect();
    pieces.push(rest.take_rest());
    pieces
}
