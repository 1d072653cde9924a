import type { Island } from "./graph";

/** The "Explore" button of a figure: loads the graph island at the first press, not before. */
export function figures(root: ParentNode): void {
  for (const button of root.querySelectorAll<HTMLButtonElement>("[data-graph-open][hidden]")) {
    const figure = button.closest("figure");
    const island = figure?.querySelector<HTMLElement>("[data-graph]");
    const frame = figure?.querySelector<HTMLElement>(".ce-figure__frame");
    const data = figure?.querySelector("[data-graph-data]")?.textContent;
    if (!island?.dataset.graph || !frame || !data) continue;
    const source = island.dataset.graph;
    const open = button.textContent ?? "";
    let drawn: Promise<Island> | undefined;
    button.hidden = false;
    button.setAttribute("aria-expanded", "false");
    button.addEventListener("click", async () => {
      const opening = island.hidden;
      island.hidden = !opening;
      frame.hidden = opening;
      button.textContent = opening ? (button.dataset.close ?? open) : open;
      button.setAttribute("aria-expanded", String(opening));
      if (!opening) return;
      drawn ??= import(source).then((module: { draw: (at: HTMLElement, data: string) => Island }) => module.draw(island, data));
      try {
        (await drawn).fit();
      } catch {
        // The drawing of the server stands.
        drawn = undefined;
        island.hidden = true;
        frame.hidden = false;
        button.textContent = open;
      }
    });
  }
}
