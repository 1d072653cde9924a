//! What the machine says of a process: CPU, memory, load.
use crate::Failure;
use std::path::Path;

/// User and system time of this process, s.
pub fn cpu_seconds() -> Result<f64, Failure> {
    cpu_of("self")
}

/// User and system time of a process (its id, or `self`), s. Linux tells it in hundredths (USER_HZ).
pub fn cpu_of(process: &str) -> Result<f64, Failure> {
    let stat = std::fs::read_to_string(format!("/proc/{process}/stat"))?;
    let after = stat.rsplit_once(')').map_or("", |(_, rest)| rest);
    let ticks: u64 = after.split_whitespace().skip(11).take(2).filter_map(|n| n.parse::<u64>().ok()).sum();
    Ok(ticks as f64 / 100.0)
}

/// A line of a process's `status` that is told in kB, in MB: `VmHWM` (peak), `VmRSS` (now).
pub fn memory_mb(process: &str, what: &str) -> Result<f64, Failure> {
    let status = std::fs::read_to_string(format!("/proc/{process}/status"))?;
    let line = status.lines().find_map(|l| l.strip_prefix(what)?.strip_prefix(':'));
    let kb: f64 = line.and_then(|l| l.split_whitespace().next()?.parse().ok()).unwrap_or(0.0);
    Ok((kb / 102.4).round() / 10.0)
}

/// The machine's load over the last minute; every result is printed with it.
pub fn load() -> f64 {
    let text = std::fs::read_to_string("/proc/loadavg").unwrap_or_default();
    text.split_whitespace().next().and_then(|n| n.parse().ok()).unwrap_or(0.0)
}

/// Bytes of the files in a folder, MB.
pub fn size_mb(folder: &Path) -> u64 {
    let Ok(dir) = std::fs::read_dir(folder) else { return 0 };
    dir.flatten().filter_map(|f| f.metadata().ok()).filter(|m| m.is_file()).map(|m| m.len()).sum::<u64>() >> 20
}
