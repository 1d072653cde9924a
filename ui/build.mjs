// Builds ui/dist: app.css, app.js, graph.js, each with a .gz beside it. `npm ci && npm run build`.
import { mkdir, readFile, rm, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { gzipSync } from "node:zlib";
import * as esbuild from "esbuild";
import * as sass from "sass";
import { ownColours } from "./colours.mjs";

const here = dirname(fileURLToPath(import.meta.url));
const dist = join(here, "dist");

// The kits' components that no page of ours uses; their rules are left out.
const UNUSED = [
  "moj-rich-text-editor", "moj-multi-file-upload", "moj-organisation-switcher", "moj-cookie-banner", "moj-banner",
  "moj-header", "moj-messages", "moj-multi-select", "moj-password-reveal", "moj-search-toggle", "moj-date-picker",
  "moj-datepicker", "moj-interruption-card", "moj-filter", "moj-currency-input", "moj-progress-bar", "moj-ticket-panel",
  "moj-side-navigation", "moj-primary-navigation", "moj-pagination", "moj-action-bar", "moj-add-another", "moj-button-menu",
  "govuk-cookie-banner", "govuk-header", "govuk-footer", "govuk-phase-banner", "govuk-language-navigation",
  "govuk-service-navigation", "govuk-feedback", "govuk-accordion", "govuk-panel", "govuk-generic-header",
];

function css() {
  const built = sass.compile(join(here, "src/app.scss"), {
    loadPaths: [here, join(here, "node_modules")],
    style: "expanded",
    quietDeps: true,
    logger: sass.Logger.silent,
  });
  return ownColours(withoutUnused(built.css));
}

// Takes rules apart by braces: enough for what Sass writes. Drops selectors of unused components, images and
// fonts that we do not ship (the crests among them), and rules that have become empty.
function withoutUnused(text) {
  const unused = new RegExp(`\\.(js-enabled \\.)?(${UNUSED.join("|")})(?![a-z])`);
  const rule = /([^{}]+)\{([^{}]*)\}/g;
  text = text.replace(/\/\*[\s\S]*?\*\//g, "").replace(/@charset[^;]*;/, "");
  text = text.replace(rule, (_, selectors, body) => {
    if (selectors.trim().startsWith("@font-face")) return "";
    const kept = selectors.includes("@") ? [selectors] : selectors.split(/,(?![^(]*\))/).filter((s) => !unused.test(s));
    body = body.replace(/[^;{}]*url\((?:"|')?\/assets\/[^;]*;/g, "");
    return kept.length && body.trim() ? `${kept.join(",")}{${body}}` : "";
  });
  let before;
  do {
    before = text;
    text = text.replace(/@media[^{}]*\{\s*\}/g, "");
  } while (text !== before);
  return text;
}

async function put(name, bytes) {
  const gz = gzipSync(bytes, { level: 9 });
  await writeFile(join(dist, name), bytes);
  await writeFile(join(dist, `${name}.gz`), gz);
  console.log(`${name.padEnd(12)} ${(bytes.length / 1024).toFixed(0).padStart(5)} KB  ${(gz.length / 1024).toFixed(1).padStart(6)} KB gzipped`);
}

await rm(dist, { recursive: true, force: true });
await mkdir(dist, { recursive: true });

const style = css();
for (const trap of ["crest", "GDS Transport", "/assets/"]) {
  if (style.includes(trap)) throw new Error(`app.css still names ${trap}`);
}
const minified = await esbuild.transform(style, { loader: "css", minify: true, target: ["chrome120", "firefox121", "safari17"] });
await put("app.css", Buffer.from(minified.code));

const bundles = await esbuild.build({
  entryPoints: { app: join(here, "src/app.ts"), graph: join(here, "src/graph.ts") },
  outdir: dist,
  bundle: true,
  minify: true,
  format: "esm",
  target: ["es2022"],
  legalComments: "inline",
  write: false,
});
for (const file of bundles.outputFiles) await put(file.path.slice(dist.length + 1), Buffer.from(file.contents));
await put("licences.txt", Buffer.from(await licences()));

// What we ship of others, with their terms.
async function licences() {
  const parts = [];
  for (const [name, file] of [
    ["govuk-frontend", "LICENSE.txt"], ["@ministryofjustice/frontend", "LICENCE"], ["htmx.org", "LICENSE"], ["cytoscape", "LICENSE"],
  ]) {
    const folder = join(here, "node_modules", name);
    const pack = JSON.parse(await readFile(join(folder, "package.json"), "utf8"));
    const text = await readFile(join(folder, file), "utf8").catch(() => pack.license);
    parts.push(`${name} ${pack.version} (${pack.license})\n\n${text}`);
  }
  return parts.join(`\n\n${"-".repeat(72)}\n\n`);
}
