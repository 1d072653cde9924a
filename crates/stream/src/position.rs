use ledger::Ledger;

/// Where a listener begins.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Begin {
    /// The last `pos` it needs no more.
    pub(crate) after: u64,
    /// The place it is told until something comes that it may see, `arrived` in µs.
    pub(crate) seen: i64,
}

/// Reads where a listener begins; `None` = from now on.
pub(crate) fn start(ledger: &Ledger, from: Option<&str>) -> Result<Option<Begin>, ()> {
    let Some(text) = from.filter(|t| *t != "live") else { return Ok(None) };
    let micros = read(text).ok_or(())?;
    let first = ledger.log().first_after(micros).map_err(|_| ())?;
    Ok(Some(Begin { after: first.saturating_sub(1), seen: micros }))
}

/// `0`, `<milliseconds>-<µs>`, or an instant, in µs: never below 0, where no log has begun.
pub(crate) fn read(text: &str) -> Option<i64> {
    if let Some((millis, micros)) = text.split_once('-')
        && let (Ok(millis), Ok(micros)) = (millis.parse::<u64>(), micros.parse::<u64>())
    {
        return i64::try_from(millis.checked_mul(1_000)?.checked_add(micros)?).ok();
    }
    if let Ok(millis) = text.parse::<u64>() {
        return i64::try_from(millis.checked_mul(1_000)?).ok();
    }
    let instant = match text.len() {
        10 => format!("{text}T00:00:00Z"),
        _ if text.ends_with('Z') => text.to_owned(),
        _ => format!("{text}Z"),
    };
    instant.parse::<stix::Instant>().ok().map(|at| at.micros().max(0))
}

/// The position of an `arrived`, µs.
pub(crate) fn write(arrived: i64) -> String {
    format!("{}-{}", arrived.div_euclid(1_000), arrived.rem_euclid(1_000))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_position_survives_its_own_text() {
        for micros in [0, 1, 999, 1_000, 1_700_000_000_123_456] {
            assert_eq!(read(&write(micros)), Some(micros));
        }
        assert_eq!(read("2026-01-01T00:00:00Z"), read("2026-01-01T00:00:00"));
        assert_eq!(read("2026-01-01T00:00:00Z"), read("2026-01-01"));
        assert_eq!(read("1901-01-01"), Some(0));
        for bad in ["yesterday", "-5", "-5--7", "9223372036854775807-1", "18446744073709551615"] {
            assert_eq!(read(bad), None, "{bad}");
        }
    }
}
