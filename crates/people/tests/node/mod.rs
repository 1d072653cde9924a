//! A node in a folder of its own, for the hall's tests.
#![allow(dead_code, reason = "each test file uses a part")]
use ledger::testing::TestFolder;
use ledger::{Clock, Folder, Ledger, Options, RoomFactory};
use people::{AuthHeader, People, Viewer};
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

/// A clock that stands until it is moved.
#[derive(Clone)]
pub struct Hand(Arc<AtomicI64>);
impl Clock for Hand {
    fn now(&self) -> i64 {
        self.0.load(Ordering::SeqCst)
    }
}
impl Hand {
    pub fn forward(&self, seconds: i64) {
        self.0.fetch_add(seconds * 1_000_000, Ordering::SeqCst);
    }
}

pub struct Node {
    pub dir: TestFolder,
    pub ledger: Ledger,
    pub people: People,
    pub clock: Hand,
}

impl Node {
    pub fn new() -> Self {
        Self::with_rooms(vec![])
    }

    pub fn with_rooms(rooms: Vec<RoomFactory>) -> Self {
        let dir = TestFolder::new();
        Self::open_in(dir, Hand(Arc::new(AtomicI64::new(1_790_000_000_000_000))), rooms)
    }

    fn open_in(dir: TestFolder, clock: Hand, rooms: Vec<RoomFactory>) -> Self {
        let fresh = !Folder::holds_a_node(dir.path());
        if fresh {
            Ledger::create(dir.path()).unwrap();
        }
        let options = Options { clock: Arc::new(clock.clone()), ..Options::default() };
        let rooms = std::iter::once(people::room()).chain(rooms).collect();
        let ledger = Ledger::open(dir.path(), options, rooms).unwrap();
        dir.watch(&ledger);
        if fresh {
            let info = people::NodeInfo { name: "EXERCISE agency".into(), country: "th".into(), exercise: true };
            people::init(&ledger, info).unwrap();
        }
        let options = people::Options { cost: people::Cost { kib: 64, passes: 1 }, ..Default::default() };
        let people = People::open_with(&ledger, options).unwrap();
        Self { dir, ledger, people, clock }
    }

    /// Closes everything and opens it again.
    pub fn restart(self) -> Self {
        self.ledger.close();
        Self::open_in(self.dir, self.clock, vec![])
    }

    pub fn local(&self) -> Viewer {
        self.people.local_viewer().unwrap()
    }
}

pub fn header<'a>(authorization: Option<&'a str>, cookie: Option<&'a str>) -> AuthHeader<'a> {
    AuthHeader { authorization, cookie, peer: [192, 0, 2, 7].into() }
}
