//! Coming in: passwords, tokens, sessions, second factors, and what ends them.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]
mod links;
#[path = "../node/mod.rs"]
mod node;
use base64::Engine;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use node::{Node, header};
use people::{AuthError, AuthHeader, Error, LinkState, NewLink, NewToken, Role, SignIn, SignedIn, Viewer};

const WORDS: &str = "four words of nonsense";
const PEER: std::net::IpAddr = std::net::IpAddr::V4(std::net::Ipv4Addr::new(192, 0, 2, 7));

fn user(node: &Node, name: &str, role: Role) -> u32 {
    node.people.add_user(&node.local(), name, role, WORDS).unwrap()
}

fn with<'a>(name: &'a str, password: &'a str, code: Option<&'a str>) -> SignIn<'a> {
    SignIn { name, password, code, peer: PEER, agent: "Mozilla/5.0 (X11; Linux) Firefox/140.0" }
}

fn sign_in(node: &Node, name: &str) -> SignedIn {
    node.people.sign_in(&with(name, WORDS, None)).unwrap()
}

fn by_cookie(node: &Node, cookie: &str) -> Result<Option<Viewer>, AuthError> {
    node.people.authenticate(&header(None, Some(cookie)))
}

fn basic(name: &str, password: &str) -> String {
    format!("Basic {}", STANDARD.encode(format!("{name}:{password}")))
}

fn bearer(node: &Node, secret: &str) -> Result<Option<Viewer>, AuthError> {
    node.people.authenticate(&header(Some(&format!("Bearer {secret}")), None))
}

#[test]
fn nobody_is_nobody_and_what_is_wrong_is_refused_without_saying_why() {
    let node = Node::new();
    user(&node, "officer-a", Role::Reader);
    assert!(node.people.authenticate(&header(None, None)).unwrap().is_none());
    let mut told = Vec::new();
    for wrong in [
        "Bearer ey_nothing".to_owned(),
        basic("officer-a", "not the words at all"),
        basic("nobody-here", WORDS),
        basic("local", WORDS),
        "Basic !!!".into(),
        "Digest x".into(),
        "Bearer".into(),
    ] {
        told.push(node.people.authenticate(&header(Some(&wrong), None)).unwrap_err().to_string());
    }
    told.dedup();
    assert_eq!(told.len(), 1, "{told:?}");
    node.ledger.close();
}

#[test]
fn a_token_ends_when_it_is_revoked_when_it_expires_and_when_its_account_is_disabled() {
    let node = Node::new();
    let make =
        |name, days| node.people.create_token(&node.local(), &NewToken { name, role: Role::Reader, days }).unwrap();
    let (one, two, three) = (make("one", None), make("two", Some(1)), make("three", None));
    assert!(
        bearer(&node, &make("two", None)).unwrap().unwrap().account()
            == bearer(&node, &two).unwrap().unwrap().account()
    );
    assert!(one.starts_with("ey_") && one.len() == 46);
    let stored: i64 = node
        .ledger
        .state()
        .read(|c| Ok(c.query_row("SELECT count(*) FROM tokens WHERE hash = ?", [one.as_bytes()], |r| r.get(0))?))
        .unwrap();
    assert_eq!(stored, 0, "the secret itself stands nowhere");
    let viewer = bearer(&node, &one).unwrap().unwrap();
    assert_eq!((viewer.name(), viewer.role()), ("one", Role::Reader));
    let number = node.people.tokens(&viewer)[0].number;
    assert_eq!(node.people.tokens(&viewer).len(), 1, "a reader sees their own tokens alone");
    node.people.revoke_token(&node.local(), number).unwrap();
    assert!(matches!(bearer(&node, &one), Err(AuthError::Refused)));
    assert!(node.people.again(&viewer).unwrap().is_none(), "a stream ends with its token");
    assert!(bearer(&node, &two).is_ok());
    node.clock.forward(86_400);
    assert!(matches!(bearer(&node, &two), Err(AuthError::Refused)));
    let account = bearer(&node, &three).unwrap().unwrap().account();
    node.people.set_disabled(&node.local(), account, true).unwrap();
    assert!(matches!(bearer(&node, &three), Err(AuthError::Refused)));
    node.people.set_disabled(&node.local(), account, false).unwrap();
    let node = node.restart();
    assert!(bearer(&node, &three).is_ok());
    assert!(bearer(&node, &one).is_err());
    node.ledger.close();
}

#[test]
fn nobody_revokes_anothers_token_but_administrators() {
    let node = Node::new();
    let make = |name, role| node.people.create_token(&node.local(), &NewToken { name, role, days: None }).unwrap();
    let (one, two) = (make("one", Role::Supervisor), make("two", Role::Administrator));
    let (one, two) = (bearer(&node, &one).unwrap().unwrap(), bearer(&node, &two).unwrap().unwrap());
    let of_two = node.people.tokens(&two).iter().find(|t| t.account == two.account()).unwrap().number;
    let of_one = node.people.tokens(&one)[0].number;
    assert!(node.people.revoke_token(&one, of_two).is_err());
    assert!(node.people.add_token(&one, two.account(), None).is_err());
    node.people.revoke_token(&two, of_one).unwrap();
    node.ledger.close();
}

#[test]
fn a_stolen_token_makes_no_second_token_and_no_second_factor() {
    let node = Node::new();
    let account = user(&node, "officer-a", Role::Reader);
    let secret = node.people.add_token(&node.local(), account, None).unwrap();
    let by_token = bearer(&node, &secret).unwrap().unwrap();
    assert!(node.people.add_token(&by_token, account, None).is_err());
    assert!(node.people.begin_second_factor(&by_token).is_err());
    let in_session = sign_in(&node, "officer-a").viewer;
    assert!(node.people.add_token(&in_session, account, None).is_ok());
    node.ledger.close();
}

#[test]
fn a_basic_password_is_hashed_once_and_forgotten_when_it_changes_or_time_passes() {
    let node = Node::new();
    let account = user(&node, "officer-a", Role::Analyst);
    let line = basic("officer-a", WORDS);
    let asks = header(Some(&line), None);
    assert!(node.people.quick(&asks).is_none(), "the first one needs a password hash");
    let viewer = node.people.authenticate(&asks).unwrap().unwrap();
    assert_eq!(viewer.account(), account);
    assert!(node.people.quick(&asks).unwrap().unwrap().is_some());
    node.clock.forward(601);
    assert!(node.people.quick(&asks).is_none());
    assert!(node.people.authenticate(&asks).is_ok());
    node.people.set_password(&node.local(), account, "other words of nonsense").unwrap();
    assert!(node.people.quick(&asks).is_none());
    assert!(matches!(node.people.authenticate(&asks), Err(AuthError::Refused)));
    assert!(node.people.again(&viewer).unwrap().is_none());
    let secret = node.people.add_token(&node.local(), account, None).unwrap();
    let by_token = basic("whoever", &secret);
    assert_eq!(node.people.authenticate(&header(Some(&by_token), None)).unwrap().unwrap().account(), account);
    node.ledger.close();
}

#[test]
fn guessing_is_slowed_down_by_account_and_by_address_and_stays_so_across_a_restart() {
    let node = Node::new();
    user(&node, "officer-a", Role::Reader);
    user(&node, "officer-b", Role::Reader);
    let wrong = |node: &Node, name: &str, peer: [u8; 4]| {
        let line = basic(name, "not the words at all");
        node.people.authenticate(&AuthHeader { authorization: Some(&line), cookie: None, peer: peer.into() })
    };
    // From ever other addresses, the account slows down; a name that nobody has behaves alike.
    for name in ["officer-a", "nobody-here"] {
        let mut throttled = 0;
        for n in 0..20 {
            throttled += u32::from(matches!(wrong(&node, name, [203, 0, 113, n]), Err(AuthError::Throttled { .. })));
        }
        assert_eq!(throttled, 15, "{name}");
    }
    let line = basic("officer-a", WORDS);
    let right = |node: &Node| node.people.authenticate(&header(Some(&line), None));
    assert!(matches!(right(&node), Err(AuthError::Throttled { retry_after: 1..=2 })), "also with the right one");
    let node = node.restart();
    assert!(matches!(right(&node), Err(AuthError::Throttled { .. })));
    node.clock.forward(3);
    assert!(right(&node).is_ok());
    assert!(right(&node).is_ok());
    // From one address, whatever the names.
    let mut throttled = 0;
    for n in 0..40 {
        let name = format!("name-{n}");
        throttled += u32::from(matches!(wrong(&node, &name, [198, 51, 100, 1]), Err(AuthError::Throttled { .. })));
    }
    assert_eq!(throttled, 10);
    assert!(sign_in(&node, "officer-b").viewer.account() > 0, "other addresses go on");
    node.ledger.close();
}

#[test]
fn whoever_signs_in_rightly_makes_no_colleague_at_the_same_address_wait() {
    let node = Node::new();
    user(&node, "officer-a", Role::Reader);
    user(&node, "officer-b", Role::Reader);
    for n in 0..40 {
        let name = format!("name-{n}");
        let with = with(&name, "not the words at all", None);
        drop(node.people.sign_in(&with).unwrap_err());
    }
    assert!(matches!(node.people.sign_in(&with("officer-a", WORDS, None)), Err(AuthError::Throttled { .. })));
    node.clock.forward(3);
    for name in ["officer-a", "officer-b", "officer-a"] {
        assert!(node.people.sign_in(&with(name, WORDS, None)).is_ok(), "{name}");
    }
    node.ledger.close();
}

#[test]
fn guesses_from_elsewhere_do_not_lock_somebody_out_where_they_came_in_before() {
    let node = Node::new();
    user(&node, "officer-a", Role::Reader);
    sign_in(&node, "officer-a");
    let node = node.restart();
    let guess = |peer: [u8; 4]| {
        let with = SignIn { peer: peer.into(), password: "not the words at all", ..with("officer-a", "", None) };
        node.people.sign_in(&with)
    };
    (0..20).for_each(|n| drop(guess([203, 0, 113, n]).unwrap_err()));
    let right = with("officer-a", WORDS, None);
    let elsewhere = SignIn { peer: [198, 51, 100, 9].into(), ..right };
    assert!(matches!(node.people.sign_in(&elsewhere), Err(AuthError::Throttled { .. })));
    assert!(node.people.sign_in(&right).is_ok());
    // Where they came in before, guesses are counted all the same.
    (0..5).for_each(|_| drop(guess([192, 0, 2, 7]).unwrap_err()));
    assert!(matches!(node.people.sign_in(&right), Err(AuthError::Throttled { .. })));
    node.ledger.close();
}

#[test]
fn many_right_requests_at_once_are_not_taken_for_guesses() {
    let node = Node::new();
    user(&node, "officer-a", Role::Reader);
    let line = basic("officer-a", WORDS);
    std::thread::scope(|scope| {
        let ask = || node.people.authenticate(&header(Some(&line), None)).map(|v| v.is_some());
        let all: Vec<_> = (0..16).map(|_| scope.spawn(ask)).collect();
        assert!(all.into_iter().all(|one| one.join().unwrap().unwrap()));
    });
    node.ledger.close();
}

#[test]
fn a_session_lasts_as_long_as_it_may_and_ends_with_every_change_of_rights_or_password() {
    let node = Node::new();
    let account = user(&node, "officer-a", Role::Reader);
    let one = sign_in(&node, "officer-a");
    let viewer = by_cookie(&node, &one.cookie).unwrap().unwrap();
    assert_eq!((viewer.account(), viewer.role()), (account, Role::Reader));
    let list = node.people.sessions(&viewer, account).unwrap();
    assert_eq!((list.len(), list[0].agent.as_str()), (1, "Firefox on Linux"));
    // Idle too long.
    node.clock.forward(3_600);
    assert!(matches!(by_cookie(&node, &one.cookie), Err(AuthError::Ended)));
    // In use, but too old.
    let two = sign_in(&node, "officer-a");
    for _ in 0..24 {
        assert!(by_cookie(&node, &two.cookie).is_ok());
        node.clock.forward(1_800);
    }
    assert!(matches!(by_cookie(&node, &two.cookie), Err(AuthError::Ended)));
    type Change = fn(&Node, u32);
    let changes: [Change; 4] = [
        |n, a| n.people.set_role(&n.local(), a, Role::Analyst).unwrap(),
        |n, a| {
            n.people.set_disabled(&n.local(), a, true).unwrap();
            n.people.set_disabled(&n.local(), a, false).unwrap();
        },
        |n, a| n.people.set_password(&n.local(), a, WORDS).unwrap(),
        |n, a| n.people.reset_second_factor(&n.local(), a).unwrap(),
    ];
    for change in changes {
        let signed = sign_in(&node, "officer-a");
        assert!(by_cookie(&node, &signed.cookie).is_ok());
        change(&node, account);
        assert!(matches!(by_cookie(&node, &signed.cookie), Err(AuthError::Ended)));
        assert!(node.people.again(&signed.viewer).unwrap().is_none());
    }
    // A new time zone is no change of rights.
    let signed = sign_in(&node, "officer-a");
    node.people.set_own_settings(&signed.viewer, "Officer A", "Asia/Bangkok", "th").unwrap();
    let viewer = by_cookie(&node, &signed.cookie).unwrap().unwrap();
    assert_eq!((viewer.name(), viewer.zone(), viewer.locale()), ("Officer A", "Asia/Bangkok", "th"));
    let node = node.restart();
    assert!(by_cookie(&node, &signed.cookie).is_ok());
    node.people.sign_out(&signed.viewer).unwrap();
    assert!(matches!(by_cookie(&node, &signed.cookie), Err(AuthError::Ended)));
    node.ledger.close();
}

#[test]
fn a_forged_or_bent_cookie_opens_nothing() {
    let node = Node::new();
    user(&node, "officer-a", Role::Reader);
    let signed = sign_in(&node, "officer-a");
    let bytes = URL_SAFE_NO_PAD.decode(&signed.cookie).unwrap();
    for at in 0..bytes.len() {
        let mut bent = bytes.clone();
        bent[at] ^= 1;
        assert!(matches!(by_cookie(&node, &URL_SAFE_NO_PAD.encode(bent)), Err(AuthError::Ended)), "{at}");
    }
    let id = node.people.sessions(&signed.viewer, signed.viewer.account()).unwrap()[0].id;
    let whole = [id.as_slice(), &[0; 32]].concat();
    for forged in [URL_SAFE_NO_PAD.encode(id), URL_SAFE_NO_PAD.encode(whole), String::new(), "a".repeat(9_999)] {
        assert!(matches!(by_cookie(&node, &forged), Err(AuthError::Ended)));
    }
    node.ledger.close();
}

#[test]
fn a_form_counts_only_with_what_its_own_session_was_given() {
    let node = Node::new();
    user(&node, "officer-a", Role::Reader);
    let (one, two) = (sign_in(&node, "officer-a").viewer, sign_in(&node, "officer-a").viewer);
    let (of_one, of_two) = (node.people.csrf(&one).unwrap(), node.people.csrf(&two).unwrap());
    assert!(node.people.csrf_is_right(&one, Some(&of_one)));
    assert!(!node.people.csrf_is_right(&one, Some(&of_two)));
    assert!(!node.people.csrf_is_right(&one, None));
    let line = basic("officer-a", WORDS);
    let by_password = node.people.authenticate(&header(Some(&line), None)).unwrap().unwrap();
    assert!(!node.people.csrf_is_right(&by_password, Some(&of_one)));
    node.ledger.close();
}

/// The code that an authenticator app shows.
fn code(secret: &str, seconds: u64) -> String {
    let secret = totp_rs::Secret::try_from_base32(secret).unwrap();
    totp_rs::Builder::new().with_secret(secret).build().unwrap().generate(seconds).to_string()
}

#[test]
fn a_second_factor_takes_each_code_once_within_a_step_and_each_recovery_code_once() {
    let node = Node::new();
    let account = user(&node, "officer-a", Role::Reader);
    let viewer = sign_in(&node, "officer-a").viewer;
    let now = || u64::try_from(ledger::Clock::now(&node.clock) / 1_000_000).unwrap();
    let line = basic("officer-a", WORDS);
    assert!(node.people.authenticate(&header(Some(&line), None)).is_ok());
    let enrolment = node.people.begin_second_factor(&viewer).unwrap();
    assert!(enrolment.url.starts_with("otpauth://totp/"));
    let sealed: Vec<u8> =
        node.ledger.state().read(|c| Ok(c.query_row("SELECT sealed FROM totp", [], |r| r.get(0))?)).unwrap();
    let plain = totp_rs::Secret::try_from_base32(&enrolment.secret).unwrap();
    assert!(!sealed.windows(20).any(|w| w == plain.as_bytes()));
    assert!(node.people.confirm_second_factor(&viewer, "000").is_err());
    assert!(node.people.sign_in(&with("officer-a", WORDS, None)).is_ok(), "not confirmed yet");
    let codes = node.people.confirm_second_factor(&viewer, &code(&enrolment.secret, now())).unwrap();
    assert_eq!(codes.len(), 10);
    // The password alone opens nothing any more, remembered or not.
    assert!(matches!(node.people.authenticate(&header(Some(&line), None)), Err(AuthError::NeedsCode)));
    assert!(matches!(node.people.sign_in(&with("officer-a", WORDS, None)), Err(AuthError::NeedsCode)));
    let try_code = |text: &str| node.people.sign_in(&with("officer-a", WORDS, Some(text)));
    assert!(matches!(try_code(&code(&enrolment.secret, now())), Err(AuthError::Refused)), "the code that confirmed");
    node.clock.forward(30);
    // One step early, one late, two late; and an older code never after a newer one.
    assert!(try_code(&code(&enrolment.secret, now() + 30)).is_ok());
    assert!(matches!(try_code(&code(&enrolment.secret, now() + 30)), Err(AuthError::Refused)), "a replay");
    assert!(matches!(try_code(&code(&enrolment.secret, now())), Err(AuthError::Refused)), "older than the last");
    node.clock.forward(90);
    assert!(matches!(try_code(&code(&enrolment.secret, now() - 60)), Err(AuthError::Refused)), "two steps late");
    assert!(try_code(&code(&enrolment.secret, now() - 30)).is_ok());
    assert!(try_code(&codes[0].to_uppercase().replace('-', " ")).is_ok());
    assert!(matches!(try_code(&codes[0]), Err(AuthError::Refused)), "once");
    assert_eq!(node.people.second_factor(&viewer, account).unwrap(), Some(9));
    let wrong_words = with("officer-a", "not the words at all", Some(&codes[1]));
    assert!(matches!(node.people.sign_in(&wrong_words), Err(AuthError::Refused)));
    assert_eq!(node.people.second_factor(&viewer, account).unwrap(), Some(9), "a wrong password uses up no code");
    node.people.remove_second_factor(&viewer, &codes[1]).unwrap();
    assert!(node.people.sign_in(&with("officer-a", WORDS, None)).is_ok());
    node.ledger.close();
}

#[test]
fn a_person_never_gets_a_role_that_does_not_sign_in() {
    let node = Node::new();
    assert!(node.people.add_user(&node.local(), "rin", Role::Peer, WORDS).is_err());
    let rin = node.people.add_user(&node.local(), "rin", Role::Reader, WORDS).unwrap();
    assert!(node.people.set_role(&node.local(), rin, Role::Peer).is_err());
    let without =
        || node.people.without_second_factor(&node.local()).unwrap().iter().map(|a| a.number).collect::<Vec<_>>();
    assert_eq!(without(), [rin]);
    node.people.set_disabled(&node.local(), rin, true).unwrap();
    assert!(without().is_empty());
    node.ledger.close();
}

#[test]
fn names_are_taken_once_whatever_their_case_and_passwords_are_checked_before_anything_is_written() {
    let node = Node::new();
    user(&node, "officer-a", Role::Reader);
    let head = node.ledger.head().pos;
    let add = |name, words| node.people.add_user(&node.local(), name, Role::Reader, words);
    assert!(add("Officer-A", WORDS).is_err());
    assert!(add("officer-b", "password1234").is_err());
    assert!(add("a:b", WORDS).is_err());
    assert!(add("", WORDS).is_err());
    assert_eq!(node.ledger.head().pos, head);
    node.ledger.close();
}

#[test]
fn two_accounts_made_at_once_get_two_numbers() {
    let node = Node::new();
    std::thread::scope(|scope| {
        let make = |n: u32| {
            let node = &node;
            scope.spawn(move || {
                let name = format!("program-{n}");
                node.people.create_token(&node.local(), &NewToken { name: &name, role: Role::Reader, days: None })
            })
        };
        let all: Vec<_> = (0..4).map(make).collect();
        all.into_iter().for_each(|one| drop(one.join().unwrap().unwrap()));
    });
    let accounts = node.people.accounts(&node.local()).unwrap();
    assert_eq!(accounts.iter().map(|a| a.number).collect::<Vec<_>>(), [1, 2, 3, 4, 5, 6]);
    node.ledger.close();
}

#[test]
fn changing_ones_own_password_asks_for_the_old_one_and_ends_the_other_sessions() {
    let node = Node::new();
    user(&node, "officer-a", Role::Reader);
    let (one, two) = (sign_in(&node, "officer-a"), sign_in(&node, "officer-a"));
    let new = "other words of nonsense";
    assert!(node.people.change_own_password(&one.viewer, "not the words at all", new).is_err());
    node.people.change_own_password(&one.viewer, WORDS, new).unwrap();
    assert!(by_cookie(&node, &one.cookie).is_ok());
    assert!(matches!(by_cookie(&node, &two.cookie), Err(AuthError::Ended)));
    assert!(node.people.sign_in(&with("officer-a", new, None)).is_ok());
    node.ledger.close();
}
