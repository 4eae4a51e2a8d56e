#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| {
    properties::components::ceremony_is_total(data);
});
