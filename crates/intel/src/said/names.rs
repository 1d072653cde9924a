//! Names of a few letters. Letters in a row would find them inside other words and other people's names, so what counts is
//! where a word ends, and each script has its own habit of saying so.
use crate::view::letters;
use unicode_normalization::char::is_combining_mark;
use unicode_script::{Script, UnicodeScript};

/// A name has at least so many letters, or it is an initial.
const SHORTEST: usize = 2;
/// A single word of fewer letters, in a script with spaces, is also an article or a particle somewhere: it counts as a whole
/// field alone.
const SHORTEST_WORD: usize = 3;
/// Characters between two words of a name at most: a blank, a comma and a blank, `";"`.
const BETWEEN: usize = 3;
/// Letters of a Chinese name from which on the characters beside it need not be looked at: a family name and two more.
const HAN_ALONE: usize = 3;

/// Chinese characters that stand beside a name and in none: particles, prepositions, verbs of saying, titles.
const HAN_BESIDE: &str = "的是在和与跟给找叫名者人及对向由为被把让从说称于先女小等也已将有到去来个位因以";
/// What follows a Korean name without a space, up to the end of its word: particles and titles that end no given name.
const HANGUL_AFTER: [&str; 14] =
    ["은", "는", "가", "을", "를", "의", "에", "와", "과", "씨", "님", "에게", "에서", "씨는"];
/// What stands before a Thai name without a space.
const THAI_BEFORE: [&str; 8] = ["นาย", "นาง", "นางสาว", "คุณ", "พี่", "น้อง", "ชื่อ", "เด็กหญิง"];

/// How a script says where a name ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Habit {
    /// By what is no letter.
    Spaces,
    /// Chinese characters stand side by side.
    Han,
    /// Spaces, and particles after the name.
    Hangul,
    /// Words stand side by side: a run of this script is the least that can be told apart.
    Run,
}

impl Habit {
    fn of(c: char) -> Self {
        match c.script() {
            Script::Han => Self::Han,
            Script::Hangul => Self::Hangul,
            Script::Thai | Script::Lao | Script::Khmer | Script::Myanmar | Script::Hiragana | Script::Katakana => {
                Self::Run
            }
            _ => Self::Spaces,
        }
    }
}

/// Whether a name is written in a script whose words stand apart.
pub(super) fn has_spaces(name: &str) -> bool {
    name.chars().find(|c| c.is_alphabetic()).is_none_or(|c| Habit::of(c) == Habit::Spaces)
}

/// A short name, as it is looked for.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct ShortName {
    /// Lower case; Chinese characters each by itself, for some put a blank between them.
    words: Vec<Vec<char>>,
    habit: Habit,
    /// It is written with a capital, which common words are not.
    capital: bool,
    /// It holds a digit, as names of accounts do and words do not.
    digit: bool,
}

/// A text whose letters are as they are compared, case apart.
pub(super) struct Text {
    written: Vec<char>,
    lower: Vec<char>,
}

impl Text {
    pub(super) fn of(text: &str) -> Self {
        let written: Vec<char> = letters(text).chars().collect();
        // One for one: what has no single lower-case letter stays as it is.
        let lower = written.iter().map(|c| lower(*c)).collect();
        Self { written, lower }
    }

    fn at(&self, at: usize) -> Option<char> {
        self.lower.get(at).copied()
    }

    fn before(&self, at: usize) -> Option<char> {
        at.checked_sub(1).and_then(|at| self.at(at))
    }
}

fn lower(c: char) -> char {
    let mut all = c.to_lowercase();
    match (all.next(), all.next()) {
        (Some(one), None) => one,
        _ => c,
    }
}

fn is_letter(c: char) -> bool {
    c.is_alphanumeric() || is_combining_mark(c)
}

/// What begins or ends a field of CSV, of a list or of JSON.
fn ends_field(c: Option<char>) -> bool {
    c.is_none_or(|c| matches!(c, ',' | ';' | '|' | '\t' | '\n' | '\r' | '"' | '\'' | '=' | ':' | '{' | '}' | '[' | ']'))
}

impl ShortName {
    /// The orders in which a name is looked for: as it stands, and of two words the other way round. None of what is no name:
    /// digits alone, a single letter.
    pub(super) fn of(name: &str) -> Vec<Self> {
        let text = Text::of(name);
        let count = text.written.iter().filter(|c| is_letter(**c)).count();
        let Some(first) = text.written.iter().copied().find(|c| c.is_alphabetic()) else { return Vec::new() };
        if count < SHORTEST {
            return Vec::new();
        }
        let habit = Habit::of(first);
        let words: Vec<Vec<char>> =
            text.lower.split(|c| !is_letter(*c)).filter(|w| !w.is_empty()).map(<[_]>::to_vec).collect();
        let words: Vec<Vec<char>> = match habit {
            Habit::Han => words.into_iter().flatten().map(|c| vec![c]).collect(),
            _ => words,
        };
        let digit = words.iter().flatten().any(|c| c.is_numeric());
        let name = Self { words, habit, capital: first.is_uppercase(), digit };
        let turned = Self { words: name.words.iter().rev().cloned().collect(), ..name.clone() };
        if habit != Habit::Han && name.words.len() == 2 { vec![name, turned] } else { vec![name] }
    }

    /// Whether a text says it.
    pub(super) fn stands_in(&self, text: &Text) -> bool {
        (0..text.lower.len()).any(|at| self.end_at(text, at).is_some_and(|end| self.is_bounded(text, at, end)))
    }

    /// Where the words end that begin at a place.
    fn end_at(&self, text: &Text, mut at: usize) -> Option<usize> {
        let least = usize::from(self.habit != Habit::Han);
        for (n, word) in self.words.iter().enumerate() {
            if n > 0 {
                let mut skipped = 0..=BETWEEN;
                let skipped = skipped.find(|more| text.at(at + more).is_some_and(is_letter))?;
                at += Some(skipped).filter(|skipped| *skipped >= least)?;
            }
            if !word.iter().enumerate().all(|(n, c)| text.at(at + n) == Some(*c)) {
                return None;
            }
            at += word.len();
        }
        Some(at)
    }

    fn letters(&self) -> usize {
        self.words.iter().map(Vec::len).sum()
    }

    /// Whether a name that stands from `from` to `to` ends there.
    fn is_bounded(&self, text: &Text, from: usize, to: usize) -> bool {
        let (before, after) = (text.before(from), text.at(to));
        match self.habit {
            Habit::Spaces => {
                let word = !before.is_some_and(is_letter) && !after.is_some_and(is_letter);
                word && (self.words.len() > 1 || self.is_a_name_there(text, from, to))
            }
            Habit::Han => {
                let beside = |c: Option<char>| c.is_none_or(|c| c.script() != Script::Han || HAN_BESIDE.contains(c));
                self.letters() >= HAN_ALONE || beside(before) && beside(after)
            }
            Habit::Hangul => {
                let same = |c: &char| c.script() == Script::Hangul;
                let rest: String = text.lower.iter().skip(to).copied().take_while(same).take(BETWEEN).collect();
                !before.as_ref().is_some_and(same) && (rest.is_empty() || HANGUL_AFTER.contains(&rest.as_str()))
            }
            Habit::Run => {
                let own = text.at(from).map(|c| c.script());
                let same = |c: Option<char>| c.is_some_and(|c| is_letter(c) && Some(c.script()) == own);
                !same(after) && (!same(before) || THAI_BEFORE.iter().any(|title| text.ends_with(from, title)))
            }
        }
    }

    /// A single word that may be a common one: as a field of its own, or long enough and with a capital or digit as the name.
    fn is_a_name_there(&self, text: &Text, from: usize, to: usize) -> bool {
        let blank = |c: &char| *c == ' ';
        let before = text.lower.get(..from).unwrap_or_default().iter().rfind(|c| !blank(c));
        let after = text.lower.get(to..).unwrap_or_default().iter().find(|c| !blank(c));
        let capital = text.written.get(from).is_some_and(|c| c.is_uppercase());
        let telling = self.letters() >= SHORTEST_WORD && (self.digit || self.capital && capital);
        telling || ends_field(before.copied()) && ends_field(after.copied())
    }
}

impl Text {
    /// Whether the text before a place ends so.
    fn ends_with(&self, at: usize, word: &str) -> bool {
        let mut before = self.lower.get(..at).unwrap_or_default().iter().rev();
        word.chars().rev().all(|c| before.next() == Some(&c))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn says(name: &str, text: &str) -> bool {
        let text = Text::of(text);
        ShortName::of(name).iter().any(|name| name.stands_in(&text))
    }

    #[test]
    fn a_short_name_is_found_where_it_stands_as_a_name() {
        for (name, text) in [
            ("Li Na", "EXERCISE paid by li  na, twice"),
            ("Li Na", "EXERCISE NA, LI"),
            ("Li Na", "1;\"Li\";\"Na\";x"),
            ("Somsi", "EXERCISE Somsi called"),
            ("Somsi", "7;somsi;x"),
            ("Li", "7; li ;x"),
            ("Li", r#"{"name":"Li"}"#),
            ("Zoë", "EXERCISE ZOE\u{308} said"),
            ("O'Dea", "EXERCISE o\u{2019}dea, x"),
            ("kwan7", "user kwan7 wrote"),
            ("rose", "1;rose;x"),
            ("علي", "7;علي;x"),
            ("Аня", "EXERCISE Аня сказала"),
            ("李娜", "受害者李娜被骗"),
            ("李娜", "7;李 娜;x"),
            ("李小明", "我认识李小明他住在"),
            ("김수", "어제 김수는 갔다"),
            ("김민수", "김민수씨"),
            ("สมศรี", "โทรหา สมศรี แล้ว"),
            ("สมศรี", "พบนางสมศรี แล้ว"),
            ("さくら", "「さくら」"),
            ("アンナ", "アンナさん"),
        ] {
            assert!(says(name, text), "{name} in {text}");
        }
    }

    #[test]
    fn a_short_name_is_not_found_inside_other_words_and_names() {
        for (name, text) in [
            ("Li Na", "EXERCISE Oli Nadal"),
            ("Li Na", "Li paid; then, much later, Na"),
            ("Li", "EXERCISE Li went to Li's sister"),
            ("Rose", "the rose garden; prices rose again"),
            ("Somsi", "Somsiri"),
            ("Ann", "Annual plan"),
            ("Li Na", "EXERCISE Lina"),
            ("rose", "Rose of the desert"),
            ("علي", "اتصل على الرقم"),
            ("김수", "김수이 왔다"),
            ("李娜", "桃李娜娜"),
            ("李明", "李明博来了"),
            ("김수", "김수영은"),
            ("김수", "남김수"),
            ("สมศรี", "สมศรีวงศ์ มา"),
            ("さくら", "さくらんぼ"),
            ("A", "A;x"),
            ("12345", "7;12345;x"),
        ] {
            assert!(!says(name, text), "{name} in {text}");
        }
    }
}
