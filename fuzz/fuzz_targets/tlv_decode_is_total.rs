#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| {
    properties::tlv::tlv_decode_is_total(data);
});
