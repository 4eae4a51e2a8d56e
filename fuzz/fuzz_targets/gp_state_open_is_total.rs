#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| {
    properties::scp::gp_state_open_is_total(data);
});
