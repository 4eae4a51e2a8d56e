//! TLS by rustls with ring: no library of the system, a C compiler is enough to build it.

use std::sync::Arc;

use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;
use rustls::{ClientConfig, RootCertStore};
use tokio_postgres_rustls::MakeRustlsConnect;

use crate::{Cause, Error};

pub(super) fn connector(authorities: &[u8]) -> Result<MakeRustlsConnect, Error> {
    let mut roots = RootCertStore::empty();
    for certificate in CertificateDer::pem_slice_iter(authorities) {
        let certificate = certificate.map_err(|error| Error::Open(Cause::new(error)))?;
        roots.add(certificate).map_err(|error| Error::Open(Cause::new(error)))?;
    }
    if roots.is_empty() {
        return Err(Error::Open(Cause::new(NoCertificate)));
    }
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = ClientConfig::builder_with_provider(provider).with_safe_default_protocol_versions();
    let config = config.map_err(|error| Error::Open(Cause::new(error)))?;
    Ok(MakeRustlsConnect::new(config.with_root_certificates(roots).with_no_client_auth()))
}

#[derive(Debug, thiserror::Error)]
#[error("no certificate of an authority")]
struct NoCertificate;
