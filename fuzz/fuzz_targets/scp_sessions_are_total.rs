#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| {
    properties::scp::scp_sessions_are_total(data);
});
