#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| {
    properties::diversify::dispersion_any_profile_is_total(data);
});
