#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| {
    properties::smid::key_name_layout_round_trip(data);
});
