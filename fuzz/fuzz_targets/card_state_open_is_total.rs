#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| {
    properties::card::card_state_open_is_total(data);
});
