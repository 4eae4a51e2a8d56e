#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| {
    properties::iso8583::iso8583_subfields_are_total(data);
});
