//! nettle 3.

#![allow(unsafe_code, reason = "a foreign library")]

use core::ffi::c_int;
use core::fmt;
use std::sync::LazyLock;

use super::library::functions;
use super::triple;

functions! {
    Functions from &["libnettle.so.8", "libnettle.8.dylib"];
    nettle_version_major: fn() -> c_int;
    nettle_version_minor: fn() -> c_int;
    nettle_des3_set_key: fn(*mut Context, *const u8) -> c_int;
    nettle_des3_encrypt: fn(*const Context, usize, *mut u8, *const u8);
}

static LIBRARY: LazyLock<Option<Functions>> = LazyLock::new(Functions::load);

/// `struct des3_ctx`: three times 32 words.
type Context = [u32; 96];

/// Triple DES of nettle under one key.
pub struct Nettle {
    library: &'static Functions,
    context: Context,
}

impl Nettle {
    /// Under the key of all benches, if the library is here.
    #[must_use]
    pub fn find() -> Option<Self> {
        let library = LIBRARY.as_ref()?;
        let mut context = [0; 96];
        // SAFETY: the key is 24 bytes, the context as long as the header says.
        unsafe { (library.nettle_des3_set_key)(&raw mut context, triple(&crate::KEY).as_ptr()) };
        Some(Self { library, context })
    }

    /// The library's version.
    #[must_use]
    pub fn version(&self) -> String {
        // SAFETY: functions without arguments.
        let (major, minor) =
            unsafe { ((self.library.nettle_version_major)(), (self.library.nettle_version_minor)()) };
        format!("{major}.{minor}")
    }

    /// Encrypts whole blocks in place.
    pub fn encrypt(&mut self, blocks: &mut [[u8; 8]]) {
        let data = blocks.as_flattened_mut();
        let pointer = data.as_mut_ptr();
        // SAFETY: as many bytes are read and written as the data has; the library allows both to be the same.
        unsafe { (self.library.nettle_des3_encrypt)(&raw const self.context, data.len(), pointer, pointer) };
    }
}

impl fmt::Debug for Nettle {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Nettle").finish_non_exhaustive()
    }
}
