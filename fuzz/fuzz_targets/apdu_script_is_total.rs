#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| {
    properties::apdu::apdu_script_is_total(data);
});
