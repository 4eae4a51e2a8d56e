#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| {
    properties::pin::pin_and_pan_digits(data);
});
