//! Botan 2 or 3, by its C interface.

#![allow(unsafe_code, reason = "a foreign library")]

use core::ffi::{CStr, c_char, c_int, c_void};
use core::{fmt, ptr};
use std::sync::LazyLock;

use super::library::functions;
use super::triple;

functions! {
    Functions from &["libbotan-2.so.19", "libbotan-3.so", "libbotan-2.dylib", "libbotan-3.dylib"];
    botan_version_string: fn() -> *const c_char;
    botan_block_cipher_init: fn(*mut *mut c_void, *const c_char) -> c_int;
    botan_block_cipher_set_key: fn(*mut c_void, *const u8, usize) -> c_int;
    botan_block_cipher_encrypt_blocks: fn(*mut c_void, *const u8, *mut u8, usize) -> c_int;
}

static LIBRARY: LazyLock<Option<Functions>> = LazyLock::new(Functions::load);

/// Triple DES of Botan under one key.
pub struct Botan {
    library: &'static Functions,
    /// Never destroyed: a bench makes a few.
    cipher: *mut c_void,
}

impl Botan {
    /// Under the key of all benches, if the library is here.
    #[must_use]
    pub fn find() -> Option<Self> {
        let library = LIBRARY.as_ref()?;
        let key = triple(&crate::KEY);
        let mut cipher = ptr::null_mut();
        // SAFETY: a name that ends in zero and a key of the length that is given.
        unsafe {
            if (library.botan_block_cipher_init)(&raw mut cipher, c"3DES".as_ptr()) != 0 {
                return None;
            }
            assert_eq!((library.botan_block_cipher_set_key)(cipher, key.as_ptr(), key.len()), 0);
        }
        Some(Self { library, cipher })
    }

    /// The library's version.
    #[must_use]
    pub fn version(&self) -> String {
        // SAFETY: the answer is a string in the library.
        let version = unsafe { CStr::from_ptr((self.library.botan_version_string)()) };
        let version = version.to_string_lossy();
        version.trim_start_matches("Botan ").split(' ').next().unwrap_or_default().to_owned()
    }

    /// Encrypts blocks in place.
    pub fn encrypt(&mut self, blocks: &mut [[u8; 8]]) {
        let data = blocks.as_flattened_mut().as_mut_ptr();
        // SAFETY: as many blocks are read and written as there are; the library allows both to be the same.
        let error = unsafe {
            (self.library.botan_block_cipher_encrypt_blocks)(self.cipher, data, data, blocks.len())
        };
        assert_eq!(error, 0);
    }
}

impl fmt::Debug for Botan {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Botan").finish_non_exhaustive()
    }
}
