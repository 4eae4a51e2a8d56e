//! The host against a security domain in a reader: `scp-acceptance READER LENGTH I`, the last two as `cardroot card serve
//! --profile gp` takes them for `--known-domain-key` and `--variant`.

#[cfg(feature = "pcsc")]
fn main() -> Result<(), Box<dyn std::error::Error>> {
    use scp_acceptance::{KINDS, drive};

    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [reader, length, variant] = &arguments[..] else {
        return Err("usage: scp-acceptance READER LENGTH I".into());
    };
    let kind = KINDS.into_iter().find(|kind| kind.length == length && kind.variant == variant);
    let kind = kind.ok_or("no such kind of card")?;
    let transport = scll::transport_pcsc::PcscTransport::connect(reader)
        .map_err(|error| format!("{reader}: {error:?}"))?;
    println!("scll: keys of {length} bytes, i = {variant}: {} sessions", drive(kind, transport));
    Ok(())
}

#[cfg(not(feature = "pcsc"))]
fn main() {
    eprintln!("built without the feature pcsc: only the tests do something");
    std::process::exit(2);
}
