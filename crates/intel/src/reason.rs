//! Why something was not taken: a code that pages translate, what varies beside it, and the English for the doors.
use std::fmt;

/// Why an object was not taken. Nothing in it repeats a value of the object.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reason {
    /// A stable code; pages say it as `aside-CODE`.
    pub code: &'static str,
    /// What varies, as data: a property, a number, a place. Empty when nothing does.
    pub detail: String,
    /// All of it in English.
    pub text: String,
}

impl Reason {
    /// The codes of this room's own reasons.
    const OWN: [&str; 5] = ["ahead", "other-content", "erased", "not-written", "marked-tighter"];

    /// Every code there is.
    pub fn codes() -> impl Iterator<Item = &'static str> {
        let read = formats::Fault::ALL.iter().map(|fault| fault.code());
        read.chain(formats::ReadError::CODES).chain(stix::Error::CODES).chain(Self::OWN)
    }

    fn fixed(code: &'static str, text: &str) -> Self {
        Self { code, detail: String::new(), text: text.to_owned() }
    }

    pub(crate) fn ahead() -> Self {
        Self::fixed("ahead", "its version lies more than a day ahead; mend the clock or the timestamp")
    }

    pub(crate) fn other_content() -> Self {
        Self::fixed("other-content", "this version stands here with other content; send a newer `modified`")
    }

    pub(crate) fn erased() -> Self {
        Self::fixed("erased", "it was erased here and is not taken again")
    }

    pub(crate) fn not_written() -> Self {
        Self::fixed("not-written", "it was not written")
    }
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl From<&formats::Why> for Reason {
    fn from(why: &formats::Why) -> Self {
        Self { code: why.fault.code(), detail: why.detail.clone(), text: why.to_string() }
    }
}

impl From<&formats::ReadError> for Reason {
    fn from(e: &formats::ReadError) -> Self {
        Self { code: e.code(), detail: e.detail(), text: e.to_string() }
    }
}

impl From<stix::Error> for Reason {
    fn from(e: stix::Error) -> Self {
        Self { code: e.code(), detail: e.detail(), text: e.to_string() }
    }
}

impl From<people::Refused> for Reason {
    fn from(e: people::Refused) -> Self {
        let places: Vec<&str> = e.where_to_send.iter().map(|place| &*place.title).collect();
        let mut detail = format!("{} > {}", e.marking, e.highest);
        if !places.is_empty() {
            detail.push_str(&format!(" → {}", places.join(" · ")));
        }
        Self { code: "marked-tighter", detail, text: e.to_string() }
    }
}
