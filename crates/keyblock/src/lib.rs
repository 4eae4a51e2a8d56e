//! Key blocks of TR-31, ANS X9.143 and ISO 20038.
#![no_std]
