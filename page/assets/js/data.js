// From the page's data blocks to tables: columns are undone to absolute values, rows get links to the rows that name them.

/** @type {Data} */
let data;

/** Sums of differences. @param {number[]} differences */
function sums(differences) {
  let at = 0;
  return differences.map((d) => (at += d));
}

/** In place of a value that follows from another column. */
const SAME = -2;

/** Values relative to another column; -1 stays, what is the same is known. @param {number[]} values @param {number[]} base @param {(i: number) => number} [known] */
function relative(values, base, known) {
  return values.map((v, i) => (v === SAME && known ? known(i) : v < 0 ? -1 : v + base[i]));
}

/** What follows of jobs from their pods: use, and the first decision. @param {any} raw @param {number[]} job @param {number[]} pod @param {number[]} bound @param {number[]} gone */
function follows(raw, job, pod, bound, gone) {
  const n = raw.jobs.name.length, used = raw.resources.map(() => new Float64Array(n)), first = new Float64Array(n).fill(-1);
  for (let i = 0; i < pod.length; i++) {
    const j = job[pod[i]];
    if (first[j] < 0 || bound[i] < first[j]) first[j] = bound[i];
    const ms = (gone[i] < 0 ? raw.run.end_ms : gone[i]) - bound[i];
    for (const a of raw.shapes[raw.pods.shape[pod[i]]].request) used[a.resource][j] += a.amount * ms;
  }
  return { used, first };
}

/** @param {number[]} places @param {string[]} names */
function words(places, names) {
  return places.map((i) => (i < 0 ? "" : names[i]));
}

/** Names of which some follow: the stem of the last one of the workload, and the next number. @param {(string | null)[]} names @param {string[]} workloads */
function numbered(names, workloads) {
  /** @type {Map<string, {stem: string, number: number}>} */
  const next = new Map();
  return names.map((written, i) => {
    const of = workloads[i], { stem, number } = next.get(of) || { stem: of, number: 0 }, name = written ?? stem + "-" + number, parts = /^([^]*)-(0|[1-9]\d{0,14})$/.exec(name);
    if (parts) next.set(of, { stem: parts[1], number: Number(parts[2]) + 1 });
    return name;
  });
}

/** A thinned series has its means, and at the end of the run the value that it has there. @param {any} packed @param {number} end @returns {Series} */
function unpackSeries(packed, end) {
  if (packed.w !== undefined) {
    const with_ = (/** @type {number[]} */ values) => [...values, packed.end];
    return { t: [...packed.v.map((/** @type {number} */ _, /** @type {number} */ i) => i * packed.w), end], v: with_(packed.v), lo: with_(packed.lo), hi: with_(packed.hi) };
  }
  return { t: sums(packed.t || []), v: packed.v || [] };
}

/** @param {any} row a row in which every object with `v` is a series @param {number} end */
function unpackRow(row, end) {
  for (const [name, value] of Object.entries(row)) {
    if (value && typeof value === "object" && Array.isArray(/** @type {any} */ (value).v)) row[name] = unpackSeries(value, end);
    else if (Array.isArray(value)) value.forEach((v) => v && typeof v === "object" && unpackRow(v, end));
  }
  return row;
}

/** @param {number} keys @param {number[]} of the key of each row; -1: none @returns {Links} */
function linksOf(keys, of) {
  const from = new Int32Array(keys + 1), rows = new Int32Array(of.length);
  for (const key of of) if (key >= 0) from[key + 1]++;
  for (let i = 0; i < keys; i++) from[i + 1] += from[i];
  const next = from.slice();
  for (let i = 0; i < of.length; i++) if (of[i] >= 0) rows[next[of[i]]++] = i;
  return { from, rows };
}

/** @param {Links} links @param {number} key */
function linked(links, key) {
  return links.rows.subarray(links.from[key], links.from[key + 1]);
}

/** @param {any} raw @returns {Data} */
function unpack(raw) {
  if (!raw.resources.length) raw.resources.push({ name: "none", short: "Nothing", unit: "", units: "", kind: "other", governed: false });
  const j = raw.jobs, p = raw.pods, l = raw.placements, w = raw.waits, names = raw.words;
  const submitted = sums(j.submitted), from = sums(w.from), podJob = sums(p.job), placed = sums(l.pod);
  const created = p.created.map((/** @type {number} */ ms, /** @type {number} */ i) => ms + submitted[podJob[i]]), bound = l.bound.map((/** @type {number} */ ms, /** @type {number} */ i) => ms + created[placed[i]]);
  const jobEnded = relative(j.ended, submitted), ended = relative(p.ended, created, (i) => jobEnded[podJob[i]]), gone = relative(l.gone, bound, (i) => ended[placed[i]]);
  const known = follows(raw, podJob, placed, bound, gone), first = relative(j.bound, submitted, (i) => known.first[i]);
  const workloads = words(j.workload, names), jobNames = numbered(j.name, workloads), longest = j.longest.map((/** @type {number} */ v, /** @type {number} */ i) => (v === SAME ? first[i] - submitted[i] : v));
  const unpacked = (/** @type {any} */ row) => unpackRow(row, raw.run.end_ms);
  /** @type {Data} */
  const all = {
    ...raw,
    end: raw.run.end_ms,
    series: raw.series.map(unpacked),
    cluster: unpacked(raw.cluster),
    loads: raw.loads.map(unpacked),
    rules: Object.fromEntries(raw.rules.map((/** @type {any} */ r) => [r.rule, r])),
    jobs: {
      n: j.name.length, name: jobNames, workload: workloads, kind: words(j.kind, names), namespace: words(j.namespace, names), quota: j.quota, user: words(j.user, names),
      priority: j.priority, submitted, bound: first, ended: jobEnded, state: words(j.state, names), gang: j.gang, gang_min: j.gang_min, request: j.request,
      longest, waited: j.waited.map((/** @type {number} */ v, /** @type {number} */ i) => (v === SAME ? longest[i] : v)),
      used: j.used.map((/** @type {number[]} */ of, /** @type {number} */ r) => of.map((v, i) => (v === SAME ? Math.floor(known.used[r][i] / 1000) : v))), evictions: j.evictions, evicted_for: j.evicted_for, lost: j.lost, lost_work: j.lost_work, cost: j.cost,
      deadline: relative(j.deadline, submitted), met: j.met,
    },
    pods: { n: p.name.length, name: p.name.map((/** @type {string} */ rest, /** @type {number} */ i) => (p.stem[i] ? jobNames[podJob[i]] + rest : rest)), job: podJob, shape: p.shape, created, ended, end: words(p.end, names), replaces: p.replaces },
    placements: {
      n: l.pod.length, pod: placed, node: l.node, bound, running: relative(l.running, bound), leaving: relative(l.leaving, bound), gone, end: words(l.end, names),
      eviction: l.eviction, devices: l.devices, borrowed: l.borrowed,
    },
    waits: {
      n: w.pod.length, pod: sums(w.pod), from, to: relative(w.to, from), rule: words(w.rule, names), quota: w.quota, resource: w.resource, needed: w.needed, available: w.available, verdict: w.verdict,
      until: relative(w.until, from),
    },
    podsOfJob: linksOf(j.name.length, podJob),
    placementsOfPod: linksOf(p.name.length, placed),
    waitsOfPod: linksOf(p.name.length, sums(w.pod)),
    placementsOfNode: linksOf(raw.nodes.length, l.node),
    replacedBy: linksOf(p.name.length, p.replaces),
  };
  giveSlots(all);
  return all;
}
