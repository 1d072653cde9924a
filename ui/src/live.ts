/** Counts what arrives on a stream of Server-Sent Events while the page is open, and offers to load it.
 *  The page itself does not move under the reader's eyes. */
export function live(root: ParentNode): void {
  for (const badge of root.querySelectorAll<HTMLElement>("[data-live][hidden]")) watch(badge);
}

const KINDS = ["create", "update", "delete"];

function watch(badge: HTMLElement): void {
  const { live: source, on = "", new: fresh = "", lost = "" } = badge.dataset;
  if (!source || !("EventSource" in window)) return;
  const text = badge.querySelector<HTMLElement>(".ce-live__text");
  const load = badge.querySelector<HTMLElement>(".ce-live__load");
  const numbers = new Intl.NumberFormat(document.documentElement.lang || "en");
  let seen = 0;
  let due = 0;
  badge.hidden = false;
  const stream = new EventSource(source);
  // At most one change a second, however much arrives.
  const say = () => {
    due = 0;
    badge.dataset.state = stream.readyState === EventSource.OPEN ? "on" : "lost";
    if (text) text.textContent = badge.dataset.state === "lost" ? lost : seen ? `${numbers.format(seen)} ${fresh}` : on;
    if (load) load.hidden = seen === 0;
  };
  const soon = () => {
    due ||= window.setTimeout(say, 1000);
  };
  stream.addEventListener("open", say);
  stream.addEventListener("error", soon);
  for (const kind of KINDS) {
    stream.addEventListener(kind, () => {
      seen += 1;
      soon();
    });
  }
  // A page kept in the browser's back-forward cache must not hold a connection.
  addEventListener("pagehide", () => stream.close(), { once: true });
}
