//! QR codes of keys for one-time codes.

use std::fmt::Write as _;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use qrcodegen::{QrCode, QrCodeEcc};
use url::Url;

use crate::op::factors::Enrolment;
use crate::protocol::secret::SecretString;

/// What an app reads. Apps show the host, so that accounts at several installations are told apart.
pub(super) fn uri(issuer: &str, enrolment: &Enrolment, username: &str) -> SecretString {
    let host = Url::parse(issuer).ok().and_then(|url| url.host_str().map(str::to_owned));
    let host = host.unwrap_or_else(|| issuer.to_owned());
    enrolment.secret.uri(&format!("Russet {host}"), username)
}

/// The image of a text, as a `data:` address: it has no life of its own that somebody could ask for.
pub(super) fn image(text: &SecretString) -> Option<String> {
    let code = QrCode::encode_text(text.expose(), QrCodeEcc::Medium).ok()?;
    Some(format!("data:image/svg+xml;base64,{}", STANDARD.encode(svg(&code))))
}

/// Dark squares on white with the quiet zone that the standard asks for, so that it is read on a
/// dark page too.
pub(super) fn svg(code: &QrCode) -> String {
    const QUIET: i32 = 4;
    let side = code.size() + 2 * QUIET;
    let mut path = String::new();
    for y in 0..code.size() {
        for x in (0..code.size()).filter(|x| code.get_module(*x, y)) {
            let _ = write!(path, "M{},{}h1v1h-1z", x + QUIET, y + QUIET);
        }
    }
    format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {side} {side}\" \
         shape-rendering=\"crispEdges\"><path fill=\"#fff\" d=\"M0,0h{side}v{side}h-{side}z\"/>\
         <path d=\"{path}\"/></svg>"
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_qr_code_is_an_image_with_a_quiet_zone_and_no_script() {
        let code = QrCode::encode_text("otpauth://totp/a", QrCodeEcc::Medium).unwrap();
        let image = svg(&code);
        assert!(image.starts_with("<svg ") && image.contains("M4,4h1v1h-1z"));
        assert!(!image.contains("M3,") && !image.contains("script") && !image.contains("style"));
    }
}
