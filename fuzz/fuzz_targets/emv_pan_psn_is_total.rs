#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| {
    properties::diversify::emv_pan_psn_is_total(data);
});
