//! Letters as they are compared: a text and a query that differ only in what a keyboard, an editor or a habit decides are the
//! same. What the full text's tokenizer folds itself (case, accents of Latin, Greek and Cyrillic letters) is left to it.
use std::borrow::Cow;
use unicode_normalization::UnicodeNormalization;

/// The text in compatibility form (NFKC), digits of any script as 0 to 9, invisible characters gone, and letters that are
/// written in several ways in one.
pub(crate) fn letters(text: &str) -> Cow<'_, str> {
    if text.is_ascii() { Cow::Borrowed(text) } else { text.nfkc().filter(|c| !is_silent(*c)).map(letter).collect() }
}

/// What is not seen or not pronounced: zero-width characters (Khmer, Thai and Burmese texts have them between words or not),
/// soft hyphens, Arabic vowel marks and tatweel (Lucene's `ArabicNormalizer` takes the same away).
fn is_silent(c: char) -> bool {
    matches!(c, '\u{AD}' | '\u{200B}'..='\u{200F}' | '\u{2060}' | '\u{FEFF}' | '\u{640}' | '\u{64B}'..='\u{65F}'
        | '\u{670}' | '\u{6D6}'..='\u{6DC}' | '\u{6DF}'..='\u{6E4}' | '\u{6E7}' | '\u{6E8}' | '\u{6EA}'..='\u{6ED}')
}

/// Decimal zeros of the scripts that write their own digits; nine more follow each.
const ZEROS: [char; 14] = [
    '\u{660}', '\u{6F0}', '\u{7C0}', '\u{966}', '\u{9E6}', '\u{A66}', '\u{AE6}', '\u{BE6}', '\u{E50}', '\u{ED0}',
    '\u{F20}', '\u{1040}', '\u{1090}', '\u{17E0}',
];

fn letter(c: char) -> char {
    match c {
        // Letters with a stroke are no accented letters to Unicode; who types without accents leaves the stroke out too.
        'đ' => 'd',
        'Đ' => 'D',
        'ø' => 'o',
        'Ø' => 'O',
        'ł' => 'l',
        'Ł' => 'L',
        'ı' => 'i',
        'ё' => 'е',
        'Ё' => 'Е',
        // Lucene's `ArabicNormalizer` and `PersianNormalizer`.
        'آ' | 'أ' | 'إ' | 'ٱ' => 'ا',
        'ى' | 'ی' | 'ے' => 'ي',
        'ة' | 'ۀ' | 'ہ' | 'ە' => 'ه',
        'ک' => 'ك',
        _ => digit(c).unwrap_or(c),
    }
}

fn digit(c: char) -> Option<char> {
    let zero =
        ZEROS.into_iter().find(|zero| (*zero..=char::from_u32(*zero as u32 + 9).unwrap_or(*zero)).contains(&c))?;
    char::from_digit(c as u32 - zero as u32, 10)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_keyboard_decides_is_no_difference() {
        for (one, other) in [
            ("lừa đảo", "lừa đa\u{309}o"),
            ("โทร ๐๘๑", "โทร 081"),
            ("ទូរស័ព្ទ ០១២", "ទូរស័ព្ទ 012"),
            ("ဖုန်း ၀၉", "ဖုန်း 09"),
            ("هاتف ٠١٢", "هاتف 012"),
            ("مَكْتَب", "مكتب"),
            ("إحتيال", "احتيال"),
            ("شركة", "شركه"),
            ("ការ\u{200B}ងារ", "ការងារ"),
            ("น้ำ", "น\u{E49}\u{E4D}\u{E32}"),
            ("ＡＢＣ１２", "ABC12"),
        ] {
            assert_eq!(letters(one), letters(other), "{one}");
        }
        assert_eq!(letters("đ"), "d");
        assert!(matches!(letters("plain"), Cow::Borrowed("plain")));
    }
}
