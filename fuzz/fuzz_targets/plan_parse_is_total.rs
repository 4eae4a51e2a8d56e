#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| {
    properties::kms::plan_parse_is_total(data);
});
