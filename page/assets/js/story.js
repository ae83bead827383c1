// The story of a job, pod, quota or node at the moment: why it waits first, then its timeline, faint after the moment.

/** @param {StoryOf} of @returns {{title: Child, under: Child[], parts: (HTMLElement | null)[]} | null} */
function storyOf(of) {
  const find = (/** @type {string[]} */ names) => names.indexOf(of.id);
  if (of.kind === "job") { const i = find(data.jobs.name); return i < 0 ? null : jobStory(i); }
  if (of.kind === "pod") { const i = find(data.pods.name); return i < 0 ? null : podStory(i); }
  if (of.kind === "quota") { const i = data.quotas.findIndex((q) => q.name === of.id); return i < 0 ? null : quotaStory(i); }
  if (of.kind === "node") { const i = data.nodes.findIndex((n) => n.name === of.id); return i < 0 ? null : nodeStory(i); }
  if (of.kind === "rack") return rackStory(of.id);
  if (of.kind === "user") return userStory(of.id);
  return null;
}

let toldOf = "";

/** Shows the story beside the tab, or hides it. */
function drawStory() {
  const aside = byId("story"), split = /** @type {HTMLElement} */ (aside.parentElement), told = state.story && (storyOf(state.story) || { title: bdi(state.story.id), under: [`no ${state.story.kind} of this run has this name`], parts: [] });
  split.classList.toggle("told", Boolean(told));
  aside.classList.toggle("on", Boolean(told));
  if (!told || !state.story) { aside.replaceChildren(); toldOf = ""; return; }
  const name = state.story.kind + ":" + state.story.id, keep = name === toldOf ? aside.scrollTop : 0, open = name === toldOf && Boolean(aside.querySelector("details[open]"));
  toldOf = name;
  aside.setAttribute("aria-label", `Story of ${state.story.kind} ${units.name(state.story.id)}`);
  aside.replaceChildren(h("header", {}, h("div", {}, h("h3", {}, told.title), h("div", { class: "soft who" }, told.under)), h("button", { class: "square", type: "button", "aria-label": "Close the story", onclick: () => setStory(null) }, "✕")),
    h("div", { class: "in" }, told.parts));
  if (open) aside.querySelector("details")?.setAttribute("open", "");
  aside.scrollTop = keep;
  if (state.toFocus) aside.focus({ preventScroll: true });
  state.toFocus = false;
}

/** @param {number} wait @param {string} title */
function whyCard(wait, title) {
  const w = data.waits, stale = w.from[wait] < state.moment, verdict = w.verdict[wait] >= 0 ? data.verdicts[w.verdict[wait]] : null, resource = verdict?.binding.resource ?? (w.resource[wait] >= 0 ? w.resource[wait] : -1);
  const parts = [h("div", {}, ruleChip(w.rule[wait]), " ", h("b", {}, title), stale ? h("span", { class: "soft" }, ", as it was at ", time(w.from[wait])) : null), h("p", {}, capital(waitSays(wait)) + ".")];
  for (const x of data.incidents) if (x.nodes_down && x.from_ms <= state.moment && state.moment < (x.to_ms ?? Infinity)) parts.push(h("p", {}, h("b", {}, "Down now: "), units.name(x.what), x.gone.length ? `, with ${amountsSay(x.gone.slice(0, 1))}` : "", ", since ", time(x.from_ms), "."));
  if (data.rules[w.rule[wait]]) parts.push(h("p", { class: "sub" }, data.rules[w.rule[wait]].title + "."));
  if (verdict?.holders.length) {
    const scale = Math.max(1, ...verdict.holders.map((x) => x.used));
    parts.push(h("h4", {}, w.rule[wait] === "H1" ? "Who must leave" : stale ? "Who held it then" : "Who holds it"), h("div", { class: "holders" }, verdict.holders.flatMap((x) => [
      x.quota === undefined ? h("span", {}, "no quota") : team(x.quota), useBar({ quota: x.quota, own: x.used - x.borrowed, borrowed: x.borrowed, scale }),
      h("span", {}, resource < 0 ? units.many(x.pods, "pod") : units.bare(resource, x.used), x.borrowed > 0 ? h("span", { class: "soft" }, `, ${units.bare(resource, x.borrowed)} borrowed`) : null)])));
    const names = verdict.holders.flatMap((x) => x.who).slice(0, 6);
    if (names.length) parts.push(h("p", { class: "small" }, w.rule[wait] === "H1" ? "" : "Among them ", listed(names.map((pod) => link("pod", data.pods.name[pod]))), w.until[wait] >= 0 ? [", until ", time(w.until[wait])] : ""));
  }
  for (const also of verdict?.also || []) parts.push(h("p", {}, h("b", {}, also.rule.startsWith("R2") ? "And it may not take it: " : "Also: "), obstacleSays(also, verdict) + " ", ruleChip(also.rule)));
  if (verdict?.helps?.length) parts.push(h("p", {}, h("b", {}, "Would help: "), units.name(verdict.helps.join("; or ")) + "."));
  for (const bound of verdict?.bounds_hit || []) parts.push(h("p", { class: "sub" }, "The search for victims stopped at its limit: " + units.name(bound)));
  const spared = (verdict?.spared || []).filter((x) => x.why), count = spared.reduce((n, x) => n + x.pods, 0);
  if (count) parts.push(h("details", {}, h("summary", {}, `Who was not evicted for it, and why (${units.many(count, "pod")})`), spared.map((x) => h("p", { class: "small" }, ruleChip(x.rule), ` ${units.many(x.pods, "pod")}, because ${units.name(x.why)}`, x.who.length ? [": ", listed(x.who.slice(0, 8).map((pod) => link("pod", data.pods.name[pod]))), x.pods > 8 ? ", …" : ""] : null))));
  if (verdict?.checks?.length) parts.push(h("details", {}, h("summary", {}, `Why no node takes it (${units.many(verdict.checks.length, "node")})`), whyMatrix(verdict.checks)));
  else if (verdict?.closest?.length) parts.push(h("details", {}, h("summary", {}, "The closest nodes"), verdict.closest.map((c) => h("p", { class: "small" }, link("node", data.nodes[c.node].name), ` has ${units.bare(c.resource, c.available)} of ${units.amount(c.resource, c.needed)}`))));
  return h("div", { class: "why" }, parts);
}

/** An obstacle in a sentence: from its amounts where they say it all, else in its own words. @param {Obstacle} o @param {Verdict | null} [verdict] */
function obstacleSays(o, verdict) {
  const r = o.resource, quota = o.quota === undefined ? "" : units.name(data.quotas[o.quota].name);
  if (r === undefined || o.needed === undefined || o.available === undefined) return units.name(o.text);
  const asks = units.amount(r, o.needed), left = units.bare(r, o.available);
  if (o.rule === "P1" && verdict && o === verdict.binding) {
    const free = verdict.free ?? 0;
    if (verdict.fragmented && free >= o.needed) return `a pod requests ${asks} on one node; ${units.bare(r, free)} are free on all nodes together, but no node has more than ${left}`;
    return o.available > 0 ? `a pod requests ${asks} on one node, and no node has more than ${left} free` : `a pod requests ${asks}, and no node has any free`;
  }
  if (o.rule === "A1" && quota) return o.available > 0 ? `it requests ${asks}, and ${quota} is only ${units.amount(r, o.available)} below its max` : `it requests ${asks}, and ${quota} is at its max`;
  if (o.rule === "R2(a)" && quota) return `with it ${quota} would use ${units.amount(r, o.needed - o.available)} more than its guarantee, so it may not reclaim`;
  return units.name(o.text);
}

/** Nodes by tests: passed, failed, or not looked at any more. @param {NodeCheck[]} checks */
function whyMatrix(checks) {
  const tests = ["up", "topology", "schedulable", "taint", "selector", "room", "devices"].filter((t) => t === "up" || t === "room" || checks.some((c) => c.failed === t));
  return h("div", { class: "scroll" }, h("table", { class: "matrix", "aria-label": "Nodes and the tests that they failed" }, h("thead", {}, h("tr", {}, h("th", { scope: "col" }, "Node"), tests.map((t) => h("th", { scope: "col" }, t)), h("th", { scope: "col", class: "num" }, "lacks"))),
    h("tbody", {}, checks.slice(0, 200).map((c) => h("tr", {}, h("th", { scope: "row" }, link("node", data.nodes[c.node].name)), tests.map((t) => h("td", {}, tests.indexOf(t) < tests.indexOf(c.failed) ? "✓" : t === c.failed ? h("b", { class: "chip bad" }, "✕") : "·")), h("td", { class: "num" }, c.lacks ? units.amount(c.lacks.resource, c.lacks.amount) : "·"))))));
}

/** @param {string} text */
function capital(text) {
  return text.charAt(0).toUpperCase() + text.slice(1);
}

/** @param {{at: number, tone?: string, what: Child[]}[]} entries @param {string} [title] */
function timeline(entries, title = "Its story") {
  if (!entries.length) return null;
  const sorted = entries.sort((a, b) => a.at - b.at), most = 80;
  const near = sorted.length > most ? Math.max(0, Math.min(sorted.length - most, sorted.findIndex((e) => e.at > state.moment) - most / 2)) : 0;
  return h("div", {}, h("h4", {}, title), h("ol", { class: "timeline" }, sorted.slice(near, near + most).map((e) => h("li", { class: (e.tone || "") + (e.at > state.moment ? " later" : "") }, time(e.at), h("span", { class: "pin", "aria-hidden": "true" }), h("span", {}, e.what)))), sorted.length > most ? h("p", { class: "sub" }, `${most} of ${units.whole(sorted.length)} entries, around the moment`) : null);
}

/** The entries of a pod's timeline. @param {number} pod */
function podEntries(pod) {
  const p = data.pods, l = data.placements, w = data.waits, /** @type {{at: number, tone?: string, what: Child[], key: string, pod: number}[]} */ all = [];
  const add = (/** @type {number} */ at, /** @type {string} */ key, /** @type {Child[]} */ what, /** @type {string} */ tone = "") => all.push({ at, key, what, tone, pod });
  const before = p.replaces[pod];
  add(p.created[pod], "created" + before, before >= 0 ? ["replaces ", link("pod", p.name[before])] : ["is submitted"]);
  // A wait that goes on by the same rule is one entry, however often it was explained.
  const goesOn = (/** @type {number} */ i) => linked(data.waitsOfPod, pod).some((j) => w.to[j] === w.from[i] && w.rule[j] === w.rule[i] && w.quota[j] === w.quota[i]);
  for (const i of linked(data.waitsOfPod, pod)) if (!goesOn(i)) add(w.from[i], "waits" + w.rule[i] + w.verdict[i], ["waits: " + waitSays(i) + " ", ruleChip(w.rule[i])], "warn");
  for (const i of linked(data.placementsOfPod, pod)) {
    const waited = l.bound[i] - p.created[pod], borrowed = l.borrowed[i] >= 0 ? data.amounts[l.borrowed[i]] : [];
    add(l.bound[i], "bound", ["is bound to ", link("node", data.nodes[l.node[i]].name), waited > 0 ? `, after ${units.span(waited)}` : ", at once", borrowed.length ? ` (borrowing ${amountsSay(borrowed)})` : ""], "good");
    const e = l.eviction[i] >= 0 ? data.evictions[l.eviction[i]] : null;
    if (e) add(e.at_ms, "evicted" + e.cause + e.at_ms, ["is evicted", e.cause === undefined ? "" : [" for ", h("b", {}, link("job", data.jobs.name[e.cause]))], " ", ruleChip(e.rule), h("div", { class: "soft" }, units.name(e.reason.replace(/^[A-Z]\d+(\([a-z]\))?: /, "")))], "bad");
    if (l.gone[i] >= 0) add(l.gone[i], "gone" + l.end[i], [{ succeeded: "succeeds", failed: "fails", lost: "is lost with its node", evicted: "has terminated", drained: "has terminated on the drained node", deleted: "is deleted", bind_failed: "could not be bound" }[l.end[i]] || "ends"], l.end[i] === "succeeded" ? "good" : l.end[i] === "lost" || l.end[i] === "failed" ? "bad" : "");
  }
  return all;
}

/** @param {number} pod */
function podStory(pod) {
  const p = data.pods, j = data.jobs, job = p.job[pod], now = podNow(pod), wait = waitNow(pod), quota = j.quota[job], shape = data.shapes[p.shape[pod]], next = linked(data.replacedBy, pod);
  const entries = podEntries(pod);
  for (const e of data.evictions) if (e.cause_pods?.includes(pod)) entries.push({ at: e.at_ms, key: "evicts", pod, tone: "warn", what: ["evicts ", link("pod", p.name[e.pod]), " ", ruleChip(e.rule)] });
  for (const n of next) entries.push({ at: p.created[n], key: "next", pod, what: ["is replaced by ", link("pod", p.name[n])] });
  const node = now.placement >= 0 ? data.nodes[data.placements.node[now.placement]] : null;
  return {
    title: bdi(p.name[pod]), under: [stateChip(now.state), quota >= 0 ? team(quota) : "no quota"],
    parts: [now.state === "waiting" && wait >= 0 ? whyCard(wait, "Why it waits") : null,
      h("dl", { class: "facts2" }, h("dt", {}, "Job"), h("dd", {}, link("job", j.name[job])), h("dt", {}, "Asks for"), h("dd", {}, amountsSay(shape.request)), node ? [h("dt", {}, "Runs on"), h("dd", {}, link("node", node.name))] : null, j.user[job] ? [h("dt", {}, "User"), h("dd", {}, link("user", j.user[job]))] : null, shape.duty_permille !== undefined ? [h("dt", {}, "Duty cycle"), h("dd", {}, units.percent(shape.duty_permille))] : null, shape.device_memory_used ? [h("dt", {}, "GPU memory"), h("dd", {}, `${units.bytes(shape.device_memory_used)} of ${units.bytes(shape.device_memory || 0)}`)] : null),
      timeline(entries)],
  };
}

/** @param {number} job */
function jobStory(job) {
  const j = data.jobs, pods = [...linked(data.podsOfJob, job)], quota = j.quota[job], few = pods.slice(0, 600);
  const waits = few.filter((p) => podNow(p).state === "waiting").map((p) => ({ p, w: waitNow(p) })).filter((x) => x.w >= 0);
  // Pods that do the same at the same moment are one entry.
  /** @type {Map<string, ReturnType<typeof podEntries>>} */
  const groups = new Map();
  for (const entry of few.flatMap(podEntries)) { const key = entry.at + entry.key.replace(/^created\d+/, "joined"); groups.set(key, [...(groups.get(key) || []), entry]); }
  const entries = [...groups.values()].map((group) => {
    const [first] = group, n = group.length;
    if (pods.length === 1) return first;
    if (first.key === "created-1") return { ...first, what: [first.at <= j.submitted[job] ? `submitted with ${units.many(n, "pod")}` : units.many(n, "pod") + (n === 1 ? " joins" : " join")] };
    if (first.key.startsWith("created")) return { ...first, what: [units.many(n, "pod"), n === 1 ? " joins as replacement" : " join as replacements"] };
    if (n === 1) return { ...first, what: [link("pod", data.pods.name[first.pod]), " ", ...first.what] };
    const text = first.key === "bound" ? [`${n} pods are bound to ${units.many(new Set(group.map((e) => { const [i] = linked(data.placementsOfPod, e.pod); return data.placements.node[i]; })).size, "node")}`] : first.key.startsWith("waits") ? [`${n} pods wait`, ...first.what.map((x) => (typeof x === "string" ? x.replace(/^waits/, "").replace(/\bit requests/, "each requests") : x))] : first.key.startsWith("evicted") ? [`${n} pods are evicted`, ...first.what.map((x) => (typeof x === "string" ? x.replace(/^is evicted/, "") : x))] : first.key === "gonelost" ? [`${n} pods are lost with their nodes`] : first.key === "goneevicted" ? [`${n} pods have left`] : [`${n} pods `, ...first.what.map((x) => (typeof x === "string" ? x.replace(/^succeeds/, "succeed").replace(/^fails/, "fail").replace(/^is /, "are ") : x))];
    return { ...first, what: text };
  });
  const used = j.used.map((of, r) => ({ r, v: of[job] })).filter((u) => u.v > 0 && data.resources[u.r].kind !== "bytes");
  const fact = (/** @type {string} */ k, /** @type {Child | Child[]} */ v) => [h("dt", {}, k), h("dd", {}, v)];
  const row = pods[0] === undefined ? null : data.shapes[data.pods.shape[pods[0]]];
  return {
    title: bdi(j.name[job]), under: [stateChip(jobNow(job)), quota >= 0 ? team(quota) : "no quota", h("span", {}, (row ? amountsSay(row.request) + (pods.length > 1 ? " a pod" : "") : "") + (j.user[job] ? ", by " : ""), j.user[job] ? bdi(j.user[job]) : null)],
    parts: [waits.length ? whyCard(waits[0].w, pods.length === 1 ? "Why it waits" : `Why ${waits.length} of its pods ${waits.length === 1 ? "waits" : "wait"}`) : null,
      h("h4", {}, "Over the whole run"), h("dl", { class: "facts2" }, fact("Submitted", time(j.submitted[job])), j.bound[job] >= 0 ? fact("First bound", [time(j.bound[job]), j.bound[job] > j.submitted[job] ? `, after ${units.span(j.bound[job] - j.submitted[job])}` : ", at once"]) : fact("First bound", "never"), j.ended[job] >= 0 ? fact("Ended", time(j.ended[job])) : null, j.longest[job] ? fact("Longest wait", units.span(j.longest[job])) : null, j.deadline[job] >= 0 ? fact("Deadline", [time(j.deadline[job]), j.met[job] === 1 ? " (met)" : j.met[job] === 0 ? " (missed)" : ""]) : null,
        used.map((u) => fact("Used " + units.lower(u.r), units.amountTime(u.r, u.v))), j.evictions[job] ? fact("Evictions", `${j.evictions[job]}, ${j.lost_work[job] ? units.span(j.lost_work[job]) + " of work lost" : "no work lost"}`) : null, j.evicted_for[job] ? fact("Evicted for it", units.many(j.evicted_for[job], "pod")) : null, j.cost[job] ? fact("Cost", jobCostSays(job)) : null),
      j.cost[job] ? moneySays() : null, instancePanels(pods), timeline(entries)],
  };
}

/** What a job cost, in all and for a GPU-hour, and how it comes about. @param {number} job @returns {Child[]} */
function jobCostSays(job) {
  const cost = data.jobs.cost[job], gpu = data.resources.findIndex((r) => r.kind === "gpu"), used = gpu >= 0 && data.jobs.used[gpu] ? data.jobs.used[gpu][job] : 0;
  return [units.money(cost) + (used > 0 ? `, ${units.money(cost * 3600e3 / used)} a GPU-hour` : ""), h("div", { class: "soft" }, costParts(job))];
}

/** How the cost of a job comes about: time, part of a node, price of the node. @param {number} job */
function costParts(job) {
  const l = data.placements, /** @type {Map<string, {ms: number, says: string}>} */ parts = new Map();
  for (const pod of linked(data.podsOfJob, job)) {
    const request = data.shapes[data.pods.shape[pod]].request;
    for (const i of linked(data.placementsOfPod, pod)) {
      const node = data.nodes[l.node[i]], share = (/** @type {Amount} */ a) => permille(a.amount, amountOf(node.capacity, a.resource)), most = request.reduce((best, a) => (share(a) > share(best) ? a : best), request[0]);
      if (!most || !node.price_milli_per_hour) continue;
      const says = `${units.percent(share(most))} of a node (its ${data.resources[most.resource].short}) × ${units.money(node.price_milli_per_hour)} an hour`, part = parts.get(says) || { ms: 0, says };
      part.ms += (l.gone[i] < 0 ? data.end : l.gone[i]) - l.bound[i];
      parts.set(says, part);
    }
  }
  const all = [...parts.values()].sort((a, b) => b.ms - a.ms);
  return all.slice(0, 3).map((p) => `${units.span(p.ms)} × ${p.says}`).join(" + ") + (all.length > 3 ? " + …" : "");
}

/** How money is counted, and the prices, as the still page says it; nothing where nothing has a price. */
function moneySays() {
  const says = byId("main").dataset.money;
  return says ? h("p", { class: "sub" }, says) : null;
}

/** What a limit did before and after an edit. @param {QuotaEdit} e */
function effectSays(e) {
  if (e.refused) return null;
  const most = e.most_used_after.find((a) => a.resource === state.resource) || e.most_used_after[0];
  return h("div", { class: "soft" }, `Pods waited for this limit for ${units.span(e.bound_before_ms)} before it, and for ${units.span(e.bound_after_ms)} after it`, most ? `; the most used after it is ${units.amount(most.resource, most.amount)}` : "", ".");
}

/** The three panels of the console for the instances of a job: used memory, used memory %, duty cycle. @param {number[]} pods */
function instancePanels(pods) {
  const rows = pods.map((p) => ({ p, now: podNow(p), shape: data.shapes[data.pods.shape[p]] })).filter((r) => r.now.placement >= 0 && r.shape.device_memory_used !== undefined).slice(0, 12);
  if (!rows.length) return null;
  const memory = Math.max(...rows.map((r) => r.shape.device_memory || 1));
  /** @type {[string, (s: Shape) => number, number, (n: number) => string][]} */
  const kinds = [["Used GPU memory", (x) => x.device_memory_used || 0, memory, units.bytes], ["Used GPU memory, %", (x) => permille(x.device_memory_used || 0, x.device_memory || 0), 1000, units.percent], ["Duty cycle, %", (x) => x.duty_permille || 0, 1000, units.percent]];
  return h("details", {}, h("summary", {}, `Its ${units.many(rows.length, "instance")} at ${units.moment(state.moment)}: GPU memory, duty cycle`), kinds.map(([name, of, scale, say]) => [h("h4", {}, name), ...rows.map((r) => h("div", { class: "panelbar" }, link("pod", data.pods.name[r.p], shorten(data.pods.name[r.p], 12)), useBar({ own: of(r.shape), borrowed: 0, scale }), h("span", {}, say(of(r.shape)))))]).flat());
}

/** @param {number} quota */
function quotaStory(quota) {
  const q = data.quotas[quota], resource = state.resource, row = seriesOf(quota, resource), at = state.moment, v = (/** @type {Series | undefined} */ of) => series.at(of, at), say = (/** @type {number} */ n) => units.amount(resource, n), { waits, runs } = podsOfQuota(quota);
  const fact = (/** @type {string} */ k, /** @type {Child | Child[]} */ t) => [h("dt", {}, k), h("dd", {}, t)], max = row ? v(row.max) : -1, missed = v(row?.missed);
  const pairs = (/** @type {HTMLElement[]} */ list, /** @type {number} */ all) => [h("ul", { class: "pairs" }, list), all > list.length ? h("p", { class: "sub" }, `and ${units.whole(all - list.length)} more`) : null];
  const about = data.findings.filter((f) => f.pieces.some((x) => x.subject && x.subject.kind === "quota" && x.subject.name === q.name)).map((f) => ({ at: f.at_ms, tone: findingIcon(f.kind)[1], what: sentence(f) }));
  for (const e of data.edits) if (e.quota === quota) about.push({ at: e.at_ms, tone: e.refused ? "warn" : "good", what: [(e.by ? units.name(e.by) + " " : "") + (e.refused ? "may not change " : "changes ") + e.changes.map(changeSays).join(", "), e.refused ? whyRefused(e) : effectSays(e)] });
  const chartOf = row ? quotaChart(quota, resource, 130) : null;
  if (chartOf && !(chartOf instanceof HTMLElement)) setTimeout(() => chartOf.update(), 0);
  waits.sort((a, b) => a.since - b.since);
  return {
    title: h("span", { class: "who" }, q.leaf ? h("span", { class: "dot " + colour(quota) }) : null, bdi(q.name)), under: [`quota, at ${units.moment(at)}`],
    parts: [missed > 0 && !q.leaf ? h("div", { class: "why" }, h("b", {}, `The leaves below it miss ${say(missed)} of their guarantees.`)) : missed > 0 ? h("div", { class: "why" }, h("b", {}, `It misses ${say(missed)} of its guarantee.`), h("p", {}, `It uses ${say(v(row?.used))} of ${say(v(row?.min))}, and its pods wait for ${say(v(row?.request) - v(row?.used))}.`), waits[0] ? h("p", {}, "Look at ", link("pod", data.pods.name[waits[0].pod]), ", which has waited longest.") : null) : null,
      h("dl", { class: "facts2" }, fact("Uses", `${say(v(row?.used))}, guarantee ${say(v(row?.min))}, ${max < 0 ? "no limit of its own" : "at most " + say(max)}`), fact("Borrows", v(row?.borrowed) ? say(v(row?.borrowed)) : "nothing"), v(row?.lent) ? fact("Lends", say(v(row?.lent))) : null, fact("Waits for", row && v(row.request) > v(row.used) ? say(v(row.request) - v(row.used)) : "nothing"), fact("Fair share", say(v(row?.share))), (q.groups || []).length ? fact("Groups", (q.groups || []).flatMap((g, i) => [i ? ", " : "", bdi(g)])) : null),
      chartOf ? (chartOf instanceof HTMLElement ? chartOf : chartOf.element) : null,
      waits.length ? h("div", {}, h("h4", {}, units.many(waits.length, "pod") + (waits.length === 1 ? " waits" : " wait")), pairs(waits.slice(0, 8).map((w) => { const i = waitNow(w.pod); return h("li", {}, h("span", {}, link("pod", data.pods.name[w.pod]), " ", i >= 0 ? ruleChip(data.waits.rule[i]) : null), h("span", {}, "for " + units.span(at - w.since))); }), waits.length)) : h("p", { class: "none" }, `Nobody waits at ${units.moment(at)}.`),
      runs.length ? h("div", {}, h("h4", {}, "Runs now"), pairs(runs.slice(0, 10).map((r) => h("li", {}, link("pod", data.pods.name[r.pod]), h("span", {}, amountsSay(data.shapes[data.pods.shape[r.pod]].request.slice(0, 1)) + " on ", bdi(data.nodes[data.placements.node[r.placement]].name)))), runs.length)) : null,
      timeline(about, "In this run")],
  };
}

/** Why an edit was refused. @param {QuotaEdit} e */
function whyRefused(e) {
  const refusal = data.refusals.find((r) => r.at_ms === e.at_ms && r.by === e.by);
  return refusal ? h("div", { class: "soft" }, units.name(refusal.why.replace(/`/g, ""))) : null;
}

/** @param {FieldChange} c */
function changeSays(c) {
  if (c.words) return `${c.field}: ${units.name(c.words)}`;
  const say = (/** @type {number | undefined} */ n) => (n === undefined ? "none" : c.resource === undefined ? units.whole(n) : units.bare(c.resource, n));
  return `${c.field} from ${say(c.before)} to ${say(c.after)}${c.resource === undefined ? "" : " " + data.resources[c.resource].units}`;
}

/** @param {number} node */
function nodeStory(node) {
  const now = nodeNow(node), n = now.n, l = data.placements, fact = (/** @type {string} */ k, /** @type {Child | Child[]} */ t) => [h("dt", {}, k), h("dd", {}, t)];
  const entries = n.spans.filter((x, i) => i > 0 || x.state !== "ready").map((x) => ({ at: x.from_ms, tone: x.state === "down" ? "bad" : x.state === "ready" ? "good" : "warn", what: /** @type {Child[]} */ ([x.state === "ready" ? "is back" : x.state === "down" ? "is down" : "is " + x.state, x.cause ? ": " + units.name(x.cause) : ""]) }));
  for (const i of linked(data.placementsOfNode, node)) {
    entries.push({ at: l.bound[i], tone: "", what: [link("pod", data.pods.name[l.pod[i]]), " is bound"] });
    if (l.end[i] === "lost") entries.push({ at: l.gone[i], tone: "bad", what: [link("pod", data.pods.name[l.pod[i]]), " is lost"] });
  }
  for (const e of data.evictions) if (e.node === node) entries.push({ at: e.at_ms, tone: "bad", what: [link("pod", data.pods.name[e.pod]), " is evicted ", ruleChip(e.rule)] });
  const loads = loadsOf(node), mean = loads.length ? series.sum(loads.map((x) => x.duty_permille)) : null;
  const duty = mean ? chart({ label: "Duty cycle of its devices over time", height: 110, layers: [{ of: { t: mean.t, v: mean.v.map((x) => x / loads.length) }, as: "area", cls: "accent", name: "duty cycle" }], say: units.percent, unit: 10, top: 1000, percent: true }) : null;
  if (duty) setTimeout(duty.update, 0);
  return {
    title: bdi(n.name), under: [stateChip(now.state), now.cause ? units.name(now.cause) : `node, at ${units.moment(state.moment)}`],
    parts: [h("dl", { class: "facts2" }, n.rack ? fact("Rack", bdi(n.rack)) : null, fact("Pool", bdi(n.pool)), n.model ? fact("Model", bdi(n.model)) : null, n.gpu_mode ? fact("GPU mode", n.gpu_mode) : null, n.price_milli_per_hour ? fact("Price", units.money(n.price_milli_per_hour) + " an hour, whether or not pods use it") : null, (n.labels || []).length ? fact("Labels", (n.labels || []).flatMap((x, i) => [i ? ", " : "", bdi(x)])) : null,
      n.capacity.map((a) => fact(data.resources[a.resource].short, `${units.bare(a.resource, now.used[a.resource])} of ${units.amount(a.resource, a.amount)} allocated`)), n.devices ? fact("Devices", squares(now)) : null),
      duty ? h("div", {}, h("h4", {}, "Duty cycle"), duty.element) : null,
      now.here.length ? h("div", {}, h("h4", {}, "Runs now"), h("ul", { class: "pairs" }, now.here.slice(0, 12).map((i) => h("li", {}, link("pod", data.pods.name[l.pod[i]]), h("span", {}, "since ", time(l.bound[i])))))) : h("p", { class: "none" }, `Nothing runs here at ${units.moment(state.moment)}.`), timeline(entries)],
  };
}

/** What nodes that were down cost meanwhile. @param {Incident} i */
function outageMoney(i) {
  const hourly = i.nodes.reduce((sum, n) => sum + data.nodes[n].price_milli_per_hour, 0), ms = (i.to_ms ?? data.end) - i.from_ms;
  return hourly && i.nodes_down ? `Its nodes cost ${units.money(hourly * ms / HOUR)} meanwhile, which is part of the cost of idle capacity.` : "";
}

/** @param {string} rack */
function rackStory(rack) {
  const nodes = data.nodes.map((n, i) => ({ n, i })).filter(({ n }) => n.rack === rack);
  if (!nodes.length) return null;
  const entries = data.incidents.filter((i) => i.nodes.some((n) => data.nodes[n].rack === rack)).flatMap((i) => [{ at: i.from_ms, tone: "bad", what: /** @type {Child[]} */ ([i.kind + " of ", bdi(i.what), `: ${amountsSay(i.gone)} gone. `, i.lost_pods.length ? ["Lost: ", listed(i.lost_pods.slice(0, 8).map((pod) => link("pod", data.pods.name[pod]))), i.lost_pods.length > 8 ? ` and ${i.lost_pods.length - 8} more` : "", ". "] : "No pod was lost. ", outageMoney(i)]) }, ...(i.to_ms === undefined ? [] : [{ at: i.to_ms, tone: "good", what: /** @type {Child[]} */ ([bdi(i.what), " is back"]) }])]);
  return { title: bdi(rack), under: ["rack"], parts: [h("ul", { class: "pairs" }, nodes.slice(0, 40).map(({ n, i }) => { const now = nodeNow(i); return h("li", {}, link("node", n.name), h("span", {}, stateChip(now.state))); })), timeline(entries)] };
}

/** @param {string} name */
function userStory(name) {
  const user = data.people.users.find((u) => u.name === name);
  if (!user) return null;
  const a = user.account, fact = (/** @type {string} */ k, /** @type {Child | Child[]} */ t) => [h("dt", {}, k), h("dd", {}, t)];
  const jobs = data.jobs.name.map((_, i) => i).filter((i) => data.jobs.user[i] === name), entries = data.refusals.filter((r) => r.by === name).map((r) => ({ at: r.at_ms, tone: "warn", what: /** @type {Child[]} */ (["refused: " + units.name(r.what.replace(/`/g, "")), h("div", { class: "soft" }, units.name(r.why.replace(/`/g, "")))]) }));
  for (const e of data.edits) if (e.by === name && !e.refused) entries.push({ at: e.at_ms, tone: "good", what: ["changes ", e.quota === undefined ? "the quota tree" : link("quota", data.quotas[e.quota].name), ": " + e.changes.map(changeSays).join(", ")] });
  return {
    title: bdi(name), under: [user.role || "user", user.groups.length ? " in " : "", ...user.groups.flatMap((g, i) => [i ? ", " : "", bdi(g)])],
    parts: [h("dl", { class: "facts2" }, fact("Pods", `${units.whole(a.pods)}, ${units.whole(a.succeeded)} succeeded, ${units.whole(a.failed)} failed`), a.wait.count ? fact("Waits", `${units.span(a.wait.p50_ms)} / ${units.span(a.wait.p95_ms)} / ${units.span(a.wait.max_ms)} (p50, p95, max)`) : null, a.evicted ? fact("Evicted", units.whole(a.evicted)) : null, a.used.filter((u) => data.resources[u.resource].kind !== "bytes").map((u) => fact("Used " + units.lower(u.resource), units.amountTime(u.resource, u.unit_s))), a.borrowed.map((u) => fact("Borrowed", units.amountTime(u.resource, u.unit_s))), a.cost_milli ? fact("Cost", units.money(a.cost_milli)) : null), a.cost_milli ? moneySays() : null,
      jobs.length ? h("div", {}, h("h4", {}, units.many(jobs.length, "job")), h("ul", { class: "pairs" }, jobs.slice(0, 15).map((i) => h("li", {}, link("job", data.jobs.name[i]), h("span", {}, stateChip(jobNow(i)))))), jobs.length > 15 ? h("p", { class: "sub" }, `and ${jobs.length - 15} more`) : null) : null, timeline(entries)],
  };
}
