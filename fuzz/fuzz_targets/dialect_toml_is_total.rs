#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| {
    properties::iso8583::dialect_toml_is_total(data);
});
