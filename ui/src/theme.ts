/** The three colour buttons of the account menu. The choice stands in the cookie `theme`, so that the server
 *  draws the next page in it and nothing flashes. */
export function themes(): void {
  for (const group of document.querySelectorAll<HTMLElement>("[data-themes]")) {
    group.hidden = false;
    for (const button of group.querySelectorAll<HTMLButtonElement>("[data-theme-to]")) {
      button.addEventListener("click", () => choose(group, button.dataset.themeTo ?? "auto"));
    }
  }
}

function choose(group: HTMLElement, theme: string): void {
  document.documentElement.dataset.theme = theme;
  document.querySelector('meta[name="color-scheme"]')?.setAttribute("content", theme === "auto" ? "light dark" : theme);
  const secure = location.protocol === "https:" ? "; Secure" : "";
  document.cookie = `theme=${theme}; Path=/; Max-Age=31536000; SameSite=Lax${secure}`;
  for (const button of group.querySelectorAll("[data-theme-to]")) {
    button.setAttribute("aria-pressed", String((button as HTMLElement).dataset.themeTo === theme));
  }
}
