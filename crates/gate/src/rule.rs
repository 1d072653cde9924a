use people::{Right, Role};
use std::fmt;

/// Who passes a route. What they see behind it is narrowed further by collections and their audiences.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Rule {
    /// Everybody; nobody is asked who they are.
    Open,
    /// Whoever shows credentials that stand.
    SignedIn,
    /// Whoever's role has the right.
    Needs(Right),
}

impl Rule {
    /// Whether somebody of this role passes.
    pub fn lets(self, role: Role) -> bool {
        match self {
            Self::Open => true,
            Self::SignedIn => role != Role::Unknown,
            Self::Needs(right) => role.may(right),
        }
    }
}

impl fmt::Display for Rule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Open => "open",
            Self::SignedIn => "signed in",
            Self::Needs(right) => right.as_str(),
        })
    }
}

/// A line of the table of routes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Line {
    /// The door's name.
    pub door: &'static str,
    /// `GET`, `POST`, `DELETE`, or `*` for every one that no other line names.
    pub method: &'static str,
    /// The path's pattern.
    pub path: &'static str,
    /// Who passes.
    pub rule: Rule,
}

impl fmt::Display for Line {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:<7} {:<7} {}  {}", self.door, self.method, self.path, self.rule)
    }
}
