//! 64-bit words: any processor.

use super::backend::backend;
use super::word::Word;

backend!(Portable, u64, BreakEven { shared: 4, each: 4 });
