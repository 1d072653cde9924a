// The kits hard-code some hundred colours beside their custom properties. Each becomes a property of ours,
// named by its role (ground, ink, line) and value, with a light value and a generated dark one.

/** Colours of gov.uk's own look, replaced by ours in the light theme. */
const OURS = {
  "#1d70b8": "#0f5c70", "#1a65a6": "#0b5873", "#0f385c": "#063b4d", "#005ea5": "#0b5873", "#0f7a52": "#14684a",
  "#ca3535": "#b3261e", "#ffdd00": "#ffc53d", "#f4f8fb": "#edf1f3", "#0b0c0c": "#151b21", "#484949": "#4b5763",
};

const ROLES = [
  [/^(background|background-color|background-image)$/, "ground"],
  [/^(border|outline|box-shadow|text-decoration|column-rule)/, "line"],
  [/^(color|fill|stroke|caret-color|-webkit-text-fill-color)$/, "ink"],
];

export function ownColours(css) {
  const used = new Map();
  css = css.replace(/var\((--govuk-[a-z-]+),\s*#[0-9a-f]{3,8}\)/gi, "var($1)");
  css = css.replace(/([{;\s])([a-z-]+)\s*:\s*([^;{}]*#[0-9a-f]{3,8}[^;{}]*);/gi, (whole, lead, property, value) => {
    // Ours are named already; in print everything is black on white.
    if (property.startsWith("--") || lead === "-") return whole;
    const role = ROLES.find(([pattern]) => pattern.test(property))?.[1];
    if (!role) return whole;
    return `${lead}${property}: ${value.replace(/#[0-9a-f]{3,8}\b/gi, (hex) => name(hex.toLowerCase(), role, used))};`;
  });
  const light = [...used].map(([key, [hex]]) => `${key}:${OURS[hex] ?? hex}`).join(";");
  const dark = [...used].map(([key, [hex, role]]) => `${key}:${darkened(hex, role)}`).join(";");
  return `:root{${light}}@media screen{[data-theme="dark"]{${dark}}}@media screen and (prefers-color-scheme:dark){[data-theme="auto"]{${dark}}}${css}`;
}

function name(hex, role, used) {
  if (hex.length === 4) hex = `#${[...hex.slice(1)].map((c) => c + c).join("")}`;
  if (FIXED.has(hex)) return hex;
  const key = `--k-${role}-${hex.slice(1)}`;
  used.set(key, [hex, role]);
  return `var(${key})`;
}

/** Colours that mean the same in both themes: TLP's, the header's, the marker's, white on our own dark grounds. */
const FIXED = new Set(["#33ff00", "#ffc000", "#ff2b2b", "#000000", "#10323c", "#1c4450", "#2a5866", "#37697a", "#7b9aa4", "#c5d9df",
  "#4b6c77", "#8a3d00", "#1d5f72", "#ffb547", "#ffe39a", "#a8231b", "#641510", "#8c1d17", "#ffc53d", "#151b21", "#4b5763", "#fffffe"]);

function darkened(hex, role) {
  const { l, c, h } = oklch(OURS[hex] ?? hex);
  const grey = c < 0.03;
  if (role === "ground") {
    if (grey) return l > 0.99 ? "#192027" : l > 0.9 ? "#222b33" : l > 0.5 ? "#4a5661" : "#e7ebee";
    return l > 0.8 ? hexOf(0.3, Math.min(c, 0.06), h) : hexOf(Math.min(l, 0.5), c, h);
  }
  if (role === "ink") {
    if (grey) return l > 0.75 ? (OURS[hex] ?? hex) : l > 0.3 ? "#aab5be" : "#e7ebee";
    return l > 0.75 ? hex : hexOf(0.82, Math.min(c, 0.1), h);
  }
  if (grey) return l > 0.99 ? "#192027" : l > 0.7 ? "#343f48" : l > 0.4 ? "#74828d" : "#e7ebee";
  return hexOf(Math.max(l, 0.62), c, h);
}

// OKLab by Björn Ottosson, https://bottosson.github.io/posts/oklab/
function oklch(hex) {
  const [r, g, b] = [1, 3, 5].map((i) => parseInt(hex.slice(i, i + 2), 16) / 255).map((v) => (v <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4));
  const l = Math.cbrt(0.4122214708 * r + 0.5363325363 * g + 0.0514459929 * b);
  const m = Math.cbrt(0.2119034982 * r + 0.6806995451 * g + 0.1073969566 * b);
  const s = Math.cbrt(0.0883024619 * r + 0.2817188376 * g + 0.6299787005 * b);
  const [L, A, B] = [
    0.2104542553 * l + 0.793617785 * m - 0.0040720468 * s,
    1.9779984951 * l - 2.428592205 * m + 0.4505937099 * s,
    0.0259040371 * l + 0.7827717662 * m - 0.808675766 * s,
  ];
  return { l: L, c: Math.hypot(A, B), h: Math.atan2(B, A) };
}

function hexOf(L, c, h) {
  const [A, B] = [c * Math.cos(h), c * Math.sin(h)];
  const l = (L + 0.3963377774 * A + 0.2158037573 * B) ** 3;
  const m = (L - 0.1055613458 * A - 0.0638541728 * B) ** 3;
  const s = (L - 0.0894841775 * A - 1.291485548 * B) ** 3;
  const rgb = [
    4.0767416621 * l - 3.3077115913 * m + 0.2309699292 * s,
    -1.2684380046 * l + 2.6097574011 * m - 0.3413193965 * s,
    -0.0041960863 * l - 0.7034186147 * m + 1.707614701 * s,
  ];
  const byte = (v) => Math.round(255 * Math.min(1, Math.max(0, v <= 0.0031308 ? 12.92 * v : 1.055 * v ** (1 / 2.4) - 0.055)));
  return `#${rgb.map((v) => byte(v).toString(16).padStart(2, "0")).join("")}`;
}
