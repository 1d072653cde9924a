/** Counts what arrives on a stream of Server-Sent Events while the page is open, and offers to load it.
 *  The page itself does not move under the reader's eyes. A hidden page holds no connection: it counts on from the
 *  last position when it is seen again, so that nothing is missed. */
export function live(root: ParentNode): void {
  for (const badge of root.querySelectorAll<HTMLElement>("[data-live][hidden]")) watch(badge);
}

const KINDS = ["create", "update", "delete"];

/** Milliseconds between two changes of the badge. */
const CALM = 1000;
/** Milliseconds until the first try to connect again, and at most. */
const AGAIN = 2000;
const RARELY = 60_000;

function watch(badge: HTMLElement): void {
  const { live: source, on = "", new: fresh = "", lost = "", paused = "" } = badge.dataset;
  if (!source || !("EventSource" in window)) return;
  const text = badge.querySelector<HTMLElement>(".ce-live__text");
  const load = badge.querySelector<HTMLElement>(".ce-live__load");
  const numbers = new Intl.NumberFormat(document.documentElement.lang || "en");
  let stream: EventSource | undefined;
  let seen = 0;
  let due = 0;
  let wait = AGAIN;
  // The position that was passed last; a page carries no clock of its own, so that equal answers are equal bytes.
  let last = "";
  badge.hidden = false;
  // At most one change a second, however much arrives.
  const say = () => {
    due = 0;
    const state = document.hidden ? "paused" : stream?.readyState === EventSource.OPEN ? "on" : "lost";
    const count = `${numbers.format(seen)} ${fresh}`;
    badge.dataset.state = state;
    badge.dataset.count = String(seen);
    if (text) text.textContent = state === "lost" ? lost : seen ? count : state === "paused" ? paused : on;
    if (load) load.hidden = seen === 0;
  };
  const soon = () => {
    due ||= window.setTimeout(say, CALM);
  };
  const open = () => {
    if (stream || document.hidden) return;
    // Not the browser's own second try: it would ask for the first position again.
    const here = new URL(source, location.href);
    if (last) here.searchParams.set("from", last);
    stream = new EventSource(here);
    stream.addEventListener("open", () => {
      wait = AGAIN;
      say();
    });
    stream.addEventListener("error", () => {
      close();
      soon();
      window.setTimeout(open, wait);
      wait = Math.min(wait * 2, RARELY);
    });
    for (const kind of [...KINDS, "heartbeat", "connected"]) {
      stream.addEventListener(kind, (event) => {
        last = (event as MessageEvent).lastEventId || last;
        if (!KINDS.includes(kind)) return;
        seen += 1;
        soon();
      });
    }
  };
  const close = () => {
    stream?.close();
    stream = undefined;
  };
  document.addEventListener("visibilitychange", () => {
    if (document.hidden) close();
    else open();
    say();
  });
  // A page kept in the browser's back-forward cache must not hold a connection, and goes on when it is shown again.
  addEventListener("pagehide", close);
  addEventListener("pageshow", open);
  open();
}
