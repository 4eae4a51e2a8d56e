#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| {
    properties::apdu::apdu_command_round_trip(data);
});
