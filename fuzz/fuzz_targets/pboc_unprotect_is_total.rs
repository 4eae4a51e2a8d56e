#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| {
    properties::pboc::pboc_unprotect_is_total(data);
});
