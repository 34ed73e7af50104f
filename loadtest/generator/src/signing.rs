//! `Stockade-Signature`: HMAC-SHA256 over time, method, path and body.

use std::time::{SystemTime, UNIX_EPOCH};

use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;

/// Signs requests with one secret.
#[derive(Clone)]
pub struct Signer {
    keyed: Hmac<Sha256>,
}

impl Signer {
    /// Signs with the text of a signing secret; `None` for one that cannot be a key.
    #[must_use]
    pub fn new(secret: &str) -> Option<Self> {
        Hmac::new_from_slice(secret.as_bytes()).ok().map(|keyed| Self { keyed })
    }

    /// Appends the header line of a request that is sent now.
    pub fn write_header(&self, method: &[u8], target: &[u8], body: &[u8], to: &mut Vec<u8>) {
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        let time = format!("{}.{:06}", now.as_secs(), now.subsec_micros());
        to.extend_from_slice(b"Stockade-Signature: t=");
        to.extend_from_slice(time.as_bytes());
        to.extend_from_slice(b",v1=");
        self.write_signature(time.as_bytes(), method, target, body, to);
        to.extend_from_slice(b"\r\n");
    }

    fn write_signature(&self, time: &[u8], method: &[u8], target: &[u8], body: &[u8], to: &mut Vec<u8>) {
        let mut mac = self.keyed.clone();
        for part in [time, b"\n", method, b"\n", target, b"\n", body] {
            mac.update(part);
        }
        for byte in mac.finalize().into_bytes() {
            to.push(b"0123456789abcdef"[usize::from(byte >> 4)]);
            to.push(b"0123456789abcdef"[usize::from(byte & 15)]);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_signature_is_the_hmac_of_the_four_parts() {
        // From Python: hmac.new(b"secret", b"12.5\nPOST\n/v1/orders?a=b\n{}", "sha256").hexdigest()
        let mut to = Vec::new();
        Signer::new("secret").unwrap().write_signature(b"12.5", b"POST", b"/v1/orders?a=b", b"{}", &mut to);
        assert_eq!(String::from_utf8(to).unwrap(), EXPECTED);
    }

    const EXPECTED: &str = "c56855fd0270c39ab8f3d357dd21256bffb0255bab7bf05d3b3762aea7cac9e8";
}
