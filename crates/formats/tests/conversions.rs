//! Small files of each format and the STIX they become.
#![allow(missing_docs, clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

use formats::{Format, Item, KeyedIds, Mapping, Options, Summary, TimesKnown};
use serde_json::Value;
use std::ops::ControlFlow;

struct Outcome {
    summary: Summary,
    bodies: Vec<Value>,
    times: Vec<TimesKnown>,
    bad: Vec<String>,
}

fn convert(format: Format, input: &str, change: impl FnOnce(&mut Options<'_>)) -> Outcome {
    let ids = KeyedIds::new([7; 32]);
    let mut options = Options::new("test", &ids);
    change(&mut options);
    let (mut bodies, mut times, mut bad) = (Vec::new(), Vec::new(), Vec::new());
    let summary = formats::read(format, Box::new(input.as_bytes()), &options, &mut |item| {
        match item {
            Item::Object(record) => {
                let body: Value = serde_json::from_str(&record.body).unwrap();
                assert_eq!(body["id"], record.id.as_str());
                bodies.push(body);
                times.push(record.times);
            }
            Item::Skipped(one) => bad.push(format!("{}: {}", one.at, one.why)),
        }
        ControlFlow::Continue(())
    })
    .unwrap();
    Outcome { summary, bodies, times, bad }
}

/// `type: the properties that matter`, one object a line.
fn shown(bodies: &[Value], properties: &[&str]) -> String {
    let line = |body: &Value| {
        let mut line = body["type"].as_str().unwrap_or_default().to_owned();
        for property in properties {
            if let Some(value) = body.get(*property) {
                line.push_str(&format!(" {property}={value}"));
            }
        }
        line
    };
    bodies.iter().map(line).collect::<Vec<_>>().join("\n")
}

#[test]
fn a_tag_becomes_wallet_actor_relationship_and_note_with_what_it_inherits() {
    let pack = "title: EXERCISE pack\ncreator: An Agency\nconfidence: forensic\ncurrency: BTC\nlabel: Example scheme\n\
                abuse: investment_fraud\nactor: example_actor\nsource: https://agency.example/report\ntags:\n\
                - address: 1BoatSLRHtKNngkdXEeobR76b53LETtpyT\n\
                - address: '0x0000000000000000000000000000000000000000'\n- confidence: web_crawl\n";
    let outcome = convert(Format::TagPack, pack, |_| {});
    insta::assert_snapshot!(shown(&outcome.bodies, &["value", "name", "abstract", "confidence", "labels", "relationship_type"]), @r#"
    cryptocurrency-wallet value="1BoatSLRHtKNngkdXEeobR76b53LETtpyT"
    identity name="example_actor"
    relationship confidence=50 labels=["investment_fraud"] relationship_type="attributed-to"
    note abstract="Example scheme" confidence=50 labels=["investment_fraud"]
    "#);
    assert_eq!(outcome.bad, ["tag 3: a tag needs `address` or `tx_hash`"]);
    assert_eq!(outcome.summary.notes, [("a placeholder address was left out".to_owned(), 1)]);
    let imported = &outcome.bodies[3]["extensions"][formats::vocabulary::IMPORTED];
    assert_eq!((imported["network"].as_str(), imported["confidence_class"].as_str()), (Some("btc"), Some("forensic")));
}

#[test]
fn an_actor_has_the_same_id_from_its_pack_and_from_a_tag() {
    let tags = convert(
        Format::TagPack,
        "title: t\ncreator: c\nlabel: l\nactor: a1\ntags:\n- address: 1BoatSLRHtKNngkdXEeobR76b53LETtpyT\n",
        |_| {},
    );
    let actors = convert(
        Format::ActorPack,
        "title: t\ncreator: c\nactors:\n- id: a1\n  label: Actor One\n  categories: [exchange]\n",
        |options| options.source = "other",
    );
    assert_eq!(tags.bodies[1]["id"], actors.bodies[0]["id"]);
    assert_eq!(actors.bodies[0]["sectors"][0], "financial-services");
}

#[test]
fn a_header_field_below_the_tags_is_refused_because_it_could_not_be_inherited() {
    let ids = KeyedIds::new([7; 32]);
    let pack =
        &b"title: t\ncreator: c\nlabel: l\ntags:\n- address: 1BoatSLRHtKNngkdXEeobR76b53LETtpyT\nactor: late\n"[..];
    let error =
        formats::read(Format::TagPack, Box::new(pack), &Options::new("t", &ids), &mut |_| ControlFlow::Continue(()))
            .unwrap_err();
    assert!(error.to_string().contains("move it above"), "{error}");
}

#[test]
fn a_party_becomes_identity_document_wallet_and_what_its_sanctions_say() {
    let xml = r#"<?xml version="1.0"?><Sanctions><ReferenceValueSets>
<CountryValues><Country ID="1" ISO2="XK">Example</Country></CountryValues>
<PartySubTypeValues><PartySubType ID="4" PartyTypeID="1">Unknown</PartySubType></PartySubTypeValues>
<PartyTypeValues><PartyType ID="1">Individual</PartyType></PartyTypeValues>
<NamePartTypeValues><NamePartType ID="20">Last Name</NamePartType><NamePartType ID="21">First Name</NamePartType></NamePartTypeValues>
<FeatureTypeValues><FeatureType ID="344">Digital Currency Address - XBT</FeatureType></FeatureTypeValues>
<IDRegDocTypeValues><IDRegDocType ID="71">Passport</IDRegDocType></IDRegDocTypeValues></ReferenceValueSets>
<IDRegDocuments><IDRegDocument ID="9" IDRegDocTypeID="71" IdentityID="5" IssuedBy-CountryID="1"><IDRegistrationNo>X0000000</IDRegistrationNo></IDRegDocument></IDRegDocuments>
<DistinctParties><DistinctParty FixedRef="7"><Profile ID="7" PartySubTypeID="4">
<Identity ID="5" Primary="true"><Alias Primary="true"><DocumentedName><DocumentedNamePart><NamePartValue NamePartGroupID="2">DOE<!-- EXERCISE --> &amp; SON</NamePartValue></DocumentedNamePart>
<DocumentedNamePart><NamePartValue NamePartGroupID="3">Jamie</NamePartValue></DocumentedNamePart></DocumentedName></Alias>
<NamePartGroups><MasterNamePartGroup><NamePartGroup ID="2" NamePartTypeID="20"/></MasterNamePartGroup><MasterNamePartGroup><NamePartGroup ID="3" NamePartTypeID="21"/></MasterNamePartGroup></NamePartGroups></Identity>
<Feature FeatureTypeID="344"><FeatureVersion><Comment/><VersionDetail>1BoatSLRHtKNngkdXEeobR76b53LETtpyT</VersionDetail></FeatureVersion></Feature></Profile></DistinctParty></DistinctParties>
<SanctionsEntries><SanctionsEntry ProfileID="7"><SanctionsMeasure><Comment>EXAMPLE</Comment></SanctionsMeasure></SanctionsEntry></SanctionsEntries></Sanctions>"#;
    let outcome = convert(Format::OfacSdn, xml, |options| options.exercise = true);
    insta::assert_snapshot!(shown(&outcome.bodies, &["document_type", "value", "issuing_country", "name", "identity_class", "labels", "x_exercise"]), @r#"
    identity-document document_type="passport" value="X0000000" issuing_country="XK" x_exercise="EXERCISE"
    cryptocurrency-wallet value="1BoatSLRHtKNngkdXEeobR76b53LETtpyT" x_exercise="EXERCISE"
    relationship labels=["sanctioned","EXERCISE"]
    identity name="Jamie DOE & SON" identity_class="individual" labels=["sanctioned","EXAMPLE","EXERCISE"]
    "#);
    assert_eq!(outcome.bodies[0]["belongs_to_ref"], outcome.bodies[3]["id"]);
}

#[test]
fn a_list_of_mixed_kinds_gives_one_observable_a_value_and_sets_the_rest_aside() {
    let outcome = convert(
        Format::List,
        "# EXERCISE\n0.0.0.0 scam.example\nhttps://scam.example/pay\nscam.example # again\n198.51.100.7\nwords\n",
        |_| {},
    );
    insta::assert_snapshot!(shown(&outcome.bodies, &["value"]), @r#"
    domain-name value="scam.example"
    url value="https://scam.example/pay"
    ipv4-addr value="198.51.100.7"
    "#);
    assert_eq!(outcome.bad.len(), 1);
    assert!(outcome.bad[0].starts_with("line (line 6)"), "{:?}", outcome.bad);
    assert!(outcome.times.iter().all(|times| *times == TimesKnown::NotVersioned));
}

#[test]
fn honest_names_of_a_phishing_configuration_never_become_intelligence() {
    let outcome = convert(
        Format::PhishingConfig,
        r#"{"version":2,"fuzzylist":["honest.example"],"whitelist":["good.example"],"blacklist":["scam.example"]}"#,
        |_| {},
    );
    assert_eq!(shown(&outcome.bodies, &["value"]), r#"domain-name value="scam.example""#);
}

#[test]
fn a_hotline_note_is_an_incident_in_its_language_and_an_advert_a_lure() {
    let text = "Me llamaron ayer y dijeron que era un trabajo en otro país, con vuelo y casa pagados. Tengo miedo.";
    let note = convert(Format::Text, text, |_| {});
    assert_eq!((note.bodies[0]["type"].as_str(), note.bodies[0]["lang"].as_str()), (Some("incident"), Some("es")));
    assert_eq!(note.times, [TimesKnown::Absent]);
    let advert = convert(Format::Text, text, |options| options.text_as = formats::TextAs::Lure);
    assert_eq!((advert.bodies[0]["type"].as_str(), advert.bodies[0]["text"].as_str()), (Some("lure"), Some(text)));
}

#[test]
fn a_row_becomes_the_mappings_objects_or_is_set_aside_whole_with_line_and_column() {
    let mapping = Mapping::parse(
        "delimiter = \";\"\ncountry = \"XK\"\nkey = [\"case\"]\n[object.report]\ntype = \"incident\"\n\
         columns.case = { to = \"name\" }\ncolumns.day = { to = \"created\", date = \"%d/%m/%Y\" }\n\
         [object.site]\ntype = \"auto\"\ncolumns.site = { to = \"value\", optional = true }\nrelated_to = \"report\"\n",
    )
    .unwrap();
    let outcome = convert(Format::Csv, "case;site;day\nA1;scam.example;03/02/2025\nA2;;32/02/2025\n", |options| {
        options.mapping = Some(Box::leak(Box::new(mapping)))
    });
    insta::assert_snapshot!(shown(&outcome.bodies, &["name", "value", "created", "relationship_type"]), @r#"
    incident name="A1" created="2025-02-03T00:00:00.000Z"
    domain-name value="scam.example"
    relationship relationship_type="related-to"
    "#);
    assert_eq!(outcome.bad, ["row, column `day` (line 3): not a date as the mapping says: %d/%m/%Y"]);
    assert_eq!(outcome.times[0], TimesKnown::CreatedOnly);
}

#[test]
fn a_misp_event_keeps_its_marking_on_observables_and_its_wallets_are_wallets() {
    let event = r#"{"Event":{"uuid":"a6ef17d6-91cb-4a05-b10b-2f045daf874c","info":"EXERCISE","timestamp":"1603642920","Tag":[{"name":"tlp:amber"}],
      "Attribute":[{"uuid":"91ae0a21-c7ae-4c7f-b84b-b84a7ce53d1f","type":"domain","value":"scam.example","to_ids":true},
                   {"uuid":"91ae0a21-c7ae-4c7f-b84b-b84a7ce53d10","type":"btc","value":"1BoatSLRHtKNngkdXEeobR76b53LETtpyT"},
                   {"uuid":"91ae0a21-c7ae-4c7f-b84b-b84a7ce53d11","type":"ip-dst","value":"no address"}]}}"#;
    let outcome = convert(Format::MispEvent, event, |_| {});
    insta::assert_snapshot!(shown(&outcome.bodies, &["value", "pattern", "name", "relationship_type"]), @r#"
    domain-name value="scam.example"
    observed-data
    indicator pattern="[domain-name:value = 'scam.example']"
    cryptocurrency-wallet value="1BoatSLRHtKNngkdXEeobR76b53LETtpyT"
    relationship relationship_type="based-on"
    grouping name="EXERCISE"
    "#);
    assert!(
        outcome
            .bodies
            .iter()
            .all(|body| body["object_marking_refs"][0] == "marking-definition--55d920b0-5e8b-4f79-9ee9-91f868d9b421")
    );
    assert_eq!(outcome.bad.len(), 1);
}

#[test]
fn stix_bodies_are_handed_on_byte_for_byte_and_one_bad_object_costs_only_itself() {
    let one = r#"{ "type":"url",  "id":"url--1","value":"http:\/\/x.example" }"#;
    let bundle = format!(
        r#"{{"type":"bundle","id":"bundle--1","objects":[{one},{{"type":"url"}},{{"broken":tru}},{{"type":"url","id":7}},{one}]}}"#
    );
    let ids = KeyedIds::new([7; 32]);
    let mut bodies = Vec::new();
    let summary =
        formats::read(Format::StixBundle, Box::new(bundle.as_bytes()), &Options::new("t", &ids), &mut |item| {
            if let Item::Object(record) = item {
                bodies.push(record.body);
            }
            ControlFlow::Continue(())
        })
        .unwrap();
    assert_eq!(bodies, [one, one]);
    assert_eq!(summary.bad, 3);
}

#[test]
fn a_second_run_gives_the_same_bytes_and_another_source_other_ids() {
    let pack = "title: t\ncreator: c\nlabel: l\nactor: a1\ntags:\n- address: 1BoatSLRHtKNngkdXEeobR76b53LETtpyT\n";
    let (one, two) = (convert(Format::TagPack, pack, |_| {}), convert(Format::TagPack, pack, |_| {}));
    assert_eq!(one.bodies, two.bodies);
    let other = convert(Format::TagPack, pack, |options| options.source = "other");
    assert_eq!(one.bodies[0], other.bodies[0]);
    assert_ne!(one.bodies[3]["id"], other.bodies[3]["id"]);
}

#[test]
fn the_sink_may_stop_the_reading() {
    let ids = KeyedIds::new([7; 32]);
    let summary =
        formats::read(Format::List, Box::new(&b"a.example\nb.example\n"[..]), &Options::new("t", &ids), &mut |_| {
            ControlFlow::Break(())
        })
        .unwrap();
    assert!(summary.stopped);
    assert_eq!(summary.objects, 1);
}

#[test]
fn an_unquoted_address_of_digits_stays_as_it_is_spelled() {
    let pack = "title: t\ncreator: c\nlabel: 007\ntags:\n- address: 1234567890123456789012345678901234567890\n- {address: 12e45678, label: 1e3, label: twice}\n- just a word\n";
    let outcome = convert(Format::TagPack, pack, |_| {});
    assert_eq!(
        shown(&outcome.bodies, &["value", "abstract"]),
        "cryptocurrency-wallet value=\"1234567890123456789012345678901234567890\"\nnote abstract=\"007\"\n\
         cryptocurrency-wallet value=\"12e45678\"\nnote abstract=\"1e3\""
    );
    assert_eq!(outcome.bad.len(), 1);
}
