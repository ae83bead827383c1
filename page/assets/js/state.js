// What the reader looks at: tab, moment, story, zoom. All of it is in the address, so that a link shows a colleague the same.

/** @type {{tab: string, moment: number, story: StoryOf | null, zoom: number, from: number, resource: number, toFocus: boolean, marks: Mark[], panels: Panel[], jobs: {text: string, team: string, status: string, sort: string}}} */
const state = {
  tab: "overview", moment: 0, story: null,
  // The width of the view (0: the whole run), and where it begins.
  zoom: 0, from: 0,
  resource: 0, toFocus: false, marks: [], panels: [],
  // Which jobs the table shows, and the column by which it is sorted, with "-" before it where the largest comes first.
  jobs: { text: "", team: "", status: "", sort: "" },
};

/** The moments between which charts draw. @returns {[number, number]} */
function view() {
  if (!state.zoom || state.zoom >= data.end) return [0, Math.max(1, data.end)];
  if (state.moment < state.from || state.moment > state.from + state.zoom) state.from = state.moment - state.zoom / 2;
  state.from = Math.max(0, Math.min(data.end - state.zoom, state.from));
  return [state.from, state.from + state.zoom];
}

/** The zooms that suit the length of the run. @returns {[number, string][]} */
function zooms() {
  /** @type {[number, string][]} */
  const steps = [[365 * DAY, "1 y"], [90 * DAY, "90 d"], [30 * DAY, "30 d"], [7 * DAY, "7 d"], [DAY, "1 d"], [6 * HOUR, "6 h"], [HOUR, "1 h"], [10 * MINUTE, "10 min"], [MINUTE, "1 min"], [10 * SECOND, "10 s"]];
  return [[0, "Whole run"], ...steps.filter(([ms]) => ms < data.end * 0.6).slice(0, 2)];
}

/** @returns {string} */
function address() {
  const parts = ["t=" + Math.round(state.moment)];
  if (state.story) parts.push("s=" + encodeURIComponent(state.story.kind + ":" + state.story.id));
  if (state.zoom) parts.push("z=" + state.zoom);
  if (state.resource !== data.main) parts.push("r=" + state.resource);
  for (const [name, value] of Object.entries(state.jobs)) if (value) parts.push(name + "=" + encodeURIComponent(value));
  return "#" + state.tab + "?" + parts.join("&");
}

/** @param {string} hash @returns {boolean} whether it said anything */
function readAddress(hash) {
  const [tab, query] = hash.replace(/^#/, "").split("?");
  const known = tabs().includes(tab);
  if (known) state.tab = tab;
  const fields = new URLSearchParams(query || ""), number = (/** @type {string} */ name) => (/^\d{1,15}$/.test(fields.get(name) || "") ? Number(fields.get(name)) : null);
  const t = number("t"), z = number("z"), r = number("r"), story = (fields.get("s") || "").match(/^(\w+):([^]*)$/);
  if (t !== null) state.moment = Math.min(t, data.end);
  state.zoom = z || 0;
  if (r !== null && r < data.resources.length) state.resource = r;
  state.story = story ? { kind: story[1], id: story[2] } : null;
  for (const name of /** @type {(keyof typeof state.jobs)[]} */ (Object.keys(state.jobs))) state.jobs[name] = fields.get(name) || "";
  return known || t !== null;
}

/** The tabs, by the ids of their sections. */
function tabs() {
  return [...document.querySelectorAll("main section[data-tab]")].map((section) => section.id);
}

/** @param {number} ms */
function setMoment(ms) {
  state.moment = Math.max(0, Math.min(data.end, Math.round(ms)));
  changed();
}

/** @param {StoryOf | null} story */
function setStory(story) {
  state.story = story;
  // It gets the focus once it is there.
  state.toFocus = story !== null;
  changed();
}

/** @param {string} tab */
function setTab(tab) {
  state.tab = tab;
  changed();
  if (window.scrollY > 160) window.scrollTo(0, 0);
}

let pending = 0;

/** Draws again, at most once a frame. */
function changed() {
  if (!pending) pending = requestAnimationFrame(() => { pending = 0; draw(); });
}

let place = "";

/** Another tab or story is a step of the history; another moment is not, so drags do not fill it. */
function keepAddress() {
  const now = address(), before = place;
  place = state.tab + (state.story ? "?" + state.story.kind + ":" + state.story.id : "");
  if (location.hash === now) return;
  if (before && before !== place) history.pushState(null, "", now); else history.replaceState(null, "", now);
}

/** Events in order of time, for the track, the buttons and the charts. @returns {Mark[]} */
function findMarks() {
  /** @type {Mark[]} */
  const marks = [];
  /** @type {Map<string, {mark: Mark, n: number}>} */
  const groups = new Map();
  for (const e of data.evictions) {
    const key = e.at_ms + ":" + e.cause, group = groups.get(key);
    if (group) group.n++;
    else groups.set(key, { n: 1, mark: { at: e.at_ms, kind: "evict", text: e.cause === undefined ? "for no preemptor" : "for " + units.name(data.jobs.name[e.cause]) } });
  }
  for (const { mark, n } of groups.values()) marks.push({ ...mark, text: units.many(n, "eviction") + " " + mark.text });
  for (const i of data.incidents) {
    const drain = i.kind === "drain" || i.kind.startsWith("scale");
    marks.push({ at: i.from_ms, kind: drain ? "drain" : "down", text: `${i.kind}: ${units.name(i.what)}` });
    if (i.to_ms !== undefined && !drain) marks.push({ at: i.to_ms, kind: "up", text: units.name(i.what) + " is back" });
  }
  for (const e of data.edits) if (!e.refused) marks.push({ at: e.at_ms, kind: "edit", text: "quota edit" + (e.quota === undefined ? "" : " of " + units.name(data.quotas[e.quota].name)) });
  for (const r of data.refusals) marks.push({ at: r.at_ms, kind: "refused", text: "refused: " + units.name(r.what.replace(/`/g, "")) });
  for (const c of data.claims) if (!c.passed) marks.push({ at: c.breach_from_ms ?? c.at_ms ?? data.end, kind: "claim", text: "claim fails: " + units.name(c.claim) });
  return marks.sort((a, b) => a.at - b.at);
}

/** The moment that the page opens with: of the first failed claim, else of the first eviction or failure, else the end; where nothing runs any more at the end, when most was in use. */
function firstMoment() {
  const first = (/** @type {(m: Mark) => boolean} */ of) => state.marks.find(of);
  const mark = first((m) => m.kind === "claim") || first((m) => m.kind === "evict" || m.kind === "down"), used = clusterOf(data.main)?.allocated;
  if (mark) return mark.at;
  return used?.v.length && !series.at(used, data.end) ? used.t[used.v.indexOf(Math.max(...used.v))] : data.end;
}

/** The next or the last event from here. @param {number} way 1 or -1 */
function stepMoment(way) {
  const times = [0, ...new Set(state.marks.map((m) => m.at)), data.end];
  const next = way > 0 ? times.find((t) => t > state.moment) : times.filter((t) => t < state.moment).pop();
  if (next !== undefined) setMoment(next);
}

/** What holds at the moment, in a line. */
function momentSays() {
  const main = clusterOf(data.main), parts = [], at = state.moment;
  if (main) {
    const r = data.resources[data.main], about = meansSay([main.allocated]) ? "about " : "", used = series.at(main.allocated, at), cap = series.at(main.capacity, at);
    parts.push(r.kind === "bytes" ? `${about}${units.bytes(used)} of ${units.bytes(cap)} used` : `${about}${units.bare(data.main, used)} of ${units.bare(data.main, cap)} ${r.units} used`);
  }
  const waiting = series.at(data.cluster.pods_waiting, at);
  if (waiting) parts.push(units.whole(waiting) + " waiting");
  const down = data.incidents.filter((i) => i.nodes_down && i.from_ms <= at && at < (i.to_ms ?? data.end + 1));
  if (down.length) parts.push(down.length === 1 ? (/rack/.test(down[0].what) ? "rack down" : units.many(down[0].nodes.length, "node") + " down") : down.length + " outages");
  return parts.join(" · ");
}
