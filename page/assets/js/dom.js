// Elements are made by these two functions only; text is always a text node, so no name can become markup.

/** @typedef {Node | string | number | null | undefined | false | readonly any[]} Child */

/** Attributes that are read to people. */
const SPOKEN = ["title", "aria-label", "placeholder", "alt"];

const SVG = "http://www.w3.org/2000/svg";

/**
 * @param {Element} element @param {Record<string, any>} attributes @param {readonly Child[]} children
 */
function fill(element, attributes, children) {
  for (const [name, value] of Object.entries(attributes)) {
    if (value === null || value === undefined || value === false) continue;
    if (name.startsWith("on")) element.addEventListener(name.slice(2), value);
    else element.setAttribute(name, value === true ? "" : SPOKEN.includes(name) ? units.name(String(value)) : String(value));
  }
  for (const child of /** @type {any[]} */ (children).flat(Infinity)) {
    if (child === null || child === undefined || child === false) continue;
    element.append(child instanceof Node ? child : document.createTextNode(units.name(String(child))));
  }
  return element;
}

/** @param {string} tag @param {Record<string, any>} [attributes] @param {...Child} children @returns {HTMLElement} */
function h(tag, attributes = {}, ...children) {
  const element = document.createElement(tag);
  fill(element, attributes, children);
  return element;
}

/** @param {string} tag @param {Record<string, any>} [attributes] @param {...Child} children @returns {SVGElement} */
function s(tag, attributes = {}, ...children) {
  const element = document.createElementNS(SVG, tag);
  fill(element, attributes, children);
  return element;
}

/** @param {string} id @returns {HTMLElement} */
function byId(id) {
  const element = document.getElementById(id);
  if (!element) throw new Error("no element " + id);
  return element;
}

/** A name that does not disturb the text around it. @param {string} name */
function bdi(name) {
  return h("bdi", {}, units.name(name));
}

/** The class of a quota's colour. @param {number} quota */
function colour(quota) {
  const q = data.quotas[quota];
  return q ? `team-${q.team} shade-${q.shade}` : "slate";
}

/** The fill of what a quota borrows. @param {number} quota */
function hatch(quota) {
  const q = data.quotas[quota];
  return q ? `url(#borrowed-${q.team}-${q.shade})` : "url(#borrowed-slate)";
}

/** A button that opens a story. @param {string} kind @param {string} id @param {Child} [shown] */
function link(kind, id, shown) {
  return h("button", { class: "link", type: "button", "data-story": kind + ":" + id }, shown === undefined ? bdi(id) : shown);
}

/** A button that moves the moment. @param {number} ms */
function time(ms) {
  return h("button", { class: "time", type: "button", "data-moment": ms }, units.moment(ms));
}

/** A quota with its colour. @param {number} quota @param {boolean} [plain] without a story */
function team(quota, plain) {
  const q = data.quotas[quota];
  if (!q) return h("span", { class: "soft" }, "no quota");
  return h("span", { class: "who" }, h("span", { class: "dot " + colour(quota) }), plain ? bdi(q.name) : link("quota", q.name));
}

/** A rule, with its title; it leads to its text. @param {string} rule */
function ruleChip(rule) {
  const words = data.rules[rule];
  return h("button", { class: "rule", type: "button", "data-rule": rule, title: words ? words.title : rule }, rule);
}

/** @param {string} icon @param {string} word @param {string} tone */
function chip(icon, word, tone) {
  return h("span", { class: "chip " + tone }, h("span", { "aria-hidden": "true" }, icon), word);
}

/** The chip of a state. @param {string} state */
function stateChip(state) {
  const known = /** @type {Record<string, [string, string, string]>} */ ({
    pending: ["…", "Pending", "warn"], waiting: ["…", "Waiting", "warn"], running: ["▶", "Running", "run"], interrupted: ["!", "Interrupted", "warn"],
    succeeded: ["✓", "Succeeded", "good"], failed: ["✕", "Failed", "bad"], withdrawn: ["–", "Withdrawn", ""], lost: ["✕", "Lost", "bad"], evicted: ["▼", "Evicted", "bad"],
    leaving: ["▼", "Leaving", "warn"], binding: ["▷", "Binding", "run"], ready: ["✓", "Ready", "good"], cordoned: ["–", "Cordoned", "warn"], draining: ["▼", "Draining", "warn"],
    down: ["✕", "Down", "bad"], absent: ["·", "Absent", ""], future: ["·", "Not submitted", ""], drained: ["▼", "Drained", "warn"], deleted: ["–", "Deleted", ""], bind_failed: ["!", "Binding failed", "warn"],
  })[state] || ["·", state, ""];
  return chip(known[0], known[1], known[2]);
}

/** @param {[string, string, string?][]} entries swatch kind, words, class */
function legend(entries) {
  const swatch = (/** @type {string} */ kind, /** @type {string} */ cls) => {
    const svg = s("svg", { viewBox: "0 0 14 12", "aria-hidden": "true", class: cls });
    if (kind === "solid") svg.append(s("rect", { class: "solid", x: 1, y: 1, width: 11, height: 10, rx: 2 }));
    else if (kind === "line") svg.append(s("path", { class: "capline", d: "M0 6H14" }));
    else if (kind === "dash") svg.append(s("path", { class: "maxline", d: "M0 6H14" }));
    else if (kind === "dots") svg.append(s("path", { class: "shareline", d: "M0 6H14" }));
    else if (kind === "stroke") svg.append(s("path", { class: "stroke", d: "M0 6H14" }));
    else if (kind.startsWith("m-")) svg.append(markShape(kind, 6, 6));
    else svg.append(s("rect", { fill: kind, x: 1, y: 1, width: 11, height: 10, rx: 2 }));
    return svg;
  };
  return h("ul", { class: "legend" }, entries.map(([kind, words, cls]) => h("li", {}, swatch(kind, cls || ""), units.name(words))));
}

/** The mark of an event. @param {string} kind @param {number} x @param {number} y @returns {SVGElement} */
function markShape(kind, x, y) {
  if (kind === "m-evict" || kind === "m-drain") return s("path", { class: kind, d: `M${x - 4.5} ${y - 4}h9l-4.5 8z` });
  if (kind === "m-refused") return s("path", { class: kind, d: `M${x - 3.5} ${y - 3.5}l7 7m0-7l-7 7` });
  if (kind === "m-edit") return s("path", { class: kind, d: `M${x} ${y - 5}l5 5l-5 5l-5-5z` });
  if (kind === "m-claim") return s("path", { class: kind, d: `M${x - 1.5} ${y - 5}h3v6.5h-3zm0 8h3v2.5h-3z` });
  return s("rect", { class: kind, x: x - 3.5, y: y - 3.5, width: 7, height: 7, rx: 1 });
}
