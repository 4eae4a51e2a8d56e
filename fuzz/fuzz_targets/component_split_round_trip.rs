#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| {
    properties::components::component_split_round_trip(data);
});
