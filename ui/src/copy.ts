/** Shows the copy buttons (they are hidden without a script) and makes them work. */
export function copyButtons(root: ParentNode): void {
  for (const button of root.querySelectorAll<HTMLButtonElement>("[data-copy][hidden]")) {
    if (button.id === "app") continue;
    button.hidden = false;
    button.addEventListener("click", () => void copy(button));
  }
}

async function copy(button: HTMLButtonElement): Promise<void> {
  const said = document.getElementById("app")?.dataset.copied ?? "";
  try {
    await navigator.clipboard.writeText(button.dataset.copy ?? "");
  } catch {
    return; // Plain HTTP off loopback, or refused: the value can still be selected.
  }
  button.dataset.done = "";
  button.title = said;
  announce(said);
  setTimeout(() => {
    delete button.dataset.done;
    button.title = "";
  }, 2000);
}

/** Says a word to screen readers. */
export function announce(text: string): void {
  let region = document.getElementById("announce");
  if (!region) {
    region = document.createElement("div");
    region.id = "announce";
    region.className = "govuk-visually-hidden";
    region.setAttribute("role", "status");
    document.body.append(region);
  }
  region.textContent = "";
  requestAnimationFrame(() => {
    if (region) region.textContent = text;
  });
}
