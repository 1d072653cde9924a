//! The form of a new collection, and of another name for one.
use people::entry::AudienceBody;
use people::{LONGEST_NAME, LONGEST_TEXT, NewCollection};
use stix::Tlp;
use web::i18n::Locale;
use web::{Check, Chrome, ErrorSummary, Field, Fields};

/// A collection as a form asks for it.
pub(super) struct Asked {
    title: String,
    description: String,
    highest: Tlp,
    default: Option<Tlp>,
    listed: bool,
}

impl Asked {
    pub(super) fn collection(&self) -> NewCollection<'_> {
        let Self { title, description, highest, default, listed } = self;
        NewCollection { title, description, highest: *highest, default: *default, listed: *listed, exercise: false }
    }
}

/// Reads the form.
pub(super) fn asked(l: &Locale, sent: &Fields) -> Result<Asked, ErrorSummary> {
    let mut check = sent.check(l);
    let Named { title, description } = Named::read(&mut check);
    let highest: Option<Tlp> = sent.text("highest").parse().ok();
    if highest.is_none() {
        check.wrong("highest", "office-collection-highest-missing");
    }
    let default: Option<Tlp> = sent.text("default").parse().ok();
    if default.zip(highest).is_some_and(|(default, highest)| default > highest) {
        check.wrong("default", "office-collection-default-wrong");
    }
    let errors = check.done();
    match highest.filter(|_| errors.is_empty()) {
        Some(highest) => Ok(Asked { title, description, highest, default, listed: sent.text("listed") == "yes" }),
        None => Err(errors),
    }
}

/// A name as a form shows it.
#[derive(Default)]
pub(super) struct Named {
    pub(super) title: String,
    pub(super) description: String,
}

impl Named {
    /// What was typed, if the form came back for it; else what is so.
    pub(super) fn of(audience: &AudienceBody, sent: &Fields, errors: &ErrorSummary) -> Self {
        if errors.of("title").is_empty() && errors.of("description").is_empty() {
            return Self { title: audience.title.clone(), description: audience.description.clone() };
        }
        Self::sent(sent)
    }

    /// What the form of another name says, or what is wrong beside its fields.
    pub(super) fn checked(l: &Locale, sent: &Fields) -> Result<Self, ErrorSummary> {
        let mut check = sent.check(l);
        let named = Self::read(&mut check);
        let errors = check.done();
        if errors.is_empty() { Ok(named) } else { Err(errors) }
    }

    fn read(check: &mut Check<'_>) -> Self {
        let title = check.required("title", "office-collection-title-missing", LONGEST_NAME).to_owned();
        Self { title, description: check.text("description", LONGEST_TEXT).to_owned() }
    }

    fn sent(sent: &Fields) -> Self {
        let cut = |name, most| sent.text(name).chars().take(most).collect();
        Self { title: cut("title", LONGEST_NAME), description: cut("description", LONGEST_TEXT) }
    }
}

/// The fields for a title and what stands in the collection.
pub(super) fn names(chrome: &Chrome, named: &Named, errors: &ErrorSummary) -> Vec<Field> {
    vec![
        Field::input("title", chrome.t("office-collection-title"))
            .hint(chrome.t("office-collection-title-hint"))
            .value(named.title.as_str())
            .error(errors.of("title"))
            .attribute("autocomplete", "off"),
        Field::area("description", chrome.t("office-collection-holds"), 2)
            .value(named.description.as_str())
            .error(errors.of("description")),
    ]
}

/// All fields of a new one.
pub(super) fn fields(chrome: &Chrome, sent: &Fields, errors: &ErrorSummary) -> Vec<Field> {
    let markings =
        |field: Field| Tlp::ALL.into_iter().fold(field, |field, tlp| field.choice(tlp.as_str(), tlp.as_str()));
    let highest = Field::select("highest", chrome.t("office-collection-highest"))
        .hint(chrome.t("office-collection-highest-hint"))
        .choice("", chrome.t("office-collection-choose"));
    let default = Field::select("default", chrome.t("office-collection-default"))
        .choice("", chrome.t("office-collection-default-same"));
    let listed = Field::checkboxes("listed", chrome.t("office-collection-listed"))
        .choice("yes", chrome.t("office-collection-listed-yes"));
    let mut all = names(chrome, &Named::sent(sent), errors);
    all.push(markings(highest).value(sent.text("highest")).error(errors.of("highest")));
    all.push(markings(default).value(sent.text("default")).error(errors.of("default")));
    all.push(listed.value(sent.text("listed")));
    all
}
