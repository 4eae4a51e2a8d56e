//! libgcrypt 1.x.

#![allow(unsafe_code, reason = "a foreign library")]

use core::ffi::{CStr, c_char, c_int, c_void};
use core::{fmt, ptr};
use std::sync::LazyLock;

use super::library::functions;
use super::triple;

functions! {
    Functions from &["libgcrypt.so.20", "libgcrypt.20.dylib"];
    gcry_check_version: fn(*const c_char) -> *const c_char;
    gcry_cipher_open: fn(*mut *mut c_void, c_int, c_int, u32) -> u32;
    gcry_cipher_setkey: fn(*mut c_void, *const u8, usize) -> u32;
    gcry_cipher_setiv: fn(*mut c_void, *const u8, usize) -> u32;
    gcry_cipher_encrypt: fn(*mut c_void, *mut u8, usize, *const u8, usize) -> u32;
    gcry_cipher_decrypt: fn(*mut c_void, *mut u8, usize, *const u8, usize) -> u32;
}

static LIBRARY: LazyLock<Option<Functions>> = LazyLock::new(Functions::load);

const TRIPLE_DES: c_int = 2;
const ECB: c_int = 1;
const CBC: c_int = 3;

/// Triple DES of libgcrypt under one key.
pub struct Libgcrypt {
    library: &'static Functions,
    /// Never closed: a bench makes a few.
    handle: *mut c_void,
}

impl Libgcrypt {
    /// In ECB under the key of all benches, if the library is here.
    #[must_use]
    pub fn find() -> Option<Self> {
        Some(Self::start(LIBRARY.as_ref()?, ECB))
    }

    /// In CBC.
    #[must_use]
    pub fn find_cbc() -> Option<Self> {
        Some(Self::start(LIBRARY.as_ref()?, CBC))
    }

    fn start(library: &'static Functions, mode: c_int) -> Self {
        let key = triple(&crate::KEY);
        let mut handle = ptr::null_mut();
        // SAFETY: the library is asked for its version before all else, as it wants; the key has the length that is given.
        unsafe {
            (library.gcry_check_version)(ptr::null());
            assert_eq!((library.gcry_cipher_open)(&raw mut handle, TRIPLE_DES, mode, 0), 0);
            assert_eq!((library.gcry_cipher_setkey)(handle, key.as_ptr(), key.len()), 0);
        }
        Self { library, handle }
    }

    /// The library's version.
    #[must_use]
    pub fn version(&self) -> String {
        // SAFETY: the answer is a string in the library.
        let version = unsafe { CStr::from_ptr((self.library.gcry_check_version)(ptr::null())) };
        version.to_string_lossy().into_owned()
    }

    /// Encrypts whole blocks in place.
    pub fn encrypt(&mut self, blocks: &mut [[u8; 8]]) {
        let data = blocks.as_flattened_mut();
        // SAFETY: without input the library works in place on as many bytes as are given.
        let error = unsafe {
            (self.library.gcry_cipher_encrypt)(self.handle, data.as_mut_ptr(), data.len(), ptr::null(), 0)
        };
        assert_eq!(error, 0);
    }

    /// Decrypts whole blocks in place, from a zero initial vector if the mode has one.
    pub fn decrypt(&mut self, blocks: &mut [[u8; 8]]) {
        let data = blocks.as_flattened_mut();
        // SAFETY: as in `encrypt`; the vector is a block.
        let error = unsafe {
            (self.library.gcry_cipher_setiv)(self.handle, [0; 8].as_ptr(), 8);
            (self.library.gcry_cipher_decrypt)(self.handle, data.as_mut_ptr(), data.len(), ptr::null(), 0)
        };
        assert_eq!(error, 0);
    }
}

impl fmt::Debug for Libgcrypt {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Libgcrypt").finish_non_exhaustive()
    }
}
