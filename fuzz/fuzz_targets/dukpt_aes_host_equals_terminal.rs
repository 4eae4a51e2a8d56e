#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| {
    properties::dukpt::dukpt_aes_host_equals_terminal(data);
});
