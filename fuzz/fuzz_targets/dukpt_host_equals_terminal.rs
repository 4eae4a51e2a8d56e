#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| {
    properties::dukpt::dukpt_host_equals_terminal(data);
});
