#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| {
    properties::tdea::tdea_padding_round_trip(data);
});
