//! 64-bit words: any processor.

use super::backend::backend;
use super::word::Word;

backend!(Portable, u64, BreakEven { shared: 6, each: 5, chains: 5 });
