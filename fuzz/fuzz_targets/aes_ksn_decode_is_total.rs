#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| {
    properties::dukpt::aes_ksn_decode_is_total(data);
});
