//! Tags of a world's exchanges, as far as anybody tagged them: a TagPack.
use super::cast::Cast;
use super::truth::Line;
use super::writing::Writing;
use super::{MoneyPlan, TruthFile};
use crate::WorldError;
use crate::disk::Sheet;
use std::path::Path;

/// The pack while it is written.
pub(crate) struct Pack {
    sheet: Sheet,
    day: String,
}

impl Pack {
    pub(crate) fn new(plan: &MoneyPlan, dir: &Path) -> Result<Self, WorldError> {
        let mut sheet = Sheet::new(dir.join("tags.yaml"))?;
        sheet.write(
            "---\ntitle: EXERCISE exchanges\ncreator: EXERCISE world\ndescription: EXERCISE working wallets of invented \
             exchanges\nis_public: false\nconfidence: authority_data\nsource: EXERCISE world\ntags:\n",
        )?;
        Ok(Self { sheet, day: plan.start.strftime("%Y-%m-%d").to_string() })
    }

    /// The tagged wallets of a chain's exchanges, and the parties in the truth.
    pub(crate) fn exchanges(&mut self, writing: Writing, cast: &Cast, truth: &mut TruthFile) -> Result<(), WorldError> {
        let (network, currency) = match writing {
            Writing::Evm => (writing.code(), "COIN"),
            Writing::Tron => ("trx", "TRX"),
        };
        for exchange in &cast.exchanges {
            let (id, what) = (format!("{}@{network}", exchange.id), "exchange".to_owned());
            truth.line(&Line::Party { id, what, actor: exchange.actor.clone() })?;
            let Some(actor) = &exchange.actor else { continue };
            for (hot, _) in exchange.hot.iter().zip(&exchange.tagged).filter(|(_, tagged)| **tagged) {
                let (address, day) = (writing.text(hot), &self.day);
                self.sheet.write(&format!(
                    "  - address: '{address}'\n    currency: {currency}\n    network: {network}\n    actor: {actor}\n    \
                     label: EXERCISE {actor} working wallet\n    category: exchange\n    lastmod: '{day}'\n"
                ))?;
            }
        }
        Ok(())
    }

    pub(crate) fn close(self) -> Result<u64, WorldError> {
        self.sheet.close()
    }
}
