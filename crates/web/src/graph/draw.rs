//! Drawing: boxes and curves as SVG whose colours come from the style sheet.

use std::fmt::{self, Write};

use super::{Figure, HEIGHT, Line, Place, WIDTH};
use crate::icons::icon_of_type;

/// Labels stand on the lines only while there are few.
const LABELS_LIMIT: usize = 14;
/// Width of the narrow drawing: a 320 px screen less its margins.
const NARROW: i32 = 284;
/// A row of the narrow drawing.
const ROW: i32 = 54;
/// How far a hop is set in.
const INDENT: i32 = 20;

pub(super) fn wide(figure: &Figure, f: &mut fmt::Formatter<'_>) -> fmt::Result {
    open(figure, "wide", figure.width, figure.height, f)?;
    let labels = figure.lines.len() <= LABELS_LIMIT;
    for line in &figure.lines {
        if let (Some(a), Some(b)) = (figure.places.get(line.from), figure.places.get(line.to)) {
            curve(line, a, b, labels, f)?;
        }
    }
    for (i, place) in figure.places.iter().enumerate() {
        node(place, (place.x, place.y), WIDTH, i == 0, f)?;
    }
    f.write_str("</svg>")
}

/// A tree from the centre down; a connection that is not on a shortest way stands in the table only.
pub(super) fn narrow(figure: &Figure, f: &mut fmt::Formatter<'_>) -> fmt::Result {
    let order = depth_first(&figure.places);
    let height = i32::try_from(order.len().max(1)).unwrap_or(1) * ROW;
    open(figure, "narrow", NARROW, height, f)?;
    let corner = |place: usize| {
        let row = order.iter().position(|i| *i == place).and_then(|r| i32::try_from(r).ok()).unwrap_or(0);
        let hop = figure.places.get(place).and_then(|p| i32::try_from(p.hop).ok()).unwrap_or(0);
        (2 + hop * INDENT, 4 + row * ROW)
    };
    for &i in &order {
        if let Some(parent) = figure.places.get(i).and_then(|p| p.parent) {
            let (px, py) = corner(parent);
            let (x, y) = corner(i);
            let (down, middle) = (px + INDENT / 2, y + HEIGHT / 2);
            write!(f, "<path class=\"g-edge\" d=\"M{down} {}V{middle}H{x}\"/>", py + HEIGHT)?;
        }
    }
    for &i in &order {
        if let Some(place) = figure.places.get(i) {
            let at = corner(i);
            node(place, at, NARROW - at.0 - 2, i == 0, f)?;
        }
    }
    f.write_str("</svg>")
}

fn depth_first(places: &[Place]) -> Vec<usize> {
    let mut order = Vec::with_capacity(places.len());
    let mut stack: Vec<usize> =
        (0..places.len()).rev().filter(|i| places.get(*i).is_some_and(|p| p.parent.is_none())).collect();
    while let Some(i) = stack.pop() {
        order.push(i);
        stack.extend((0..places.len()).rev().filter(|c| places.get(*c).is_some_and(|p| p.parent == Some(i))));
    }
    order
}

fn open(figure: &Figure, form: &str, width: i32, height: i32, f: &mut fmt::Formatter<'_>) -> fmt::Result {
    write!(
        f,
        "<svg class=\"ce-figure__svg ce-figure--{form}\" xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {width} {height}\" \
         width=\"{width}\" height=\"{height}\" role=\"group\" aria-label=\"{}. {}\">",
        Text(&figure.title),
        Text(&figure.description)
    )
}

fn curve(line: &Line, a: &Place, b: &Place, labelled: bool, f: &mut fmt::Formatter<'_>) -> fmt::Result {
    let (left, right) = if a.x <= b.x { (a, b) } else { (b, a) };
    let (y1, y2) = (left.y + HEIGHT / 2, right.y + HEIGHT / 2);
    let dashed = if line.sure { "" } else { " g-edge--unsure" };
    if left.x == right.x {
        // Two of one column: around its right side.
        let x = left.x + WIDTH;
        return write!(f, "<path class=\"g-edge{dashed}\" d=\"M{x} {y1}C{0} {y1} {0} {y2} {x} {y2}\"/>", x + 34);
    }
    let (x1, x2) = (left.x + WIDTH, right.x);
    let bend = (x2 - x1) / 2;
    write!(f, "<path class=\"g-edge{dashed}\" d=\"M{x1} {y1}C{} {y1} {} {y2} {x2} {y2}\"/>", x1 + bend, x2 - bend)?;
    if labelled && !line.label.is_empty() {
        // In the middle of the curve: lines that meet at one end are apart there.
        let (x, y) = ((x1 + x2) / 2, (y1 + y2) / 2 + 4);
        let why = fit(&line.label, x2 - x1 - 16, 6);
        write!(f, "<text class=\"g-why\" x=\"{x}\" y=\"{y}\" text-anchor=\"middle\">{}</text>", Text(&why))?;
    }
    Ok(())
}

fn node(p: &Place, (x, y): (i32, i32), width: i32, centre: bool, f: &mut fmt::Formatter<'_>) -> fmt::Result {
    let class = if centre { "g-node g-node--centre" } else { "g-node" };
    let (tag, href) =
        if p.href.is_empty() { ("g", String::new()) } else { ("a", format!(" href=\"{}\"", Text(&p.href))) };
    write!(f, "<{tag}{href} class=\"{class}\"><title>{}: {}", Text(&p.kind_label), Text(&p.label))?;
    if !p.marking.is_empty() {
        write!(f, ", {}", p.marking)?;
    }
    write!(f, "</title><rect x=\"{x}\" y=\"{y}\" width=\"{width}\" height=\"{HEIGHT}\" rx=\"5\"/>")?;
    write!(f, "<g class=\"g-icon\" transform=\"translate({} {})\">{}</g>", x + 9, y + 13, icon_of_type(&p.kind))?;
    let room = width - 44;
    let kind_room = if p.marking.is_empty() { room } else { room - 20 };
    write!(
        f,
        "<text class=\"g-kind\" x=\"{}\" y=\"{}\">{}</text>",
        x + 36,
        y + 17,
        Text(&fit(&p.kind_label, kind_room, 6))
    )?;
    write!(f, "<text class=\"g-label\" x=\"{}\" y=\"{}\">{}</text>", x + 36, y + 34, Text(&fit(&p.label, room, 8)))?;
    if !p.marking.is_empty() {
        let class = p.marking.trim_start_matches("TLP:").replace('+', "-").to_ascii_lowercase();
        write!(
            f,
            "<rect class=\"g-tlp g-tlp--{class}\" x=\"{}\" y=\"{}\" width=\"14\" height=\"8\" rx=\"1.5\"/>",
            x + width - 21,
            y + 9
        )?;
    }
    write!(f, "</{tag}>")
}

/// Cuts a label to `room` pixels at about `each` pixels a letter (twice as much for wide scripts). Values
/// without a space lose their middle, because their ends tell them apart; words lose their end.
fn fit(label: &str, room: i32, each: i32) -> String {
    // Of a proportional face: capitals, digits and `m` are wider than the mean; marks above and below take no room.
    let width = |c: char| match c {
        '\u{0300}'..='\u{036f}' | '\u{200b}'..='\u{200f}' => 0,
        'm' | 'w' | 'M' | 'W' | '@' | '%' => each + each * 3 / 5,
        'A'..='Z' | '0'..='9' | '_' | '+' => each + each / 4,
        '\u{1100}'.. => each * 2,
        _ => each,
    };
    if label.chars().map(width).sum::<i32>() <= room {
        return label.to_owned();
    }
    let take = |chars: &mut dyn Iterator<Item = char>, mut left: i32| {
        let mut out = String::new();
        for c in chars {
            left -= width(c);
            if left < 0 {
                break;
            }
            out.push(c);
        }
        out
    };
    let room = room - each;
    if label.contains(' ') {
        return take(&mut label.chars(), room) + "…";
    }
    let head = take(&mut label.chars(), room * 3 / 5);
    let tail: String = take(&mut label.chars().rev(), room * 2 / 5).chars().rev().collect();
    format!("{head}…{tail}")
}

/// Text of the world inside SVG.
struct Text<'a>(&'a str);

impl fmt::Display for Text<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for c in self.0.chars() {
            match c {
                '<' => f.write_str("&lt;")?,
                '>' => f.write_str("&gt;")?,
                '&' => f.write_str("&amp;")?,
                '"' => f.write_str("&quot;")?,
                '\'' => f.write_str("&#39;")?,
                c => f.write_char(c)?,
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::fit;

    #[test]
    fn a_long_value_keeps_both_ends_and_a_sentence_its_beginning() {
        assert_eq!(fit("short", 100, 7), "short");
        let value = fit("bc1qexampleexampleexampleexample0wlh", 120, 7);
        assert!(value.starts_with("bc1q") && value.ends_with("0wlh"), "{value}");
        assert!(fit("a sentence that goes on and on", 90, 7).ends_with('…'));
    }
}
