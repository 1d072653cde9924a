// What pages gain with a script. Every page works without it.
import htmx from "htmx.org";
import { copyButtons } from "./copy";
import { figures } from "./figure";
import { live } from "./live";
import { themes } from "./theme";

declare global {
  interface Window {
    htmx: typeof htmx;
  }
}
window.htmx = htmx;

/** Called for the page, and for each piece that htmx puts into it. */
function prepare(root: ParentNode): void {
  copyButtons(root);
  figures(root);
  live(root);
  printButtons(root);
  dropZones(root);
  // A form that came back with errors: the summary is read first.
  root.querySelector<HTMLElement>("[data-error-summary]")?.focus();
}

/** A file may be dropped anywhere on its field's frame; the field itself takes it, and the form stays as it is. */
function dropZones(root: ParentNode): void {
  for (const zone of root.querySelectorAll<HTMLElement>("[data-drop]")) {
    const field = zone.querySelector<HTMLInputElement>("input[type=file]");
    const hint = zone.querySelector<HTMLElement>("[data-drop-hint]");
    if (!field || !hint) continue;
    hint.hidden = false;
    const over = (event: DragEvent) => {
      event.preventDefault();
      zone.toggleAttribute("data-over", event.type === "dragover");
    };
    zone.addEventListener("dragover", over);
    zone.addEventListener("dragleave", over);
    zone.addEventListener("drop", (event) => {
      over(event);
      if (event.dataTransfer?.files.length) field.files = event.dataTransfer.files;
    });
  }
}

/** "Print" buttons: hidden without a script, as the browser's own command does the same. */
function printButtons(root: ParentNode): void {
  for (const button of root.querySelectorAll<HTMLButtonElement>("[data-print][hidden]")) {
    button.hidden = false;
    button.addEventListener("click", () => print());
  }
}

function menus(): void {
  document.addEventListener("click", (event) => {
    for (const menu of document.querySelectorAll<HTMLDetailsElement>("[data-menu][open]")) {
      if (!menu.contains(event.target as Node)) menu.open = false;
    }
  });
  document.addEventListener("keydown", (event) => {
    if (event.key !== "Escape") return;
    for (const menu of document.querySelectorAll<HTMLDetailsElement>("[data-menu][open]")) {
      menu.open = false;
      menu.querySelector("summary")?.focus();
    }
  });
}

/** `/` puts the cursor into the search field, as long as nothing is being typed elsewhere. */
function searchKey(): void {
  document.addEventListener("keydown", (event) => {
    const at = event.target as HTMLElement;
    if (event.key !== "/" || event.ctrlKey || event.metaKey || event.altKey) return;
    if (at.isContentEditable || /^(INPUT|TEXTAREA|SELECT)$/.test(at.tagName)) return;
    const field = document.getElementById("quick-search");
    if (field) {
      event.preventDefault();
      field.focus();
    }
  });
}

prepare(document);
menus();
searchKey();
themes();
document.addEventListener("htmx:after:swap", (event) => prepare((event.target as HTMLElement) ?? document));
