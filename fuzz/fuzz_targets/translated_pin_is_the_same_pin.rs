#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| {
    properties::pin::translated_pin_is_the_same_pin(data);
});
