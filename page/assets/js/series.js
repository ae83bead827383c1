// Step functions of time: the value at a moment, sums, and their reduction to what a screen can show.

const series = {
  /** The place of the last step at or before a moment; -1 before the first. @param {number[]} t @param {number} ms */
  place(t, ms) {
    let low = 0, high = t.length;
    while (low < high) {
      const mid = (low + high) >> 1;
      if (t[mid] <= ms) low = mid + 1; else high = mid;
    }
    return low - 1;
  },

  /** The value at a moment, 0 before the first step. @param {Series | undefined} of @param {number} ms */
  at(of, ms) {
    if (!of) return 0;
    const i = series.place(of.t, ms);
    return i < 0 ? 0 : of.v[i];
  },

  /** The largest value between two moments. @param {Series} of @param {number} from @param {number} to */
  peak(of, from, to) {
    const top = of.hi || of.v;
    let most = 0;
    for (let i = Math.max(0, series.place(of.t, from)); i < of.t.length && of.t[i] <= to; i++) most = Math.max(most, top[i]);
    return most;
  },

  /** The integral to the end of the run, value times milliseconds. @param {Series} of */
  area(of) {
    let sum = 0;
    for (let i = 0; i < of.t.length; i++) sum += of.v[i] * ((i + 1 < of.t.length ? of.t[i + 1] : data.end) - of.t[i]);
    return sum;
  },

  /**
   * Moments at which to draw: every change if they are few, else one a pixel.
   * @param {Series[]} all @param {number} from @param {number} to @param {number} width
   */
  grid(all, from, to, width) {
    const changes = new Set([from]);
    for (const one of all) {
      for (let i = Math.max(0, series.place(one.t, from)); i < one.t.length && one.t[i] < to; i++) if (one.t[i] > from) changes.add(one.t[i]);
      if (changes.size > width * 2) {
        const n = Math.max(2, Math.ceil(width)), moments = [];
        for (let i = 0; i < n; i++) moments.push(from + (to - from) * i / n);
        return moments;
      }
    }
    return [...changes].sort((a, b) => a - b);
  },

  /** The sum of several series. @param {Series[]} all @returns {Series} */
  sum(all) {
    if (all.length === 1) return all[0];
    const t = series.grid(all, 0, data.end, Infinity);
    return { t, v: t.map((ms) => all.reduce((sum, one) => sum + series.at(one, ms), 0)) };
  },

  /** One less the other, not below 0. @param {Series} a @param {Series} b @returns {Series} */
  less(a, b) {
    const t = series.grid([a, b], 0, data.end, Infinity);
    return { t, v: t.map((ms) => Math.max(0, series.at(a, ms) - series.at(b, ms))) };
  },
};

/** Of a series with very many changes the page has means, and the value at the end; it must say so. @param {(Series | undefined)[]} all */
function meansSay(all) {
  const one = all.find((of) => of?.lo);
  return one && state.moment < data.end ? ` Amounts are means of ${units.span(one.t[1])}.` : "";
}

/** The rows of series by quota and resource. @type {Map<string, QuotaSeries>} */
const rowsOf = new Map();

/** The series of a quota and resource. @param {number} quota @param {number} resource */
function seriesOf(quota, resource) {
  if (rowsOf.size !== data.series.length) for (const row of data.series) rowsOf.set(row.quota + ":" + row.resource, row);
  return rowsOf.get(quota + ":" + resource);
}

/** The series of the cluster for a resource. @param {number} resource */
function clusterOf(resource) {
  return data.cluster.resources.find((row) => row.resource === resource);
}

/** What is waited for: what is asked for and not used. @param {QuotaSeries} row @returns {Series} */
function waitedFor(row) {
  const known = /** @type {{waiting?: Series}} */ (/** @type {unknown} */ (row));
  if (!known.waiting) known.waiting = series.less(row.request, row.used);
  return known.waiting;
}

/** What is used within the guarantee. @param {QuotaSeries} row @returns {Series} */
function ownUse(row) {
  const known = /** @type {{own?: Series}} */ (/** @type {unknown} */ (row));
  if (!known.own) known.own = series.less(row.used, row.borrowed);
  return known.own;
}
