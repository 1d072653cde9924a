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
fn places(viewer: &Viewer) -> [(&'static str, &'static str, bool); 9] {
    let reads = viewer.may_read_bodies();
    let manages = viewer.may(Right::ManageAccounts);
    [
        ("office-nav-overview", "/", true),
        ("office-nav-search", "/search", reads),
        ("office-nav-report", "/report", viewer.may(Right::Write)),
        ("office-nav-import", "/import", reads),
        ("office-nav-feeds", "/feeds", true),
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
    fn each_role_is_led_only_to_pages_that_open_for_it() {
        assert!(!hrefs(Role::Reader).iter().any(|h| ["/users", "/tokens", "/access", "/report"].contains(&h.as_str())));
        assert!(hrefs(Role::Administrator).contains(&"/users".into()));
        assert!(!hrefs(Role::Administrator).contains(&"/search".into()));
        assert!(hrefs(Role::Auditor).contains(&"/access".into()));
    }

    #[test]
    fn one_place_is_the_current_one() {
        assert!(stands_in("/import/7", "/import") && !stands_in("/import/7", "/") && !stands_in("/imports", "/import"));
    }
}
