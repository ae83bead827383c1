// The quota tree at the moment, a chart for each leaf, the icicle of large trees, fair shares.

/** @type {Set<number>} */
const folded = new Set();

/** Pods of a leaf that wait, and that run, at the moment. @param {number} quota */
function podsOfQuota(quota) {
  const waits = [], runs = [];
  const below = (/** @type {number} */ q) => { for (let at = q; at >= 0; at = data.quotas[at].parent ?? -1) if (at === quota) return true; return false; };
  for (let pod = 0; pod < data.pods.n; pod++) {
    const q = data.jobs.quota[data.pods.job[pod]];
    if (q < 0 || !below(q)) continue;
    const now = podNow(pod);
    if (now.state === "waiting") waits.push({ pod, since: data.pods.created[pod] });
    else if (now.placement >= 0) runs.push({ pod, placement: now.placement });
  }
  return { waits, runs };
}

panels.quotas = (body, card) => () => {
  const resource = state.resource, at = state.moment, r = data.resources[resource];
  setTitle(card, "Quotas at " + units.moment(at), `${r.short}. Solid is use within the guarantee, hatched is borrowed, red is guarantee that its pods wait for, the tick is min, the frame is max.${meansSay(data.series.map((row) => row.used))}`);
  setTools(card, resourceButtons(true));
  if (!data.quotas.length) { body.replaceChildren(h("p", { class: "none" }, "There is no quota tree: pods are placed by priority, then in order of submission.")); return; }
  const focus = document.activeElement?.getAttribute("data-fold");
  const v = (/** @type {Series | undefined} */ of) => series.at(of, at), bare = (/** @type {number} */ n) => (n > 0 ? units.bare(resource, n) : "·");
  const roots = data.quotas.map((q, i) => ({ q, i })).filter(({ q }) => q.parent === undefined).map(({ i }) => seriesOf(i, resource));
  const all = clusterOf(resource), scale = Math.max(1, ...roots.map((row) => Math.max(v(row?.min), v(row?.used))), roots.length ? 0 : v(all?.capacity), ...data.quotas.map((q, i) => (q.leaf ? Math.max(v(seriesOf(i, resource)?.used), v(seriesOf(i, resource)?.min)) : 0)));
  const hidden = (/** @type {Quota} */ q) => { for (let p = q.parent; p !== undefined; p = data.quotas[p].parent) if (folded.has(p)) return true; return false; };
  const alive = (/** @type {Quota} */ q) => (q.added_ms ?? 0) <= at && (q.removed_ms ?? Infinity) > at;
  const rows = data.quotas.map((q, i) => ({ q, i })).filter(({ q }) => !hidden(q) && alive(q)).map(({ q, i }) => {
    const row = seriesOf(i, resource), used = v(row?.used), borrowed = v(row?.borrowed), max = row ? v(row.max) : -1, missed = v(row?.missed), waiting = row ? v(row.request) - used : 0;
    const fold = q.leaf ? h("span", { class: "fold" }) : h("button", { type: "button", class: "fold", "data-fold": i, "aria-expanded": String(!folded.has(i)), "aria-label": "Fold " + q.name, onclick: () => { folded.has(i) ? folded.delete(i) : folded.add(i); changed(); } }, folded.has(i) ? "▸" : "▾");
    const name = h("span", { class: "who" }, fold, q.leaf ? h("span", { class: "dot " + colour(i) }) : null, link("quota", q.name));
    name.style.paddingLeft = q.depth * 18 + "px";
    const top = max < 0 ? scale : Math.min(max, scale);
    return h("tr", { class: state.story?.kind === "quota" && state.story.id === q.name ? "on" : false },
      h("th", { scope: "row" }, name), h("td", { class: "small" }, (q.namespaces || []).length ? (q.namespaces || []).slice(0, 3).flatMap((n, k) => [k ? ", " : "", bdi(n)]).concat((q.namespaces || []).length > 3 ? ["…"] : []) : "·"),
      h("td", { class: "num" }, bare(v(row?.min))), h("td", { class: "num" }, max < 0 || !row ? "∞" : units.bare(resource, max)), h("td", { class: "num" }, bare(used)),
      h("td", { class: "barcell" }, useBar({ quota: q.leaf ? i : undefined, own: used - borrowed, borrowed, min: v(row?.min), max: top, missed, scale })),
      h("td", { class: "num" }, bare(borrowed)), h("td", { class: "num" }, bare(v(row?.lent))), h("td", { class: "num" }, bare(v(row?.held))),
      h("td", { class: "num" }, missed > 0 && q.leaf ? [chip("!", "misses " + units.bare(resource, missed), "bad"), " "] : null, bare(waiting)), h("td", { class: "num" }, row ? units.bare(resource, v(row.request)) : "·"), h("td", { class: "num" }, row ? units.bare(resource, v(row.share)) : "·"));
  });
  body.replaceChildren(h("div", { class: "scroll" }, h("table", { "aria-label": "Quotas at the moment" },
    h("thead", {}, h("tr", {}, [["Elastic quota"], ["Namespaces"], ["Min", 1], ["Max", 1], ["Used", 1], [""], ["Borrowed", 1], ["Lent", 1, LENT], ["Held", 1, "Reserved for pods that have evicted others, until these have terminated."], ["Waiting", 1, "What pending pods request. A quota that waits for pods to terminate may lend its guarantee meanwhile."], ["Request", 1, "Used and waited for."], ["Fair share", 1, "What the quota would have if all were divided fairly now; never more than it requests."]].map(([name, num, says]) => h("th", { scope: "col", class: num ? "num" : false, title: says || false }, String(name))))),
    h("tbody", {}, rows))));
  if (focus) /** @type {HTMLElement | null} */ (body.querySelector(`[data-fold="${focus}"]`))?.focus();
};

/** The chart of a quota. @param {number} quota @param {number} resource @param {number} height @param {number} [top] @param {boolean} [low] */
function quotaChart(quota, resource, height, top, low) {
  const row = seriesOf(quota, resource), r = data.resources[resource], name = data.quotas[quota].name;
  if (!row) return h("p", { class: "none" }, `It has nothing to do with ${r.name}.`);
  /** @type {Layer[]} */
  const layers = [
    { of: ownUse(row), as: "area", cls: colour(quota), name: "used within min" }, { of: row.borrowed, as: "area", cls: colour(quota), paint: hatch(quota), name: "borrowed" },
    { of: waitedFor(row), as: "area", cls: "bad-c", paint: "url(#waiting)", name: "waited for" },
    { of: row.min, as: "line", cls: "minline", name: "min" }, { of: row.max, as: "line", cls: "maxline", name: "max" }, { of: row.share, as: "line", cls: "shareline", name: "fair share" },
  ];
  return chart({ label: `${r.short} of ${name} over time: used, borrowed, waited for, min, max and fair share`, height, layers, say: (v) => units.amount(resource, v), tick: r.kind === "bytes" ? units.bytes : undefined, unit: axisUnit(resource), top, low, bands: true });
}

panels.leaves = (body, card) => {
  const follow = byResource(body, () => {
    const resource = state.resource, shown = leaves().filter((q) => seriesOf(q, resource)).sort((a, b) => (leaves().length > 12 ? (seriesOf(b, resource)?.used_unit_s || 0) - (seriesOf(a, resource)?.used_unit_s || 0) : a - b)).slice(0, 24);
    const cap = series.peak(clusterOf(resource)?.capacity || { t: [], v: [] }, 0, data.end);
    const peakOf = (/** @type {(row: QuotaSeries) => Series} */ of) => Math.max(0, ...shown.map((q) => { const row = seriesOf(q, resource); return row ? series.peak(of(row), 0, data.end) : 0; }));
    const asked = peakOf((row) => row.request), peak = Math.max(asked, peakOf((row) => row.min)), top = isLow(asked, peak) ? asked : Math.min(peak, cap || peak) || cap || 1;
    /** @type {{element: HTMLElement, update: () => void}[]} */
    const charts = [];
    const grid = h("div", { class: "grid" }, shown.map((q) => {
      const c = quotaChart(q, resource, 170, top, true);
      if (!(c instanceof HTMLElement)) charts.push(c);
      return h("div", { class: shown.length > 6 ? "c4" : "c6" }, h("h4", {}, team(q)), c instanceof HTMLElement ? c : c.element);
    }));
    if (!shown.length) return [h("p", { class: "none" }, "No quota limits it.")];
    return [grid, legend([["url(#borrowed-slate)", "borrowed"], ["url(#waiting)", "waited for"], ["line", "min"], ["dash", "max"], ["dots", "fair share"]]), { element: h("div"), update: () => charts.forEach((c) => c.update()) }];
  });
  return () => { setTitle(card, "Each leaf over time", "One scale. Red is what its pods request and do not get."); setTools(card, zoomButtons()); follow(); };
};

panels.icicle = (body, card) => () => {
  const resource = state.resource, at = state.moment, width = body.clientWidth, rowHeight = 30;
  setTitle(card, "The tree at " + units.moment(at), "Width is the guarantee, or the use if it is larger; filled is used, hatched is borrowed.");
  const depth = Math.max(0, ...data.quotas.map((q) => q.depth)) + 1;
  const weight = data.quotas.map((q, i) => { const row = seriesOf(i, resource); return q.leaf && row ? Math.max(series.at(row.min, at), series.at(row.used, at)) : 0; });
  for (let i = data.quotas.length - 1; i >= 0; i--) { const p = data.quotas[i].parent; if (p !== undefined) weight[p] += weight[i]; }
  const total = data.quotas.reduce((n, q, i) => n + (q.parent === undefined ? weight[i] : 0), 0);
  if (!total) { body.replaceChildren(h("p", { class: "none" }, "No quota has a guarantee or uses any at " + units.moment(at) + ".")); return; }
  const svg = s("svg", { viewBox: `0 0 ${width} ${depth * rowHeight}`, height: depth * rowHeight, role: "img", "aria-label": "The quota tree at the moment: width is the guarantee" });
  const next = /** @type {number[]} */ ([]);
  let root = 0;
  data.quotas.forEach((q, i) => {
    const w = weight[i] / total * width, x = q.parent === undefined ? root : next[q.parent], y = q.depth * rowHeight, row = seriesOf(i, resource);
    if (q.parent === undefined) root += w; else next[q.parent] += w;
    next[i] = x;
    if (w < 0.7) return;
    const used = series.at(row?.used, at), lent = series.at(row?.borrowed, at), full = Math.max(weight[i], 1), part = (/** @type {number} */ v) => Math.min(w, v / full * w);
    const g = s("g", { class: "hit " + (q.leaf ? colour(i) : "slate"), "data-story": "quota:" + q.name }, s("rect", { class: "empty", x: x + 0.5, y: y + 1, width: Math.max(0.5, w - 1), height: rowHeight - 3, rx: 3 }),
      s("rect", { class: "solid", x: x + 0.5, y: y + 1, width: Math.max(0, part(used - lent) - 1), height: rowHeight - 3, rx: 3, opacity: q.leaf ? 1 : 0.45 }), s("rect", { fill: q.leaf ? hatch(i) : "url(#borrowed-slate)", x: x + part(used - lent), y: y + 1, width: Math.max(0, part(lent) - 1), height: rowHeight - 3 }),
      s("title", {}, `${units.name(q.name)}: ${units.amount(resource, used)} used, min ${units.amount(resource, series.at(row?.min, at))}, ${units.amount(resource, lent)} borrowed`));
    if (w > 40) g.append(s("text", { class: "strong", x: x + 7, y: y + 19 }, shorten(q.name.split(".").pop() || q.name, Math.floor(w / 8))));
    svg.append(g);
  });
  body.replaceChildren(h("div", { class: "fig" }, svg));
};

panels.shares = (body, card) => {
  const follow = byResource(body, () => {
    const resource = state.resource, r = data.resources[resource];
    const rows = leaves().flatMap((q) => { const row = seriesOf(q, resource); return row ? [{ q, row, over: series.less(row.used, row.share), under: series.less(row.share, row.used) }] : []; });
    const far = (/** @type {{over: Series, under: Series}} */ x) => Math.max(series.peak(x.over, 0, data.end), series.peak(x.under, 0, data.end));
    const top = Math.max(0, ...rows.map(far)), all = rows.filter((x) => far(x) * 100 >= top), shown = all.length > 12 ? all.sort((a, b) => series.area(b.under) - series.area(a.under)).slice(0, 24) : all;
    if (!rows.length) return [h("p", { class: "none" }, "No quota limits it.")];
    if (!top) return [h("p", { class: "none" }, "Every leaf has exactly its fair share, all the time.")];
    const charts = shown.map(({ q, row, over, under }) => {
      const now = h("span", { class: "soft small" }), c = chart({
        label: `How far ${data.quotas[q].name} is from its fair share of ${r.short} over time`, height: 110, top, bands: true, say: (v) => units.amount(resource, v), tick: r.kind === "bytes" ? units.bytes : undefined, unit: axisUnit(resource),
        layers: [{ of: over, as: "area", cls: colour(q), paint: hatch(q), name: "above its share" }, { of: under, as: "area", cls: "bad-c", paint: "url(#waiting)", name: "below its share" }],
      });
      return { element: h("div", { class: shown.length > 6 ? "c4" : "c6" }, h("h4", {}, team(q), " ", now), c.element), update: () => { now.textContent = `uses ${units.bare(resource, series.at(row.used, state.moment))}, fair share ${units.bare(resource, series.at(row.share, state.moment))}`; c.update(); } };
    });
    return [h("div", { class: "grid" }, charts.map((c) => c.element)), legend([["url(#borrowed-slate)", "above its share"], ["url(#waiting)", "below its share"]]), ...(rows.length > shown.length ? [h("p", { class: "sub" }, `${units.many(rows.length - shown.length, "leaf", "leaves")} that never ${rows.length - shown.length === 1 ? "is" : "are"} so far from it ${rows.length - shown.length === 1 ? "is" : "are"} left out.`)] : []), { element: h("div"), update: () => charts.forEach((c) => c.update()) }];
  });
  return () => { setTitle(card, "Fair share against use", "How far each leaf is above or below its fair share, on one scale. What is below adds up to the fairness error."); setTools(card, zoomButtons()); follow(); };
};
