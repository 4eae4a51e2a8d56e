#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| {
    properties::tdea::tdea_key_ignores_parity(data);
});
