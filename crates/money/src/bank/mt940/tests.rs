use super::*;
use crate::bank::zone_named;

/// Reads a text; everything that was handed over.
fn read(text: &str) -> (Vec<Leg>, Vec<Statement>, Vec<String>) {
    let (mut legs, mut statements, mut notes) = (Vec::new(), Vec::new(), Vec::new());
    read_mt940(Box::new(text.as_bytes()), &zone_named("Europe/Berlin").unwrap(), &mut |item| {
        match item {
            Item::Leg(leg) => legs.push(*leg),
            Item::Statement(statement) => statements.push(statement),
            Item::Refused { at, why } => notes.push(format!("refused {at:?} {why}")),
            Item::Warning { at, why } => notes.push(format!("warning {at:?} {why}")),
            Item::Login(_) => {}
        }
        ControlFlow::Continue(())
    })
    .unwrap();
    (legs, statements, notes)
}

const HEAD: &str = ":20:EX1\r\n:25:10020030/1234567\r\n:28C:00005/001\r\n";

fn day(at: u32) -> String {
    jiff::Timestamp::from_second(at.into()).unwrap().to_zoned(zone_named("Europe/Berlin").unwrap()).date().to_string()
}

#[test]
fn what_is_taken_back_goes_the_other_way_and_what_is_expected_is_never_counted() {
    let entries = ":61:2603020302C100,00NMSCNONREF\r\n:61:260302RC40,00NMSCNONREF\r\n:61:260302D30,5NTRFOWN//BANK7\r\n\
                   :61:260302RD10,NMSCNONREF\r\n:61:260303EC99,00NMSCNONREF\r\n";
    let text = format!("{HEAD}:60F:C260301EUR50,00\r\n{entries}:62F:C260302EUR89,50\r\n-\r\n");
    let (legs, statements, notes) = read(&text);
    assert_eq!(notes, Vec::<String>::new());
    let ways: Vec<_> = legs.iter().map(|leg| (leg.credit, leg.reversal, leg.pending, leg.amount)).collect();
    let expected = [
        (true, false, false, 10_000),
        (false, true, false, 4_000),
        (false, false, false, 3_050),
        (true, true, false, 1_000),
        (true, false, true, 9_900),
    ];
    assert_eq!(ways, expected);
    assert_eq!((statements[0].opening, statements[0].closing), (Some(5_000), Some(8_950)));
    assert_eq!(statements[0].sequence, Some(5));
    assert_eq!(statements[0].account.name, "10020030/1234567");
    let refs = &legs[2].references;
    assert_eq!((refs.owner.as_deref(), refs.bank.as_deref()), (Some("OWN"), Some("BANK7")));
    assert_eq!(legs[0].references.owner, None, "NONREF is no reference");
}

#[test]
fn the_year_of_a_booking_is_the_one_nearest_to_its_value_date() {
    let entries = ":61:2601021231C1,00NMSCNONREF\r\n:61:2512310102C1,00NMSCNONREF\r\n:61:2403010229C1,00NMSCNONREF\r\n";
    let (legs, ..) = read(&format!("{HEAD}:60F:C251231EUR0,\r\n{entries}:62F:C260102EUR3,\r\n"));
    let days: Vec<_> = legs.iter().map(|leg| (day(leg.span.earliest), leg.value_date.clone().unwrap())).collect();
    let told = [("2025-12-31", "2026-01-02"), ("2026-01-02", "2025-12-31"), ("2024-02-29", "2024-03-01")];
    assert_eq!(days, told.map(|(booked, value)| (booked.to_owned(), value.to_owned())));
}

#[test]
fn pages_of_one_statement_are_one_and_a_missing_one_is_named() {
    let page = |number: u32, open: &str, entry: &str, close: &str| {
        format!(":20:EX\r\n:25:DE89370400440532013000\r\n:28C:7/{number}\r\n{open}\r\n{entry}\r\n{close}\r\n-\r\n")
    };
    let first = page(1, ":60F:C260301EUR10,", ":61:260302C5,NMSCNONREF", ":62M:C260302EUR15,");
    let second = page(2, ":60M:C260302EUR15,", ":61:260302D3,NMSCNONREF", ":62M:C260302EUR12,");
    let third = page(3, ":60M:C260302EUR12,", ":61:260302C1,NMSCNONREF", ":62F:C260302EUR13,");
    let (legs, statements, notes) = read(&format!("{first}{second}{third}"));
    assert_eq!((legs.len(), notes.as_slice()), (3, &[] as &[String]));
    assert_eq!(statements.len(), 1);
    assert_eq!((statements[0].opening, statements[0].closing), (Some(1_000), Some(1_300)));
    assert_eq!(legs.iter().map(|leg| (leg.statement, leg.entry)).collect::<Vec<_>>(), [(1, 1), (1, 2), (1, 3)]);
    let (_, statements, notes) = read(&format!("{first}{third}"));
    assert_eq!(statements.iter().map(|one| (one.number, one.sequence)).collect::<Vec<_>>(), [(1, None), (2, None)]);
    assert!(notes.iter().any(|note| note.contains("its last page is missing")), "{notes:?}");
    assert!(notes.iter().any(|note| note.contains("its first page is missing")), "{notes:?}");
}

#[test]
fn the_other_side_is_read_from_the_three_ways_that_banks_write_it() {
    let numbered = ":86:166?00GUTSCHRIFT?109251?20EREF+EX-REF-1?21SVWZ+EXERCISE pay?22ment?30COBADEFFXXX?31DE89370400440532013000\r\n\
                    ?32EXERCISE ANA?33 EXAMPLE";
    let slashed = ":86:/TRTP/SEPA OVERBOEKING/IBAN/DE8937040044\r\n0532013000/BIC/COBADEFFXXX/NAME/EXERCISE ANA EXAMPLE/REMI/EXERCISE \
                   payment/EREF/EX-REF-1";
    let ing = ":86:/EREF/EX-REF-1//CNTP/DE89370400440532013000/COBADEFFXXX/EXERCISE ANA EXAMPLE///REMI/USTD//EXERCISE payment/";
    for information in [numbered, slashed, ing] {
        let (legs, ..) = read(&format!(
            "{HEAD}:60F:C260301EUR0,\r\n:61:260302C5,NTRFNONREF\r\n{information}\r\n:62F:C260302EUR5,\r\n:86:the whole\r\n"
        ));
        let leg = &legs[0];
        assert_eq!(
            leg.other.as_ref().map(|other| other.name.as_str()),
            Some("DE89370400440532013000"),
            "{information}"
        );
        assert_eq!(leg.other_name.as_deref(), Some("EXERCISE ANA EXAMPLE"), "{information}");
        assert_eq!(leg.references.end_to_end.as_deref(), Some("EX-REF-1"), "{information}");
        assert_eq!(leg.text, "EXERCISE payment", "{information}");
    }
    let (legs, ..) = read(&format!(
        "{HEAD}:60F:C260301EUR0,\r\n:61:260302C5,NTRFNONREF\r\n:86:cash desk\r\nEXERCISE town\r\n:62F:C260302EUR5,"
    ));
    assert_eq!((legs[0].text.as_str(), legs[0].other.as_ref()), ("cash desk\nEXERCISE town", None));
}

#[test]
fn a_bad_entry_is_refused_by_its_line_and_the_rest_is_kept() {
    let entries = ":61:260230C1,NMSCNONREF\r\n:61:260302C1.00NMSCNONREF\r\n:61:260302X1,NMSCNONREF\r\n:61:260302C1,234NMSCNONREF\r\n:61:260302C2,NMSCNONREF\r\n";
    let (legs, statements, notes) = read(&format!("{HEAD}:60F:C260301EUR0,\r\n{entries}:62F:C260302EUR2,\r\n"));
    assert_eq!((legs.len(), statements.len()), (1, 1));
    for (line, why) in [(5, "value date"), (6, "comma"), (7, "mark"), (8, "minor units")] {
        assert!(
            notes.iter().any(|note| note.contains(&format!("line {line} field 61")) && note.contains(why)),
            "{notes:?}"
        );
    }
    assert!(notes.iter().any(|note| note.contains("cannot be checked")), "{notes:?}");
    let (_, _, notes) = read(&format!("{HEAD}:60F:C260301EUR0,\r\n:61:260302C2,NMSCNONREF\r\n:62F:C260302USD2,\r\n"));
    assert!(notes.iter().any(|note| note.contains("not in the opening balance's currency")), "{notes:?}");
    let (_, _, notes) = read(&format!("{HEAD}:60F:C260301EUR1,\r\n:61:260302C2,NMSCNONREF\r\n:62F:C260302EUR2,\r\n"));
    assert!(notes.iter().any(|note| note.contains("do not come to its closing balance")), "{notes:?}");
}

#[test]
fn envelopes_and_old_encodings_are_read_and_other_files_are_refused() {
    let mut bytes = b"{1:F01EXERCISEAXXX0000000000}{2:O9400000000000EXERCISEAXXX00000000000000000000N}{4:\r\n".to_vec();
    bytes.extend(
        format!(
            "{HEAD}:60F:C260301EUR0,\r\n:61:260302C2,NMSCNONREF\r\n:86:B\u{e4}ckerei\r\n:62F:C260302EUR2,\r\n-}}\r\n"
        )
        .chars()
        .map(|c| c as u8),
    );
    let mut texts = Vec::new();
    read_mt940(Box::new(bytes.as_slice()), &TimeZone::UTC, &mut |item| {
        if let Item::Leg(leg) = item {
            texts.push(leg.text.clone());
        }
        ControlFlow::Continue(())
    })
    .unwrap();
    assert_eq!(texts, ["B\u{e4}ckerei"]);
    let none = read_mt940(Box::new(&b"date;amount\n1;2\n"[..]), &TimeZone::UTC, &mut |_| ControlFlow::Continue(()));
    assert!(none.unwrap_err().contains("no statement"));
}
