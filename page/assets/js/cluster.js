// The cluster at the moment and over time: GPUs, nodes, memory, utilisation, jobs by state; the same for cpu and memory.

/** @param {string} k @param {Child | Child[]} v @param {string} n */
function tile(k, v, n) {
  return h("div", { class: "tile" }, h("div", { class: "k" }, k), h("div", { class: "v" }, v), h("div", { class: "n" }, n));
}

/** @param {number} part @param {number} whole */
function permille(part, whole) {
  return whole > 0 ? part / whole * 1000 : 0;
}

panels.clusternow = (body, card) => () => {
  const at = state.moment, c = data.cluster, resource = state.resource, r = data.resources[resource], row = clusterOf(resource);
  const v = (/** @type {Series | undefined} */ of) => series.at(of, at), used = v(row?.allocated), cap = v(row?.capacity), ill = v(c.unhealthy_devices);
  setTitle(card, "The cluster at " + units.moment(at), meansSay([row?.allocated, c.jobs_running]).trim());
  setTools(card, resourceButtons());
  const withGpu = data.nodes.filter((n) => n.devices > 0), down = withGpu.filter((n) => n.spans.some((x) => x.from_ms <= at && at < x.to_ms && x.state === "down")).length;
  const there = withGpu.filter((n) => n.spans.some((x) => x.from_ms <= at && (at < x.to_ms || at >= data.end) && x.state !== "absent")).length;
  // What is down is not in the capacity.
  const away = data.nodes.filter((n) => n.spans.some((x) => x.from_ms <= at && at < x.to_ms && x.state === "down")).reduce((sum, n) => sum + amountOf(n.capacity, resource), 0);
  const mean = data.totals.resources.find((/** @type {{resource: number}} */ x) => x.resource === resource)?.utilisation_permille;
  const memory = v(c.device_memory_total), gpu = r.kind === "gpu";
  const tiles = [
    tile(r.short + " that are up", gpu ? units.bare(resource, cap + ill * 1000) : units.bare(resource, cap), gpu ? `${units.bare(resource, used)} allocated, ${units.whole(ill)} unhealthy${away ? `; ${units.bare(resource, away)} more are down` : ""}` : `${units.amount(resource, used)} allocated${away ? `; ${units.amount(resource, away)} more are down` : ""}`),
    tile("Allocated", units.percent(permille(used, cap)), `${units.bare(resource, used)} of ${units.amount(resource, cap)}${mean === undefined ? "" : `; on average over the run ${units.percent(mean)}`}`),
  ];
  if (withGpu.length) tiles.push(tile("GPU nodes", units.whole(there), `of ${units.many(data.nodes.length, "node")}`), tile("Unhealthy GPU nodes", units.whole(down), down ? "down at this moment" : "all are up"));
  else tiles.push(tile("Nodes", units.whole(v(c.nodes_ready)), `of ${units.whole(v(c.nodes_total))} take pods`));
  if (withGpu.length) {
    const said = data.loads.length > 0 || series.peak(c.duty_permille, 0, data.end) > 0;
    if (memory && said) tiles.push(tile("GPU memory used", units.percent(permille(v(c.device_memory_used), memory)), `${units.bytes(v(c.device_memory_used))} of ${units.bytes(memory)}`));
    if (memory) tiles.push(tile("GPU memory allocated", units.percent(permille(v(c.device_memory_allocated), memory)), `${units.bytes(v(c.device_memory_allocated))} of ${units.bytes(memory)}`));
    if (said) tiles.push(tile("GPU utilisation", units.percent(v(c.duty_permille)), "mean duty cycle of all that are up"));
  }
  tiles.push(tile("Jobs", h("span", {}, units.whole(v(c.jobs_running)), h("small", {}, "running")), `${units.whole(v(c.jobs_pending))} pending, ${units.whole(v(c.jobs_succeeded))} succeeded, ${units.whole(v(c.jobs_failed))} failed`));
  if (series.peak(c.price_milli_per_hour, 0, data.end) > 0) tiles.push(tile("Price", h("span", {}, units.money(v(c.price_milli_per_hour)), h("small", {}, "an hour")), "sum over all nodes that exist, down or up"));
  const box = h("div", { class: "tiles now" }, tiles);
  box.style.margin = "0";
  body.replaceChildren(box);
};

/** A panel with charts that do not depend on the resource. @param {() => ({element: HTMLElement, update: () => void} | HTMLElement)[]} build */
function fixed(build) {
  return (/** @type {HTMLElement} */ body) => {
    const parts = build();
    body.replaceChildren(...parts.map((p) => (p instanceof HTMLElement ? p : p.element)));
    return () => parts.forEach((p) => p instanceof HTMLElement || p.update());
  };
}

/** @param {string} title @param {ChartSpec} spec @param {string} [cls] */
function titled(title, spec, cls = "c6") {
  const c = chart(spec);
  const shown = spec.layers.length > 1 ? legend(spec.layers.map((l) => [l.as === "area" ? "solid" : l.cls.startsWith("stroke") ? "stroke" : l.cls === "maxline" ? "dash" : "line", l.name, l.cls.replace("stroke ", "")])) : null;
  return { box: h("div", { class: cls }, h("h4", {}, title), c.element, shown), update: c.update };
}

panels.clusterseries = (body, card) => {
  const follow = byResource(body, () => {
    const c = data.cluster, resource = state.resource, r = data.resources[resource], row = clusterOf(resource);
    /** @type {{box: HTMLElement, update: () => void}[]} */
    const all = [];
    const say = (/** @type {number} */ v) => units.amount(resource, v), tick = r.kind === "bytes" ? units.bytes : undefined, plain = (/** @type {number} */ v) => units.whole(v), pct = (/** @type {number} */ v) => units.percent(v);
    const line = (/** @type {Series} */ of, /** @type {string} */ cls, /** @type {string} */ name) => ({ of, as: /** @type {"line"} */ ("line"), cls: "stroke " + cls, name });
    const area = (/** @type {Series} */ of, /** @type {string} */ cls, /** @type {string} */ name) => ({ of, as: /** @type {"area"} */ ("area"), cls, name });
    const share = (/** @type {Series} */ a, /** @type {Series} */ b) => { const t = series.grid([a, b], 0, data.end, Infinity); return { t, v: t.map((ms) => permille(series.at(a, ms), series.at(b, ms))) }; };
    if (row) {
      all.push(titled(`${r.short} allocated, of those that are up`, { label: `${r.short} allocated and up over time`, height: 170, layers: [area(row.allocated, "slate", "allocated"), { of: row.capacity, as: "line", cls: "capline", name: "up" }], say, tick, unit: axisUnit(resource), marks: true, bands: true }));
      all.push(titled(`${r.short} allocated, %`, { label: `${r.short} allocated, percent`, height: 170, layers: [area(share(row.allocated, row.capacity), "slate", "allocated")], say: pct, unit: 10, top: 1000, percent: true, bands: true }));
    }
    all.push(titled("Jobs pending and running", { label: "Jobs pending and running over time", height: 170, layers: [area(c.jobs_running, "accent", "running"), area(c.jobs_pending, "warn-c", "pending")], say: plain, bands: true }));
    all.push(titled("Jobs succeeded and failed so far", { label: "Jobs succeeded and failed so far", height: 170, layers: [area(c.jobs_succeeded, "good-c", "succeeded"), area(c.jobs_failed, "bad-c", "failed")], say: plain, bands: true }));
    all.push(titled("Pods that run and wait", { label: "Pods that run and wait over time", height: 170, layers: [area(c.pods_running, "accent", "running"), area(c.pods_waiting, "warn-c", "waiting")], say: plain, bands: true }));
    all.push(titled("Nodes that take pods, and unhealthy devices", { label: "Nodes that take pods, and unhealthy devices, over time", height: 170, layers: [area(c.nodes_ready, "slate", "nodes that take pods"), line(c.unhealthy_devices, "bad-c", "unhealthy devices"), { of: c.nodes_total, as: "line", cls: "maxline", name: "nodes" }], say: plain }));
    if (series.peak(c.device_memory_total, 0, data.end) > 0) {
      all.push(titled("GPU memory allocated, %", { label: "GPU memory allocated, percent", height: 170, layers: [area(share(c.device_memory_allocated, c.device_memory_total), "slate", "allocated")], say: pct, unit: 10, top: 1000, percent: true, bands: true }));
      all.push(titled("GPU memory used, %", { label: "GPU memory used, percent", height: 170, layers: [area(share(c.device_memory_used, c.device_memory_total), "slate", "used")], say: pct, unit: 10, top: 1000, percent: true, bands: true }));
    }
    if (series.peak(c.duty_permille, 0, data.end) > 0) all.push(titled("GPU utilisation, %", { label: "Mean duty cycle of GPUs, percent", height: 170, layers: [area(c.duty_permille, "slate", "duty cycle")], say: pct, unit: 10, top: 1000, percent: true, bands: true }));
    if (series.peak(c.price_milli_per_hour, 0, data.end) > 0) all.push(titled("Price of all nodes an hour", { label: "Price of all nodes an hour, over time", height: 170, layers: [area(c.price_milli_per_hour, "slate", "price an hour")], say: (v) => units.money(v), unit: 1000 }));
    return [h("div", { class: "grid" }, all.map((t) => t.box)), { element: h("div"), update: () => all.forEach((t) => t.update()) }];
  });
  return () => { setTools(card, zoomButtons()); follow(); };
};
