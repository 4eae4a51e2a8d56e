//! Shared libraries and their functions.

use libloading::Library;

/// Opens the first of these files that the system has, for as long as the program runs.
#[allow(unsafe_code, reason = "loading a library runs its start-up code")]
pub(super) fn open(files: &[&str]) -> Option<&'static Library> {
    // SAFETY: these are the system's own cryptographic libraries, which ask nothing of whoever loads them.
    let library = files.iter().find_map(|file| unsafe { Library::new(file) }.ok())?;
    Some(Box::leak(Box::new(library)))
}

/// A struct of functions of a library, and `load`, which finds them all or says that the library is not there.
macro_rules! functions {
    ($name:ident from $files:expr; $($symbol:ident: fn($($argument:ty),*) $(-> $result:ty)?;)*) => {
        #[allow(non_snake_case, reason = "the library's names")]
        struct $name {
            $($symbol: unsafe extern "C" fn($($argument),*) $(-> $result)?,)*
        }

        impl $name {
            #[allow(unsafe_code, reason = "types of a foreign library")]
            fn load() -> Option<Self> {
                let library = $crate::peers::library::open($files)?;
                Some(Self {
                    // SAFETY: the types are those that the library's header declares; the library is never unloaded.
                    $($symbol: unsafe { *library.get(concat!(stringify!($symbol), "\0").as_bytes()).ok()? },)*
                })
            }
        }
    };
}
pub(super) use functions;
