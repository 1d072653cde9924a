//! Placing: hops from the centre give the column, neighbours give the order inside it.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use super::{EDGES_LIMIT, Edge, Figure, Line, NODES_LIMIT, Node, Place};
use crate::parts::Tlp;

/// Width of a box in pixels.
pub const WIDTH: i32 = 196;
/// Height of a box in pixels.
pub const HEIGHT: i32 = 44;
/// Between two columns, where the connections run.
const GAP_X: i32 = 124;
/// Between two boxes of a column.
const GAP_Y: i32 = 12;
/// Around everything.
const EDGE: i32 = 6;
/// First neighbours on one side at most, before the other side is used too.
const ONE_SIDE: usize = 7;
/// Hops shown as columns of their own; what is farther shares the last.
const HOPS: usize = 3;

pub(super) fn place(title: &str, description: &str, centre: &str, nodes: &[Node], edges: &[Edge]) -> Figure {
    let by_id: BTreeMap<&str, &Node> = nodes.iter().map(|n| (n.id.as_str(), n)).collect();
    let start = if by_id.contains_key(centre) { centre } else { nodes.first().map_or("", |n| n.id.as_str()) };
    let mut near: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
    for e in edges.iter().filter(|e| by_id.contains_key(e.from.as_str()) && by_id.contains_key(e.to.as_str())) {
        near.entry(&e.from).or_default().insert(&e.to);
        near.entry(&e.to).or_default().insert(&e.from);
    }
    let mut places = walk(start, &by_id, &near);
    let omitted = by_id.len().saturating_sub(places.len());
    let columns = columns(&places);
    let (width, height) = set_positions(&mut places, &columns);
    let lines = lines(&places, edges);
    Figure { title: title.to_owned(), description: description.to_owned(), omitted, width, height, places, lines }
}

/// Breadth first from the centre, neighbours by kind, label, id; then those that nothing reaches.
fn walk<'a>(
    start: &'a str,
    by_id: &BTreeMap<&'a str, &'a Node>,
    near: &BTreeMap<&'a str, BTreeSet<&'a str>>,
) -> Vec<Place> {
    let sorted = |ids: &mut dyn Iterator<Item = &'a str>| {
        let mut ids: Vec<_> = ids.filter_map(|id| by_id.get(id)).collect();
        ids.sort_by_key(|n| (&n.kind, &n.label, &n.id));
        ids
    };
    let mut places: Vec<Place> = Vec::new();
    let mut seen: BTreeSet<&str> = BTreeSet::from([start]);
    let mut queue: VecDeque<(&Node, usize, Option<usize>)> =
        by_id.get(start).map(|n| (*n, 0, None)).into_iter().collect();
    let strangers = sorted(&mut by_id.keys().copied());
    let mut strangers = strangers.into_iter();
    while places.len() < NODES_LIMIT {
        let Some((node, hop, parent)) =
            queue.pop_front().or_else(|| strangers.find(|n| !seen.contains(n.id.as_str())).map(|n| (*n, HOPS, None)))
        else {
            break;
        };
        seen.insert(&node.id);
        let index = places.len();
        places.push(Place {
            id: node.id.clone(),
            label: node.label.clone(),
            kind: node.kind.clone(),
            kind_label: node.kind_label.clone(),
            href: node.href.clone(),
            x: 0,
            y: 0,
            hop,
            parent,
            marking: node.marking.map_or("", Tlp::label),
        });
        if let Some(ids) = near.get(node.id.as_str()) {
            for next in sorted(&mut ids.iter().copied()) {
                if seen.insert(&next.id) {
                    queue.push_back((next, (hop + 1).min(HOPS), Some(index)));
                }
            }
        }
    }
    places
}

/// The column of each place: 0 is the centre, negative to the left. What hangs on a neighbour stands on
/// its side.
fn columns(places: &[Place]) -> Vec<i32> {
    let first = places.iter().filter(|p| p.hop == 1).count();
    let right = if first > ONE_SIDE { first.div_ceil(2) } else { first };
    let mut columns: Vec<i32> = Vec::with_capacity(places.len());
    let mut placed = 0;
    for p in places {
        let side = match p.parent.and_then(|i| columns.get(i)) {
            Some(c) if *c != 0 => c.signum(),
            Some(_) => {
                placed += 1;
                if placed <= right { 1 } else { -1 }
            }
            None => 1,
        };
        columns.push(side * i32::try_from(p.hop).unwrap_or(0));
    }
    columns
}

/// Sets the corners and answers the drawing's size. Each column is centred on the tallest.
fn set_positions(places: &mut [Place], columns: &[i32]) -> (i32, i32) {
    let mut members: BTreeMap<i32, Vec<usize>> = BTreeMap::new();
    for (i, c) in columns.iter().enumerate() {
        members.entry(*c).or_default().push(i);
    }
    let tallest = members.values().map(Vec::len).max().unwrap_or(0);
    let stack = |n: usize| i32::try_from(n).unwrap_or(0) * (HEIGHT + GAP_Y) - GAP_Y;
    let height = stack(tallest.max(1)) + 2 * EDGE;
    // Columns that hold nothing take no room.
    for (at, ids) in members.values().enumerate() {
        let x = EDGE + i32::try_from(at).unwrap_or(0) * (WIDTH + GAP_X);
        let top = (height - stack(ids.len())) / 2;
        for (row, id) in ids.iter().enumerate() {
            if let Some(p) = places.get_mut(*id) {
                p.x = x;
                p.y = top + i32::try_from(row).unwrap_or(0) * (HEIGHT + GAP_Y);
            }
        }
    }
    let count = i32::try_from(members.len().max(1)).unwrap_or(1);
    (2 * EDGE + count * (WIDTH + GAP_X) - GAP_X, height)
}

/// One line for each connected pair; the labels of several are joined.
fn lines(places: &[Place], edges: &[Edge]) -> Vec<Line> {
    let index: BTreeMap<&str, usize> = places.iter().enumerate().map(|(i, p)| (p.id.as_str(), i)).collect();
    let mut lines: BTreeMap<(usize, usize), Line> = BTreeMap::new();
    for e in edges {
        let (Some(&from), Some(&to)) = (index.get(e.from.as_str()), index.get(e.to.as_str())) else {
            continue;
        };
        if from == to || lines.len() >= EDGES_LIMIT {
            continue;
        }
        let line = lines.entry((from.min(to), from.max(to))).or_insert_with(|| Line {
            from,
            to,
            label: String::new(),
            sure: false,
        });
        if !e.label.is_empty() && !line.label.split(", ").any(|l| l == e.label) {
            if !line.label.is_empty() {
                line.label.push_str(", ");
            }
            line.label.push_str(&e.label);
        }
        line.sure |= e.sure;
    }
    lines.into_values().collect()
}
