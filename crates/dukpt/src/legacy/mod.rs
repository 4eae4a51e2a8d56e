//! What older and careless systems send, for reading it: nothing here encrypts.
//!
//! | module | for |
//! |---|---|
//! | [`edition_1992`] | PIN blocks of originators with single DES, as ANS X9.24 of 1992 has them |
//! | [`pin_variant_data`] | card data that a reader encrypted under the PIN key |
//!
//! The MAC and data keys of 2004, which many systems in use still have, are in [`edition_2004`](crate::edition_2004); they read
//! and no more, either.

pub mod edition_1992;
pub mod pin_variant_data;
