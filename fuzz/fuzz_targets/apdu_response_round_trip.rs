#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| {
    properties::apdu::apdu_response_round_trip(data);
});
