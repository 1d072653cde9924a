//! Forms: what was sent, what is wrong with it, and the fields as they are drawn.

use askama::{Template, filters::HtmlSafe};
use axum::response::IntoResponse;
use axum::{
    body::Bytes,
    extract::{FromRequest, Request},
    response::Response,
};

use crate::{i18n::Locale, problem::Problem};

/// Fields in one form at most.
pub const FIELDS_LIMIT: usize = 500;

/// Bytes in one form at most (axum's own limit of 2 MB stands above it unless a route raises it).
pub const BYTES_LIMIT: usize = 8 << 20;

/// The fields of a form as they were sent: `application/x-www-form-urlencoded`, names may repeat.
/// As an extractor it refuses what is too large with a [`Problem`].
#[derive(Debug, Clone, Default)]
pub struct Fields {
    pairs: Vec<(String, String)>,
}

impl Fields {
    /// Reads a body or a query string.
    ///
    /// # Errors
    /// More than [`FIELDS_LIMIT`] fields or [`BYTES_LIMIT`] bytes.
    pub fn parse(body: &[u8]) -> Result<Self, Problem> {
        if body.len() > BYTES_LIMIT {
            return Err(Problem::too_large(BYTES_LIMIT));
        }
        let pairs: Vec<_> = form_urlencoded::parse(body)
            .take(FIELDS_LIMIT + 1)
            .map(|(n, v)| (n.into_owned(), v.into_owned()))
            .collect();
        if pairs.len() > FIELDS_LIMIT {
            return Err(Problem::bad_request("form-too-many-fields"));
        }
        Ok(Self { pairs })
    }

    /// The first value of `name`, trimmed; empty when absent.
    #[must_use]
    pub fn text(&self, name: &str) -> &str {
        self.raw(name).unwrap_or_default().trim()
    }

    /// The first value of `name` exactly as sent (passwords, pasted text).
    #[must_use]
    pub fn raw(&self, name: &str) -> Option<&str> {
        self.pairs.iter().find(|(n, _)| n == name).map(|(_, v)| v.as_str())
    }

    /// All values of `name` (checkboxes).
    pub fn all<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a str> {
        self.pairs.iter().filter(move |(n, _)| n == name).map(|(_, v)| v.as_str())
    }

    /// Whether `name` was sent with this value.
    #[must_use]
    pub fn has(&self, name: &str, value: &str) -> bool {
        self.all(name).any(|v| v == value)
    }

    /// All pairs, in order.
    #[must_use]
    pub fn pairs(&self) -> &[(String, String)] {
        &self.pairs
    }

    /// Starts checking: errors collect in the reader's language.
    #[must_use]
    pub fn check<'a>(&'a self, l: &'a Locale) -> Check<'a> {
        Check { fields: self, l, errors: ErrorSummary::default() }
    }
}

impl<S: Send + Sync> FromRequest<S> for Fields {
    type Rejection = Response;

    async fn from_request(req: Request, state: &S) -> Result<Self, Self::Rejection> {
        let body = Bytes::from_request(req, state).await.map_err(|_| Problem::too_large(2 << 20).into_response())?;
        Self::parse(&body).map_err(IntoResponse::into_response)
    }
}

/// Collects what is wrong with a form.
///
/// ```
/// # let l = web::Catalogue::new(&[("en", "who-missing = Say who reports.")])?.locale("en");
/// let sent = web::Fields::parse(b"who=&country=KH").unwrap();
/// let mut check = sent.check(&l);
/// let who = check.required("who", "who-missing", 200);
/// let country = check.text("country", 2);
/// let errors = check.done();
/// assert_eq!((who, country), ("", "KH"));
/// assert_eq!(errors.of("who"), "Say who reports.");
/// # Ok::<(), web::i18n::I18nError>(())
/// ```
pub struct Check<'a> {
    fields: &'a Fields,
    l: &'a Locale,
    errors: ErrorSummary,
}

impl<'a> Check<'a> {
    /// A field that may be empty, of at most `limit` characters.
    pub fn text(&mut self, name: &str, limit: usize) -> &'a str {
        let value = self.fields.text(name);
        if value.chars().count() > limit {
            self.errors.push(name, self.l.t1("form-too-long", "limit", limit));
        }
        value
    }

    /// A field that must be filled; `missing` is the Fluent key of what to say if it is not.
    pub fn required(&mut self, name: &str, missing: &str, limit: usize) -> &'a str {
        let value = self.text(name, limit);
        if value.is_empty() {
            self.errors.push(name, self.l.t(missing));
        }
        value
    }

    /// A field that must be one of `choices`.
    pub fn one_of(&mut self, name: &str, choices: &[&str], wrong: &str) -> &'a str {
        let value = self.fields.text(name);
        if !choices.contains(&value) {
            self.errors.push(name, self.l.t(wrong));
        }
        value
    }

    /// A whole number in a range, or nothing.
    pub fn number(&mut self, name: &str, range: std::ops::RangeInclusive<i64>) -> Option<i64> {
        let value = self.fields.text(name);
        if value.is_empty() {
            return None;
        }
        match value.parse::<i64>() {
            Ok(n) if range.contains(&n) => Some(n),
            _ => {
                self.errors.push(name, self.l.t2("form-not-in-range", "from", *range.start(), "to", *range.end()));
                None
            }
        }
    }

    /// Says that a field is wrong, for rules of the room's own.
    pub fn wrong(&mut self, name: &str, key: &str) {
        self.errors.push(name, self.l.t(key));
    }

    /// What was found; empty when all is well.
    #[must_use]
    pub fn done(self) -> ErrorSummary {
        self.errors
    }
}

/// One wrong field.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FieldError {
    /// The field's name, which is also its `id`.
    pub field: String,
    /// What is wrong and what to do, in the reader's language.
    pub text: String,
}

/// All wrong fields of a form, shown on top with links to each (GOV.UK's error summary).
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ErrorSummary {
    /// In the order of the form.
    pub errors: Vec<FieldError>,
}

impl ErrorSummary {
    /// Adds one; the first of a field stands.
    pub fn push(&mut self, field: &str, text: impl Into<String>) {
        if self.of(field).is_empty() {
            self.errors.push(FieldError { field: field.to_owned(), text: text.into() });
        }
    }

    /// Adds one of a field that takes several values: each that is wrong is told, the first beside the field as well.
    pub fn push_each(&mut self, field: &str, text: impl Into<String>) {
        self.errors.push(FieldError { field: field.to_owned(), text: text.into() });
    }

    /// What is wrong with one field; empty when nothing is.
    #[must_use]
    pub fn of(&self, field: &str) -> &str {
        self.errors.iter().find(|e| e.field == field).map_or("", |e| e.text.as_str())
    }

    /// Whether the form may be acted on.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.errors.is_empty()
    }
}

/// How a [`Field`] is drawn.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FieldKind {
    /// One line; the `type=` of the input.
    Input(&'static str),
    /// Several lines; how many.
    Area(u16),
    /// A drop-down list.
    Select,
    /// One of few.
    Radios,
    /// Any of few.
    Checkboxes,
    /// A file to send (the form needs `enctype="multipart/form-data"`).
    File,
}

/// A choice of a select, radio or checkbox field.
#[derive(Debug, Clone)]
pub struct Choice {
    /// What is sent.
    pub value: String,
    /// What is read.
    pub label: String,
    /// A word more below it; empty for none.
    pub hint: String,
    /// Whether it is chosen.
    pub chosen: bool,
}

/// A form field with label, hint, error and value. In a template: `{{ form.name }}`.
///
/// ```
/// use web::Field;
/// let html = Field::input("name", "Name of the account").hint("As in the roster").value("A & B").to_string();
/// assert!(html.contains("<label") && html.contains("A &#38; B"));
/// ```
#[derive(Debug, Clone, Template)]
#[template(path = "field.html")]
pub struct Field {
    name: String,
    label: String,
    hint: String,
    error: String,
    value: String,
    kind: FieldKind,
    choices: Vec<Choice>,
    /// `govuk-input--width-N`; 0 is the full width.
    width: u8,
    /// Extra attributes; names are ours, values are escaped.
    attributes: Vec<(&'static str, String)>,
    small: bool,
}

impl HtmlSafe for Field {}

impl Field {
    fn new(kind: FieldKind, name: &str, label: impl Into<String>) -> Self {
        Self {
            name: name.to_owned(),
            label: label.into(),
            hint: String::new(),
            error: String::new(),
            value: String::new(),
            kind,
            choices: Vec::new(),
            width: 0,
            attributes: Vec::new(),
            small: false,
        }
    }

    /// One line of text.
    #[must_use]
    pub fn input(name: &str, label: impl Into<String>) -> Self {
        Self::new(FieldKind::Input("text"), name, label)
    }

    /// One line of another kind: `search`, `email`, `url`, `date`, `datetime-local`, ...
    #[must_use]
    pub fn typed(kind: &'static str, name: &str, label: impl Into<String>) -> Self {
        Self::new(FieldKind::Input(kind), name, label)
    }

    /// A password. `autocomplete` is `current-password` or `new-password`. The value is never drawn.
    #[must_use]
    pub fn password(name: &str, label: impl Into<String>, autocomplete: &'static str) -> Self {
        Self::new(FieldKind::Input("password"), name, label).attribute("autocomplete", autocomplete)
    }

    /// Several lines of text.
    #[must_use]
    pub fn area(name: &str, label: impl Into<String>, rows: u16) -> Self {
        Self::new(FieldKind::Area(rows), name, label)
    }

    /// A drop-down list; add its choices with [`Field::choice`].
    #[must_use]
    pub fn select(name: &str, label: impl Into<String>) -> Self {
        Self::new(FieldKind::Select, name, label)
    }

    /// One of few; add the choices with [`Field::choice`].
    #[must_use]
    pub fn radios(name: &str, label: impl Into<String>) -> Self {
        Self::new(FieldKind::Radios, name, label)
    }

    /// Any of few; add the choices with [`Field::choice`].
    #[must_use]
    pub fn checkboxes(name: &str, label: impl Into<String>) -> Self {
        Self::new(FieldKind::Checkboxes, name, label)
    }

    /// A file.
    #[must_use]
    pub fn file(name: &str, label: impl Into<String>) -> Self {
        Self::new(FieldKind::File, name, label)
    }

    /// A word more, between label and field.
    #[must_use]
    pub fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = hint.into();
        self
    }

    /// What it holds. Choices with this value become the chosen ones.
    #[must_use]
    pub fn value(mut self, value: impl Into<String>) -> Self {
        self.value = value.into();
        for choice in &mut self.choices {
            choice.chosen = choice.value == self.value;
        }
        self
    }

    /// What is wrong with it: `errors.of("name")`; empty for nothing.
    #[must_use]
    pub fn error(mut self, error: &str) -> Self {
        self.error = error.to_owned();
        self
    }

    /// Adds a choice; it is chosen when its value equals the field's.
    #[must_use]
    pub fn choice(mut self, value: &str, label: impl Into<String>) -> Self {
        let chosen = self.value == value;
        self.choices.push(Choice { value: value.to_owned(), label: label.into(), hint: String::new(), chosen });
        self
    }

    /// Adds a choice with a word more below it.
    #[must_use]
    pub fn choice_with(mut self, value: &str, label: impl Into<String>, hint: impl Into<String>) -> Self {
        self = self.choice(value, label);
        if let Some(last) = self.choices.last_mut() {
            last.hint = hint.into();
        }
        self
    }

    /// Marks the chosen ones of several (checkboxes).
    #[must_use]
    pub fn chosen<'a>(mut self, values: impl IntoIterator<Item = &'a str>) -> Self {
        for value in values {
            for choice in self.choices.iter_mut().filter(|c| c.value == value) {
                choice.chosen = true;
            }
        }
        self
    }

    /// A field as wide as its content: 2, 3, 4, 5, 10, 20 or 30 characters.
    #[must_use]
    pub fn width(mut self, characters: u8) -> Self {
        self.width = characters;
        self
    }

    /// Small choices, for filters and dense forms.
    #[must_use]
    pub fn small(mut self) -> Self {
        self.small = true;
        self
    }

    /// An attribute more: `autocomplete`, `inputmode`, `maxlength`, `list`, `dir`, ...
    /// (`required` is left out on purpose: the server's answer is the accessible one.)
    #[must_use]
    pub fn attribute(mut self, name: &'static str, value: impl Into<String>) -> Self {
        self.attributes.push((name, value.into()));
        self
    }

    fn described_by(&self) -> String {
        let mut ids = Vec::new();
        if !self.hint.is_empty() {
            ids.push(format!("{}-hint", self.name));
        }
        if !self.error.is_empty() {
            ids.push(format!("{}-error", self.name));
        }
        ids.join(" ")
    }

    fn is_group(&self) -> bool {
        matches!(self.kind, FieldKind::Radios | FieldKind::Checkboxes)
    }

    fn input_type(&self) -> &'static str {
        match self.kind {
            FieldKind::Input(kind) => kind,
            FieldKind::File => "file",
            _ => "text",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_form_beyond_the_limits_is_refused() {
        let many = "a=1&".repeat(FIELDS_LIMIT + 1);
        assert!(Fields::parse(many.as_bytes()).is_err());
        assert!(Fields::parse(&vec![b'a'; BYTES_LIMIT + 1]).is_err());
    }

    #[test]
    fn a_fields_error_is_tied_to_its_input_for_a_screen_reader() {
        let html = Field::input("who", "Who").hint("h").error("Say who.").to_string();
        assert!(html.contains("aria-describedby=\"who-hint who-error\""), "{html}");
        assert!(html.contains("aria-invalid=\"true\""), "{html}");
        assert!(html.contains("id=\"who-error\""), "{html}");
    }

    #[test]
    fn what_a_user_typed_is_escaped() {
        let html = Field::area("t", "T", 3).value("</textarea><script>").to_string();
        assert!(!html.contains("<script>"), "{html}");
    }

    #[test]
    fn a_password_is_never_drawn_back() {
        let html = Field::password("p", "P", "current-password").value("hunter2").to_string();
        assert!(!html.contains("hunter2"), "{html}");
    }

    #[test]
    fn repeated_names_are_all_kept_and_chosen_boxes_come_back_ticked() {
        let sent = Fields::parse(b"t=a&t=c").unwrap();
        let html = Field::checkboxes("t", "T")
            .choice("a", "A")
            .choice("b", "B")
            .choice("c", "C")
            .chosen(sent.all("t"))
            .to_string();
        assert_eq!(html.matches(" checked").count(), 2, "{html}");
    }
}
