#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| {
    properties::keyblock::key_hierarchy_keeps_one_current(data);
});
