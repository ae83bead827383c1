// Waits: their distribution, by leaf and size, by the rule that bound; who waits now; who evicted whom.

panels.cdf = (body, card) => {
  let by = "quota", drawn = "";
  return () => {
    const width = body.clientWidth, key = by + width;
    const group = h("div", { class: "seg", role: "group", "aria-label": "Curves" }, [["quota", "by leaf"], ["size", "by size"]].map(([id, words]) => h("button", { type: "button", "aria-pressed": String(by === id), onclick: () => { by = id; changed(); } }, words)));
    setTools(card, group);
    if (key === drawn || width < 60) return;
    drawn = key;
    const curves = data.waitSteps.filter((w) => (by === "quota" ? !w.size : w.quota === undefined) && (w.quantiles.count || w.never));
    if (!curves.length) { body.replaceChildren(h("p", { class: "none" }, "No pod was ever bound.")); return; }
    body.replaceChildren(cdf(curves, width), legend(curves.map((c, i) => ["stroke", c.quota !== undefined ? data.quotas[c.quota].name : c.size || "all", c.quota !== undefined ? colour(c.quota) : c.size ? "team-" + (i % 6) : "slate"])));
  };
};

/** The part of pods that waited at most so long; a place for "at once", then a log axis. @param {WaitSteps[]} curves @param {number} width */
function cdf(curves, width) {
  const height = 270, left = 46, right = 12, top = 10, bottom = 24, atOnce = 46, most = Math.max(SECOND, ...curves.map((c) => c.wait_ms[c.wait_ms.length - 1] || 0));
  const least = SECOND, x = (/** @type {number} */ ms) => (ms < least ? left + atOnce / 2 : left + atOnce + Math.log(ms / least) / Math.log(Math.max(2, most * 1.15 / least)) * (width - left - right - atOnce)), y = (/** @type {number} */ p) => top + (1 - p) * (height - top - bottom);
  const svg = s("svg", { viewBox: `0 0 ${width} ${height}`, height, role: "img", "aria-label": "Fraction of pods that waited at most a given time, " + curves.map((c) => `${c.quota !== undefined ? data.quotas[c.quota].name : c.size || "all"}: half within ${units.span(c.quantiles.p50_ms)}, 95 % within ${units.span(c.quantiles.p95_ms)}`).join("; ") });
  for (const p of [0, 0.25, 0.5, 0.75, 0.95, 1]) svg.append(s("path", { class: p ? "gridline" : "axis", d: `M${left} ${y(p)}H${width - right}` }), s("text", { x: left - 6, y: y(p) + (p === 1 ? 3 : p === 0.95 ? 8 : 4), "text-anchor": "end" }, p * 100 + " %"));
  svg.append(s("rect", { class: "empty", x: left, y: top, width: atOnce, height: height - top - bottom, opacity: 0.6 }), s("text", { x: left + atOnce / 2, y: height - 6, "text-anchor": "middle" }, "at once"));
  let last = left + atOnce;
  for (const [ms, words] of /** @type {[number, string][]} */ ([[SECOND, "1 s"], [10 * SECOND, "10 s"], [MINUTE, "1 min"], [10 * MINUTE, "10 min"], [HOUR, "1 h"], [6 * HOUR, "6 h"], [DAY, "1 d"], [7 * DAY, "7 d"], [30 * DAY, "30 d"]])) {
    if (ms > most * 1.15 || x(ms) - last < 34) continue;
    last = x(ms);
    svg.append(s("path", { class: "gridline", d: `M${last} ${top}V${height - bottom}` }), s("text", { x: last, y: height - 6, "text-anchor": "middle" }, words));
  }
  curves.forEach((c, i) => {
    const all = c.quantiles.count + c.never;
    if (!all) return;
    const cls = c.quota !== undefined ? colour(c.quota) : c.size ? "team-" + (i % 6) : "slate", zero = c.wait_ms.reduce((n, ms, k) => (ms < least ? c.pods[k] : n), 0);
    let d = `M${left} ${y(0)}H${left + 6}V${y(zero / all)}H${left + atOnce}`;
    c.wait_ms.forEach((ms, k) => { if (ms >= least) d += `H${x(ms).toFixed(1)}V${y(c.pods[k] / all).toFixed(1)}`; });
    svg.append(s("path", { class: "stroke " + cls, d: d + `H${width - right}`, "stroke-width": c.quota === undefined && !c.size ? 2.5 : 1.75 }, s("title", {}, c.quota !== undefined ? data.quotas[c.quota].name : c.size || "all")));
  });
  return h("div", { class: "fig" }, svg);
}

panels.waittable = (body) => {
  // A size that all pods of a leaf have says nothing more than the leaf.
  const counted = (/** @type {WaitSteps} */ w) => w.quantiles.count + w.never, /** @type {Map<number | undefined, number>} */ wholes = new Map(data.waitSteps.filter((w) => !w.size).map((w) => [w.quota, counted(w)]));
  const rows = data.waitSteps.filter((w) => !w.size || counted(w) < (wholes.get(w.quota) ?? Infinity)), span = (/** @type {number} */ n, /** @type {Quantiles} */ q) => (q.count ? units.span(n) : "·");
  body.replaceChildren(rows.length ? sortable({
    label: "Waits by leaf and size", rows, limit: 40, columns: [
      { name: "Leaf", cell: (r) => (r.quota === undefined ? h("span", { class: "soft" }, "all") : team(r.quota)), key: (r) => r.quota ?? -1 }, { name: "Size", cell: (r) => r.size || "all", key: (r) => r.size || "" }, { name: "Pods", num: true, cell: (r) => units.whole(r.quantiles.count), key: (r) => r.quantiles.count },
      { name: "Mean", num: true, cell: (r) => span(r.quantiles.count ? r.quantiles.sum_ms / r.quantiles.count : 0, r.quantiles), key: (r) => (r.quantiles.count ? r.quantiles.sum_ms / r.quantiles.count : 0) },
      { name: "p50", num: true, cell: (r) => span(r.quantiles.p50_ms, r.quantiles), key: (r) => r.quantiles.p50_ms }, { name: "p95", num: true, cell: (r) => span(r.quantiles.p95_ms, r.quantiles), key: (r) => r.quantiles.p95_ms }, { name: "p99", num: true, cell: (r) => span(r.quantiles.p99_ms, r.quantiles), key: (r) => r.quantiles.p99_ms },
      { name: "Max", num: true, cell: (r) => span(r.quantiles.max_ms, r.quantiles), key: (r) => r.quantiles.max_ms }, { name: "Never started", num: true, cell: (r) => r.never || "·", key: (r) => r.never },
    ],
  }) : h("p", { class: "none" }, "No pod was ever bound."));
  return () => {};
};

panels.byrule = (body) => {
  const rules = [...new Set(data.waitTimes.map((w) => w.rule))].map((rule) => { const rows = data.waitTimes.filter((w) => w.rule === rule).sort((a, b) => b.wait_ms - a.wait_ms); return { rule, rows, sum: rows.reduce((n, w) => n + w.wait_ms, 0) }; }).sort((a, b) => b.sum - a.sum);
  if (!rules.length) { body.replaceChildren(h("p", { class: "none" }, "No pod waited.")); return () => {}; }
  const top = rules[0].sum || 1;
  body.replaceChildren(...rules.slice(0, 12).map(({ rule, rows, sum }) => {
    const svg = s("svg", { role: "img", "aria-label": rows.map((w) => `${w.quota === undefined ? "no quota" : data.quotas[w.quota].name} ${units.span(w.wait_ms)}`).join(", ") });
    let x = 0;
    for (const w of rows) { const wide = w.wait_ms / top * 100; svg.append(s("rect", { class: "solid " + (w.quota === undefined ? "slate" : colour(w.quota)), x: x.toFixed(2) + "%", y: 1, width: Math.max(0, wide - 0.2).toFixed(2) + "%", height: 12 }, s("title", {}, `${w.quota === undefined ? "no quota" : data.quotas[w.quota].name}: ${units.span(w.wait_ms)} in ${units.many(w.waits, "stretch", "stretches")}`))); x += wide; }
    return h("div", { class: "byrule" }, h("div", {}, ruleChip(rule), h("span", { class: "sub" }, data.rules[rule]?.title || ""), h("b", {}, units.span(sum))), svg);
  }));
  return () => {};
};

panels.waiting = (body, card) => () => {
  setTitle(card, "Who waits at " + units.moment(state.moment), "");
  const rows = [];
  for (let i = 0; i < data.waits.n && data.waits.from[i] <= state.moment; i++) if (state.moment < data.waits.to[i] || (state.moment >= data.end && data.waits.to[i] >= data.end && data.pods.ended[data.waits.pod[i]] < 0)) rows.push(i);
  rows.sort((a, b) => data.pods.created[data.waits.pod[a]] - data.pods.created[data.waits.pod[b]]);
  if (!rows.length) { body.replaceChildren(h("p", { class: "none" }, `No pod is pending at ${units.moment(state.moment)}.`)); return; }
  const w = data.waits, p = data.pods;
  body.replaceChildren(sortable({
    label: "Pods that wait at the moment", rows, limit: 30, columns: [
      { name: "Pod", cell: (i) => link("pod", p.name[w.pod[i]]), key: (i) => p.name[w.pod[i]] }, { name: "Leaf", cell: (i) => { const q = data.jobs.quota[p.job[w.pod[i]]]; return q < 0 ? "·" : team(q); }, key: (i) => data.jobs.quota[p.job[w.pod[i]]] },
      { name: "Has waited", num: true, cell: (i) => units.span(state.moment - p.created[w.pod[i]]), key: (i) => state.moment - p.created[w.pod[i]] }, { name: "Rule", cell: (i) => ruleChip(w.rule[i]), key: (i) => w.rule[i] },
      { name: "Why", wide: true, cell: (i) => waitSays(i) },
    ],
  }));
};

/** Why a wait lasts, in a line. @param {number} i */
function waitSays(i) {
  const w = data.waits, verdict = w.verdict[i] >= 0 ? data.verdicts[w.verdict[i]] : null;
  if (verdict) return obstacleSays(verdict.binding, verdict);
  if (w.until[i] >= 0) return "its victims must leave first, until " + units.moment(w.until[i]);
  if (w.resource[i] >= 0) return `requests ${units.amount(w.resource[i], w.needed[i])}, ${units.bare(w.resource[i], w.available[i])} available` + (w.quota[i] >= 0 ? " under " + units.name(data.quotas[w.quota[i]].name) : " on the closest node");
  return data.rules[w.rule[i]]?.title || "";
}

panels.whoevicted = (body) => {
  let drawn = -1;
  return () => {
    const width = body.clientWidth;
    if (width === drawn || width < 60) return;
    drawn = width;
    if (!data.evictions.length) { body.replaceChildren(h("p", { class: "none" }, "No pod was evicted.")); return; }
    /** @type {Map<string, {a: number, b: number, n: number, lost: number, wasted: number}>} */
    const edges = new Map();
    for (const e of data.evictions) {
      const key = (e.cause_leaf ?? -1) + ":" + (e.leaf ?? -1), edge = edges.get(key) || { a: e.cause_leaf ?? -1, b: e.leaf ?? -1, n: 0, lost: 0, wasted: 0 };
      edge.n++; edge.lost += e.lost_work_ms; edge.wasted += e.wasted ? 1 : 0;
      edges.set(key, edge);
    }
    const all = [...edges.values()].sort((a, b) => b.n - a.n), left = [...new Set(all.map((e) => e.a))], right = [...new Set(all.map((e) => e.b))], height = Math.max(70, Math.max(left.length, right.length) * 40 + 20), most = all[0].n;
    const y = (/** @type {number[]} */ side, /** @type {number} */ q) => height * (side.indexOf(q) + 0.5) / side.length, name = (/** @type {number} */ q) => (q < 0 ? "none" : data.quotas[q].name), x0 = Math.min(130, width * 0.3), x1 = width - x0;
    const svg = s("svg", { viewBox: `0 0 ${width} ${height}`, height, role: "img", "aria-label": all.map((e) => `${name(e.a)} evicted ${e.n} of ${name(e.b)}`).join("; ") });
    /** @type {{x: number, y: number}[]} */
    const taken = [];
    for (const e of all) {
      const a = y(left, e.a), b = y(right, e.b), mid = (x0 + x1) / 2;
      svg.append(s("path", { class: "edge", d: `M${x0} ${a}C${mid} ${a} ${mid} ${b} ${x1 - 8} ${b}`, "stroke-width": 1.5 + 8 * e.n / most, opacity: 0.65 }, s("title", {}, `${units.many(e.n, "eviction")}, ${units.span(e.lost)} of work lost, ${e.wasted} in vain`)), s("path", { class: "m-evict", d: `M${x1 - 10} ${b - 6}l10 6l-10 6z` }));
      // The number stands on its curve, where no other does, and away from the middle, where curves cross.
      const places = (a === b ? [0.5, 0.35, 0.65] : [0.28, 0.72, 0.2, 0.8, 0.5]).map((at) => ({ x: x0 + (x1 - x0) * at, y: a + (b - a) * at * at * (3 - 2 * at) - 7 - 4 * e.n / most }));
      const place = places.find((p) => !taken.some((q) => Math.abs(p.x - q.x) < 22 && Math.abs(p.y - q.y) < 13)) || places[0];
      taken.push(place);
      svg.append(s("text", { class: "strong", x: place.x, y: place.y, "text-anchor": "middle" }, String(e.n)));
    }
    left.forEach((q) => svg.append(s("rect", { class: "solid " + (q < 0 ? "slate" : colour(q)), x: x0 - 12, y: y(left, q) - 6, width: 12, height: 12, rx: 3 }), s("text", { class: "strong", x: x0 - 18, y: y(left, q) + 4, "text-anchor": "end" }, shorten(name(q), 14))));
    right.forEach((q) => svg.append(s("rect", { class: "solid " + (q < 0 ? "slate" : colour(q)), x: x1 + 2, y: y(right, q) - 6, width: 12, height: 12, rx: 3 }), s("text", { class: "strong", x: x1 + 20, y: y(right, q) + 4 }, shorten(name(q), 14))));
    body.replaceChildren(h("div", { class: "fig" }, svg));
  };
};

panels.evictions = (body) => {
  const j = data.jobs, p = data.pods;
  body.replaceChildren(data.evictions.length ? sortable({
    label: "Evictions", rows: data.evictions, limit: 30, columns: [
      { name: "When", cell: (e) => time(e.at_ms), key: (e) => e.at_ms }, { name: "Victim", cell: (e) => link("pod", p.name[e.pod]), key: (e) => p.name[e.pod] }, { name: "Leaf", cell: (e) => (e.leaf === undefined ? "·" : team(e.leaf)), key: (e) => e.leaf ?? -1 },
      { name: "For", cell: (e) => (e.cause === undefined ? "no preemptor" : link("job", j.name[e.cause])), key: (e) => (e.cause === undefined ? "" : j.name[e.cause]) }, { name: "Rule", cell: (e) => ruleChip(e.rule), key: (e) => e.rule }, { name: "Node", cell: (e) => link("node", data.nodes[e.node].name), key: (e) => e.node },
      { name: "Gave up", cell: (e) => amountsSay(e.amounts) }, { name: "Cause started after", num: true, cell: (e) => (e.cause_bound_ms === undefined ? (e.cause === undefined ? "·" : "never") : units.span(e.cause_bound_ms - e.at_ms)), key: (e) => (e.cause_bound_ms ?? Infinity) - e.at_ms },
      { name: "Lost work", num: true, cell: (e) => (e.lost_work_ms ? units.span(e.lost_work_ms) : "·"), key: (e) => e.lost_work_ms }, { name: "In vain", cell: (e) => (e.wasted ? "yes" : "·"), key: (e) => Number(e.wasted) },
    ],
  }) : h("p", { class: "none" }, "No pod was evicted."));
  return () => {};
};

panels.incidents = (body) => {
  body.replaceChildren(data.incidents.length ? sortable({
    label: "Incidents", rows: data.incidents, limit: 30, columns: [
      { name: "When", cell: (i) => time(i.from_ms), key: (i) => i.from_ms }, { name: "What", cell: (i) => [i.kind.replace("_", " "), " of ", bdi(i.what)], key: (i) => i.kind }, { name: "Lasted", num: true, cell: (i) => (i.to_ms === undefined ? "not over" : units.span(i.to_ms - i.from_ms)), key: (i) => (i.to_ms ?? data.end) - i.from_ms },
      { name: "Nodes", num: true, cell: (i) => units.whole(i.nodes.length), key: (i) => i.nodes.length }, { name: "Gone", cell: (i) => amountsSay(i.gone) }, { name: "Pods lost", num: true, cell: (i) => i.lost_pods.length || "·", key: (i) => i.lost_pods.length },
      { name: "Jobs", cell: (i) => i.jobs.slice(0, 5).flatMap((job, k) => [k ? ", " : "", link("job", data.jobs.name[job])]) }, { name: "Lost work", num: true, cell: (i) => (i.lost_work_ms ? units.span(i.lost_work_ms) : "none"), key: (i) => i.lost_work_ms },
    ],
  }) : h("p", { class: "none" }, "No node failed, left or came."));
  return () => {};
};
