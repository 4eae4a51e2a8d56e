#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| {
    properties::vpcd::vpcd_frames_are_total(data);
});
