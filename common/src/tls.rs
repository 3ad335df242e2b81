//! TLS of what is asked for or sent: with every certificate verified.

use rustls::{ClientConfig, RootCertStore, crypto::ring};

/// With the machine's own roots and Mozilla's, so that private authorities work and a bare container does too.
///
/// # Errors
/// When the TLS library supports nothing that is safe.
pub fn verifying() -> anyhow::Result<ClientConfig> {
    let mut roots = RootCertStore { roots: webpki_roots::TLS_SERVER_ROOTS.to_vec() };
    roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
    let builder = ClientConfig::builder_with_provider(ring::default_provider().into());
    Ok(builder.with_safe_default_protocol_versions()?.with_root_certificates(roots).with_no_client_auth())
}
