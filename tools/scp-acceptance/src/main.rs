//! The host against the card in the reader that `CARDROOT_READER` names; `KEYS` and `I` as the card program takes them.

#[cfg(feature = "pcsc")]
fn main() -> Result<(), Box<dyn std::error::Error>> {
    use scp_acceptance::{KINDS, drive};

    let reader = std::env::var("CARDROOT_READER")?;
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [keys, variant] = &arguments[..] else { return Err("usage: scp-acceptance KEYS I".into()) };
    let kind = KINDS.into_iter().find(|kind| kind.keys == keys && kind.variant == variant);
    let kind = kind.ok_or("no such kind of card")?;
    let transport = scll::transport_pcsc::PcscTransport::connect(&reader)
        .map_err(|error| format!("{reader}: {error:?}"))?;
    println!("scll: {keys} {variant}: {} sessions", drive(kind, transport));
    Ok(())
}

#[cfg(not(feature = "pcsc"))]
fn main() {
    eprintln!("built without the feature pcsc: only the tests do something");
    std::process::exit(2);
}
