#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| {
    properties::tdea::tdea_mac_incremental_equals_one_shot(data);
});
