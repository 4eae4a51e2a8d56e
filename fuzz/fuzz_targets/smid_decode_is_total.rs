#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| {
    properties::smid::smid_decode_is_total(data);
});
