//! People: accounts with a password.
use crate::entry::Sort;
use crate::password::check_rules;
use crate::{Credential, Error, People, Result, Right, Role, Viewer};

impl People {
    /// Makes an account for a person; the answer is its number.
    ///
    /// # Errors
    /// [`Error::Forbidden`], [`Error::Invalid`] for a name that is taken or a password that is not one, the ledger's.
    pub fn add_user(&self, viewer: &Viewer, name: &str, role: Role, password: &str) -> Result<u32> {
        viewer.need(Right::ManageAccounts)?;
        if !role.may(Right::SignIn) {
            return Err(Error::invalid("that role does not sign in with a password; make a token"));
        }
        check_rules(password, name)?;
        // RFC 7617 §2: a name in an Authorization header holds no colon.
        if name.contains(':') {
            return Err(Error::invalid("the name must not hold a colon"));
        }
        let account = self.create_account(viewer, name, role, Sort::Person)?;
        self.inner.door.passwords.set(&self.inner.door.ledger, account, password)?;
        Ok(account)
    }

    /// Sets another's password; their sessions end.
    ///
    /// # Errors
    /// As [`People::add_user`].
    pub fn set_password(&self, viewer: &Viewer, account: u32, password: &str) -> Result<()> {
        viewer.need(Right::ManageAccounts)?;
        self.new_password(account, password)
    }

    fn new_password(&self, account: u32, password: &str) -> Result<()> {
        let now = self.current()?;
        let person = now.accounts.get(&account).filter(|a| a.body.sort == Sort::Person).ok_or(Error::NoAccount)?;
        check_rules(password, &person.body.name)?;
        self.inner.door.passwords.set(&self.inner.door.ledger, account, password)?;
        self.inner.door.drop_sessions(account, None)
    }

    /// Whether the viewer's account has a password: who came in with a link has none yet.
    pub fn has_password(&self, viewer: &Viewer) -> bool {
        self.inner.door.passwords.of(viewer.account()).is_some()
    }

    /// Changes one's own password; every session ends but the one it was changed in. An account that has none yet sets
    /// its first one, in a session: then `old` is not looked at.
    ///
    /// # Errors
    /// [`Error::Invalid`] when the old one is not right or the new one not one to take; the storage's.
    pub fn change_own_password(&self, viewer: &Viewer, old: &str, new: &str) -> Result<()> {
        let (door, account) = (&self.inner.door, viewer.account());
        let now = self.current()?;
        let person = now.accounts.get(&account).filter(|a| a.body.sort == Sort::Person).ok_or(Error::NoAccount)?;
        check_rules(new, &person.body.name)?;
        if self.has_password(viewer) {
            let busy = || Error::invalid("too many sign-ins at this moment; try again");
            let right = door.guess(&person.body.name, || {
                let place = door.passwords.place().ok_or_else(busy)?;
                Ok(door.passwords.is_right(&place, door.passwords.of(account).as_ref(), old))
            })?;
            if !right {
                return Err(Error::invalid("the old password is not right"));
            }
        } else {
            viewer.need_session()?;
        }
        door.passwords.set(&door.ledger, account, new)?;
        let this = match viewer.via() {
            Credential::Session(id) => Some(id),
            _ => None,
        };
        door.drop_sessions(account, this)
    }
}
