// The nodes at the moment: the console's table with a square for each device, and its seven panels.

/** A square for each device. @param {ReturnType<typeof nodeNow>} now */
function squares(now) {
  if (now.n.devices > 64) return "too many to draw";
  const say = now.devices.map((d, i) => `${i}: ` + (now.ill.includes(i) ? "unhealthy" : d.quotas.size ? [...d.quotas].map((q) => data.quotas[q]?.name || "no quota").join(", ") : "free")).join("; ");
  return h("span", { class: "sq", role: "img", "aria-label": say, title: say }, now.devices.map((d, i) => {
    const [quota] = d.quotas, gone = now.state === "down" || now.state === "absent";
    return h("i", { class: now.ill.includes(i) ? "ill" : gone ? "gone" : d.quotas.size ? (d.part ? "part " : "used ") + (quota < 0 ? "slate" : colour(quota)) : "" });
  }));
}

/** Teams on a node. @param {ReturnType<typeof nodeNow>} now */
function teamsOn(now) {
  const quotas = [...new Set(now.here.map((i) => data.jobs.quota[data.pods.job[data.placements.pod[i]]]))];
  return quotas.length ? h("span", { class: "who" }, quotas.slice(0, 3).map((q) => h("span", { class: "who" }, h("span", { class: "dot " + (q < 0 ? "slate" : colour(q)) }), q < 0 ? "no quota" : bdi(data.quotas[q].name))), quotas.length > 3 ? "…" : null) : "·";
}

/** Whether any workload says how much GPU memory it uses. */
function memoryUsed() {
  return data.shapes.some((shape) => shape.device_memory_used);
}

/** Whether any node says so. @param {(n: Node_) => unknown} of */
function said(of) {
  return data.nodes.some((n) => Boolean(of(n)));
}

panels.nodes = (body, card) => () => {
  const gpus = said((n) => n.devices), memory = said((n) => n.device_memory);
  setTitle(card, "Nodes at " + units.moment(state.moment), gpus ? "A square for each GPU, in the colour of who has it." : "");
  const rows = data.nodes.map((_, i) => ({ ...nodeNow(i), i, duty: dutyOf(i) })).filter((r) => r.state !== "absent" || data.nodes.length < 200);
  if (!rows.length) { body.replaceChildren(h("p", { class: "none" }, "There is no node.")); return; }
  const gpu = (/** @type {typeof rows[0]} */ r) => r.gpus, cpu = data.resources.findIndex((r) => r.kind === "cpu");
  const total = (/** @type {typeof rows[0]} */ r) => (r.n.device_memory || 0) * r.n.devices, bytes = (/** @type {number} */ n) => (n ? units.bytes(n) : "·");
  const scroll = body.querySelector(".scroll")?.scrollLeft || 0;
  /** @type {Column<typeof rows[0]>[]} */
  const columns = [
    { name: "Name", cell: (r) => link("node", r.n.name), key: (r) => r.i }, { name: "IP", hide: !said((n) => n.ip), cell: (r) => r.n.ip || "·", key: (r) => r.n.ip || "" }, { name: "Role", cell: (r) => r.n.role || "·", key: (r) => r.n.role },
    { name: "Rack", hide: !said((n) => n.rack), cell: (r) => (r.n.rack ? bdi(r.n.rack) : "·"), key: (r) => r.n.rack || "" }, { name: "Status", cell: (r) => stateChip(r.state), key: (r) => r.state }, { name: "GPU mode", hide: !said((n) => n.gpu_mode), cell: (r) => r.n.gpu_mode || "·", key: (r) => r.n.gpu_mode || "" },
    { name: "GPUs", hide: !gpus, cell: (r) => (r.n.devices ? squares(r) : "·") }, { name: "Allocated GPUs", hide: !gpus, num: true, cell: (r) => (r.n.devices ? `${units.short(r.gpus)} of ${r.n.devices}` : "·"), key: gpu },
    { name: "Total GPU memory", hide: !memory, num: true, cell: (r) => bytes(total(r)), key: total }, { name: "Allocated GPU memory", hide: !memory, num: true, cell: (r) => bytes(r.memory), key: (r) => r.memory }, { name: "Used GPU memory", hide: !memoryUsed(), num: true, cell: (r) => bytes(r.memoryUsed), key: (r) => r.memoryUsed },
    { name: "GPU utilisation", hide: !data.loads.length, num: true, cell: (r) => (r.duty < 0 ? "·" : units.percent(r.duty)), key: (r) => r.duty },
    { name: "CPU", num: true, cell: (r) => (cpu < 0 ? "·" : `${units.short(r.used[cpu] / 1000)} of ${units.short(amountOf(r.n.capacity, cpu) / 1000)}`), key: (r) => (cpu < 0 ? 0 : r.used[cpu]) }, { name: "Pods", num: true, cell: (r) => r.here.length || "·", key: (r) => r.here.length }, { name: "Teams", cell: teamsOn },
  ];
  body.replaceChildren(sortable({ label: "Nodes at the moment", rows, columns, limit: 40, classOf: (r) => (state.story?.kind === "node" && state.story.id === r.n.name ? "on" : "") }));
  const box = body.querySelector(".scroll");
  if (box) box.scrollLeft = scroll;
};

panels.nodebars = (body, card) => () => {
  setTitle(card, "GPUs by node at " + units.moment(state.moment));
  const rows = data.nodes.map((_, i) => ({ ...nodeNow(i), i, duty: dutyOf(i) })).filter((r) => r.n.devices > 0);
  // Of many nodes the fullest.
  if (rows.length > 16) rows.sort((a, b) => b.gpus - a.gpus || a.i - b.i);
  if (!rows.length) { body.replaceChildren(h("p", { class: "none" }, "No node has devices.")); return; }
  const gpu = (/** @type {typeof rows[0]} */ r) => r.gpus, total = (/** @type {typeof rows[0]} */ r) => (r.n.device_memory || 0) * r.n.devices;
  const most = Math.max(...rows.map((r) => r.n.devices)), memory = Math.max(1, ...rows.map(total)), count = (/** @type {number} */ n) => units.short(n);
  /** @type {[string, (r: typeof rows[0]) => number, number, (n: number) => string][]} */
  const kinds = [["GPUs", (r) => r.n.devices, most, count], ["Allocated GPUs", gpu, most, count], ["Total GPU memory", total, memory, units.bytes], ["Allocated GPU memory", (r) => r.memory, memory, units.bytes], ["Used GPU memory", (r) => r.memoryUsed, memory, units.bytes],
    ["Used GPU memory, %", (r) => permille(r.memoryUsed, total(r)), 1000, units.percent], ["Duty cycle, %", (r) => Math.max(0, r.duty), 1000, units.percent]];
  const shown = kinds.filter((_, i) => i < 2 || (i === 6 ? data.loads.length : i > 3 ? memoryUsed() && memory > 1 : memory > 1));
  body.replaceChildren(h("div", { class: "bars" }, shown.map(([name, of, scale, say]) => h("div", {}, h("h4", {}, name), rows.slice(0, 16).map((r) => h("div", { class: "panelbar" }, h("span", { class: "nowrap" }, bdi(shorten(r.n.name, 12))), useBar({ own: of(r), borrowed: 0, scale }), h("span", {}, of(r) ? say(of(r)) : "·"))), rows.length > 16 ? h("p", { class: "sub" }, `the fullest; ${rows.length - 16} more are in the table`) : null))));
};

/** @typedef {{x: number, y: number, w: number, v: number, says: () => string}} Stretch a duty cycle for a while, thousandths */

/** The busier, the stronger. Few are elements that say what they are; of very many those of about the same duty cycle are one. @param {Stretch[]} all @param {number} height */
function shaded(all, height) {
  const opacity = (/** @type {number} */ v) => (0.12 + 0.88 * v / 1000).toFixed(2), f = (/** @type {number} */ n) => n.toFixed(1);
  if (all.length <= MOST_BARS) return all.map((one) => s("rect", { class: "solid accent", opacity: opacity(one.v), x: f(one.x), y: one.y, width: f(one.w), height }, s("title", {}, one.says())));
  const LEVELS = 10, paths = Array.from({ length: LEVELS }, () => /** @type {string[]} */ ([]));
  for (const one of all) paths[Math.min(LEVELS, Math.ceil(one.v / 1000 * LEVELS)) - 1].push(`M${f(one.x)} ${one.y}h${f(one.w)}v${height}h-${f(one.w)}z`);
  return paths.map((path, i) => s("path", { class: "solid accent", opacity: opacity((i + 1) / LEVELS * 1000), d: path.join("") }));
}

panels.duty = (body, card) => {
  let drawn = "";
  /** @type {SVGElement | null} */
  let cursor = null;
  let x = (/** @type {number} */ _t) => 0, bottom = 0;
  return () => {
    setTools(card, zoomButtons());
    const width = body.clientWidth, [a, b] = view(), key = [width, a, b].join(":");
    if (!data.loads.length) { body.replaceChildren(h("p", { class: "none" }, "No workload says how busy it keeps its devices.")); return; }
    if (key !== drawn && width > 60) {
      drawn = key;
      const left = 78, rows = data.loads.slice(0, 256), tall = rows.length > 64 ? 4 : 6, svg = s("svg", { role: "img", "aria-label": "Duty cycle of each device over time: the darker, the busier" });
      x = (t) => left + (t - a) / (b - a) * (width - left - 6);
      /** @type {Stretch[]} */
      const stretches = [];
      let y = 4, node = -1, named = -1, labelled = -20;
      for (const load of rows) {
        if (load.node !== node) { node = load.node; y += 4; }
        // A node with few devices is lower than its name.
        if (load.node !== named && y - labelled >= 11) { named = load.node; labelled = y; svg.append(s("text", { x: left - 8, y: y + 9, "text-anchor": "end" }, shorten(data.nodes[node].name, 10))); }
        const of = load.duty_permille, t = series.grid([of], a, b, (width - left) / 2);
        t.forEach((from, i) => { const v = series.at(of, from), to = t[i + 1] ?? b; if (v > 0) stretches.push({ x: x(from), y, w: Math.max(0.5, x(to) - x(from)), v, says: () => `${units.name(data.nodes[load.node].name)} device ${load.device}: ${units.percent(v)} from ${units.moment(from)}` }); });
        y += tall;
      }
      bottom = y;
      svg.append(...shaded(stretches, tall - 1));
      cursor = s("path", { class: "cursor" });
      svg.append(cursor);
      svg.setAttribute("viewBox", `0 0 ${width} ${y + 4}`);
      svg.setAttribute("height", String(y + 4));
      body.replaceChildren(h("div", { class: "fig" }, svg), h("p", { class: "sub" }, "A row for each device. Strong is busy all the time, faint is mostly idle, blank is nothing."));
    }
    if (cursor) cursor.setAttribute("d", state.moment >= a && state.moment <= b ? `M${x(state.moment).toFixed(1)} 0V${bottom}` : "");
  };
};
