// Tables that sort, show a first part, and then all of it in a window that holds only the rows in sight.

/**
 * @template T
 * @typedef {{name: string, cell: (row: T) => Child | Child[], key?: (row: T) => number | string, num?: boolean, bar?: boolean, wide?: boolean, hide?: boolean}} Column
 * a hidden column is one about which the run says nothing
 */

const ROW = 37;

/**
 * @template T
 * @param {{label: string, columns: Column<T>[], rows: T[], limit?: number, sort?: string, down?: boolean, sorted?: (by: string, down: boolean) => void, classOf?: (row: T) => string}} of
 * `sort`: the name of the column by which the rows are sorted at first; `sorted` hears of another
 * @returns {HTMLElement}
 */
function sortable(of) {
  const columns = of.columns.filter((c) => !c.hide), unsaid = of.columns.filter((c) => c.hide).map((c) => c.name);
  let by = columns.findIndex((c) => c.name === of.sort), down = of.down ?? false, all = false;
  let rows = of.rows.slice();
  const box = h("div", {}), limit = of.limit || 30;
  const tr = (/** @type {T} */ row) => h("tr", { class: of.classOf ? of.classOf(row) : false }, columns.map((c, i) => h(i ? "td" : "th", { class: c.num ? "num" : c.bar ? "barcell" : c.wide ? "long" : false, scope: i ? false : "row" }, c.cell(row))));
  const order = () => {
    rows = of.rows.slice();
    const key = by >= 0 ? columns[by]?.key : undefined;
    if (!key) return;
    const way = down ? -1 : 1;
    rows.sort((a, b) => { const x = key(a), y = key(b); return (x < y ? -1 : x > y ? 1 : 0) * way; });
  };
  const head = () => h("thead", {}, h("tr", {}, columns.map((c, i) => h("th", { scope: "col", class: c.num ? "num" : false, "aria-sort": by === i && c.key ? (down ? "descending" : "ascending") : false },
    c.key && c.name ? h("button", { type: "button", onclick: () => { down = by === i ? !down : !!c.num; by = i; order(); render(); if (of.sorted) of.sorted(c.name, down); const again = box.querySelectorAll("thead th")[i].querySelector("button"); if (again) again.focus(); } }, c.name, h("span", { "aria-hidden": "true" }, by === i ? (down ? " ↓" : " ↑") : "")) : c.name))));

  function render() {
    const body = h("tbody", {}), table = h("table", { "aria-label": of.label }, head(), body);
    if (!all || rows.length <= limit) {
      body.append(...rows.slice(0, limit).map(tr));
      const wrap = h("div", { class: "scroll" }, table);
      box.replaceChildren(wrap);
      if (rows.length > limit) box.append(h("button", { class: "link more", type: "button", onclick: () => { all = true; render(); } }, `Show all ${units.whole(rows.length)}`));
      return;
    }
    const wrap = h("div", { class: "scroll window", tabindex: "0", role: "region", "aria-label": of.label + ", scrolls" }, table);
    table.setAttribute("aria-rowcount", String(rows.length + 1));
    let shown = -1;
    const show = () => {
      const first = Math.max(0, Math.floor(wrap.scrollTop / ROW) - 20);
      if (Math.abs(first - shown) < 10 && shown >= 0) return;
      shown = first;
      const last = Math.min(rows.length, first + 80), gap = (/** @type {number} */ n) => h("tr", { "aria-hidden": "true" }, h("td", { colspan: columns.length, height: Math.max(0, n * ROW) }));
      const part = rows.slice(first, last).map((row, i) => { const line = tr(row); line.setAttribute("aria-rowindex", String(first + i + 2)); line.style.height = ROW + "px"; return line; });
      body.replaceChildren(...(first ? [gap(first)] : []), ...part, ...(last < rows.length ? [gap(rows.length - last)] : []));
    };
    wrap.addEventListener("scroll", show, { passive: true });
    box.replaceChildren(wrap);
    show();
  }
  order();
  render();
  return unsaid.length ? h("div", {}, box, h("p", { class: "sub unsaid" }, "Nothing is known in this run of: " + unsaid.join(", ") + ".")) : box;
}
