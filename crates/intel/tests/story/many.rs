//! Many versions of one object: each page costs its own length, and what goes goes whole.
use super::*;

fn stamp(n: usize) -> String {
    format!("2026-01-01T00:{:02}:{:02}.000Z", n / 60, n % 60)
}

fn page(from: usize, limit: usize) -> intel::Versions {
    intel::Versions { from, limit, ..Default::default() }
}

#[test]
fn many_versions_are_paged_counted_withdrawn_and_erased_and_a_rebuild_agrees() {
    let node = node();
    let id = "note--00000000-0000-4000-8000-000000000001";
    // Out of order: the last to come is not the newest.
    let bodies: Vec<String> = (0..300).map(|n| note(1, &stamp(n * 7 % 300), &format!("EXERCISE {n}"))).collect();
    let bodies: Vec<&str> = bodies.iter().map(String::as_str).collect();
    assert!(node.take(&bodies).iter().all(|t| matches!(t, Took::New { .. })));
    assert_eq!(node.intel.count_versions(&node.me, id).unwrap(), 300);
    let mut all = Vec::new();
    for from in (0..300).step_by(70) {
        all.extend(node.intel.versions(&node.me, id, &page(from, 70)).unwrap());
    }
    assert_eq!(all.len(), 300);
    assert!(all.windows(2).all(|w| w[0].version > w[1].version), "newest first, over the pages");
    assert!(node.intel.versions(&node.me, id, &page(300, 70)).unwrap().is_empty());
    let last = node.intel.standings(&node.me, id).unwrap();
    assert_eq!(last.iter().map(|r| r.version).collect::<Vec<_>>(), [all[0].version]);
    let older = intel::Versions { entered_before: Some(all[0].pos), ..Default::default() };
    let before = node.intel.versions(&node.me, id, &older).unwrap();
    assert!(before[0].pos < all[0].pos && before[0].version < all[0].version);
    // The newest forty go: the forty-first is the last.
    let newest: Vec<u64> = all.iter().take(40).map(|r| r.pos).collect();
    assert_eq!(node.intel.withdraw(&node.me, id, &Which::Rows(newest), None, "EXERCISE").unwrap(), 40);
    assert_eq!(node.intel.current(&node.me, id).unwrap().unwrap().0.version, all[40].version);
    assert_eq!(node.intel.count_versions(&node.me, id).unwrap(), 260);
    // Withdrawn ones are erased too.
    assert_eq!(node.intel.expunge(&node.me, id, "EXERCISE").unwrap(), 300);
    assert_eq!(node.intel.count_versions(&node.me, id).unwrap(), 0);
    node.end();
}
