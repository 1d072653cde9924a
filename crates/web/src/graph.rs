//! A neighbourhood as a figure: placed here, drawn as SVG without a script, and handed with the same
//! positions to the `graph` island. The table of links is the primary form; the figure is the second.
//!
//! Placement is by hops from the centre, to both sides when one side would be long, in an order that
//! depends on the data alone: the same neighbourhood always looks the same.

mod draw;
mod place;

use std::fmt;

use askama::filters::HtmlSafe;
use serde::Serialize;

use crate::parts::Tlp;

pub use place::{HEIGHT, WIDTH};

/// Nodes drawn at most; a figure with more explains nothing. The rest is counted, never dropped silently.
pub const NODES_LIMIT: usize = 60;

/// Edges drawn at most.
pub const EDGES_LIMIT: usize = 200;

/// A thing in a figure.
#[derive(Debug, Clone)]
pub struct Node {
    /// What edges name; unique in the figure.
    pub id: String,
    /// What stands in the box; cut to fit, whole in its tooltip and for screen readers.
    pub label: String,
    /// The STIX type or selector kind, for icon and class.
    pub kind: String,
    /// The kind in the reader's language.
    pub kind_label: String,
    /// Where a click leads; empty for nowhere.
    pub href: String,
    /// Its marking.
    pub marking: Option<Tlp>,
}

/// A connection in a figure.
#[derive(Debug, Clone)]
pub struct Edge {
    /// A node's id.
    pub from: String,
    /// A node's id.
    pub to: String,
    /// Why they are connected; drawn while there is room.
    pub label: String,
    /// Whether it is certain; others are dashed.
    pub sure: bool,
}

/// Where a node stands, in pixels of the wide drawing: left upper corner.
#[derive(Debug, Clone, Serialize, PartialEq)]
pub struct Place {
    /// The node's id.
    pub id: String,
    /// What stands in the box.
    pub label: String,
    /// Type.
    pub kind: String,
    /// The type in the reader's language.
    pub kind_label: String,
    /// Where a click leads.
    pub href: String,
    /// From the left.
    pub x: i32,
    /// From the top.
    pub y: i32,
    /// Hops from the centre.
    pub hop: usize,
    /// The node's parent on the shortest way to the centre (index into the places).
    #[serde(skip)]
    pub parent: Option<usize>,
    /// Its marking's label, or empty.
    pub marking: &'static str,
}

/// A connection between two places (indices).
#[derive(Debug, Clone, Serialize, PartialEq)]
pub struct Line {
    /// Index into the places.
    pub from: usize,
    /// Index into the places.
    pub to: usize,
    /// Why.
    pub label: String,
    /// Whether it is certain.
    pub sure: bool,
}

/// A placed neighbourhood, ready to be drawn. In a template: `{{ parts::figure(figure) }}`, or
/// `{{ figure }}` for the bare SVG.
///
/// ```
/// use web::graph::{Edge, Figure, Node};
/// let node = |id: &str| Node { id: id.into(), label: id.into(), kind: "wallet".into(), kind_label: "Wallet".into(),
///     href: String::new(), marking: None };
/// let edge = Edge { from: "a".into(), to: "b".into(), label: "same owner".into(), sure: true };
/// let figure = Figure::new("Around a", "a and what it is linked to.", "a", &[node("a"), node("b")], &[edge]);
/// assert!(figure.to_string().contains("<svg"));
/// assert_eq!(figure.omitted, 0);
/// ```
#[derive(Debug, Clone, Serialize)]
pub struct Figure {
    /// The figure's name.
    pub title: String,
    /// What it shows, in a sentence, for those who do not see it.
    pub description: String,
    /// Nodes that did not fit.
    pub omitted: usize,
    /// Size of the wide drawing in pixels.
    pub width: i32,
    /// Size of the wide drawing in pixels.
    pub height: i32,
    /// The placed nodes; the centre is the first.
    pub places: Vec<Place>,
    /// The connections.
    pub lines: Vec<Line>,
}

impl Figure {
    /// Places a neighbourhood. Nodes nearest to the centre stay when there are more than [`NODES_LIMIT`];
    /// edges to unknown nodes are left out. An unknown centre means the first node.
    #[must_use]
    pub fn new(title: &str, description: &str, centre: &str, nodes: &[Node], edges: &[Edge]) -> Self {
        place::place(title, description, centre, nodes, edges)
    }

    /// The positions for the island, safe inside `<script type="application/json">`.
    #[must_use]
    pub fn json(&self) -> String {
        serde_json::to_string(self)
            .unwrap_or_default()
            .replace('<', "\\u003c")
            .replace('>', "\\u003e")
            .replace('&', "\\u0026")
    }
}

/// The wide drawing and the narrow one; the style sheet shows the one that fits.
impl fmt::Display for Figure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        draw::wide(self, f)?;
        draw::narrow(self, f)
    }
}
impl HtmlSafe for Figure {}

#[cfg(test)]
mod tests {
    use super::*;

    fn node(id: &str) -> Node {
        Node {
            id: id.into(),
            label: format!("<{id}>"),
            kind: "wallet".into(),
            kind_label: "Wallet".into(),
            href: format!("/objects/{id}"),
            marking: Some(Tlp::Amber),
        }
    }
    fn edge(from: &str, to: &str) -> Edge {
        Edge { from: from.into(), to: to.into(), label: "same".into(), sure: true }
    }
    fn star(n: usize) -> Figure {
        let mut nodes = vec![node("c")];
        nodes.extend((0..n).map(|i| node(&format!("n{i:03}"))));
        let edges: Vec<_> = (0..n).map(|i| edge("c", &format!("n{i:03}"))).collect();
        Figure::new("t", "d", "c", &nodes, &edges)
    }

    #[test]
    fn the_same_neighbourhood_looks_the_same_in_whatever_order_it_comes() {
        let (mut nodes, mut edges) =
            (vec![node("a"), node("b"), node("c"), node("d")], vec![edge("a", "b"), edge("c", "a"), edge("b", "d")]);
        let first = Figure::new("t", "d", "a", &nodes, &edges);
        nodes.reverse();
        edges.reverse();
        let mut second = Figure::new("t", "d", "a", &nodes, &edges);
        second.lines.reverse();
        assert_eq!(first.places, second.places);
    }

    #[test]
    fn no_two_boxes_overlap_and_none_leaves_the_drawing() {
        for n in [1, 7, 30, 59] {
            let figure = star(n);
            for (i, a) in figure.places.iter().enumerate() {
                assert!(a.x >= 0 && a.y >= 0 && a.x + WIDTH <= figure.width && a.y + HEIGHT <= figure.height);
                for b in figure.places.iter().skip(i + 1) {
                    assert!((a.x - b.x).abs() >= WIDTH || (a.y - b.y).abs() >= HEIGHT, "{a:?} {b:?}");
                }
            }
        }
    }

    #[test]
    fn what_does_not_fit_is_counted() {
        let figure = star(100);
        assert_eq!(figure.places.len(), NODES_LIMIT);
        assert_eq!(figure.omitted, 101 - NODES_LIMIT);
    }

    #[test]
    fn labels_cannot_break_out_of_the_svg_or_the_json() {
        let figure = star(2);
        assert!(!figure.to_string().contains("<n000>"));
        assert!(!figure.json().contains('<'));
    }

    #[test]
    fn cycles_self_loops_strangers_and_an_empty_figure_are_drawn_too() {
        let figure = Figure::new(
            "t",
            "d",
            "a",
            &[node("a"), node("b")],
            &[edge("a", "a"), edge("a", "b"), edge("b", "a"), edge("a", "zz")],
        );
        assert_eq!(figure.lines.len(), 1);
        let _ = figure.to_string();
        let _ = Figure::new("t", "d", "a", &[], &[]).to_string();
        let lonely = Figure::new("t", "d", "a", &[node("a"), node("x")], &[]);
        assert_eq!(lonely.places.len(), 2);
    }
}
