// Who ran where: a band for each node, a thin row for each device. Bars are SVG; above 5,000 of them a canvas paints them, and
// only marks and hits stay elements.

const MOST_BARS = 5000;

/** The rows of a node: its devices; without devices as many as pods ran at once, each pod in the first that is free. @param {number} node */
function lanesOf(node) {
  const l = data.placements, /** @type {Map<number, number>} */ rowOf = new Map(), /** @type {number[]} */ until = [], devices = data.nodes[node].devices;
  if (devices) return { rows: devices, rowOf };
  for (const i of linked(data.placementsOfNode, node)) {
    const free = until.findIndex((ms) => ms <= l.bound[i]), row = free < 0 ? Math.min(until.length, 31) : free;
    until[row] = l.gone[i] < 0 ? Infinity : l.gone[i];
    rowOf.set(i, row);
  }
  return { rows: Math.max(1, until.length), rowOf };
}

panels.gantt = (body, card) => {
  let drawn = "", limit = 40;
  /** @type {{rows: number, top: number, height: number, node: number, rowOf: Map<number, number>}[]} */
  let bands = [];
  /** @type {SVGElement | null} */
  let cursor = null;
  let x = (/** @type {number} */ _t) => 0, bottom = 0;
  return () => {
    setTitle(card, "Who ran where", (said((n) => n.devices) ? "A thin row for each GPU." : "A row for each pod that runs at once.") + (data.evictions.length ? " A triangle is an eviction, at the victim; its line leads to who it was done for." : "") + " Click a bar for its story.");
    setTools(card, zoomButtons());
    const width = body.clientWidth, key = [width, limit, ...view(), document.documentElement.getAttribute("data-theme")].join(":");
    if (width > 60 && key !== drawn) { drawn = key; render(width); }
    const [a, b] = view();
    if (cursor) cursor.setAttribute("d", state.moment >= a && state.moment <= b ? `M${x(state.moment).toFixed(1)} 4V${bottom}` : "");
  };

  /** @param {number} width */
  function render(width) {
    const [a, b] = view(), left = width < 500 ? 64 : 78, right = 6, l = data.placements;
    x = (t) => left + (t - a) / (b - a) * (width - left - right);
    // Nodes that ran anything, by rack; nodes with devices first.
    const ran = (/** @type {number} */ i) => linked(data.placementsOfNode, i).length > 0;
    const order = data.nodes.map((n, i) => ({ n, i })).filter(({ n, i }) => n.devices > 0 || ran(i) || data.nodes.length <= limit).sort((p, q) => Number(q.n.devices > 0) - Number(p.n.devices > 0));
    // Of many nodes those that ran something come first.
    if (order.length > limit) order.sort((p, q) => Number(ran(q.i)) - Number(ran(p.i)));
    const shown = order.slice(0, limit).map((one) => ({ ...one, ...lanesOf(one.i) }));
    // Rows are as tall as a page allows, between a thin line and one with a name in it.
    const tall = Math.max(5.4, Math.min(18, 420 / Math.max(1, shown.reduce((sum, one) => sum + one.rows, 0)))), svg = s("svg", { role: "img", "aria-label": "Which pods ran on which node and device over time. The table of jobs has the same." });
    bands = [];
    let y = 14, rack = "";
    for (const { n, i, rows, rowOf } of shown) {
      const group = n.rack || n.pool;
      if (group !== rack) { rack = group; y += bands.length ? 10 : 0; svg.append(s("text", { class: "strong", x: left - 6, y: y + 2, "text-anchor": "end" }, shorten(group, 12))); y += 8; }
      const height = Math.max(20, Math.min(rows * tall, 16 * 5.4));
      bands.push({ rows, top: y, height, node: i, rowOf });
      svg.append(s("rect", { class: "lane", x: left, y, width: width - left - right, height, rx: 3 }), s("text", { class: "hit", "data-story": "node:" + n.name, x: left - 8, y: y + height / 2 + 4, "text-anchor": "end" }, shorten(n.name, left < 70 ? 8 : 10)));
      for (const span of n.spans) if (span.state !== "ready" && span.to_ms > a && span.from_ms < b) svg.append(s("rect", { class: span.state === "down" || span.state === "absent" ? "band" : "wash-bad", x: x(Math.max(a, span.from_ms)), y, width: Math.max(1, x(Math.min(b, span.to_ms)) - x(Math.max(a, span.from_ms))), height }));
      y += height + 6;
    }
    bottom = y;
    const times = timeTicks(a, b, Math.max(2, (width - left) / 92));
    for (const t of times.all) svg.append(s("path", { class: "gridline", d: `M${x(t).toFixed(1)} 8V${y}` }), s("text", { x: x(t), y: y + 14, "text-anchor": x(t) > width - 32 ? "end" : "middle" }, times.step >= DAY ? "d" + Math.floor(t / DAY) : units.moment(t, times.step >= MINUTE)));
    /** @type {{x: number, y: number, w: number, h: number, quota: number, i: number, whole: boolean}[]} */
    const bars = [];
    for (const band of bands) {
      for (const i of linked(data.placementsOfNode, band.node)) {
        const to = l.gone[i] < 0 ? data.end : l.gone[i];
        if (to < a || l.bound[i] > b) continue;
        const from = Math.max(a, l.bound[i]), set = l.devices[i] >= 0 ? data.deviceSets[l.devices[i]] : [], quota = data.jobs.quota[data.pods.job[l.pod[i]]];
        const px = x(from), w = Math.max(0.8, x(Math.min(b, to)) - px - (to < b ? 0.6 : 0)), n = data.nodes[band.node].devices;
        if (set.length && n) {
          for (let k = 0; k < set.length;) {
            let run = 1;
            while (k + run < set.length && set[k + run] === set[k] + run) run++;
            const lane = band.height / n;
            bars.push({ x: px, y: band.top + set[k] * lane + (run < n ? 0.5 : 0), w, h: Math.max(1, run * lane - (run < n ? 1 : 0)), quota, i, whole: run * lane >= 15 });
            k += run;
          }
        } else if (band.rowOf.has(i)) {
          const lane = band.height / band.rows, h = Math.max(1, lane - (lane > 4 ? 1 : 0.3));
          bars.push({ x: px, y: band.top + (band.rowOf.get(i) ?? 0) * lane + 0.5, w, h, quota, i, whole: h >= 15 });
        }
      }
    }
    const holder = h("div", { class: "gantt fig" });
    if (bars.length > MOST_BARS) holder.append(paint(bars, width, y + 20));
    else {
      for (const bar of bars) {
        const pod = l.pod[bar.i], g = s("g", { class: "hit", "data-story": "pod:" + data.pods.name[pod] }, s("rect", { class: "solid " + (bar.quota < 0 ? "slate" : colour(bar.quota)), x: bar.x, y: bar.y, width: bar.w, height: bar.h, rx: bar.h > 10 ? 3 : 1 }));
        g.append(s("title", {}, `${units.name(data.pods.name[pod])}, ${units.moment(l.bound[bar.i])} to ${units.moment(l.gone[bar.i] < 0 ? data.end : l.gone[bar.i])}` + (l.end[bar.i] ? ", " + l.end[bar.i].replace("_", " ") : "")));
        if (bar.whole && bar.w > 44) g.append(s("text", { class: "inbar", x: bar.x + 13, y: bar.y + bar.h / 2 + 4 }, shorten(data.pods.name[pod], Math.floor((bar.w - 16) / 6.6))));
        svg.append(g);
      }
    }
    // The end of what was lost or evicted, the victims, and the line to their cause.
    const placeOf = (/** @type {number} */ i) => { const bar = bars.find((one) => one.i === i); return bar ? { x: bar.x, y: bar.y + bar.h / 2, end: bar.x + bar.w, top: bar.y, h: bar.h } : null; };
    let edges = 0;
    if (bars.length <= MOST_BARS) {
      for (const bar of bars) if ((l.end[bar.i] === "lost" || l.end[bar.i] === "evicted") && l.gone[bar.i] <= b) svg.append(s("rect", { class: "ended", x: bar.x + bar.w - 2, y: bar.y, width: 3, height: bar.h, rx: 1 }));
      for (const e of data.evictions) {
        if (e.at_ms < a || e.at_ms > b || edges > 400) continue;
        const from = [...linked(data.placementsOfPod, e.pod)].map(placeOf).find((p) => p), to = (e.cause_pods || []).flatMap((pod) => [...linked(data.placementsOfPod, pod)]).map((i) => ({ i, p: placeOf(i) })).filter(({ p, i }) => p && l.bound[i] >= e.at_ms);
        if (!from) continue;
        const best = to.find(({ i }) => l.node[i] === e.node) || to[0], vx = x(e.at_ms);
        if (best && best.p) { edges++; svg.append(s("path", { class: "edge", d: `M${vx} ${from.y}L${best.p.x + 4} ${best.p.y}` }), s("circle", { class: "ended", cx: best.p.x + 4, cy: best.p.y, r: 3 })); }
        svg.append(s("g", { class: "hit", "data-story": "pod:" + data.pods.name[e.pod], "data-moment": e.at_ms }, s("path", { class: "victim", d: `M${vx - 6} ${from.y - 5}h12l-6 10z` }), s("title", {}, `${units.moment(e.at_ms)} ${units.name(data.pods.name[e.pod])} is evicted: ${units.name(e.reason)}`)));
      }
    }
    svg.setAttribute("viewBox", `0 0 ${width} ${y + 20}`);
    svg.setAttribute("height", String(y + 20));
    cursor = s("path", { class: "cursor" });
    svg.append(cursor);
    svg.addEventListener("click", (event) => {
      if (/** @type {Element} */ (event.target).closest("[data-story],[data-moment]")) return;
      const box = svg.getBoundingClientRect(), px = event.clientX - box.left, py = event.clientY - box.top;
      const hit = bars.length > MOST_BARS ? bars.find((one) => px >= one.x && px <= one.x + one.w && py >= one.y && py <= one.y + one.h) : undefined;
      if (hit) setStory({ kind: "pod", id: data.pods.name[l.pod[hit.i]] });
      else if (px > left) setMoment(a + (px - left) / (width - left - right) * (b - a));
    });
    holder.append(svg);
    const used = new Set(bars.map((bar) => bar.quota));
    /** @type {[string, string, string?][]} */
    const keys = leaves().filter((q) => used.has(q)).slice(0, 24).map((q) => ["solid", data.quotas[q].name, colour(q)]);
    if (data.incidents.some((i) => i.nodes_down)) keys.push(["url(#gone)", "node down"]);
    if (data.evictions.length) keys.push(["m-evict", "evicted; its line leads to who it was done for"]);
    body.replaceChildren(holder, legend(keys));
    if (!bars.length) body.append(h("p", { class: "none" }, "Nothing ran in this time."));
    if (order.length > shown.length) body.append(h("button", { type: "button", class: "link more", onclick: () => { limit += 100; changed(); } }, `Show more of ${units.many(order.length, "node")}`));
  }

  /** @param {{x: number, y: number, w: number, h: number, quota: number}[]} bars @param {number} width @param {number} height */
  function paint(bars, width, height) {
    const canvas = /** @type {HTMLCanvasElement} */ (h("canvas", {})), scale = Math.min(2, devicePixelRatio || 1), probe = h("span", {});
    canvas.width = width * scale;
    canvas.height = height * scale;
    canvas.style.width = width + "px";
    canvas.style.height = height + "px";
    const pen = canvas.getContext("2d");
    if (!pen) return canvas;
    pen.scale(scale, scale);
    document.body.append(probe);
    for (const quota of [...new Set(bars.map((bar) => bar.quota))]) {
      probe.className = "dot " + (quota < 0 ? "slate" : colour(quota));
      pen.fillStyle = getComputedStyle(probe).backgroundColor;
      for (const bar of bars) if (bar.quota === quota) pen.fillRect(bar.x, bar.y, Math.max(0.5, bar.w), bar.h);
    }
    probe.remove();
    return canvas;
  }
};
