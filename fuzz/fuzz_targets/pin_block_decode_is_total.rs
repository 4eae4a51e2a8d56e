#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| {
    properties::pin::pin_block_decode_is_total(data);
});
