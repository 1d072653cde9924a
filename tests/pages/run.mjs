// Looks at pages in Chromium: screenshots at three widths in both themes, and axe on each.
//   node tests/pages/run.mjs BASE_URL OUT_DIR [PAGES.json] [--only NAME] [--cookie NAME=VALUE]
// Exits 1 when a page breaks WCAG 2.2 AA, scrolls sideways, reports a script error, or does not answer.
// PAGES.json: [{ "name", "path", "status"?, "steps"?: [{ "click" | "fill": [selector, text] | "wait": selector }], "full"? }]
// Packages come from ui/node_modules (`npm ci` there); CHROMIUM names another browser than Debian's.
import { mkdtemp, mkdir, readFile, rm } from "node:fs/promises";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { dirname, join, resolve } from "node:path";
import { fileURLToPath } from "node:url";

const here = dirname(fileURLToPath(import.meta.url));
const require = createRequire(join(here, "../../ui/package.json"));
const { chromium } = require("playwright-core");
const axe = await readFile(require.resolve("axe-core/axe.min.js"), "utf8");

const flags = { only: [], cookie: [] };
const rest = [];
for (const args = process.argv.slice(2); args.length; ) {
  const arg = args.shift();
  if (arg.startsWith("--")) flags[arg.slice(2)].push(args.shift());
  else rest.push(arg);
}
const [base, out, list = join(here, "gallery.json")] = rest;
if (!base || !out) {
  console.error("usage: node tests/pages/run.mjs BASE_URL OUT_DIR [PAGES.json] [--only NAME] [--cookie NAME=VALUE]");
  process.exit(2);
}
const pages = JSON.parse(await readFile(resolve(list), "utf8")).filter((p) => !flags.only.length || flags.only.includes(p.name));
const WIDTHS = [320, 768, 1280];
const THEMES = ["light", "dark"];
const RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"];

await mkdir(out, { recursive: true });
const profile = await mkdtemp(join(tmpdir(), "eye-pages-"));
const browser = await chromium.launchPersistentContext(profile, {
  executablePath: process.env.CHROMIUM ?? "/usr/bin/chromium",
  headless: true,
  args: ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking", "--disable-component-update", "--disable-sync"],
  reducedMotion: "reduce",
  locale: "en-GB",
  timezoneId: "UTC",
});
const host = new URL(base).hostname;
for (const pair of flags.cookie) {
  const [name, ...value] = pair.split("=");
  await browser.addCookies([{ name, value: value.join("="), domain: host, path: "/" }]);
}

let wrong = 0;
function fail(where, what) {
  wrong += 1;
  console.log(`✗ ${where}: ${what}`);
}

for (const spec of pages) {
  for (const theme of THEMES) {
    for (const width of WIDTHS) {
      const where = `${spec.name} ${theme} ${width}`;
      const page = await browser.newPage();
      await page.emulateMedia({ colorScheme: theme, reducedMotion: "reduce" });
      await page.setViewportSize({ width, height: width < 500 ? 700 : 900 });
      page.on("pageerror", (e) => fail(where, `script error: ${e.message}`));
      page.on("console", (m) => {
        // The browser's own line about a page's status is not an error of the page.
        if (m.type() === "error" && !/Failed to load resource/.test(m.text())) fail(where, m.text());
      });
      try {
        const answer = await page.goto(new URL(spec.path, base).href, { waitUntil: "load" });
        const status = answer?.status() ?? 0;
        if (status !== (spec.status ?? 200)) fail(where, `answered ${status}`);
        for (const step of spec.steps ?? []) {
          if (step.click) await page.click(step.click);
          if (step.fill) await page.fill(step.fill[0], step.fill[1]);
          if (step.wait) await page.waitForSelector(step.wait, { timeout: 10_000 });
        }
        const sideways = await page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth);
        if (sideways > 0) fail(where, `scrolls sideways by ${sideways} px`);
        await page.screenshot({ path: join(out, `${spec.name}-${theme}-${width}.png`), fullPage: spec.full ?? true });
        await page.evaluate(axe);
        const found = await page.evaluate((rules) => window.axe.run(document, { runOnly: rules }), RULES);
        for (const v of found.violations) {
          for (const node of v.nodes.slice(0, 4)) {
            fail(where, `${v.id} (${v.impact}): ${node.target.join(" ")}\n    ${node.failureSummary?.split("\n").slice(1, 3).join(" ").trim()}`);
          }
        }
      } catch (e) {
        fail(where, e.message.split("\n")[0]);
      }
      await page.close();
    }
  }
  console.log(`  ${spec.name}`);
}
await browser.close();
await rm(profile, { recursive: true, force: true });
console.log(wrong ? `${wrong} faults` : `${pages.length} pages × ${WIDTHS.length} widths × ${THEMES.length} themes: no faults`);
process.exit(wrong ? 1 : 0);
