#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| {
    properties::keyblock::key_block_round_trip(data);
});
