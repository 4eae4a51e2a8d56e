//! OpenSSL 3: EVP with contexts kept, and below it the functions on bare schedules, which take less time for a fresh key.

#![allow(unsafe_code, reason = "a foreign library")]

use core::ffi::{CStr, c_char, c_int, c_long, c_void};
use core::{fmt, ptr};
use std::sync::LazyLock;

use super::library::functions;
use super::{triple, twice};
use crate::Peer;

functions! {
    Functions from &["libcrypto.so.3", "libcrypto.3.dylib"];
    OpenSSL_version: fn(c_int) -> *const c_char;
    EVP_CIPHER_CTX_new: fn() -> *mut c_void;
    EVP_CIPHER_CTX_free: fn(*mut c_void);
    EVP_CIPHER_CTX_set_padding: fn(*mut c_void, c_int) -> c_int;
    EVP_des_ede3_ecb: fn() -> *const c_void;
    EVP_des_ede3_cbc: fn() -> *const c_void;
    EVP_CipherInit_ex: fn(*mut c_void, *const c_void, *mut c_void, *const u8, *const u8, c_int) -> c_int;
    EVP_CipherUpdate: fn(*mut c_void, *mut u8, *mut c_int, *const u8, c_int) -> c_int;
    DES_set_key_unchecked: fn(*const [u8; 8], *mut Schedule);
    DES_ecb_encrypt: fn(*const [u8; 8], *mut [u8; 8], *const Schedule, c_int);
    DES_ecb3_encrypt: fn(*const [u8; 8], *mut [u8; 8], *const Schedule, *const Schedule, *const Schedule, c_int);
    DES_ncbc_encrypt: fn(*const u8, *mut u8, c_long, *const Schedule, *mut [u8; 8], c_int);
}

static LIBRARY: LazyLock<Option<OpenSsl>> = LazyLock::new(|| Functions::load().map(OpenSsl));

type Schedule = [u64; 16];

const ENCRYPT: c_int = 1;
const DECRYPT: c_int = 0;

/// The library.
pub struct OpenSsl(Functions);

impl OpenSsl {
    /// The library, if it is here.
    #[must_use]
    pub fn find() -> Option<&'static Self> {
        LIBRARY.as_ref()
    }

    /// The library's version.
    #[must_use]
    pub fn version(&self) -> String {
        // SAFETY: the answer is a string in the library.
        let version = unsafe { CStr::from_ptr((self.0.OpenSSL_version)(0)) }.to_string_lossy();
        version.split(' ').nth(1).unwrap_or_default().to_owned()
    }

    /// ECB encryption under a double-length key.
    #[must_use]
    pub fn ecb(&'static self, key: &[u8; 16]) -> Tdes {
        // SAFETY: a function without arguments.
        Tdes::start(self, unsafe { (self.0.EVP_des_ede3_ecb)() }, ENCRYPT, key)
    }

    /// CBC encryption with a zero initial vector under a double-length key.
    #[must_use]
    pub fn cbc(&'static self, key: &[u8; 16]) -> Tdes {
        // SAFETY: a function without arguments.
        Tdes::start(self, unsafe { (self.0.EVP_des_ede3_cbc)() }, ENCRYPT, key)
    }

    /// CBC decryption, as [`cbc`](Self::cbc).
    #[must_use]
    pub fn cbc_decryption(&'static self, key: &[u8; 16]) -> Tdes {
        // SAFETY: a function without arguments.
        Tdes::start(self, unsafe { (self.0.EVP_des_ede3_cbc)() }, DECRYPT, key)
    }

    /// OpenSSL as somebody who derives keys would use it.
    #[must_use]
    pub fn peer(&'static self) -> OpenSslPeer {
        OpenSslPeer(self.ecb(&crate::KEY))
    }

    /// Encrypts one block under a fresh key, key set-up included, below EVP.
    #[must_use]
    pub fn encrypt_fresh(&self, key: &[u8; 16], block: &[u8; 8]) -> [u8; 8] {
        let [left, right] = self.schedules(key);
        let mut out = [0; 8];
        // SAFETY: blocks are 8 bytes, schedules 128.
        unsafe {
            (self.0.DES_ecb3_encrypt)(
                block,
                &raw mut out,
                &raw const left,
                &raw const right,
                &raw const left,
                ENCRYPT,
            )
        };
        out
    }

    /// The retail MAC of whole blocks, 64 bytes at most, key set-up included, below EVP.
    ///
    /// # Panics
    /// Panics if the message is longer.
    #[must_use]
    pub fn retail_mac(&self, key: &[u8; 16], message: &[u8]) -> [u8; 8] {
        let [left, right] = self.schedules(key);
        let (mut chained, mut state, mut inner) = ([0; 64], [0; 8], [0; 8]);
        assert!(message.len() <= chained.len());
        let len = message.len().try_into().expect("64 at most");
        // SAFETY: as many bytes as `len` says are read and written; the others are blocks and schedules.
        unsafe {
            let out = chained.as_mut_ptr();
            (self.0.DES_ncbc_encrypt)(message.as_ptr(), out, len, &raw const left, &raw mut state, ENCRYPT);
            (self.0.DES_ecb_encrypt)(&raw const state, &raw mut inner, &raw const right, DECRYPT);
            (self.0.DES_ecb_encrypt)(&raw const inner, &raw mut state, &raw const left, ENCRYPT);
        }
        state
    }

    fn schedules(&self, key: &[u8; 16]) -> [Schedule; 2] {
        let mut schedules = [[0; 16]; 2];
        for (schedule, half) in schedules.iter_mut().zip(key.as_chunks::<8>().0) {
            // SAFETY: a key is 8 bytes, a schedule 128.
            unsafe { (self.0.DES_set_key_unchecked)(half, schedule) };
        }
        schedules
    }
}

impl fmt::Debug for OpenSsl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("OpenSsl").finish_non_exhaustive()
    }
}

/// Triple DES by EVP; the context is kept between calls and keys.
pub struct Tdes {
    library: &'static Functions,
    context: *mut c_void,
    direction: c_int,
    output: Vec<u8>,
}

impl Tdes {
    fn start(library: &'static OpenSsl, cipher: *const c_void, direction: c_int, key: &[u8; 16]) -> Self {
        let library = &library.0;
        // SAFETY: a function without arguments.
        let context = unsafe { (library.EVP_CIPHER_CTX_new)() };
        let mut tdes = Self { library, context, direction, output: Vec::new() };
        tdes.init(cipher, key);
        // SAFETY: the context is there, `init` would have failed.
        unsafe { (library.EVP_CIPHER_CTX_set_padding)(context, 0) };
        tdes
    }

    /// Starts anew under another key.
    pub fn set_key(&mut self, key: &[u8; 16]) {
        self.init(ptr::null(), key);
    }

    fn init(&mut self, cipher: *const c_void, key: &[u8; 16]) {
        let (key, iv) = (triple(key), [0; 8]);
        // SAFETY: the key is 24 bytes, the vector 8; ECB does not read it.
        let done = unsafe {
            let (key, iv) = (key.as_ptr(), iv.as_ptr());
            (self.library.EVP_CipherInit_ex)(self.context, cipher, ptr::null_mut(), key, iv, self.direction)
        };
        assert_eq!(done, 1, "triple DES is in the default provider");
    }

    /// Runs whole blocks through the cipher.
    ///
    /// # Panics
    /// Panics if the library refuses.
    pub fn run(&mut self, input: &[u8]) -> &[u8] {
        // The interface wants room for a block that was held back before, although there is none.
        let needed = self.output.len().max(input.len() + 8);
        self.output.resize(needed, 0);
        let mut written = 0;
        let len = input.len().try_into().expect("benches are small");
        // SAFETY: the output has room for the input and a block more.
        let done = unsafe {
            let (output, input) = (self.output.as_mut_ptr(), input.as_ptr());
            (self.library.EVP_CipherUpdate)(self.context, output, &raw mut written, input, len)
        };
        assert_eq!(done, 1);
        let written = usize::try_from(written).expect("a length");
        self.output.get(..written).expect("no more was written than there was room for")
    }
}

impl Drop for Tdes {
    fn drop(&mut self) {
        // SAFETY: the context is ours, and is not used after this.
        unsafe { (self.library.EVP_CIPHER_CTX_free)(self.context) };
    }
}

impl fmt::Debug for Tdes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Tdes").finish_non_exhaustive()
    }
}

/// OpenSSL for derivations.
#[derive(Debug)]
pub struct OpenSslPeer(Tdes);

impl Peer for OpenSslPeer {
    fn encrypt_tdea(&mut self, key: &[u8; 16], blocks: &mut [[u8; 8]]) {
        self.0.set_key(key);
        let blocks = blocks.as_flattened_mut();
        let encrypted = self.0.run(blocks);
        blocks.copy_from_slice(encrypted);
    }

    /// By triple DES with one key three times: DES alone sits in the legacy provider.
    fn encrypt_des(&mut self, key: &[u8; 8], block: &mut [u8; 8]) {
        self.0.set_key(&twice(key));
        let encrypted = self.0.run(block);
        block.copy_from_slice(encrypted);
    }
}
