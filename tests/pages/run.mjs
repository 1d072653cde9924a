// Looks at pages in Chromium. Each page, in both themes: screenshots at five widths, WCAG 2.2 AA by axe (narrow and wide),
// sideways scrolling, script errors. Each page once: without JavaScript, on paper, in forced colours, by keyboard, on a slow
// line, and in the pseudo-locale, where no word may stand that does not go through Fluent.
//   node tests/pages/run.mjs BASE_URL OUT_DIR [PAGES.json] [--only NAME] [--cookie NAME=VALUE] [--quick x]
// PAGES.json: [{ "name", "path", "status"?, "steps"?: [{ "click" | "fill" | "file" | "wait" }], "pdf"?, "looks"?: false }]
import { mkdir, readFile } from "node:fs/promises";
import { join, resolve } from "node:path";
import { accessible, fail, faults, here, launch, listen, reader, words } from "./browser.mjs";

const { flags, rest } = words(process.argv.slice(2));
const [base, out, list = join(here, "gallery.json")] = rest;
if (!base || !out) {
  console.error("usage: node tests/pages/run.mjs BASE_URL OUT_DIR [PAGES.json] [--only NAME] [--cookie NAME=VALUE]");
  process.exit(2);
}
const cookies = flags.cookie ?? [];
const pages = JSON.parse(await readFile(resolve(list), "utf8")).filter((p) => !flags.only || flags.only.includes(p.name));
const NARROW = [320, 390];
const WIDE = [768, 1280, 1920];
const THEMES = ["light", "dark"];

await mkdir(out, { recursive: true });
const browser = await launch();

async function go(context, spec, where) {
  const page = await context.newPage();
  listen(page, where);
  const answer = await page.goto(new URL(spec.path, base).href, { waitUntil: "load" });
  let status = answer?.status() ?? 0;
  for (const step of spec.steps ?? []) {
    if (step.fill) await page.fill(step.fill[0], step.fill[1]);
    if (step.file) await page.setInputFiles(step.file[0], { name: step.file[1], mimeType: "text/plain", buffer: Buffer.from(step.file[2]) });
    if (step.click) {
      const [arrived] = await Promise.all([page.waitForNavigation({ waitUntil: "load" }), page.click(step.click)]);
      status = arrived?.status() ?? status;
    }
    if (step.wait) await page.waitForSelector(step.wait, { timeout: 10_000 });
  }
  if (status !== (spec.status ?? 200)) fail(where, `answered ${status}`);
  return page;
}

async function upright(page, where) {
  const sideways = await page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth);
  if (sideways > 0) fail(where, `scrolls sideways by ${sideways} px`);
}

/** Screenshots and axe, in both themes, narrow and wide. */
async function looks(spec) {
  for (const theme of THEMES) {
    for (const widths of [NARROW, WIDE]) {
      const where = `${spec.name} ${theme} ${widths[0]}`;
      const context = await reader(browser, base, cookies, { colorScheme: theme, viewport: { width: widths[0], height: widths[0] < 500 ? 700 : 900 } });
      try {
        const page = await go(context, spec, where);
        if (spec.readme && theme === "light" && widths === WIDE) {
          await page.setViewportSize({ width: 1280, height: 820 });
          await page.screenshot({ path: join(out, `${spec.name}-readme.png`) });
        }
        for (const width of widths) {
          await page.setViewportSize({ width, height: width < 500 ? 700 : 900 });
          await upright(page, `${spec.name} ${theme} ${width}`);
          await page.screenshot({ path: join(out, `${spec.name}-${theme}-${width}.png`), fullPage: true });
          if (width === 320 || width === 1280) await accessible(page, `${spec.name} ${theme} ${width}`);
        }
      } catch (e) {
        fail(where, e.message.split("\n")[0]);
      }
      await context.close();
    }
  }
}

/** One more way to read the page: context's wishes, what to do there. */
async function once(spec, way, wishes, look) {
  const where = `${spec.name} ${way}`;
  const context = await reader(browser, base, cookies, { viewport: { width: 1280, height: 900 }, ...wishes });
  try {
    await look(await go(context, spec, where), where);
  } catch (e) {
    fail(where, e.message.split("\n")[0]);
  }
  await context.close();
}

const exercise = async (page, where) => {
  if (!(await page.locator(".ce-exercise").isVisible())) fail(where, "does not say EXERCISE");
};

const withoutScript = (spec) =>
  once(spec, "without script", { javaScriptEnabled: false }, async (page, where) => {
    await exercise(page, where);
    await page.screenshot({ path: join(out, `${spec.name}-noscript.png`), fullPage: true });
    for (const dead of await page.locator("button[type=button]:visible").all()) fail(where, `a button that does nothing: ${await dead.innerText()}`);
  });

const onPaper = (spec) =>
  once(spec, "on paper", { colorScheme: "dark" }, async (page, where) => {
    await page.emulateMedia({ media: "print", colorScheme: "dark" });
    await page.setViewportSize({ width: 718, height: 1000 }); // A4 less its margins
    await exercise(page, where);
    for (const control of [".ce-nav", ".ce-quick", ".ce-menu", ".ce-copy", "button"]) {
      const shown = page.locator(`${control}:visible`);
      if (await shown.count()) fail(where, `${control} is printed`);
    }
    const ink = await page.evaluate(() => getComputedStyle(document.body).color);
    const dark = ink.match(/\d+/g).slice(0, 3).every((c) => Number(c) < 80);
    if (!dark) fail(where, `prints in ${ink}`);
    await upright(page, where);
    if (spec.pdf) await page.pdf({ path: join(out, `${spec.name}.pdf`), format: "A4", printBackground: false });
    await page.screenshot({ path: join(out, `${spec.name}-paper.png`), fullPage: true });
  });

const inForcedColours = (spec) =>
  once(spec, "in forced colours", { forcedColors: "active" }, (page) => page.screenshot({ path: join(out, `${spec.name}-forced.png`), fullPage: true }));

/** Every stop of the Tab key can be seen, has a ring, and the last one leads out of the page again. */
const byKeyboard = (spec) =>
  once(spec, "by keyboard", {}, async (page, where) => {
    await page.evaluate(() => document.activeElement?.blur());
    const first = () => page.evaluate(() => document.activeElement?.className ?? "");
    // After a form came back its errors have the focus.
    if (!spec.steps && spec.status !== 422) {
      await page.keyboard.press("Tab");
      if (!(await first()).includes("skip-link")) fail(where, `the first stop is not the skip link but ${await first()}`);
      await page.keyboard.press("Enter");
      const main = await page.evaluate(() => document.activeElement?.id);
      if (main !== "main") fail(where, "the skip link does not lead to the content");
      await page.evaluate(() => document.activeElement?.blur());
    }
    const seen = new Set();
    for (let i = 0; i < 400; i += 1) {
      await page.keyboard.press("Tab");
      const at = await page.evaluate(() => {
        const e = document.activeElement;
        if (!e || e === document.body) return null;
        window.__stops ??= [];
        let n = window.__stops.indexOf(e);
        if (n < 0) n = window.__stops.push(e) - 1;
        const box = e.getBoundingClientRect();
        const style = getComputedStyle(e);
        const box2 = e.matches("input[type=radio], input[type=checkbox]");
        const ring = box2 || style.outlineStyle !== "none" || style.boxShadow !== "none" || e.closest("svg") !== null;
        const what = `${e.tagName.toLowerCase()}.${e.getAttribute("class") ?? ""}`;
        return { n, what, ring, shown: box.width > 0 && box.height > 0 };
      });
      if (at === null || seen.has(at.n)) return;
      seen.add(at.n);
      if (!at.ring) fail(where, `no ring around ${at.what}`);
      if (!at.shown) fail(where, `focus goes to something unseen: ${at.what}`);
    }
  });

/** Nothing jumps while styles and scripts come late. */
const onASlowLine = (spec) =>
  once(spec, "on a slow line", { viewport: { width: 390, height: 700 } }, async () => {
    const context = await reader(browser, base, cookies, { viewport: { width: 390, height: 700 } });
    const page = await context.newPage();
    await page.addInitScript(() => {
      window.__moved = 0;
      new PerformanceObserver((list) => {
        for (const entry of list.getEntries()) if (!entry.hadRecentInput) window.__moved += entry.value;
      }).observe({ type: "layout-shift", buffered: true });
    });
    await page.route("**/assets/*.js*", async (route) => {
      await new Promise((done) => setTimeout(done, 150));
      await route.continue();
    });
    await page.goto(new URL(spec.path, base).href, { waitUntil: "load" });
    await page.evaluate(() => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done))));
    const moved = await page.evaluate(() => window.__moved);
    if (moved > 0.1) fail(`${spec.name} on a slow line`, `the layout jumps (CLS ${moved.toFixed(3)})`);
    await context.close();
  });

/** In `en-XA` every string of ours stands in brackets, with accents. What is left in plain letters must be somebody's data
 *  (`translate="no"`, code, or a text in whatever language, `dir="auto"`). Names for screen readers, tooltips and the title too. */
const inThePseudoLocale = (spec) =>
  once(spec, "in the pseudo-locale", {}, async (page, where) => {
    const bare = await page.evaluate(() => {
      const DATA = 'code, pre, time, svg, script, textarea, [translate="no"], [dir="auto"]';
      // Without the strings of ours: brackets, one in another, around something with an accent.
      const left = (text) => {
        let [out, depth, held] = ["", 0, ""];
        for (const c of text) {
          if (c === "[") depth += 1;
          if (depth) held += c;
          else out += c;
          if (c === "]" && depth && --depth === 0) {
            out += /[^\x00-\x7f]/.test(held) ? " " : held;
            held = "";
          }
        }
        return out + held;
      };
      const ours = (text) => left(text) !== text;
      // FIRST's labels are not translated (TLP 2.0, section 2).
      const plain = (text) => /[A-Za-z]{3,}/.test(left(text).replace(/TLP:[A-Z+]+/g, " "));
      const found = new Set();
      const walk = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
      for (let n = walk.nextNode(); n; n = walk.nextNode()) {
        const text = n.textContent.trim();
        if (!text || n.parentElement.closest(DATA)) continue;
        // The name of a collection, which its id stands behind.
        if (n.parentElement.tagName === "OPTION" && /^[0-9a-f]{8}-/.test(n.parentElement.value)) continue;
        if (plain(text)) found.add(`“${text.slice(0, 80)}” in ${n.parentElement.tagName.toLowerCase()}.${n.parentElement.className}`);
      }
      for (const name of ["aria-label", "title", "placeholder", "alt", "aria-description"]) {
        for (const e of document.querySelectorAll(`[${name}]`)) {
          const text = e.getAttribute(name).trim();
          if (text && plain(text) && !ours(text) && !e.closest('[translate="no"]')) found.add(`${name}=“${text.slice(0, 80)}” of ${e.tagName.toLowerCase()}.${e.getAttribute("class")}`);
        }
      }
      if (document.querySelector("h1") && !ours(document.title) && !document.querySelector("h1[dir=auto]")) found.add(`title=“${document.title}”`);
      return [...found];
    });
    for (const text of bare.slice(0, 8)) fail(where, text);
    await page.screenshot({ path: join(out, `${spec.name}-pseudo.png`), fullPage: true });
  });

for (const spec of pages) {
  if (spec.looks !== false) await looks(spec);
  if (!flags.quick) {
    await withoutScript({ ...spec, steps: spec.steps });
    await onPaper(spec);
    await byKeyboard(spec);
    if (spec.looks !== false) {
      await inForcedColours(spec);
      await onASlowLine(spec);
    }
    cookies.push("lang=en-XA");
    await inThePseudoLocale(spec);
    cookies.pop();
  }
  console.log(`  ${spec.name}`);
}
await browser.close();
console.log(faults.n ? `${faults.n} faults` : `${pages.length} pages: no faults`);
process.exit(faults.n ? 1 : 0);
