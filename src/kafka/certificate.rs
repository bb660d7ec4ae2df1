//! Why a broker's certificate is refused, in words.

use openssl::nid::Nid;
use openssl::x509::{X509NameRef, X509Ref, X509VerifyResult};

/// OpenSSL's verdicts that a user can do something about.
const HOST_MISMATCH: i32 = 62;
const ADDRESS_MISMATCH: i32 = 64;
const EXPIRED: i32 = 10;
const NOT_YET_VALID: i32 = 9;
const UNKNOWN_AUTHORITY: [i32; 4] = [18, 19, 20, 21];

/// What is wrong with a certificate, by OpenSSL's verdict on it.
pub(super) fn refusal(verdict: X509VerifyResult, certificate: Option<&X509Ref>) -> String {
    match verdict.as_raw() {
        HOST_MISMATCH | ADDRESS_MISMATCH => {
            let names = certificate.map(names).unwrap_or_default();
            format!(
                "the broker's certificate is for other names ({})",
                names.join(", ")
            )
        }
        EXPIRED => {
            let end = certificate
                .map(|found| found.not_after().to_string())
                .unwrap_or_default();
            format!("the broker's certificate has expired ({end})")
        }
        NOT_YET_VALID => {
            "the broker's certificate is not valid yet; is this machine's clock right?".to_owned()
        }
        code if UNKNOWN_AUTHORITY.contains(&code) => {
            let issuer = certificate.map(issuer).unwrap_or_default();
            format!("the broker's certificate is signed by `{issuer}`, which is not trusted here")
        }
        _ => format!("the broker's certificate is refused: {}", verdict.error_string()),
    }
}

fn names(certificate: &X509Ref) -> Vec<String> {
    let alternatives = certificate.subject_alt_names();
    let mut names: Vec<String> = alternatives
        .iter()
        .flatten()
        .filter_map(|name| {
            let address = name.ipaddress().map(address);
            name.dnsname().map(str::to_owned).or(address)
        })
        .collect();
    if names.is_empty() {
        names.push(common_name(certificate.subject_name()));
    }
    names
}

fn address(bytes: &[u8]) -> String {
    let four: Result<[u8; 4], _> = bytes.try_into();
    let sixteen: Result<[u8; 16], _> = bytes.try_into();
    match (four, sixteen) {
        (Ok(four), _) => std::net::Ipv4Addr::from(four).to_string(),
        (_, Ok(sixteen)) => std::net::Ipv6Addr::from(sixteen).to_string(),
        _ => "an address of another kind".to_owned(),
    }
}

fn issuer(certificate: &X509Ref) -> String {
    common_name(certificate.issuer_name())
}

fn common_name(name: &X509NameRef) -> String {
    name.entries_by_nid(Nid::COMMONNAME)
        .chain(name.entries())
        .next()
        .and_then(|entry| entry.data().to_string().ok())
        .unwrap_or_default()
}
