//! At which rates the world does what it does, per mille unless a unit is named. Changing one changes every world.

/// Reports of a single offender or of nobody's, with selectors of their own: they belong to no syndicate.
pub const LONE_REPORTS: u64 = 120;
/// A syndicate's report cites the value before the current one: the victim comes late.
pub const LATE_VALUES: u64 = 100;
/// A phone number has one digit wrong, still within the reserved ranges.
pub const MISTYPED_PHONES: u64 = 20;
/// Any other value has one character wrong (a wallet then fails its checksum).
pub const MISTYPED_OTHERS: u64 = 10;
/// A report also names an exchange's hot wallet that the exchange has published (`reference/`).
pub const LISTED_HOT_WALLETS: u64 = 50;
/// A report also names a popular site that a reference list has (`reference/`).
pub const LISTED_DOMAINS: u64 = 50;
/// A report also names the one hot wallet that no list has.
pub const UNLISTED_HOT_WALLET: u64 = 3;
/// A report also names the one link shortener that no list has.
pub const UNLISTED_SHORTENER: u64 = 3;
/// A report also quotes the number of its agency's own hotline.
pub const QUOTED_HOTLINES: u64 = 60;
/// A report has a placeholder in place of a value that nobody knew.
pub const PLACEHOLDERS: u64 = 20;
/// A number that a syndicate gives up goes back to the operator and on to somebody else.
pub const REASSIGNED_PHONES: u64 = 40;
/// Of those, the share that an innocent person gets; another syndicate gets the rest.
pub const REASSIGNED_TO_INNOCENT: u64 = 500;
/// A value written in text is defanged or spelled so that it is harder to read.
pub const DISGUISED_VALUES: u64 = 200;
/// No genuine selector is named by more reports than this: numbers are burned, sites are taken down.
pub const GENUINE_HOLDERS: u32 = 24;
/// The fewest reports a syndicate gives in a large world, and the most.
pub const SYNDICATE_REPORTS: (u64, u64) = (40, 90);
/// The quarantine before a number is given to somebody else, as a share of the whole span.
pub const REASSIGN_AFTER: u64 = 150;
/// Intelligence reports (who runs which compound) among the police's reports.
pub const INTELLIGENCE_REPORTS: u64 = 80;
