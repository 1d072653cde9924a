// What a person does on the pages, in Chromium, each deed with what she must see afterwards. scripts/pages.py starts the node.
//   node tests/pages/story.mjs STORY.json OUT_DIR
// STORY.json: { base, cookies: { ROLE: [NAME=VALUE] }, token (an analyst's), collection (TAXII), link (a one-time link), party (a path), notes: [{ lang, text, finds }] }
import { createHmac } from "node:crypto";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { accessible, check, faults, launch, listen, reader } from "./browser.mjs";

const [file, out] = process.argv.slice(2);
const story = JSON.parse(await readFile(file, "utf8"));
const { base } = story;
const browser = await launch();
const open = async (role, wishes = {}) => {
  const context = await reader(browser, base, story.cookies[role] ?? [], { viewport: { width: 1280, height: 900 }, ...wishes });
  const page = await context.newPage();
  listen(page, role);
  return page;
};
const send = (page, button) => Promise.all([page.waitForNavigation({ waitUntil: "load" }), page.click(button)]).then(([r]) => r);

/** A note, posted by a program over TAXII. */
async function post(text) {
  const id = `note--${crypto.randomUUID()}`;
  const at = new Date().toISOString();
  const note = { type: "note", spec_version: "2.1", id, created: at, modified: at, content: text, object_refs: [id] };
  const media = "application/taxii+json;version=2.1";
  const answer = await fetch(`${base}/taxii2/api/collections/${story.collection}/objects/`, {
    method: "POST", body: JSON.stringify({ objects: [note] }),
    headers: { authorization: `Bearer ${story.token}`, "content-type": media, accept: media },
  });
  if (answer.status !== 202) throw new Error(`TAXII POST answered ${answer.status}`);
  return id;
}

/** The code of an authenticator app (RFC 6238: SHA-1, six digits, 30 s). */
function totp(secret, at = Date.now()) {
  const bits = [...secret.replace(/[= ]/g, "")].map((c) => "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567".indexOf(c).toString(2).padStart(5, "0")).join("");
  const key = Buffer.from(bits.match(/.{8}/g).map((b) => parseInt(b, 2)));
  const counter = Buffer.alloc(8);
  counter.writeBigUInt64BE(BigInt(Math.floor(at / 30000)));
  const mac = createHmac("sha1", key).update(counter).digest();
  return String((mac.readUInt32BE(mac[19] & 15) & 0x7fffffff) % 1_000_000).padStart(6, "0");
}

// ── who is said to belong to whom ──────────────────────────────────────────────────────────────────────────────────
{
  const page = await open("analyst");
  await page.goto(base + story.party);
  const me = await page.locator("h1").innerText();
  const row = page.locator("tr", { hasText: "attributed to" }).first();
  const [other, sentence] = await row.locator("a").allInnerTexts();
  check("a relationship names both its ends", sentence.startsWith(me) && sentence.endsWith(other.trim()), [me, other, sentence]);
  const drawn = (await page.locator("svg text").allTextContents()).join(" ");
  check("the figure leads to the other end, not to the relationship", drawn.includes("attributed to") && !drawn.includes("Relationship"), drawn);
  await Promise.all([page.waitForNavigation(), row.locator("a").nth(1).click()]);
  const title = await page.locator("h1").innerText();
  check("and so does its own page", title.includes(me) && title.includes(other.trim()), title);
  await page.context().close();
}

// ── arriving ────────────────────────────────────────────────────────────────────────────────────────────────────────
{
  const page = await open("nobody");
  await page.goto(base + story.link);
  await send(page, "main button");
  check("a one-time link leads to the overview", new URL(page.url()).pathname === "/", page.url());
  await page.click(".ce-menu__summary");
  await send(page, ".ce-menu form button");
  check("signing out leads to sign-in", page.url().endsWith("/sign-in"), page.url());
  const back = await page.goto(base + story.link);
  check("a one-time link works once; afterwards it says what happened, and offers the way on instead of its button", back.status() === 410
    && (await page.locator("main button").count()) === 0 && (await page.locator("main").innerText()).includes("signed in with it") && (await page.locator('main a[href="/sign-in"]').count()) === 1, back.status());
  await accessible(page, "spent link");
  await page.goto(`${base}/sign-in`);
  await page.fill("#name", "EXERCISE nobody");
  await page.fill("#password", "a wrong password");
  const refused = await send(page, "main button[type=submit]");
  check("a refused sign-in keeps the name, drops the password, and says it first", refused.status() === 401
    && (await page.inputValue("#name")) === "EXERCISE nobody" && (await page.inputValue("#password")) === ""
    && (await page.evaluate(() => document.activeElement?.matches("[data-error-summary]"))));
  await page.context().close();
}

// ── live ────────────────────────────────────────────────────────────────────────────────────────────────────────────
{
  const page = await open("analyst");
  await page.goto(base);
  await page.waitForSelector("[data-live][data-state=on]");
  const before = await page.locator("main").innerText();
  await post("EXERCISE arrived while the page is open");
  await page.waitForSelector("[data-live][data-count='1']", { timeout: 10_000 });
  check("an object posted over TAXII is counted on the open overview", (await page.locator(".ce-live__text").innerText()).startsWith("1 "));
  check("the count is told politely to screen readers", await page.locator(".ce-live__text[role=status]").count() === 1);
  check("the rows do not move under the reader's eyes", !(await page.locator("main").innerText()).includes("EXERCISE arrived while") && before.length > 0);
  check("nothing pulses for who wants no motion", (await page.evaluate(() => getComputedStyle(document.querySelector(".ce-live__dot")).animationName)) === "none");
  // Another tab in front: the connection is given back, and what came meanwhile is counted afterwards.
  const hide = (hidden) => page.evaluate((h) => {
    Object.defineProperty(document, "hidden", { configurable: true, get: () => h });
    document.dispatchEvent(new Event("visibilitychange"));
  }, hidden);
  await hide(true);
  check("a hidden page holds no stream", (await page.locator("[data-live]").getAttribute("data-state")) === "paused");
  await post("EXERCISE arrived while the page was hidden");
  await hide(false);
  await page.waitForSelector("[data-live][data-count='2']", { timeout: 10_000 });
  check("what arrived while hidden is counted when it is seen again", true);
  await send(page, ".ce-live__load");
  check("a touch shows them", (await page.locator("main").innerText()).includes("EXERCISE arrived while the page was hidden"));
  await page.context().close();
}

// ── a hotline's notes, in many scripts ──────────────────────────────────────────────────────────────────────────────
{
  const page = await open("analyst");
  for (const note of story.notes) {
    await page.goto(`${base}/report`);
    await page.fill("#text", note.text);
    if (note.country) await page.fill("#country", note.country);
    await send(page, "button[value=look]");
    const marked = await page.locator(".ce-says .ce-read").allInnerTexts();
    const missed = note.marks.filter((m) => !marked.includes(m));
    check(`${note.lang}: what was read is marked in the text`, missed.length === 0, `missed ${missed}; marked ${marked.join(" | ")}`);
    check(`${note.lang}: the text is shown as it was typed`, (await page.locator(".ce-says").innerText()).replace(/\s+/g, " ").trim() === note.text.replace(/\s+/g, " ").trim());
    await page.screenshot({ path: join(out, `preview-${note.lang}.png`), fullPage: true });
  }
  await accessible(page, "report preview");
  await page.emulateMedia({ media: "print" });
  await page.pdf({ path: join(out, "preview.pdf"), format: "A4" });
  await page.emulateMedia({ media: "screen" });
  await send(page, "button[value=change]");
  const last = story.notes.at(-1);
  check("“change” brings back what was typed", (await page.inputValue("#text")).trim() === last.text.trim());
  await page.fill("#country", "Siam");
  const wrong = await send(page, "button[value=look]");
  check("a wrong country is told beside its field, and nothing typed is lost", wrong.status() === 422
    && (await page.locator("#country-error").isVisible()) && (await page.inputValue("#text")).trim() === last.text.trim() && (await page.inputValue("#country")) !== "");
  await page.fill("#country", last.country ?? "");
  await send(page, "button[value=look]");
  if (story.corrects) {
    const first = page.locator("input[name=left_out]").first();
    const value = await first.getAttribute("value");
    await first.check();
    await page.fill("#add", "EXERCISE-added.example");
    await send(page, "button[value=look]");
    check("what is left out stays left out on the second look", await page.locator(`input[name=left_out][value="${value}"]`).isChecked());
  }
  await send(page, "button[value=save]");
  check("saving leads to the object and says so", page.url().includes("/objects/") && (await page.locator(".ce-notice--done").isVisible()), page.url());
  await page.locator("#reason").fill("");
  const empty = await send(page, "#withdraw button[type=submit]");
  check("withdrawing asks for a reason", empty.status() === 422);
  await page.fill("#reason", "EXERCISE: entered twice");
  const address = page.url().replace("/withdraw", "").split("?")[0];
  await send(page, "#withdraw button[type=submit]");
  check("a withdrawn report is gone from its address, which says why and nothing of what it said", (await page.goto(address)).status() === 410
    && (await page.locator("main").innerText()).includes("EXERCISE: entered twice") && !(await page.locator("main").innerText()).includes(last.text.trim().slice(0, 30)));
  check("an error page keeps the way on", (await page.locator(".ce-nav a").count()) > 3);
  await page.goBack();
  await page.context().close();
}

// ── a file, without a script ────────────────────────────────────────────────────────────────────────────────────────
{
  const page = await open("analyst", { javaScriptEnabled: false });
  await page.goto(`${base}/import`);
  const none = await send(page, "main button[type=submit]");
  check("an import without a file is told beside the field", none.status() === 422 && (await page.locator("#file-error").isVisible()));
  const id = `note--${crypto.randomUUID()}`;
  const at = "2026-01-01T00:00:00.000Z";
  const good = { type: "note", spec_version: "2.1", id, created: at, modified: at, content: "EXERCISE imported without a script", object_refs: [id] };
  const bundle = { type: "bundle", id: `bundle--${crypto.randomUUID()}`, objects: [good, { type: "note", id: "EXERCISE-not-an-id" }] };
  await page.setInputFiles("#file", { name: "EXERCISE bundle.json", mimeType: "application/json", buffer: Buffer.from(JSON.stringify(bundle)) });
  await send(page, "main button[type=submit]");
  const told = await page.locator("main").innerText();
  check("an import's page says what was added, and why a record was set aside", /\/import\/[^/]+$/.test(new URL(page.url()).pathname) && told.includes("EXERCISE imported without a script") && told.includes("set aside"), told.slice(0, 300));
  await page.screenshot({ path: join(out, "import-result.png"), fullPage: true });
  await page.fill("#reason", "EXERCISE: the wrong file");
  await send(page, "#withdraw button[type=submit]");
  check("a whole import can be withdrawn", !(await page.locator("main").innerText()).includes("EXERCISE imported without a script"));
  await page.context().close();
}
{
  const page = await open("analyst");
  await page.goto(`${base}/import`);
  const dropped = await page.evaluateHandle(() => {
    const data = new DataTransfer();
    data.items.add(new File(["EXERCISE dropped.example\n"], "EXERCISE drop.txt", { type: "text/plain" }));
    return data;
  });
  await page.dispatchEvent("[data-drop]", "drop", { dataTransfer: dropped });
  check("a dropped file stands in the field", (await page.evaluate(() => document.querySelector("#file").files[0]?.name)) === "EXERCISE drop.txt");
  await page.context().close();
}

// ── searching ───────────────────────────────────────────────────────────────────────────────────────────────────────
{
  const page = await open("analyst");
  await page.goto(`${base}/search?q=EXERCISE`);
  await page.selectOption("#type", "report");
  await page.selectOption("#marking", "TLP:GREEN");
  await send(page, ".ce-filters__go");
  const rows = await page.locator("tbody tr").allInnerTexts();
  check("filters narrow, and stand in the address", rows.length > 0 && rows.every((r) => /Report/.test(r) && /TLP:GREEN/.test(r)) && page.url().includes("type=report") && !page.url().includes("EXERCISE"), rows.slice(0, 2).join("; "));
  await send(page, ".ce-chip");
  check("a chip takes one filter away", !page.url().includes("type=report") && page.url().includes("marking="), page.url());
  await page.goto(`${base}/search?q=EXERCISE&since=2026-13-45`);
  check("a day that is none is told, and the words stay", (await page.locator("#since-error").isVisible()) && (await page.inputValue("#q")) === "EXERCISE");
  const shown = async () => page.locator("tbody tr").count();
  await page.goto(`${base}/search?q=EXERCISE`);
  const first = await page.locator("tbody tr").first().innerText();
  if (await page.locator(".ce-paging__more").count()) {
    await send(page, ".ce-paging__more");
    check("the next page begins where the first ended", (await shown()) > 0 && (await page.locator("tbody tr").first().innerText()) !== first);
  }
  await page.keyboard.press("/");
  check("“/” leads to the search field", (await page.evaluate(() => document.activeElement?.id)) === "quick-search");
  await page.fill("#quick-search", "EXERCISE note");
  await Promise.all([page.waitForURL(/\/search\?s=/), page.keyboard.press("Enter")]);
  check("words that are searched for stand in no address", !page.url().includes("EXERCISE") && (await page.inputValue("#q")) === "EXERCISE note", page.url());
  if (story.listed) {
    await page.goto(`${base}/search?q=${encodeURIComponent(story.listed)}`);
    check("a search says which reference list names it", (await page.locator(".ce-notice--bad").innerText()).includes(story.listed));
  }
  await page.context().close();
}

// ── one's own account ───────────────────────────────────────────────────────────────────────────────────────────────
{
  const page = await open("supervisor");
  await page.goto(`${base}/account`);
  await send(page, 'form[action="/account/second-factor"] button');
  const secret = await page.locator(".ce-value__text").first().innerText();
  check("the second factor is shown as a QR code beside its secret", (await page.locator("svg.ce-qr[role=img]").isVisible()) && /^[A-Z2-7]{16,}=*$/.test(secret));
  await accessible(page, "second factor");
  await page.fill("#code", "000000");
  const refused = await send(page, "main button[type=submit]");
  check("a wrong code is told and the secret is not shown again", refused.status() === 422 && !(await page.content()).includes(secret));
  await page.fill("#code", totp(secret));
  await send(page, "main button[type=submit]");
  const codes = await page.locator(".ce-codes code").allInnerTexts();
  check("recovery codes are shown once, with a button to print them", codes.length >= 8 && (await page.locator("[data-print]").isVisible()), codes.length);
  await accessible(page, "recovery codes");
  await page.screenshot({ path: join(out, "recovery-codes.png"), fullPage: true });
  await page.emulateMedia({ media: "print" });
  check("on paper the codes stand without controls", (await page.locator(".ce-codes code").first().isVisible()) && !(await page.locator("[data-print]").isVisible()) && (await page.locator(".ce-exercise").isVisible()));
  await page.pdf({ path: join(out, "recovery-codes.pdf"), format: "A4" });
  await page.emulateMedia({ media: "screen" });
  await send(page, "main a.govuk-button");
  check("afterwards they are nowhere", !codes.some(async (c) => (await page.content()).includes(c)) || !(await page.content()).includes(codes[0]));
  await page.fill("#code", codes[0]);
  await send(page, 'form[action="/account/second-factor/remove"] button');
  check("a recovery code stands for the app", (await page.locator(".ce-notice--done").count()) === 1);
  check("who came in with a link has no old password to know", (await page.locator("#old").count()) === 0);
  await page.fill("#new", "four EXERCISE words together");
  await send(page, 'form[action="/account/password"] button');
  check("and sets a first one", (await page.locator(".ce-notice--done").count()) === 1 && (await page.locator("#old").count()) === 1);
  await page.fill("#old", "not the password");
  await page.fill("#new", "a long enough EXERCISE password");
  const old = await send(page, 'form[action="/account/password"] button');
  check("a wrong present password is told", old.status() === 422);
  await page.fill("#zone", "Asia/Bangkok");
  await send(page, 'form[action="/account/settings"] button');
  check("times follow the chosen zone", (await page.locator("time").first().innerText()).includes("+07") || (await page.content()).includes("+07"));
  await send(page, 'form[action="/account/sessions/revoke"] button');
  check("ending a session leads on", (await page.locator("h1").innerText()).length > 0);
  await page.context().close();
}

// ── accounts and tokens ─────────────────────────────────────────────────────────────────────────────────────────────
{
  const page = await open("administrator");
  await page.goto(`${base}/users`);
  await page.fill("#name", "EXERCISE mei");
  await page.fill("#password", "short");
  const short = await send(page, 'form[action="/users"] button');
  check("a short password is told, the name stays", short.status() === 422 && (await page.inputValue("#name")) === "EXERCISE mei");
  await page.fill("#password", "several EXERCISE words in a row");
  await page.check("input[name=role][value=reader]");
  await send(page, 'form[action="/users"] button');
  await send(page, "text=EXERCISE mei");
  await page.check("input[name=role][value=analyst]");
  await send(page, "button[value=role]");
  check("a role is changed and said", (await page.locator(".ce-notice--done").count()) === 1);
  await accessible(page, "user");
  await page.screenshot({ path: join(out, "user.png"), fullPage: true });
  await send(page, "button[value=disabled]");
  check("an account can be disabled", (await page.locator("button[value=enabled]").count()) === 1);
  await page.goto(`${base}/tokens`);
  await page.fill("#name", "EXERCISE program");
  await page.check("input[name=role][value=reader]");
  await send(page, 'form[action="/tokens"] button');
  check("a token is shown once", (await page.locator("main code").count()) === 1);
  await accessible(page, "token");
  await page.goto(`${base}/tokens`);
  await send(page, 'form[action="/tokens/revoke"] button');
  check("a token can be revoked", (await page.locator(".ce-notice--done").count()) === 1);
  const forbidden = await page.goto(`${base}/search?q=EXERCISE`);
  check("what is not for a role is told in words, with the way on", [403, 404].includes(forbidden.status()) && (await page.locator(".ce-problem").count()) === 1, forbidden.status());
  await page.context().close();
}

// ── who reads what ──────────────────────────────────────────────────────────────────────────────────────────────────
{
  const page = await open("administrator");
  await page.goto(`${base}/tokens`);
  await page.fill("#name", "EXERCISE neighbour");
  await page.check("input[name=role][value=peer]");
  await send(page, 'form[action="/tokens"] button');
  await send(page, 'main a[href="/collections"]');
  await send(page, "text=Intake");
  await page.fill("#name", "EXERCISE neighbour");
  await page.check("input[name=may][value=write]");
  await send(page, "button[value=grant]");
  const row = page.locator("tr", { hasText: "EXERCISE neighbour" });
  check("another node is granted a collection", (await page.locator(".ce-notice--done").count()) === 1 && (await row.innerText()).includes("write"));
  await accessible(page, "collection");
  await page.screenshot({ path: join(out, "collection-granted.png"), fullPage: true });
  await Promise.all([page.waitForNavigation(), row.locator("button").click()]);
  check("and it is taken back", (await page.locator("tr", { hasText: "EXERCISE neighbour" }).count()) === 0 && (await page.locator(".ce-notice--done").count()) === 1);
  await page.fill("#name", "nobody of this name");
  const wrong = await send(page, "button[value=grant]");
  check("a name that nobody has is told beside its field", wrong.status() === 422 && (await page.locator("#name-error").isVisible()) && (await page.inputValue("#name")) === "nobody of this name");
  await page.context().close();
}

// ── who asked for what ──────────────────────────────────────────────────────────────────────────────────────────────
{
  const page = await open("auditor");
  await page.goto(base);
  check("an auditor arrives at a page of their own", new URL(page.url()).pathname === "/desk" && (await page.locator("main table tbody tr").count()) > 0, page.url());
  await page.goto(`${base}/access`);
  const who = await page.locator("tbody tr td:nth-child(3) a").first().innerText();
  if (!(await page.locator("#who").isVisible())) await page.locator(".ce-filters__summary").click();
  await page.fill("#who", who);
  await page.selectOption("#outcome", "answered");
  await send(page, ".ce-filters__go");
  const rows = await page.locator("tbody tr td:nth-child(3)").allInnerTexts();
  check("the log is narrowed to one person, whose name is in no address", rows.length > 0 && rows.every((r) => r === who) && !page.url().includes(who) && page.url().includes("account="), page.url());
  const href = await page.locator("main a[download]").getAttribute("href");
  const [download] = await Promise.all([page.waitForEvent("download"), page.goto(base + href).catch(() => {})]);
  const csv = (await readFile(await download.path(), "utf8")).trim().split(/\r?\n/);
  check("and taken away as CSV", csv[0].startsWith("n,at,account") && csv.length > 1 && csv.slice(1).every((line) => line.includes(who)), csv.slice(0, 2));
  await send(page, ".ce-chip");
  check("a chip takes one filter away", !page.url().includes("account="), page.url());
  await page.context().close();
}

// ── what a role may not, its menu does not offer ────────────────────────────────────────────────────────────────────
{
  const page = await open("reader");
  await page.goto(base);
  const places = await page.locator(".ce-nav a").evaluateAll((links) => links.map((a) => new URL(a.href).pathname));
  check("a reader's menu leads to reading alone", !places.some((p) => ["/report", "/import", "/users", "/access", "/desk"].includes(p)), places);
  for (const place of places) {
    const answer = await page.goto(base + place);
    check(`a reader's menu opens ${place}`, answer.status() === 200, answer.status());
  }
  await page.context().close();
}

// ── a word on a selector, and the EXERCISE world goes, both without a script ─────────────────────────────────────────
{
  const page = await open("analyst", { javaScriptEnabled: false });
  await page.goto(base);
  await send(page, 'main a[href^="/selectors"]');
  const none = await send(page, "#overrule button[type=submit]");
  check("a word on a selector wants a reason", none.status() === 422 && (await page.locator("#reason-error").isVisible()));
  await page.fill("#reason", "EXERCISE: everybody's number");
  await send(page, "#overrule button[type=submit]");
  const said = await page.locator("main").innerText();
  check("the word stands on the page with its reason", said.includes("EXERCISE: everybody's number") && (await page.locator(".ce-notice--done").count()) === 1, said.slice(0, 200));
  const looking = await open("analyst");
  await looking.goto(page.url());
  await accessible(looking, "overruled");
  await looking.screenshot({ path: join(out, "overruled.png"), fullPage: true });
  await looking.context().close();
  await page.check("#overrule input[value=undo]");
  await page.fill("#reason", "EXERCISE: it was another one");
  await send(page, "#overrule button[type=submit]");
  check("the word can be undone", !(await page.locator("main").innerText()).includes("EXERCISE: everybody's number"));
  await page.goto(`${base}/nowhere-at-all`);
  check("an unknown address keeps the navigation", (await page.locator(".ce-nav a").count()) > 3);
  await page.goto(base);
  await send(page, 'main a[href="/exercise-world"]');
  await send(page, "main a.govuk-link");
  check("who does not confirm keeps the EXERCISE world", (await page.locator('main a[href="/exercise-world"]').count()) === 1);
  await send(page, 'main a[href="/exercise-world"]');
  await send(page, "main button[type=submit]");
  check("one button removes the EXERCISE world", (await page.locator(".ce-notice--done").count()) === 1 && (await page.locator('main a[href="/exercise-world"]').count()) === 0);
  await page.context().close();
}
await browser.close();
console.log(faults.n ? `${faults.n} faults in the story` : "the story holds");
process.exit(faults.n ? 1 : 0);
