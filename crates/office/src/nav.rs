//! What stands around a visitor's page: their name, their role, and where that role can go.
use people::{Right, Viewer};
use std::sync::Arc;
use web::{Chrome, NavItem, UserChip};

/// The frame that [`gate::Gate::framed`] takes.
pub fn frame(chrome: &mut Chrome, viewer: &Viewer, path: &str) {
    let role = chrome.t(&format!("office-role-{}", viewer.role()));
    chrome.user = Some(UserChip { name: viewer.name().to_owned(), role });
    chrome.nav = nav(viewer, path);
}

/// Key, address, and whether the viewer's role finds something there.
fn places(viewer: &Viewer) -> [(&'static str, &'static str, bool); 11] {
    let reads = viewer.may_read_bodies();
    let manages = viewer.may(Right::ManageAccounts);
    let imports = viewer.may(Right::Import);
    [
        ("office-nav-overview", "/", reads),
        ("office-nav-overview", "/desk", !reads && viewer.may(Right::SeeCollections)),
        ("office-nav-search", "/search", reads),
        ("office-nav-report", "/report", imports),
        ("office-nav-import", "/import", imports),
        ("office-nav-feeds", "/feeds", true),
        ("office-nav-collections", "/collections", viewer.may(Right::SeeAudiences)),
        ("office-nav-ledger", "/ledger", viewer.may(Right::SeeProofs)),
        ("office-nav-users", "/users", manages),
        ("office-nav-tokens", "/tokens", manages),
        ("office-nav-access", "/access", viewer.may_see_access_log()),
    ]
}

fn stands_in(path: &str, href: &str) -> bool {
    path.strip_prefix(href).is_some_and(|rest| rest.is_empty() || (href != "/" && rest.starts_with('/')))
}

/// The navigation of a page at `path`.
fn nav(viewer: &Viewer, path: &str) -> Arc<[NavItem]> {
    let shown = places(viewer).into_iter().filter(|(_, _, shown)| *shown);
    shown.map(|(key, href, _)| NavItem { key, href: href.into(), current: stands_in(path, href) }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use people::Role;

    fn hrefs(role: Role) -> Vec<String> {
        nav(&Viewer::for_test(role, [1]), "/").iter().map(|item| item.href.clone()).collect()
    }

    #[test]
    fn each_role_is_led_to_what_it_may_do_and_to_nothing_else() {
        assert_eq!(hrefs(Role::Reader), ["/", "/search", "/feeds"]);
        assert_eq!(hrefs(Role::Analyst), ["/", "/search", "/report", "/import", "/feeds"]);
        let supervisor = ["/", "/search", "/report", "/import", "/feeds", "/collections", "/ledger"];
        assert_eq!(hrefs(Role::Supervisor), supervisor);
        assert_eq!(hrefs(Role::Administrator), ["/desk", "/feeds", "/collections", "/ledger", "/users", "/tokens"]);
        assert_eq!(hrefs(Role::Auditor), ["/desk", "/feeds", "/collections", "/ledger", "/access"]);
    }

    #[test]
    fn one_place_is_the_current_one() {
        assert!(stands_in("/import/7", "/import") && !stands_in("/import/7", "/") && !stands_in("/imports", "/import"));
    }
}
