#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| {
    properties::keyblock::key_block_altered_never_opens(data);
});
