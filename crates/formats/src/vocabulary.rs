//! The extension definitions that converted objects name, and the STIX namespace of deterministic ids.

/// `cryptocurrency-wallet`, a new SCO of the stix2extensions project.
pub const WALLET: &str = "extension-definition--be78509e-6958-51b1-8b26-d17ee0eba2d7";
/// `cryptocurrency-transaction`, a new SCO of the stix2extensions project.
pub const TRANSACTION: &str = "extension-definition--151d042d-4dcf-5e44-843f-1024440318e5";
/// `phone-number`, a new SCO of the stix2extensions project.
pub const PHONE: &str = "extension-definition--14a97ee2-e666-5ada-a6bd-b7177f79e211";
/// `bank-account`, a new SCO of the stix2extensions project.
pub const BANK_ACCOUNT: &str = "extension-definition--f19f3291-6a84-5674-b311-d75a925d5bd9";
/// `payment-card`, a new SCO of the stix2extensions project.
pub const PAYMENT_CARD: &str = "extension-definition--b160c6ee-26b6-591c-8885-c192db67cac9";
/// The incident core extension of the OASIS common object repository.
pub const INCIDENT_CORE: &str = "extension-definition--ef765651-680c-498d-9894-99799f2fa126";
/// Ours: `lure`, a new SCO (text, language, channel, contact and url references, template).
pub const LURE: &str = "extension-definition--7c1e9c4e-0f3b-4a86-9b0b-6f1d0a9a52c7";
/// Ours: `identity-document`, a new SCO (document type, number, issuing country, dates, whose it is).
pub const IDENTITY_DOCUMENT: &str = "extension-definition--2d7f8d0a-53c4-4a0e-8c0f-7b9c8e1f4d36";
/// Ours: a property extension with what an import knows and STIX has no property for (currency, network,
/// confidence class, category, programme, ...).
pub const IMPORTED: &str = "extension-definition--e1b6a0de-9f6c-4f58-a1d2-0c6f2b8d7a94";
/// The namespace of deterministic SCO ids: STIX 2.1 section 2.9.
pub const SCO_NAMESPACE: uuid::Uuid = uuid::uuid!("00abedb4-aa42-466c-9c01-fed23315a9b7");

/// TLP 2.0 and TLP 1 marking-definitions by the code a tag spells (`clear`, `white`, `green`, ...).
pub fn tlp_marking(code: &str) -> Option<&'static str> {
    Some(match code.to_ascii_lowercase().as_str() {
        "clear" | "white" => "marking-definition--94868c89-83c2-464b-929b-a1a8aa3c8487",
        "green" => "marking-definition--bab4a63c-aed9-4cf5-a766-dfca5abac2bb",
        "amber" => "marking-definition--55d920b0-5e8b-4f79-9ee9-91f868d9b421",
        "amber+strict" => "marking-definition--939a9414-2ddd-4d32-a0cd-375ea402b003",
        "red" | "ex:chr" => "marking-definition--e828b379-4e03-4974-9ac4-e53a884c97c1",
        _ => return None,
    })
}
