// Charts over time in SVG: axes, stacked steps, lines, bands, marks; one cursor for the moment, one tooltip for the chart under
// the pointer. Colours come from classes, so theme and print need nothing.

/**
 * @typedef {object} Layer
 * @property {Series} of
 * @property {"area" | "line" | "envelope"} as areas stack in their order
 * @property {string} cls
 * @property {string} [paint] a pattern instead of the class's colour
 * @property {string} name
 * @property {boolean} [silent] not in the tooltip
 */
/**
 * @typedef {object} ChartSpec
 * @property {string} label what it shows, for those who cannot see it
 * @property {number} height
 * @property {Layer[]} layers
 * @property {(value: number) => string} say a value with its unit
 * @property {(value: number) => string} [tick] a value on the axis
 * @property {number} [unit] what one is on the axis, in base units
 * @property {number} [top] the largest value, in base units
 * @property {boolean} [percent] whether the axis is of percent
 * @property {boolean} [low] whether lines above `top` are named instead of drawn
 * @property {boolean} [marks] events above the plot
 * @property {boolean} [bands] hatch the time of outages
 * @property {Series} [above] hatch only what is above it: the capacity that is left
 */

/** Round values for an axis: from 0 to at least the largest, in at most so many steps. @param {number} top @param {number} most */
function ticks(top, most) {
  const steps = [];
  for (let p = 0.001; p < 1e15; p *= 10) for (const m of [1, 2, 2.5, 4, 5, 8, 12, 16, 24, 32, 48, 64]) if (p > 0.9 || [1, 2, 5].includes(m)) steps.push(m * p);
  const count = (/** @type {number} */ x) => Math.ceil(top / x - 1e-6), fits = steps.filter((x) => count(x) <= most && count(x) >= Math.min(2, most) && (x < 1 || Number.isInteger(Math.round(x * 1e6) / 1e6)));
  // The step that goes least beyond the top; of equal ones the finest.
  const step = fits.sort((a, b) => Math.round((count(a) * a - count(b) * b) / top * 1e6) || a - b)[0] || top;
  const all = [];
  for (let i = 0; i <= Math.ceil(top / step - 1e-6); i++) all.push(Math.round(i * step * 1e6) / 1e6);
  return all;
}

/** Moments for an axis. @param {number} from @param {number} to @param {number} most */
function timeTicks(from, to, most) {
  const steps = [1, 2, 5, 10, 15, 30].map((n) => n * SECOND).concat([1, 2, 5, 10, 15, 30].map((n) => n * MINUTE), [1, 2, 3, 4, 6, 12].map((n) => n * HOUR), [1, 2, 5, 7, 14, 30, 60, 90, 180, 365].map((n) => n * DAY));
  const step = steps.find((x) => (to - from) / x <= most) || 365 * DAY, all = [];
  for (let t = Math.ceil(from / step) * step; t <= to; t += step) all.push(t);
  return { all, step };
}

/** An axis that leaves out lines far above what is used reaches so far beyond it. */
const ROOM = 1.15;

/** Whether lines are so far above what is used that it would not be seen below them. @param {number} own @param {number} line */
function isLow(own, line) {
  return own > 0 && own * 20 < line;
}

/** The path of a step function, and back along another. @param {number[]} t @param {number[]} v @param {number} end @param {(t: number) => number} x @param {(v: number) => number} y @param {number[]} [base] */
function stepPath(t, v, end, x, y, base) {
  const f = (/** @type {number} */ n) => n.toFixed(1);
  if (!t.length) return "";
  let d = `M${f(x(t[0]))} ${f(y(v[0]))}`;
  for (let i = 1; i < t.length; i++) if (v[i] !== v[i - 1]) d += `H${f(x(t[i]))}V${f(y(v[i]))}`;
  d += "H" + f(x(end));
  if (base) {
    d += "V" + f(y(base[t.length - 1]));
    for (let i = t.length - 1; i > 0; i--) if (base[i] !== base[i - 1]) d += `H${f(x(t[i]))}V${f(y(base[i - 1]))}`;
    d += `H${f(x(t[0]))}Z`;
  }
  return d;
}

/** @type {(() => void)[]} */
const moves = [];

/** Moves a cursor after all charts have read their width: one layout, not one a chart. @param {() => void} move */
function moveLater(move) {
  if (!moves.length) queueMicrotask(() => { for (const one of moves.splice(0)) one(); });
  moves.push(move);
}

/** A chart that follows moment, zoom and width. @param {ChartSpec} spec @returns {{element: HTMLElement, update: () => void}} */
function chart(spec) {
  const holder = h("div", { class: "fig" }), unit = spec.unit || 1;
  let width = 0, drawn = "";
  /** @type {SVGElement | null} */
  let cursor = null;
  /** @type {HTMLElement | null} */
  let tip = null;
  const left = 40, right = 8, topPad = spec.marks ? 22 : 10, bottom = 20;
  const x = (/** @type {number} */ t) => { const [a, b] = view(); return left + (t - a) / (b - a) * (width - left - right); };
  const back = (/** @type {number} */ px) => { const [a, b] = view(); return Math.max(a, Math.min(b, a + (px - left) / (width - left - right) * (b - a))); };

  function render() {
    const [a, b] = view(), areas = spec.layers.filter((l) => l.as === "area");
    const grid = series.grid(areas.map((l) => l.of), a, b, width - left - right);
    const stack = [grid.map(() => 0)];
    for (const layer of areas) stack.push(grid.map((ms, i) => stack[stack.length - 1][i] + Math.max(0, series.at(layer.of, ms))));
    const lines = spec.layers.filter((l) => l.as !== "area").map((l) => ({ name: l.name, peak: series.peak(l.of, a, b) }));
    const own = Math.max(spec.percent ? 0 : spec.top || 0, ...stack[stack.length - 1]), low = spec.low || isLow(own, Math.max(spec.percent ? 1000 : 0, ...lines.map((l) => l.peak)));
    const above = low ? lines.filter((l) => l.peak > own * ROOM) : [], drawn = lines.filter((l) => !above.includes(l)).map((l) => l.peak), most = Math.max(spec.percent && !low ? 1000 : 1, above.length ? own * ROOM : own, ...drawn);
    const values = spec.percent && !low ? [0, 25, 50, 75, 100] : ticks(most / unit, spec.height > 150 ? 4 : spec.height > 120 ? 3 : 2), top = Math.max(most, values[values.length - 1] * unit);
    const y = (/** @type {number} */ v) => topPad + (spec.height - topPad - bottom) * (1 - v / top);
    const svg = s("svg", { viewBox: `0 0 ${width} ${spec.height}`, height: spec.height, role: "img", "aria-label": spec.label });
    const times = timeTicks(a, b, Math.max(2, (width - left) / 92));
    for (const t of times.all) {
      svg.append(s("path", { class: "gridline", d: `M${x(t).toFixed(1)} ${topPad}V${spec.height - bottom}` }));
      svg.append(s("text", { x: x(t), y: spec.height - 4, "text-anchor": t === 0 ? "start" : x(t) > width - 32 ? "end" : "middle" }, times.step >= DAY ? "d" + Math.floor(t / DAY) : units.moment(t, times.step >= MINUTE)));
    }
    for (const v of values) {
      svg.append(s("path", { class: v ? "gridline" : "axis", d: `M${left} ${y(v * unit).toFixed(1)}H${width - right}` }));
      svg.append(s("text", { x: left - 6, y: y(v * unit) + 4, "text-anchor": "end" }, spec.tick ? spec.tick(v * unit) : units.short(v)));
    }
    if (spec.bands) {
      for (const i of data.incidents) {
        const from = Math.max(a, i.from_ms), to = Math.min(b, i.to_ms ?? data.end);
        if (!i.nodes_down || to <= from) continue;
        const left = spec.above, steps = left ? series.grid([left], from, to, width) : [from];
        steps.forEach((ms, k) => {
          const low = left ? y(Math.max(0, series.at(left, ms))) : spec.height - bottom;
          if (low > topPad) svg.append(s("rect", { class: "band", x: x(ms), y: topPad, width: Math.max(1, x(steps[k + 1] ?? to) - x(ms)), height: low - topPad }));
        });
      }
    }
    areas.forEach((layer, i) => {
      const d = stepPath(grid, stack[i + 1], b, x, y, stack[i]);
      if (!stack[i + 1].some((v, k) => v > stack[i][k])) return;
      if (layer.paint) svg.append(s("path", { d, class: layer.cls, fill: "none" }), s("path", { d, class: layer.cls, fill: layer.paint }));
      else svg.append(s("path", { d, class: "solid " + layer.cls }));
    });
    if (above.length) svg.append(s("text", { x: width - right, y: topPad + 11, "text-anchor": "end" }, above.map((l) => `${units.name(l.name)}: ${spec.say(l.peak)}`).join(", ") + ", above this axis"));
    for (const layer of spec.layers) {
      if (layer.as === "area" || above.some((l) => l.name === layer.name)) continue;
      const of = layer.of;
      if (of.lo && of.hi) {
        const inside = of.t.map((t, i) => ({ t, i })).filter(({ t, i }) => t < b && (of.t[i + 1] ?? data.end) > a);
        const lo = /** @type {number[]} */ (of.lo), hi = /** @type {number[]} */ (of.hi);
        // At most one step a pixel.
        const each = Math.max(1, Math.ceil(inside.length / Math.max(1, width))), firsts = inside.filter((_, k) => k % each === 0);
        const most = (/** @type {number[]} */ v, /** @type {(...all: number[]) => number} */ pick) => firsts.map(({ i }) => pick(...v.slice(i, i + each)));
        svg.append(s("path", { class: "envelope " + layer.cls, d: stepPath(firsts.map(({ t }) => Math.max(a, t)), most(hi, Math.max), b, x, y, most(lo, Math.min)) }));
      }
      const t = series.grid([of], a, b, width), v = t.map((ms) => series.at(of, ms));
      // A limit of -1 is none: the line has gaps there.
      for (let i = 0; i < t.length; i++) {
        if (v[i] < 0) continue;
        let to = i;
        while (to + 1 < t.length && v[to + 1] >= 0) to++;
        svg.append(s("path", { class: layer.cls, d: stepPath(t.slice(i, to + 1), v.slice(i, to + 1), t[to + 1] ?? b, x, y) }));
        i = to;
      }
    }
    if (spec.marks) {
      let last = -9;
      for (const m of state.marks) {
        // A mark that would cover the one before it moves a little to the right; of very many some are left out.
        const place = Math.max(x(m.at), last + 8);
        if (m.at < a || m.at > b || place - x(m.at) > 17) continue;
        last = place;
        const shape = markShape("m-" + m.kind, last, 10);
        shape.append(s("title", {}, units.moment(m.at) + " " + m.text));
        svg.append(s("g", { class: "hit", "data-moment": m.at }, shape));
      }
    }
    cursor = s("path", { class: "cursor" });
    svg.append(cursor);
    holder.replaceChildren(svg);
    tip = null;
    pointer(svg);
  }

  /** @param {SVGElement} svg */
  function pointer(svg) {
    let held = false;
    const hover = s("path", { class: "hover" });
    svg.append(hover);
    const at = (/** @type {PointerEvent} */ e) => back(e.clientX - svg.getBoundingClientRect().left);
    svg.addEventListener("pointerdown", (e) => {
      if (/** @type {Element} */ (e.target).closest("[data-moment]")) return;
      held = true;
      svg.setPointerCapture(e.pointerId);
      setMoment(at(e));
    });
    svg.addEventListener("pointerup", () => (held = false));
    svg.addEventListener("pointercancel", () => (held = false));
    svg.addEventListener("pointermove", (e) => {
      const ms = at(e);
      if (held) setMoment(ms);
      if (e.pointerType === "touch" && !held) return;
      hover.setAttribute("d", `M${x(ms).toFixed(1)} ${topPad}V${spec.height - bottom}`);
      const rows = spec.layers.filter((l) => !l.silent).map((l) => ({ l, v: series.at(l.of, ms) })).filter(({ v }) => v > 0);
      if (!tip) { tip = h("div", { class: "tip" }); holder.append(tip); }
      tip.replaceChildren(h("b", {}, units.moment(ms)), ...rows.slice(-14).reverse().map(({ l, v }) => h("div", {}, h("span", { class: "dot " + l.cls }), h("span", {}, units.name(l.name)), h("span", {}, spec.say(v)))));
      if (!rows.length) tip.append(h("div", {}, "nothing"));
      if (spec.marks) tip.append(...state.marks.filter((m) => Math.abs(x(m.at) - x(ms)) < 4).slice(0, 6).map((m) => h("div", { class: "soft" }, `${units.moment(m.at)} ${m.text}`)));
      const px = x(ms);
      tip.style.top = "14px";
      tip.style.left = px > width / 2 ? "" : px + 12 + "px";
      tip.style.right = px > width / 2 ? width - px + 12 + "px" : "";
    });
    svg.addEventListener("pointerleave", () => { hover.removeAttribute("d"); if (tip) tip.remove(); tip = null; });
  }

  function update() {
    const w = holder.clientWidth, key = w + ":" + view().join(":");
    if (w < 60) return;
    if (key !== drawn) { width = w; drawn = key; render(); }
    moveLater(() => {
      const [a, b] = view(), at = state.moment;
      if (at >= a && at <= b) cursor?.setAttribute("d", `M${x(at).toFixed(1)} ${topPad - 4}V${spec.height - bottom}`);
      else cursor?.removeAttribute("d");
    });
  }
  return { element: holder, update };
}

/** The buttons of the zoom. */
function zoomButtons() {
  return h("div", { class: "seg", role: "group", "aria-label": "How much of the run charts show" }, zooms().map(([ms, words]) => h("button", {
    type: "button", "data-zoom": ms, "aria-pressed": String(state.zoom === ms),
    onclick: () => { state.zoom = ms; state.from = state.moment - ms / 2; changed(); },
  }, words)));
}

/** The buttons of the resource. @param {boolean} [governed] only those that the tree limits */
function resourceButtons(governed) {
  const all = data.resources.map((r, i) => ({ r, i })).filter(({ r }) => !governed || r.governed);
  if (all.length < 2) return null;
  return h("div", { class: "seg", role: "group", "aria-label": "Resource" }, all.map(({ r, i }) => h("button", {
    type: "button", "data-resource": i, "aria-pressed": String(state.resource === i), onclick: () => { state.resource = i; changed(); },
  }, units.name(r.name))));
}

/** A bar of use: solid within the guarantee, hatched above it, a tick at min, a frame to max. @param {{quota?: number, own: number, borrowed: number, min?: number, max?: number, scale: number, missed?: number}} of */
function useBar(of) {
  // In percent of the width, so that no texture is stretched.
  const w = (/** @type {number} */ v) => Math.max(0, Math.min(100, of.scale > 0 ? v / of.scale * 100 : 0)).toFixed(2) + "%", own = of.own + of.borrowed;
  const svg = s("svg", { "aria-hidden": "true", class: of.quota === undefined ? "slate" : colour(of.quota) });
  const rect = (/** @type {string} */ cls, /** @type {number} */ from, /** @type {number} */ to, /** @type {string | null} */ paint = null) => svg.append(s("rect", { class: cls || false, fill: paint, x: w(from), y: 1, width: w(Math.max(0, Math.min(to, of.scale) - from)), height: 12, rx: 2 }));
  rect("empty", 0, of.scale);
  rect("solid", 0, of.own);
  if (of.borrowed > 0) rect("", of.own, own, of.quota === undefined ? "url(#borrowed-slate)" : hatch(of.quota));
  if (of.missed) rect("", own, own + of.missed, "url(#waiting)");
  if (of.max !== undefined && of.max >= 0) rect("frame", 0, of.max);
  if (of.min) svg.append(s("rect", { class: "tick", x: w(of.min), y: 0, width: 2, height: 14, transform: "translate(-2 0)" }));
  return svg;
}
