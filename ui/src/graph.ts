// The graph island: the server's positions, to be moved about. Loaded only when a reader asks for it.
import cytoscape from "cytoscape";

interface Placed {
  height: number;
  places: { id: string; label: string; kind: string; kind_label: string; href: string; x: number; y: number; marking: string }[];
  lines: { from: number; to: number; label: string; sure: boolean }[];
}

export interface Island {
  fit(): void;
}

const BOX = { width: 196, height: 44 };

export function draw(at: HTMLElement, json: string): Island {
  const data = JSON.parse(json) as Placed;
  withoutInlineStyle();
  // As tall as the drawing that it replaces, within reason.
  at.style.height = `${Math.min(Math.max(data.height + 60, 280), 640)}px`;
  const graph = cytoscape({
    container: at,
    elements: [
      ...data.places.map((p, i) => ({
        data: { id: `n${i}`, label: `${p.kind_label}\n${short(p.label)}`, href: p.href },
        position: { x: p.x + BOX.width / 2, y: p.y + BOX.height / 2 },
        classes: i === 0 ? "centre" : "",
      })),
      ...data.lines.map((l, i) => ({
        data: { id: `e${i}`, source: `n${l.from}`, target: `n${l.to}`, label: l.label },
        classes: l.sure ? "" : "unsure",
      })),
    ],
    layout: { name: "preset" },
    style: styles(at),
    minZoom: 0.2,
    maxZoom: 3,
  });
  graph.on("dbltap", "node", (event) => {
    const href = event.target.data("href") as string;
    // Only places on this node: never another origin, never a script.
    if (href.startsWith("/") && !href.startsWith("//")) location.assign(href);
  });
  graph.on("tap", "node", (event) => {
    graph.elements().addClass("dim");
    event.target.closedNeighborhood().removeClass("dim");
  });
  graph.on("tap", (event) => {
    if (event.target === graph) graph.elements().removeClass("dim");
  });
  const restyle = () => graph.style(styles(at));
  new MutationObserver(restyle).observe(document.documentElement, { attributeFilter: ["data-theme"] });
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", restyle);
  return {
    fit: () => {
      graph.resize();
      graph.fit(undefined, 24);
    },
  };
}

/** Cytoscape puts a style element of this id into the page unless one is there; our Content-Security-Policy
 *  would refuse it, and app.css has its rules. */
function withoutInlineStyle(): void {
  const id = "__________cytoscape_stylesheet";
  if (document.getElementById(id)) return;
  const there = document.createElement("meta");
  there.id = id;
  document.head.append(there);
}

function short(label: string): string {
  return label.length <= 26 ? label : `${label.slice(0, 14)}…${label.slice(-9)}`;
}

function styles(at: HTMLElement): cytoscape.StylesheetJson {
  const computed = getComputedStyle(at);
  const colour = (name: string) => computed.getPropertyValue(name).trim();
  return [
    {
      selector: "node",
      style: {
        shape: "round-rectangle", width: BOX.width, height: BOX.height, label: "data(label)", "text-wrap": "wrap", "text-valign": "center",
        "font-size": 12, "font-family": "system-ui, sans-serif", color: colour("--ce-text"), "background-color": colour("--ce-surface"),
        "border-width": 1, "border-color": colour("--ce-line-strong"), "line-height": 1.3,
      },
    },
    { selector: "node.centre", style: { "background-color": colour("--ce-accent-soft"), "border-color": colour("--ce-accent"), "border-width": 2 } },
    { selector: "node:selected", style: { "border-color": colour("--govuk-focus-colour"), "border-width": 4 } },
    {
      selector: "edge",
      style: {
        width: 1.5, "line-color": colour("--ce-line-strong"), "curve-style": "bezier", label: "data(label)", "font-size": 11,
        color: colour("--ce-muted"), "text-background-color": colour("--ce-surface"), "text-background-opacity": 1, "text-background-padding": "2px",
      },
    },
    { selector: "edge.unsure", style: { "line-style": "dashed" } },
    { selector: ".dim", style: { opacity: 0.25 } },
  ];
}
