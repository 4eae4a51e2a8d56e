//! Which instruction set the cipher runs on: the one place that asks the processor.

#[cfg(target_arch = "x86_64")]
use core::sync::atomic::{AtomicU8, Ordering::Relaxed};

/// Instruction set that the cipher runs on, from the narrowest to the widest. All of them compute the same.
///
/// The widest one that the processor has is taken at the first use. `RUSTFLAGS='--cfg cardroot_backend="avx2"'` (or
/// `"portable"`) keeps a whole build from going any wider.
///
/// # Examples
/// ```
/// use cardroot_tdea::Backend;
///
/// println!("TDEA runs on {:?}", Backend::active());
/// assert!(Backend::Portable.is_available());
/// ```
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
#[non_exhaustive]
pub enum Backend {
    /// Integer registers alone: every target has it.
    Portable,
    /// 256-bit vectors of x86-64.
    Avx2,
    /// 512-bit vectors of x86-64: the sets F, BW, DQ and VL, which came to servers together.
    Avx512,
}

/// This processor lacks the instruction set, or the build keeps from it.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
#[error("this machine does not run the back end {0:?}")]
pub struct BackendUnavailable(/** The one asked for. */ pub Backend);

#[cfg(target_arch = "x86_64")]
cpufeatures::new!(has_avx2, "avx2");
#[cfg(target_arch = "x86_64")]
cpufeatures::new!(has_avx512, "avx2", "avx512f", "avx512bw", "avx512dq", "avx512vl");

/// The one in use, as its place in [`Backend::ALL`] plus one; 0 before the first use.
#[cfg(target_arch = "x86_64")]
static ACTIVE: AtomicU8 = AtomicU8::new(0);

impl Backend {
    /// All of them, the narrowest first.
    pub const ALL: [Self; 3] = [Self::Portable, Self::Avx2, Self::Avx512];

    /// The widest one that the build may use.
    const WIDEST: Self = if cfg!(any(cardroot_backend = "portable", cardroot_backend = "portable32")) {
        Self::Portable
    } else if cfg!(cardroot_backend = "avx2") {
        Self::Avx2
    } else {
        Self::Avx512
    };

    /// Whether this machine and this build can run it.
    #[must_use]
    pub fn is_available(self) -> bool {
        self <= Self::WIDEST
            && match self {
                Self::Portable => true,
                #[cfg(target_arch = "x86_64")]
                Self::Avx2 => has_avx2::get(),
                #[cfg(target_arch = "x86_64")]
                Self::Avx512 => has_avx512::get(),
                #[cfg(not(target_arch = "x86_64"))]
                Self::Avx2 | Self::Avx512 => false,
            }
    }

    /// The one in use. It is always [available](Self::is_available): vector code may rely on it.
    #[must_use]
    #[inline]
    pub fn active() -> Self {
        #[cfg(target_arch = "x86_64")]
        match ACTIVE.load(Relaxed) {
            0 => Self::detect(),
            1 => Self::Portable,
            2 => Self::Avx2,
            _ => Self::Avx512,
        }
        #[cfg(not(target_arch = "x86_64"))]
        Self::Portable
    }

    /// Makes the whole process use this one from now on: for tests and benches that compare them.
    ///
    /// # Errors
    /// Returns [`BackendUnavailable`]; nothing changes then.
    pub fn force(self) -> Result<(), BackendUnavailable> {
        if !self.is_available() {
            return Err(BackendUnavailable(self));
        }
        #[cfg(target_arch = "x86_64")]
        ACTIVE.store(self as u8 + 1, Relaxed);
        Ok(())
    }

    #[cfg(target_arch = "x86_64")]
    #[cold]
    fn detect() -> Self {
        let widest = Self::ALL.into_iter().rev().find(|backend| backend.is_available());
        let widest = widest.unwrap_or(Self::Portable);
        // Threads that come here together store the same.
        ACTIVE.store(widest as u8 + 1, Relaxed);
        widest
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_active_one_is_the_widest_available_and_forcing_changes_it() {
        let widest = Backend::ALL.into_iter().rfind(|backend| backend.is_available());
        assert_eq!(Some(Backend::active()), widest);
        for backend in Backend::ALL {
            let before = Backend::active();
            match backend.force() {
                Ok(()) => assert_eq!(Backend::active(), backend),
                Err(error) => {
                    assert_eq!(error, BackendUnavailable(backend));
                    assert_eq!(Backend::active(), before);
                }
            }
        }
    }
}
