use crate::view::{self, AccountRow};
use crate::viewer::Inner as ViewerInner;
use crate::{Account, Collection, Result};
use ledger::{CollectionId, Ledger, LogReader, View};
use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

/// Viewers kept per state of the audiences.
const VIEWERS: usize = 4_096;

/// All audiences and accounts as they stood at one position.
#[derive(Debug, Default)]
pub(crate) struct Snapshot {
    pub(crate) folded: u64,
    pub(crate) position: u64,
    pub(crate) house: Option<CollectionId>,
    /// The node that wrote `house`: this one.
    node: Arc<str>,
    pub(crate) collections: HashMap<CollectionId, Arc<Collection>>,
    by_col: HashMap<u32, CollectionId>,
    pub(crate) accounts: HashMap<u32, Arc<Account>>,
    names: HashMap<String, u32>,
    viewers: Mutex<HashMap<u32, Arc<ViewerInner>>>,
}

impl Snapshot {
    /// Whether this node writes the collection.
    pub(crate) fn own(&self, collection: &Collection) -> bool {
        *collection.node == *self.node
    }

    /// The account with this name, whatever its case.
    pub(crate) fn named(&self, name: &str) -> Option<&Arc<Account>> {
        self.accounts.get(self.names.get(&name.to_lowercase())?)
    }

    pub(crate) fn of_col(&self, col: u32) -> Option<&Arc<Collection>> {
        self.collections.get(self.by_col.get(&col)?)
    }

    pub(crate) fn viewer(&self, account: &Account) -> Arc<ViewerInner> {
        let mut viewers = self.viewers.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(known) = viewers.get(&account.number) {
            return Arc::clone(known);
        }
        if viewers.len() >= VIEWERS {
            viewers.clear();
        }
        let made = Arc::new(ViewerInner::derive(account, self));
        viewers.insert(account.number, Arc::clone(&made));
        made
    }
}

/// What is not as it was written counts as unreadable: nobody reads the collection, the account may do nothing.
fn proved(log: &LogReader, pos: u64) -> Result<Option<Arc<str>>> {
    match log.proved_body(pos) {
        Err(ledger::Error::Damaged(why)) => {
            tracing::error!(%why, "an audience or account is damaged in the log and opens nothing; `eye verify` says more");
            Ok(None)
        }
        body => Ok(body?),
    }
}

impl Snapshot {
    /// This, with what moved since.
    pub(crate) fn refreshed(&self, ledger: &Ledger, view: &View, folded: u64) -> Result<Self> {
        let (collections, accounts, house, position) = view.read(|r| {
            let (c, a) =
                (view::collections_after(r.conn, self.position)?, view::accounts_after(r.conn, self.position)?);
            Ok((c, a, view::house(r.conn)?, r.position))
        })?;
        let mut new = Self {
            folded,
            position,
            house: None,
            node: Arc::clone(&self.node),
            collections: self.collections.clone(),
            by_col: self.by_col.clone(),
            accounts: self.accounts.clone(),
            names: self.names.clone(),
            viewers: Mutex::default(),
        };
        let log = ledger.log();
        for row in collections {
            let body = proved(log, row.pos)?;
            let collection = Arc::new(Collection::new(row, body.as_deref()));
            new.by_col.insert(collection.col, collection.id);
            new.collections.insert(collection.id, collection);
        }
        for row in accounts {
            let body = proved(log, row.pos)?;
            new.take_account(&row, body.as_deref());
        }
        new.house = house.and_then(|col| new.by_col.get(&col)).copied();
        if let Some(house) = new.house.and_then(|id| new.collections.get(&id)) {
            new.node = Arc::clone(&house.node);
        }
        Ok(new)
    }

    fn take_account(&mut self, row: &AccountRow, body: Option<&str>) {
        let account = Arc::new(Account::new(row, body));
        if let Some(old) = self.accounts.get(&row.number)
            && self.names.get(&old.body.name.to_lowercase()) == Some(&row.number)
        {
            self.names.remove(&old.body.name.to_lowercase());
        }
        self.names.entry(account.body.name.to_lowercase()).or_insert(row.number);
        self.accounts.insert(row.number, account);
    }
}
