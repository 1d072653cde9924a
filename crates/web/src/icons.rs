//! Our own icons: 20×20 line drawings in the text's colour, hidden from screen readers (the words stand beside).

use std::fmt;

use askama::filters::HtmlSafe;

/// One drawing, as inline SVG.
#[derive(Debug, Clone, Copy)]
pub struct Icon {
    drawing: &'static str,
}

/// The icon of this name; an unknown name gives a small hexagon.
///
/// Interface: `search`, `upload`, `download`, `copy`, `check`, `warning`, `info`, `lock`, `eye`, `user`,
/// `sun`, `moon`, `auto`, `link`, `list`, `clock`, `filter`, `feed`, `log`, `plus`, `cross`, `arrow`, `live`.
/// Things: `wallet`, `phone`, `mail`, `web`, `server`, `file`, `bank`, `person`, `group`, `building`,
/// `place`, `report`, `message`, `document`, `tag`.
#[must_use]
pub fn icon(name: &str) -> Icon {
    let drawing = DRAWINGS.iter().find(|(n, _)| *n == name).map_or(HEXAGON, |(_, d)| *d);
    Icon { drawing }
}

/// The icon for a STIX object type or selector kind.
#[must_use]
pub fn icon_of_type(kind: &str) -> Icon {
    icon(match kind {
        "cryptocurrency-wallet" | "cryptocurrency-transaction" | "wallet" | "transaction" => "wallet",
        "phone-number" | "phone" => "phone",
        "email-addr" | "email-message" | "email" => "mail",
        "domain-name" | "url" | "domain" | "network-traffic" => "web",
        "ipv4-addr" | "ipv6-addr" | "ip" | "autonomous-system" | "mac-addr" => "server",
        "file" | "artifact" | "directory" | "hash" | "malware" | "tool" | "software" => "file",
        "bank-account" | "payment-card" | "iban" | "account" => "bank",
        "identity" | "person" | "user-account" | "handle" => "person",
        "threat-actor" | "intrusion-set" | "campaign" => "group",
        "infrastructure" => "building",
        "location" | "coordinates" => "place",
        "report" | "grouping" | "incident" | "observed-data" => "report",
        "lure" | "note" | "opinion" => "message",
        "passport" | "document" | "course-of-action" => "document",
        "indicator" | "sighting" | "attack-pattern" | "vulnerability" | "marking-definition" => "tag",
        "relationship" => "link",
        _ => "",
    })
}

impl fmt::Display for Icon {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "<svg class=\"ce-icon\" viewBox=\"0 0 20 20\" width=\"18\" height=\"18\" fill=\"none\" stroke=\"currentColor\" \
             stroke-width=\"1.6\" stroke-linecap=\"round\" stroke-linejoin=\"round\" aria-hidden=\"true\" focusable=\"false\">{}</svg>",
            self.drawing
        )
    }
}
impl HtmlSafe for Icon {}

const HEXAGON: &str = r#"<path d="M10 3l6 3.5v7L10 17l-6-3.5v-7z"/>"#;

const DRAWINGS: &[(&str, &str)] = &[
    ("search", r#"<circle cx="8.5" cy="8.5" r="5"/><path d="M12.5 12.5L17 17"/>"#),
    ("upload", r#"<path d="M10 13V3M6 7l4-4 4 4M3 14v3h14v-3"/>"#),
    ("download", r#"<path d="M10 3v10M6 9l4 4 4-4M3 14v3h14v-3"/>"#),
    (
        "copy",
        r#"<rect x="7" y="7" width="10" height="10" rx="1.5"/><path d="M13 7V4.5A1.5 1.5 0 0 0 11.500 3h-7A1.5 1.5 0 0 0 3 4.500v7A1.5 1.5 0 0 0 4.500 13H7"/>"#,
    ),
    ("check", r#"<path d="M4 10.500l4 4 8-9"/>"#),
    ("warning", r#"<path d="M10 3l8 14H2zM10 8v4M10 14.500v.1"/>"#),
    ("info", r#"<circle cx="10" cy="10" r="7.200"/><path d="M10 9v5M10 6v.1"/>"#),
    (
        "lock",
        r#"<rect x="4" y="9" width="12" height="8" rx="1.500"/><path d="M6.500 9V6.500a3.500 3.500 0 0 1 7 0V9"/>"#,
    ),
    (
        "eye",
        r#"<path d="M1.500 10S4.500 4.500 10 4.500 18.500 10 18.500 10 15.500 15.500 10 15.500 1.500 10 1.500 10z"/><circle cx="10" cy="10" r="2.500"/>"#,
    ),
    (
        "user",
        r#"<circle cx="10" cy="7" r="3.300"/><path d="M3.500 17c.6-3.600 3.100-5.500 6.500-5.500s5.900 1.900 6.500 5.500"/>"#,
    ),
    (
        "sun",
        r#"<circle cx="10" cy="10" r="3.500"/><path d="M10 2v2M10 16v2M2 10h2M16 10h2M4.400 4.400l1.400 1.400M14.200 14.200l1.400 1.400M15.600 4.400l-1.400 1.400M5.800 14.200l-1.400 1.400"/>"#,
    ),
    ("moon", r#"<path d="M16.500 12A7 7 0 0 1 8 3.500 7 7 0 1 0 16.500 12z"/>"#),
    ("auto", r#"<circle cx="10" cy="10" r="7"/><path d="M10 3a7 7 0 0 1 0 14z" fill="currentColor"/>"#),
    (
        "link",
        r#"<path d="M8.500 11.500a3.500 3.500 0 0 0 5 0l2.500-2.500a3.500 3.500 0 0 0-5-5L9.800 5.200M11.500 8.500a3.500 3.500 0 0 0-5 0L4 11a3.500 3.500 0 0 0 5 5l1.200-1.200"/>"#,
    ),
    ("list", r#"<path d="M7 5h10M7 10h10M7 15h10M3 5h.1M3 10h.1M3 15h.1"/>"#),
    ("clock", r#"<circle cx="10" cy="10" r="7.200"/><path d="M10 5.500V10l3 2"/>"#),
    ("filter", r#"<path d="M3 4h14l-5.500 7v5l-3 1.500V11z"/>"#),
    ("feed", r#"<path d="M4 15.500h.1M4 10a6 6 0 0 1 6 6M4 4.500A11.500 11.500 0 0 1 15.500 16"/>"#),
    (
        "log",
        r#"<rect x="4" y="3" width="12" height="4" rx="1"/><rect x="4" y="8" width="12" height="4" rx="1"/><rect x="4" y="13" width="12" height="4" rx="1"/>"#,
    ),
    ("plus", r#"<path d="M10 4v12M4 10h12"/>"#),
    ("cross", r#"<path d="M5 5l10 10M15 5L5 15"/>"#),
    ("arrow", r#"<path d="M4 10h12M11 5l5 5-5 5"/>"#),
    (
        "live",
        r#"<circle cx="10" cy="10" r="2"/><path d="M5.800 14.200a6 6 0 0 1 0-8.400M14.200 5.800a6 6 0 0 1 0 8.400M3 17A10 10 0 0 1 3 3M17 3a10 10 0 0 1 0 14"/>"#,
    ),
    ("wallet", r#"<rect x="2.500" y="5" width="15" height="11" rx="2"/><path d="M2.500 8h15M13.500 12h.1"/>"#),
    ("phone", r#"<rect x="6" y="2.500" width="8" height="15" rx="1.500"/><path d="M9.500 15h1"/>"#),
    ("mail", r#"<rect x="2.500" y="4.500" width="15" height="11" rx="1.500"/><path d="M3 6l7 5 7-5"/>"#),
    ("web", r#"<circle cx="10" cy="10" r="7.200"/><path d="M3 10h14M10 3c5 5 5 9 0 14M10 3c-5 5-5 9 0 14"/>"#),
    (
        "server",
        r#"<rect x="3" y="4" width="14" height="5" rx="1"/><rect x="3" y="11" width="14" height="5" rx="1"/><path d="M6 6.500h.1M6 13.500h.1"/>"#,
    ),
    ("file", r#"<path d="M5 2.500h6.500L15 6v11.500H5zM11.500 2.500V6H15"/>"#),
    ("bank", r#"<path d="M3 8l7-4.500L17 8zM5 8v7M8.300 8v7M11.700 8v7M15 8v7M3 16.500h14"/>"#),
    (
        "person",
        r#"<circle cx="10" cy="7" r="3.300"/><path d="M3.500 17c.6-3.600 3.100-5.500 6.500-5.500s5.900 1.900 6.500 5.500"/>"#,
    ),
    (
        "group",
        r#"<circle cx="7" cy="7.500" r="2.800"/><path d="M1.800 16c.4-3 2.400-4.600 5.200-4.600s4.800 1.600 5.200 4.600M13 4.900a2.800 2.800 0 0 1 0 5.200M14.500 12c2 .5 3.300 1.900 3.700 4"/>"#,
    ),
    ("building", r#"<path d="M4 17.500V3h8v14.500M12 8h4v9.500M2.500 17.500h15M7 6.500h2M7 10h2M7 13.500h2"/>"#),
    (
        "place",
        r#"<path d="M10 17.500S4.500 12.500 4.500 8a5.500 5.500 0 0 1 11 0c0 4.500-5.500 9.500-5.500 9.500z"/><circle cx="10" cy="8" r="2"/>"#,
    ),
    ("report", r#"<rect x="4" y="3" width="12" height="14.500" rx="1"/><path d="M7 7h6M7 10h6M7 13h4"/>"#),
    ("message", r#"<path d="M3 4h14v10H9l-4 3.500V14H3z"/>"#),
    (
        "document",
        r#"<rect x="4" y="2.500" width="12" height="15" rx="1.500"/><circle cx="10" cy="8" r="2.300"/><path d="M7 14h6"/>"#,
    ),
    ("tag", r#"<path d="M3 3h7l7.500 7.500-7 7L3 10z"/><path d="M6.500 6.500h.1"/>"#),
];
