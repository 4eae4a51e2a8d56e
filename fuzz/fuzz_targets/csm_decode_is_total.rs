#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| {
    properties::csm::csm_decode_is_total(data);
});
