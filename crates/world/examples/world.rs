//! Writes a world and prints one JSON line: objects, files, bytes, CPU seconds, peak memory.
//! `cargo run -p world --example world -- DIR [OBJECTS] [SEED] [AGENCIES]`

use std::path::PathBuf;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut arguments = std::env::args().skip(1);
    let dir = PathBuf::from(arguments.next().ok_or("a folder is wanted")?);
    let mut number = |default: u64| arguments.next().map_or(Ok(default), |text| text.parse());
    let objects = number(100_000)? as usize;
    let seed = number(7)?;
    let agencies = number(6)? as usize;
    let plan = world::Plan { seed, objects, agencies, ..world::Plan::default() };
    let summary = world::write(&plan, &dir, &mut |_, _| ())?;
    // Linux counts CPU in ticks of a hundredth of a second and memory in kilobytes (proc(5)).
    let stat = std::fs::read_to_string("/proc/self/stat")?;
    let ticks: u64 = stat.split(' ').skip(13).take(2).filter_map(|field| field.parse::<u64>().ok()).sum();
    let status = std::fs::read_to_string("/proc/self/status")?;
    let peak = status.lines().find_map(|line| line.strip_prefix("VmHWM:")?.trim().strip_suffix(" kB"));
    let peak: u64 = peak.map_or(Ok(0), str::parse)?;
    println!(
        "{}",
        serde_json::json!({
            "reports": summary.reports, "objects": summary.objects, "syndicates": summary.syndicates,
            "files": summary.files, "mb": summary.bytes / 1_000_000, "cpu_s": ticks as f64 / 100.0, "peak_mb": peak / 1000,
        })
    );
    Ok(())
}
