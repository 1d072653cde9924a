//! One-time sign-in links: in a password's place, once, in time, for one person.
use super::*;

#[test]
fn a_link_signs_in_once_and_in_time() {
    let node = Node::new();
    let link = || node.people.link_token(&node.local(), Role::Supervisor, 30).unwrap();
    let (one, two) = (link(), link());
    let signed = node.people.sign_in_with_link(&one, None, PEER, "").unwrap();
    assert_eq!(signed.viewer.role(), Role::Supervisor);
    assert!(by_cookie(&node, &signed.cookie).is_ok());
    assert!(matches!(node.people.sign_in_with_link(&one, None, PEER, ""), Err(AuthError::Refused)));
    node.clock.forward(30 * 60);
    assert!(matches!(node.people.sign_in_with_link(&two, None, PEER, ""), Err(AuthError::Refused)));
    assert!(node.people.link_token(&signed.viewer, Role::Administrator, 5).is_err(), "a supervisor makes no links");
    assert!(node.people.link_token(&node.local(), Role::Peer, 5).is_err(), "peers have no browser");
    node.ledger.close();
}

#[test]
fn a_link_stands_in_a_passwords_place_and_never_in_the_second_factors() {
    let node = Node::new();
    user(&node, "officer-a", Role::Supervisor);
    let viewer = sign_in(&node, "officer-a").viewer;
    let now = || u64::try_from(ledger::Clock::now(&node.clock) / 1_000_000).unwrap();
    let secret = node.people.begin_second_factor(&viewer).unwrap().secret;
    let recovery = node.people.confirm_second_factor(&viewer, &code(&secret, now())).unwrap();
    let link = || node.people.sign_in_link(&node.local(), &NewLink { user: "officer-a", role: None, minutes: 60 });
    let (one, two, three) = (link().unwrap().secret, link().unwrap().secret, link().unwrap().secret);
    let come = |link: &str, code: Option<&str>| node.people.sign_in_with_link(link, code, PEER, "");
    assert!(matches!(node.people.link_state(&one), Ok(LinkState::Stands { needs_code: true, .. })));
    assert!(matches!(come(&one, None), Err(AuthError::NeedsCode)));
    assert!(matches!(come(&one, Some("000000")), Err(AuthError::Refused)));
    assert!(matches!(node.people.link_state(&one), Ok(LinkState::Stands { .. })), "an attempt uses no link up");
    node.clock.forward(30);
    assert_eq!(come(&one, Some(&code(&secret, now()))).unwrap().viewer.name(), "officer-a");
    assert!(come(&two, Some(&recovery[0])).is_ok(), "a recovery code stands in for the app, as at the password");
    assert_eq!(node.people.second_factor(&viewer, viewer.account()).unwrap(), Some(9));
    assert!(matches!(come("ei_none", Some(&recovery[1])), Err(AuthError::Refused)));
    assert_eq!(node.people.second_factor(&viewer, viewer.account()).unwrap(), Some(9), "no link, no code used up");
    // Whoever has the link guesses no faster than whoever has the password.
    let throttled = (0..20).find_map(|_| match come(&three, Some("000000")) {
        Err(AuthError::Throttled { retry_after }) => Some(retry_after),
        _ => None,
    });
    assert!(throttled.is_some(), "guessing at the code is slowed down");
    node.people.reset_second_factor(&node.local(), viewer.account()).unwrap();
    let fresh = link().unwrap().secret;
    node.clock.forward(3_000);
    assert!(come(&fresh, None).is_ok(), "an administrator takes a lost factor away, and only then a link is enough");
    node.ledger.close();
}

#[test]
fn a_link_is_known_by_an_id_that_opens_nothing_and_by_who_issued_it() {
    let node = Node::new();
    let admin = user(&node, "keeper", Role::Administrator);
    let keeper = sign_in(&node, "keeper").viewer;
    let made = node.people.sign_in_link(&keeper, &NewLink { minutes: 30, ..NewLink::default() }).unwrap();
    let issued = node.people.issued_link(&made.secret).unwrap().unwrap();
    assert_eq!((issued.id.as_str(), issued.issuer), (made.id.as_str(), admin));
    assert!(stix::StixId::parse(&made.id).is_ok(), "the access log finds it by its id");
    assert!(matches!(node.people.sign_in_with_link(&made.id, None, PEER, ""), Err(AuthError::Refused)));
    node.people.sign_in_with_link(&made.secret, None, PEER, "").unwrap();
    assert_eq!(node.people.issued_link(&made.secret).unwrap(), Some(issued), "after it was used as well");
    assert_eq!(node.people.issued_link("ei_none").unwrap(), None);
    node.ledger.close();
}

#[test]
fn a_link_names_its_person_and_two_links_are_two_people() {
    let node = Node::new();
    let link = |user, role| node.people.sign_in_link(&node.local(), &NewLink { user, role, minutes: 30 });
    let (one, two) = (link("", Some(Role::Analyst)).unwrap(), link("", Some(Role::Analyst)).unwrap());
    assert_ne!(one.account, two.account);
    let of =
        |made: &people::MadeLink| node.people.sign_in_with_link(&made.secret, None, PEER, "").unwrap().viewer.account();
    assert_eq!((of(&one), of(&two)), (one.account, two.account));
    let rin = link("rin", None).unwrap();
    assert_eq!((rin.name.as_str(), rin.role), ("rin", Role::Analyst));
    let again = link("Rin", None).unwrap();
    assert_eq!(again.account, rin.account, "the same person comes in again");
    assert!(matches!(link("rin", Some(Role::Supervisor)), Err(Error::Invalid(_))), "and is made nothing more by it");
    node.people.set_disabled(&node.local(), rin.account, true).unwrap();
    assert!(link("rin", None).is_err());
    assert!(matches!(node.people.sign_in_with_link(&again.secret, None, PEER, ""), Err(AuthError::Refused)));
    node.people.create_token(&node.local(), &NewToken { name: "feed", role: Role::Reader, days: None }).unwrap();
    assert!(link("feed", None).is_err() && link("a:b", None).is_err() && link("importer", None).is_err());
    node.ledger.close();
}

#[test]
fn what_became_of_a_link_is_told_to_whoever_holds_it_and_asking_uses_nothing_up() {
    let node = Node::new();
    let link = || node.people.sign_in_link(&node.local(), &NewLink { minutes: 30, ..NewLink::default() }).unwrap();
    let state = |made: &people::MadeLink| node.people.link_state(&made.secret).unwrap();
    let (one, two) = (link(), link());
    for _ in 0..2 {
        let due =
            LinkState::Stands { name: one.name.clone(), role: Role::Analyst, until: one.until, needs_code: false };
        assert_eq!(state(&one), due);
    }
    let at = node.ledger.now();
    node.people.sign_in_with_link(&one.secret, None, PEER, "").unwrap();
    assert_eq!(state(&one), LinkState::Used { at });
    node.people.set_disabled(&node.local(), two.account, true).unwrap();
    assert_eq!(state(&two), LinkState::Unknown);
    assert!(matches!(node.people.sign_in_with_link(&two.secret, None, PEER, ""), Err(AuthError::Refused)));
    node.people.set_disabled(&node.local(), two.account, false).unwrap();
    assert_eq!(state(&two), LinkState::Unknown, "what was taken away with the account does not come back with it");
    let three = link();
    node.clock.forward(30 * 60);
    assert_eq!(state(&three), LinkState::Over { at: three.until });
    assert_eq!(node.people.link_state("ei_none").unwrap(), LinkState::Unknown);
    node.clock.forward(31 * 24 * 3600);
    link();
    assert_eq!((state(&one), state(&three)), (LinkState::Unknown, LinkState::Unknown), "it is not remembered for ever");
    node.ledger.close();
}

#[test]
fn who_came_in_with_a_link_sets_a_first_password_and_no_second_one_without_the_first() {
    let node = Node::new();
    let made = node.people.sign_in_link(&node.local(), &NewLink { user: "rin", ..NewLink::default() }).unwrap();
    let signed = node.people.sign_in_with_link(&made.secret, None, PEER, "").unwrap();
    assert!(!node.people.has_password(&signed.viewer));
    assert!(node.people.change_own_password(&signed.viewer, "", "short").is_err());
    node.people.change_own_password(&signed.viewer, "", WORDS).unwrap();
    assert!(node.people.sign_in(&with("rin", WORDS, None)).is_ok());
    assert!(node.people.has_password(&signed.viewer));
    assert!(node.people.change_own_password(&signed.viewer, "", "other words of nonsense").is_err());
    let token = node.people.add_token(&signed.viewer, made.account, None).unwrap();
    let bearer = format!("Bearer {token}");
    let by_token = node.people.authenticate(&header(Some(&bearer), None)).unwrap().unwrap();
    let other = node.people.sign_in_link(&node.local(), &NewLink { user: "mei", ..NewLink::default() }).unwrap();
    assert!(node.people.change_own_password(&by_token, "", "other words of nonsense").is_err());
    assert_ne!(other.account, made.account);
    node.ledger.close();
}
