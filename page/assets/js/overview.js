// The overview: who uses what over time, the sentences, the teams, who lent to whom, what would still fit.

/** Each panel builds itself in its card and returns what follows the moment. @type {Record<string, (body: HTMLElement, card: HTMLElement) => (() => void)>} */
const panels = {};

/** Leaves in tree order, by what they used most if there are many. @returns {number[]} */
function leaves() {
  return data.quotas.map((q, i) => ({ q, i })).filter(({ q }) => q.leaf).map(({ i }) => i);
}

/** Tools at the right of a card's head, replaced on each update. @param {HTMLElement} card @param {...(HTMLElement | null)} tools */
function setTools(card, ...tools) {
  const head = /** @type {HTMLElement} */ (card.querySelector("header"));
  let box = head.querySelector(".cardtools");
  if (!box) { box = h("div", { class: "cardtools filter" }); head.append(box); }
  const key = tools.map((t) => (t ? t.textContent + [...t.children].map((c) => c.getAttribute("aria-pressed")).join() : "")).join("|");
  if (box.getAttribute("data-key") === key) return;
  const focused = document.activeElement && box.contains(document.activeElement) ? document.activeElement.textContent : null;
  box.setAttribute("data-key", key);
  box.replaceChildren(...tools.filter((t) => t !== null));
  if (focused !== null) [...box.querySelectorAll("button")].find((b) => b.textContent === focused)?.focus();
}

/** @param {HTMLElement} card @param {string} title @param {string} [sub] */
function setTitle(card, title, sub) {
  const h3 = /** @type {HTMLElement} */ (card.querySelector("h3"));
  title = units.name(title);
  if (h3.textContent !== title) h3.textContent = title;
  const p = card.querySelector("header .sub");
  if (p && sub !== undefined && p.textContent !== sub) p.textContent = units.name(sub);
}

/** Pods of namespaces that no leaf has. */
const NO_QUOTA = "no quota";

/** Layers of use by leaf: solid, then hatched; then what pods without a quota use. @param {number} resource @returns {Layer[]} */
function useLayers(resource) {
  /** @type {Layer[]} */
  const layers = [];
  for (const quota of leaves()) {
    const row = seriesOf(quota, resource);
    if (!row || !row.used_unit_s) continue;
    const name = data.quotas[quota].name;
    layers.push({ of: ownUse(row), as: "area", cls: colour(quota), name });
    if (row.borrowed_unit_s) layers.push({ of: row.borrowed, as: "area", cls: colour(quota), paint: hatch(quota), name: name + ", borrowed" });
  }
  const all = clusterOf(resource);
  if (!layers.length && all) layers.push({ of: all.allocated, as: "area", cls: "slate", name: "used" });
  else if (all && data.jobs.quota.some((q) => q < 0)) {
    const roots = data.quotas.flatMap((q, i) => (q.parent === undefined ? [seriesOf(i, resource)] : [])).flatMap((row) => (row ? [row.used] : []));
    const rest = roots.length ? series.less(all.allocated, series.sum(roots)) : all.allocated;
    if (series.peak(rest, 0, data.end) > 0) layers.push({ of: rest, as: "area", cls: "slate", name: NO_QUOTA });
  }
  return layers;
}

/** @param {number} resource @param {number} v */
function axisSay(resource, v) {
  return data.resources[resource].kind === "bytes" ? units.bytes(v) : units.short(v / 1000);
}

/** What one is on the axis of a resource. @param {number} resource */
function axisUnit(resource) {
  return data.resources[resource].kind === "bytes" ? 1024 ** 3 : 1000;
}

/** Charts that depend on the resource are built anew when it changes. @param {HTMLElement} body @param {() => ({element: HTMLElement, update: () => void} | HTMLElement)[]} build */
function byResource(body, build) {
  let shown = -1;
  /** @type {{element: HTMLElement, update: () => void}[]} */
  let charts = [];
  return () => {
    if (shown !== state.resource) {
      shown = state.resource;
      const parts = build();
      charts = parts.filter((p) => !(p instanceof HTMLElement)).map((p) => /** @type {{element: HTMLElement, update: () => void}} */ (p));
      body.replaceChildren(...parts.map((p) => (p instanceof HTMLElement ? p : p.element)));
    }
    for (const c of charts) c.update();
  };
}

/** The heights of the charts of use and of waits: they fill the card that is as tall as the sentences beside it. @param {HTMLElement} card */
function besides(card) {
  const list = document.querySelector("[data-panel=happened] .body"), side = list && list.getBoundingClientRect().left > card.getBoundingClientRect().left + 100;
  const room = side ? list.scrollHeight - 160 : 0, use = Math.max(340, Math.min(700, room - 130));
  return { use, waits: Math.max(130, Math.min(280, room - use)) };
}

panels.use = (body, card) => {
  const follow = byResource(body, () => {
    const resource = state.resource, r = data.resources[resource], all = clusterOf(resource);
    const layers = useLayers(resource), room = besides(card), say = (/** @type {number} */ v) => units.amount(resource, v);
    if (all) layers.push({ of: all.capacity, as: "line", cls: "capline", name: "capacity" });
    const use = chart({ label: `${r.short} in use over time, by quota, with capacity`, height: room.use, layers, say, tick: r.kind === "bytes" ? units.bytes : undefined, unit: axisUnit(resource), marks: true, bands: true, above: all?.capacity });
    /** @type {Layer[]} */
    const waits = leaves().map((quota) => ({ quota, row: seriesOf(quota, resource) })).flatMap(({ quota, row }) => (row && series.peak(waitedFor(row), 0, data.end) > 0
      ? [{ of: waitedFor(row), as: /** @type {"area"} */ ("area"), cls: colour(quota), name: data.quotas[quota].name }] : []));
    const marks = new Set(state.marks.map((m) => m.kind));
    /** @type {[string, string, string?][]} */
    const keys = leaves().filter((q) => (seriesOf(q, resource)?.used_unit_s || 0) > 0).slice(0, 24).map((q) => ["solid", data.quotas[q].name, colour(q)]);
    if (layers.some((l) => l.name === NO_QUOTA)) keys.push(["solid", NO_QUOTA, "slate"]);
    if (layers.some((l) => l.paint)) keys.push(["url(#borrowed-slate)", "borrowed"]);
    keys.push(["line", "capacity"]);
    if (data.incidents.some((i) => i.nodes_down)) keys.push(["url(#gone)", "nodes down"]);
    for (const [kind, words] of /** @type {[Mark["kind"], string][]} */ ([["evict", "eviction"], ["down", "nodes go down"], ["up", "nodes are back"], ["drain", "nodes drained or scaled"], ["edit", "quota edit"], ["refused", "refused"], ["claim", "claim fails"]])) if (marks.has(kind)) keys.push(["m-" + kind, words]);
    const parts = [use, ...(waits.length ? [h("h4", {}, `${r.short} waited for`), chart({ label: `${r.short} that pods wait for over time, by quota`, height: room.waits, layers: waits, say, tick: r.kind === "bytes" ? units.bytes : undefined, unit: axisUnit(resource), bands: true })] : [h("p", { class: "none" }, `No pod${data.jobs.quota.some((q) => q < 0) ? " of a quota" : ""} ever waits for ${r.kind === "gpu" ? r.short : r.short.toLowerCase()}.`)]), legend(keys)];
    return parts;
  });
  return () => {
    const cap = clusterOf(state.resource), r = data.resources[state.resource];
    setTitle(card, cap && r.kind !== "bytes" ? `Who uses the ${units.amount(state.resource, series.peak(cap.capacity, 0, data.end))}` : `Who uses ${r.short.toLowerCase()}`, "Click or drag to move the moment; everything follows it.");
    setTools(card, resourceButtons(), zoomButtons());
    follow();
  };
};

/** A piece of a sentence. @param {any} piece @returns {Child} */
function pieceOf(piece) {
  const [[kind, value]] = Object.entries(piece);
  if (kind === "text") return value.replace(/`/g, "");
  if (kind === "subject") return h("b", {}, ["quota", "job", "pod", "node", "user", "rack"].includes(value.kind) ? link(value.kind, value.name) : bdi(value.name));
  if (kind === "amount") return h("span", { class: "nowrap" }, units.amount(value.resource, value.amount));
  if (kind === "amount_time") return h("span", { class: "nowrap" }, units.amountTime(value.resource, value.unit_s));
  if (kind === "span") return h("span", { class: "nowrap" }, units.span(value));
  if (kind === "moment") return time(value);
  if (kind === "count") return units.whole(value);
  if (kind === "permille") return units.percent(value);
  if (kind === "money_milli") return units.money(value);
  return ruleChip(String(value));
}

/** A sentence as nodes. @param {Finding} finding @returns {Child[]} */
function sentence(finding) {
  /** @type {Child[]} */
  const nodes = [];
  for (const piece of finding.pieces) {
    const node = pieceOf(piece), mark = typeof node === "string" ? node.match(/^[,.;:!?)]+/) : null, before = nodes[nodes.length - 1];
    // A comma stays with the name before it.
    if (typeof node === "string" && mark && before instanceof HTMLElement && (before.textContent || "").length < 40) nodes.splice(-1, 1, h("span", { class: "nowrap" }, before, mark[0]), node.slice(mark[0].length));
    else nodes.push(node);
  }
  return nodes;
}

/** Things in a row, each with its comma. @param {HTMLElement[]} items @returns {Child[]} */
function listed(items) {
  return items.flatMap((item, i) => (i < items.length - 1 ? [(item.textContent || "").length < 40 ? h("span", { class: "nowrap" }, item, ",") : [item, ","], " "] : [item]));
}

/** Icon and tone of a kind of finding. @param {string} kind @returns {[string, string]} */
function findingIcon(kind) {
  const icons = /** @type {Record<string, [string, string]>} */ ({
    failed: ["!", "bad"], borrowed: ["⇄", "warn"], taken_back: ["▼", "bad"], evicted: ["▼", "bad"], missed: ["!", "warn"], fragmented: ["▦", "run"], waited: ["…", "warn"],
    incident: ["■", "bad"], quota_edit: ["◆", "run"], refused: ["✕", ""], lost: ["✕", "bad"], unfinished: ["…", "warn"], idle: ["○", ""],
  });
  return icons[kind] || ["·", ""];
}

/** @param {Finding} f */
function findingItem(f) {
  const [icon, tone] = findingIcon(f.kind), whole = f.from_ms === 0 && (f.to_ms ?? 0) >= data.end;
  return h("li", {}, h("span", { class: "ico " + tone, "aria-hidden": "true" }, icon), h("span", {}, sentence(f), " ", whole ? h("span", { class: "when" }, "whole run") : time(f.at_ms)));
}

panels.happened = (body) => {
  const list = [...data.findings];
  body.replaceChildren(list.length ? h("ul", { class: "says-list" }, list.map(findingItem)) : h("p", { class: "none" }, "Nothing out of the ordinary."));
  return () => {};
};

panels.teams = (body) => byResource(body, () => {
  const resource = state.resource, rows = leaves().map((quota) => ({ quota, q: data.quotas[quota], row: seriesOf(quota, resource) }));
  const mean = (/** @type {QuotaSeries | undefined} */ row) => (row ? row.used_unit_s * 1000 / data.end : 0);
  const min = (/** @type {Quota} */ q) => q.min.find((a) => a.resource === resource)?.amount || 0;
  const scale = Math.max(1, ...rows.map(({ q, row }) => Math.max(mean(row), min(q))));
  const amount = (/** @type {number} */ u) => (u > 0 ? units.amountTime(resource, u) : "·");
  const table = sortable({
    label: "Teams over the whole run", rows, limit: 60,
    columns: [
      { name: "Team", cell: ({ quota }) => team(quota), key: ({ q }) => q.name },
      { name: "Guarantee", num: true, cell: ({ q }) => (min(q) ? units.amount(resource, min(q)) : "·"), key: ({ q }) => min(q) },
      { name: "Mean use", num: true, cell: ({ row }) => (mean(row) ? units.amount(resource, mean(row)) : "·"), key: ({ row }) => mean(row) },
      { name: "", bar: true, cell: ({ quota, q, row }) => useBar({ quota, own: mean(row) - (row ? row.borrowed_unit_s * 1000 / data.end : 0), borrowed: row ? row.borrowed_unit_s * 1000 / data.end : 0, min: min(q), scale }) },
      { name: "Borrowed", num: true, cell: ({ row }) => amount(row?.borrowed_unit_s || 0), key: ({ row }) => row?.borrowed_unit_s || 0 },
      { name: "Lent", num: true, cell: ({ row }) => amount(row?.lent_unit_s || 0), key: ({ row }) => row?.lent_unit_s || 0 },
      { name: "Missed", num: true, cell: ({ row }) => amount(row?.missed_unit_s || 0), key: ({ row }) => row?.missed_unit_s || 0 },
      { name: "Pod wait p50 / p95 / max", num: true, cell: ({ q }) => [q.wait.count ? [q.wait.p50_ms, q.wait.p95_ms, q.wait.max_ms].map(units.span).join(" / ") : "·", q.pending ? h("span", { class: "soft" }, `, ${units.whole(q.pending)} never started`) : null], key: ({ q }) => q.wait.p95_ms },
      { name: "Evicted", num: true, cell: ({ q }) => q.evicted || "·", key: ({ q }) => q.evicted },
      { name: "Cost", num: true, hide: !data.quotas.some((q) => q.cost_milli), cell: ({ q }) => (q.cost_milli ? units.money(q.cost_milli) : "·"), key: ({ q }) => q.cost_milli },
    ],
  });
  const money = data.quotas.some((q) => q.cost_milli) ? moneySays() : null;
  return [rows.length ? table : h("p", { class: "none" }, "There is no quota."), ...(money ? [money] : [])];
});

/** Why what is lent is seldom a whole number of GPUs. */
const LENT = "Each idle guarantee lends in proportion to its size, and each borrower borrows from every lender in proportion to what it borrows, so what one lends is seldom a whole number.";

panels.loans = (body, card) => {
  let drawn = "";
  return () => {
    const key = state.resource + ":" + body.clientWidth;
    setTitle(card, "Who lent to whom", `${capital(data.resources[state.resource].unit || "byte")}-hours above the borrower's guarantee, out of guarantees that lay idle. ${LENT}`);
    if (key === drawn) return;
    drawn = key;
    body.replaceChildren(flows(data.loans.filter((l) => l.resource === state.resource && l.unit_s > 0), body.clientWidth));
  };
};

/** Flows from lenders to borrowers. @param {Loan[]} loans @param {number} width */
function flows(loans, width) {
  if (!loans.length) return h("p", { class: "none" }, "No quota borrowed.");
  const sum = (/** @type {"lender"|"borrower"} */ side, /** @type {number} */ q) => loans.filter((l) => l[side] === q).reduce((n, l) => n + l.unit_s, 0);
  const sides = /** @type {["lender", "borrower"]} */ (["lender", "borrower"]).map((side) => [...new Set(loans.map((l) => l[side]))].map((q) => ({ q, v: sum(side, q) })).sort((a, b) => b.v - a.v));
  const total = loans.reduce((n, l) => n + l.unit_s, 0), gap = 14, most = Math.max(sides[0].length, sides[1].length), height = Math.max(230, Math.min(440, most * 46));
  const room = Math.max(40, height - 28 - gap * (most - 1)), names = Math.min(150, width * 0.28), x0 = names, x1 = width - names;
  const tall = (/** @type {number} */ v) => Math.max(1, v / total * room);
  const svg = s("svg", { viewBox: `0 0 ${width} ${height}`, height, role: "img", "aria-label": "Lenders at the left, borrowers at the right. " + loans.map((l) => `${data.quotas[l.lender].name} lent ${data.quotas[l.borrower].name} ${units.amountTime(l.resource, l.unit_s)}`).join("; ") });
  svg.append(s("text", { x: x0 - 8, y: 11, "text-anchor": "end" }, "lent"), s("text", { x: x1 + 8, y: 11 }, "borrowed"));
  /** @type {Map<string, number>} */
  const tops = new Map();
  sides.forEach((side, i) => {
    let y = 22;
    for (const { q, v } of side) {
      tops.set(i + ":" + q, y);
      const x = i ? x1 : x0 - 6;
      svg.append(s("rect", { class: "solid " + colour(q), x, y, width: 6, height: tall(v), rx: 1 }));
      const label = s("text", { class: "strong hit", "data-story": "quota:" + data.quotas[q].name, x: i ? x1 + 12 : x0 - 12, y: y + tall(v) / 2 + 4, "text-anchor": i ? "start" : "end" }, shorten(data.quotas[q].name, Math.floor(names / 7.5) - 5) + " " + units.amountTimeParts(state.resource, v).join(" ").replace(/ \S+-h$/, ""));
      svg.append(label);
      y += tall(v) + gap;
    }
  });
  for (const l of loans.slice().sort((a, b) => b.unit_s - a.unit_s)) {
    const a = tops.get("0:" + l.lender) || 0, b = tops.get("1:" + l.borrower) || 0, t = tall(l.unit_s), mid = (x0 + x1) / 2;
    tops.set("0:" + l.lender, a + l.unit_s / total * room);
    tops.set("1:" + l.borrower, b + l.unit_s / total * room);
    svg.append(s("path", { class: "flow " + colour(l.lender), d: `M${x0} ${a}C${mid} ${a} ${mid} ${b} ${x1} ${b}v${t}C${mid} ${b + t} ${mid} ${a + t} ${x0} ${a + t}Z` },
      s("title", {}, `${data.quotas[l.lender].name} lent ${data.quotas[l.borrower].name} ${units.amountTime(l.resource, l.unit_s)}, at most ${units.amount(l.resource, l.most)} at once`)));
  }
  return h("div", { class: "fig" }, svg);
}

/** A name in at most so many characters. Names of many are told apart by their ends, so the middle is left out. @param {string} name @param {number} most */
function shorten(name, most) {
  const all = [...units.name(name)], room = Math.max(4, most), end = Math.ceil((room - 1) * 0.6);
  return all.length <= room ? all.join("") : all.slice(0, room - 1 - end).join("") + "…" + all.slice(-end).join("");
}

panels.fit = (body) => byResource(body, () => {
  const resource = state.resource, all = clusterOf(resource), r = data.resources[resource];
  if (!all) return [h("p", { class: "none" }, "Nothing to show.")];
  const free = series.less(all.capacity, all.allocated), elsewhere = series.less(free, all.most_free);
  const say = (/** @type {number} */ v) => units.amount(resource, v), tick = r.kind === "bytes" ? units.bytes : undefined;
  const shape = chart({
    label: `${r.short} free on one node and elsewhere, over time`, height: 190, say, tick, unit: axisUnit(resource), bands: true,
    layers: [{ of: all.most_free, as: "area", cls: "slate", name: "free on one node" }, { of: elsewhere, as: "area", cls: "slate", paint: "url(#borrowed-slate)", name: "free elsewhere" }],
  });
  /** @type {[string, string, string?][]} */
  const keys = [["solid", "free on one node", "slate"], ["url(#borrowed-slate)", "free elsewhere"]];
  const sizes = (all.fits || []).filter((f) => f.each > 0);
  if (!sizes.length) return [shape, legend(keys)];
  const table = h("table", {}, h("thead", {}, h("tr", {}, h("th", { scope: "col" }, "A gang of pods with"), sizes.map((f) => h("th", { scope: "col", class: "num" }, units.amount(resource, f.each))))),
    h("tbody", {}, h("tr", {}, h("th", { scope: "row" }, "would fit now"), sizes.map((f) => h("td", { class: "num", "data-fit": f.each }, "")))));
  const fits = { element: h("div", { class: "scroll more" }, table), update: () => sizes.forEach((f) => { const td = table.querySelector(`[data-fit="${f.each}"]`); if (td) td.textContent = units.many(series.at(f.pods, state.moment), "pod"); }) };
  return [shape, legend(keys), fits];
});
