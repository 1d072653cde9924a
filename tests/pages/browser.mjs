// What the page tests share: Chromium, its contexts, the count of faults, and the addresses that were visited.
// Packages come from ui/node_modules (`npm ci` there); CHROMIUM names another browser than Debian's.
import { appendFile, readFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

export const here = dirname(fileURLToPath(import.meta.url));
const require = createRequire(join(here, "../../ui/package.json"));
const { chromium } = require("playwright-core");
export const axe = await readFile(require.resolve("axe-core/axe.min.js"), "utf8");

export const RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"];

export async function launch() {
  return chromium.launch({
    executablePath: process.env.CHROMIUM ?? "/usr/bin/chromium",
    headless: true,
    args: ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking", "--disable-component-update", "--disable-sync"],
  });
}

/** A context as a reader has it: her cookies (`NAME=VALUE`), her wishes. Documents that it asks for are written into
 *  the file VISITED, a line each: method and path. */
export async function reader(browser, base, cookies, wishes = {}) {
  const context = await browser.newContext({ reducedMotion: "reduce", locale: "en-GB", timezoneId: "UTC", ...wishes });
  const url = new URL(base).origin;
  await context.addCookies(cookies.map((pair) => ({ name: pair.split("=")[0], value: pair.split("=").slice(1).join("="), url })));
  if (process.env.VISITED) {
    context.on("request", (request) => {
      if (request.resourceType() === "document") void appendFile(process.env.VISITED, `${request.method()} ${new URL(request.url()).pathname}\n`);
    });
  }
  return context;
}

export const faults = { n: 0 };
export function fail(where, what) {
  faults.n += 1;
  console.log(`✗ ${where}: ${what}`);
}
export function check(rule, held, saw = "") {
  if (held) console.log(`  ok    ${rule}`);
  else fail("rule", `${rule}${saw === "" ? "" : `\n    saw: ${String(saw).slice(0, 400)}`}`);
}

/** Errors of the page's own scripts; the browser's line about a status is not one. */
export function listen(page, where) {
  page.on("pageerror", (e) => fail(where, `script error: ${e.message}`));
  page.on("console", (m) => {
    if (m.type() === "error" && !/Failed to load resource/.test(m.text())) fail(where, m.text());
  });
}

export async function accessible(page, where) {
  await page.evaluate(axe);
  const found = await page.evaluate((rules) => window.axe.run(document, { runOnly: rules }), RULES);
  for (const v of found.violations) {
    for (const node of v.nodes.slice(0, 4)) {
      fail(where, `${v.id} (${v.impact}): ${node.target.join(" ")}\n    ${node.failureSummary?.split("\n").slice(1, 3).join(" ").trim()}`);
    }
  }
}

/** Flags of the command line: `--name value`, may repeat; the rest in order. */
export function words(argv) {
  const flags = {};
  const rest = [];
  for (const args = [...argv]; args.length; ) {
    const arg = args.shift();
    if (arg.startsWith("--")) (flags[arg.slice(2)] ??= []).push(args.shift());
    else rest.push(arg);
  }
  return { flags, rest };
}
