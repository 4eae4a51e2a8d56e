#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| {
    properties::diversify::wrapped_key_altered_never_opens(data);
});
