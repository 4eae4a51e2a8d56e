#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| {
    properties::keyblock::key_block_payload_is_total(data);
});
