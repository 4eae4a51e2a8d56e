#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| {
    properties::pboc::pboc_protect_round_trip(data);
});
