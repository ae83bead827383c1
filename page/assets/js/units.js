// How numbers read: durations in two units, moments, amounts with units, three digits. `page/src/units.rs` says the same.

const SECOND = 1000, MINUTE = 60 * SECOND, HOUR = 60 * MINUTE, DAY = 24 * HOUR;

const units = {
  /** Digits in groups of three. @param {number} n */
  whole(n) {
    const text = String(Math.round(Math.abs(n))).replace(/\B(?=(\d{3})+$)/g, ",");
    return n < 0 && text !== "0" ? "-" + text : text;
  },

  /** Three digits, at most one after the point. @param {number} n */
  short(n) {
    const a = Math.abs(n);
    if (a === 0) return "0";
    if (a >= 99.95) return units.whole(n);
    if (a >= 9.95) return Number.isInteger(n) ? String(n) : n.toFixed(1).replace(/\.0$/, "");
    if (Number.isInteger(n)) return String(n);
    if (a >= 0.095) return n.toFixed(1);
    return a < 0.01 ? (n < 0 ? "-0.01" : "under 0.01") : n.toFixed(2);
  },

  /** `3 h 59 min`, `6 min 6 s`, `0 s`. @param {number} ms @returns {string} */
  span(ms) {
    if (ms < 0) return "-" + units.span(-ms);
    if (ms > 0 && ms < SECOND) return Math.round(ms) + " ms";
    const s = Math.floor(ms / SECOND);
    /** @type {[number, string][]} */
    const parts = [[Math.floor(s / 86400), "d"], [Math.floor(s / 3600) % 24, "h"], [Math.floor(s / 60) % 60, "min"], [s % 60, "s"]];
    const first = parts.findIndex(([n]) => n > 0);
    if (first < 0) return "0 s";
    return parts.slice(first, first + 2).filter(([n]) => n > 0).map(([n, u]) => `${n} ${u}`).join(" ");
  },

  /** `12:30`, `12:00:51`, `d3 07:58`; in a run of less than two hours always with seconds. @param {number} ms @param {boolean} [short] without seconds */
  moment(ms, short) {
    const two = (/** @type {number} */ n) => String(n).padStart(2, "0");
    const s = Math.floor(ms / SECOND), h = Math.floor(s / 3600) % 24, m = Math.floor(s / 60) % 60;
    const clock = two(h) + ":" + two(m) + ((data.end < 2 * HOUR || (s % 60 && !short)) ? ":" + two(s % 60) : "");
    const day = Math.floor(ms / DAY);
    return data.end >= DAY && (day > 0 || data.end >= 2 * DAY) ? `d${day} ${clock}` : clock;
  },

  /** The name of a resource within a sentence. @param {number} resource */
  lower(resource) {
    const r = data.resources[resource];
    return r.kind === "gpu" ? r.short : r.short.toLowerCase();
  },

  /** A share of a whole, in thousandths. @param {number} permille */
  percent(permille) {
    if (permille > 0 && permille < 0.5) return "under 1 %";
    if (permille > 999 && permille < 1000) return "over 99 %";
    return (permille / 10).toFixed(1).replace(/\.0$/, "") + " %";
  },

  /** A part of a whole as whole percent, never a false 0 or 100. @param {number} part @param {number} whole */
  part(part, whole) {
    if (whole <= 0) return "0 %";
    const p = part / whole * 100;
    if (p > 0 && p < 1) return "under 1 %";
    if (p > 99 && p < 100) return "over 99 %";
    return Math.round(p) + " %";
  },

  /** @param {number} n bytes */
  bytes(n) {
    const a = Math.abs(n), names = ["B", "KiB", "MiB", "GiB", "TiB", "PiB", "EiB"];
    let i = 0, v = a;
    while (v >= 1024 && i < names.length - 1) { v /= 1024; i++; }
    return (n < 0 ? "-" : "") + units.short(v) + " " + names[i];
  },

  /** The number alone, without a unit; bytes have theirs. @param {number} resource @param {number} amount */
  bare(resource, amount) {
    return data.resources[resource].kind === "bytes" ? units.bytes(amount) : units.short(amount / 1000);
  },

  /** `16 GPUs`. @param {number} resource @param {number} amount base units */
  amount(resource, amount) {
    const r = data.resources[resource];
    if (r.kind === "bytes") return units.bytes(amount);
    return units.short(amount / 1000) + " " + (Math.abs(amount) === 1000 ? r.unit : r.units);
  },

  /** `602 GPU-h`. @param {number} resource @param {number} unitS base units times seconds @returns {[string, string]} number and unit */
  amountTimeParts(resource, unitS) {
    const r = data.resources[resource];
    if (r.kind === "bytes") {
      const [n, unit] = units.bytes(unitS / 3600).split(" ");
      return [n, unit + "-h"];
    }
    const s = unitS / 1000, unit = r.unit;
    if (s === 0) return ["0", unit + "-h"];
    if (Math.abs(s) >= 3600 * 0.995) {
      const h = s / 3600;
      return [Math.abs(h) < 9.95 ? h.toFixed(1) : units.whole(h), unit + "-h"];
    }
    if (Math.abs(s) >= 60) return [units.whole(s / 60), unit + "-min"];
    return [units.short(s), unit + "-s"];
  },

  /** @param {number} resource @param {number} unitS */
  amountTime(resource, unitS) {
    return units.amountTimeParts(resource, unitS).join(" ");
  },

  /** @param {number} milli */
  money(milli) {
    const v = milli / 1000, n = Math.abs(v) >= 100 ? units.whole(v) : units.short(v);
    return data.run.currency ? n + " " + data.run.currency : n;
  },

  /** `1 pod`, `3 pods`. @param {number} n @param {string} one @param {string} [many] */
  many(n, one, many) {
    return units.whole(n) + " " + (n === 1 ? one : many || one + "s");
  },

  /** A name with invisible and direction-changing characters made visible. @param {string} name */
  name(name) {
    return name.replace(/[\u0000-\u001f\u007f-\u009f\u061c\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff]/g, (c) => "⟨U+" + c.charCodeAt(0).toString(16).toUpperCase().padStart(4, "0") + "⟩");
  },
};
