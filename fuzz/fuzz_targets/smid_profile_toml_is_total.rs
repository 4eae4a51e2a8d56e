#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| {
    properties::smid::smid_profile_toml_is_total(data);
});
