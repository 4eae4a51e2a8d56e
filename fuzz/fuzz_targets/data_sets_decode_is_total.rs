#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| {
    properties::smid::data_sets_decode_is_total(data);
});
