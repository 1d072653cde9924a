//! Values that many unrelated reports name: exchanges' hot wallets, popular sites, hotlines, placeholders. Some stand
//! on reference lists; one hot wallet and one link shortener stand on none and must be found by their spread.

use crate::cast::{Agency, Kind, Selector};
use crate::prng::Rng;
use crate::wallets::{Coin, wallet};
use serde_json::{Value, json};

/// Where the offenders have their mailboxes: domains that everybody's address ends in.
pub(crate) const MAIL_HOSTS: [&str; 3] = ["mail.example", "post.example", "inbox.test"];
/// Sites that everybody names.
pub(crate) const POPULAR: [&str; 4] = ["search.example", "video.example", "maps.example", "social.example"];
/// The link shortener that no list has.
pub(crate) const SHORTENER: &str = "tiny-link.test";
/// The address of nobody in EVM chains.
pub(crate) const ZERO: &str = "0x0000000000000000000000000000000000000000";
/// An address that forms are filled with when nobody knows.
pub(crate) const NOBODY: &str = "none@example.com";

/// The hubs of one world.
pub(crate) struct Hubs {
    pub(crate) hot: Vec<Selector>,
    pub(crate) hot_unlisted: Selector,
}

impl Hubs {
    pub(crate) fn new(seed: u64) -> Self {
        let mut rng = Rng::keyed(seed, "hubs", 0);
        let mut hot = |coin| Selector { kind: Kind::Wallet(coin), value: wallet(coin, &mut rng) };
        let listed = [Coin::Trx, Coin::Btc, Coin::Eth, Coin::Trx].map(&mut hot).into();
        Self { hot: listed, hot_unlisted: hot(Coin::Trx) }
    }

    /// The reference lists, each a file name and a list in MISP's warninglist format.
    pub(crate) fn lists(&self, agencies: &[Agency]) -> Vec<(&'static str, Value)> {
        let list = |name: &str, about: &str, kind: &str, matching: &[&str], values: Vec<String>| {
            json!({
                "name": format!("EXERCISE {name}"),
                "version": 1,
                "description": format!("EXERCISE: {about}"),
                "type": kind,
                "matching_attributes": matching,
                "list": values,
            })
        };
        let owned = |values: &[&str]| values.iter().map(|&value| value.to_owned()).collect::<Vec<_>>();
        let hot = self.hot.iter().map(|selector| selector.value.clone()).collect();
        let lines = agencies.iter().map(|agency| agency.hotline.clone()).collect();
        let mut sites = owned(&POPULAR);
        sites.extend(owned(&MAIL_HOSTS));
        vec![
            (
                "exchange-hot-wallets.json",
                list("exchanges' hot wallets", "pooled wallets of all customers", "string", &["btc", "text"], hot),
            ),
            (
                "popular-domains.json",
                list(
                    "popular domains",
                    "sites and mail hosts that anybody uses",
                    "hostname",
                    &["domain", "url"],
                    sites,
                ),
            ),
            (
                "hotline-numbers.json",
                list("hotline numbers", "the agencies' own help lines", "string", &["phone-number"], lines),
            ),
            (
                "placeholders.json",
                list(
                    "placeholders",
                    "what forms are filled with when nobody knows",
                    "string",
                    &["email", "text"],
                    owned(&[ZERO, NOBODY]),
                ),
            ),
        ]
    }
}
