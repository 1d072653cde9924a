//! QR codes (ISO/IEC 18004) as inline SVG, for what a telephone's camera is to read.

use std::fmt;

use askama::filters::HtmlSafe;
use qrcodegen::{QrCode, QrCodeEcc};

/// Light modules around the code: the standard wants four.
const QUIET: i32 = 4;

/// A QR code, black on white in every theme: cameras want the contrast. In a template: `{{ code }}`.
///
/// ```
/// let code = web::Qr::new("otpauth://totp/EXERCISE?secret=JBSWY3DPEHPK3PXP", "QR code").unwrap();
/// assert!(code.to_string().starts_with("<svg"));
/// ```
#[derive(Debug, Clone)]
pub struct Qr {
    size: i32,
    path: String,
    label: String,
}

impl Qr {
    /// Of a text, with a name for those who do not see it. `None` when the text is longer than a code can hold
    /// (2,331 bytes at level M).
    #[must_use]
    pub fn new(text: &str, label: impl Into<String>) -> Option<Self> {
        let code = QrCode::encode_text(text, QrCodeEcc::Medium).ok()?;
        let mut path = String::new();
        for y in 0..code.size() {
            let mut x = 0;
            while x < code.size() {
                let begin = x;
                while code.get_module(x, y) {
                    x += 1;
                }
                if x > begin {
                    path.push_str(&format!("M{} {}h{}v1h-{}z", begin + QUIET, y + QUIET, x - begin, x - begin));
                }
                x += 1;
            }
        }
        Some(Self { size: code.size() + 2 * QUIET, path, label: label.into() })
    }
}

impl fmt::Display for Qr {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { size, path, label } = self;
        let label = askama::filters::escape(label, askama::filters::Html).map_err(|_| fmt::Error)?;
        write!(
            f,
            "<svg class=\"ce-qr\" xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {size} {size}\" width=\"{0}\" height=\"{0}\" \
             role=\"img\" aria-label=\"{label}\" shape-rendering=\"crispEdges\"><rect width=\"{size}\" height=\"{size}\" \
             fill=\"#fff\"/><path fill=\"#000\" d=\"{path}\"/></svg>",
            size * 4
        )
    }
}
impl HtmlSafe for Qr {}

#[cfg(test)]
mod tests {
    use super::*;

    /// The modules as the path draws them.
    fn drawn(code: &Qr) -> Vec<(i32, i32)> {
        let run = |run: &str| {
            let (x, rest) = run.split_once(' ').unwrap();
            let (y, rest) = rest.split_once('h').unwrap();
            let (n, _) = rest.split_once('v').unwrap();
            let (x, y, n): (i32, i32, i32) = (x.parse().unwrap(), y.parse().unwrap(), n.parse().unwrap());
            (0..n).map(move |i| (x + i, y)).collect::<Vec<_>>()
        };
        code.path.split('M').filter(|r| !r.is_empty()).flat_map(run).collect()
    }

    #[test]
    fn the_drawing_has_the_modules_of_the_code_and_a_quiet_zone() {
        let text = "otpauth://totp/EXERCISE:mei?secret=JBSWY3DPEHPK3PXP&issuer=EXERCISE";
        let (code, drawing) = (QrCode::encode_text(text, QrCodeEcc::Medium).unwrap(), Qr::new(text, "QR").unwrap());
        let dark: Vec<_> = (0..drawing.size)
            .flat_map(|y| (0..drawing.size).map(move |x| (x, y)))
            .filter(|(x, y)| code.get_module(x - QUIET, y - QUIET))
            .collect();
        assert_eq!(drawn(&drawing), dark);
    }

    #[test]
    fn a_text_that_does_not_fit_gives_no_code_and_a_name_cannot_break_out() {
        assert!(Qr::new(&"x".repeat(3_000), "").is_none());
        assert!(!Qr::new("x", "\"><b>").unwrap().to_string().contains("<b>"));
    }
}
