#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| {
    properties::vpcd::t0_card_is_total(data);
});
