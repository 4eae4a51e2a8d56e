#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| {
    properties::components::component_combine_is_total(data);
});
