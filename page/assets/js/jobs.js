// The jobs: status at the moment, totals of the run; by team, state and text.

panels.jobs = (body, card) => {
  const box = h("div", {}), j = data.jobs, filter = state.jobs;
  const text = /** @type {HTMLInputElement} */ (h("input", { type: "search", placeholder: "Name, user, namespace", "aria-label": "Jobs whose name, user or namespace has this text", oninput: () => { filter.text = text.value; keepAddress(); show(); } }));
  const teams = /** @type {HTMLSelectElement} */ (h("select", { "aria-label": "Team", onchange: () => { filter.team = teams.value; keepAddress(); show(); } }, h("option", { value: "" }, "All teams"), leaves().map((q) => h("option", { value: data.quotas[q].name }, units.name(data.quotas[q].name)))));
  const states = /** @type {HTMLSelectElement} */ (h("select", { "aria-label": "State at the moment", onchange: () => { filter.status = states.value; keepAddress(); show(); } }, JOB_STATES.map(([value, words]) => h("option", { value }, words))));
  body.replaceChildren(h("div", { class: "filter" }, text, teams, states), box);
  let shown = "";
  const gpu = data.resources.findIndex((r) => r.kind === "gpu"), asked = gpu < 0 ? data.main : gpu;

  function show() {
    const now = JSON.stringify([state.moment, filter]);
    if (shown === now) return;
    shown = now;
    for (const [control, value] of /** @type {[HTMLInputElement | HTMLSelectElement, string][]} */ ([[text, filter.text], [teams, filter.team], [states, filter.status]])) if (control.value !== value) control.value = value;
    const at = state.moment, all = [], wanted = filter.text.toLowerCase();
    for (let i = 0; i < j.n; i++) {
      if (filter.team && (j.quota[i] < 0 || data.quotas[j.quota[i]].name !== filter.team)) continue;
      if (wanted && !(j.name[i] + " " + j.user[i] + " " + j.namespace[i]).toLowerCase().includes(wanted)) continue;
      if (filter.status === "evicted" && !j.evictions[i]) continue;
      const now = jobNow(i);
      if (filter.status === "waiting" && !([...linked(data.podsOfJob, i)].some((p) => podNow(p).state === "waiting"))) continue;
      if (["pending", "running", "succeeded", "failed"].includes(filter.status) && now !== filter.status) continue;
      all.push({ i, now });
    }
    setTitle(card, "Jobs at " + units.moment(at), `${units.many(all.length, "job")}${all.length < j.n ? " of " + units.whole(j.n) : ""}. Status, duration (since submission) and utilisation are those of the moment, the rest is of the whole run.`);
    const memory = (/** @type {number} */ i, /** @type {"device_memory" | "device_memory_used"} */ kind) => [...linked(data.podsOfJob, i)].slice(0, 4000).reduce((n, p) => n + (podNow(p).placement >= 0 ? data.shapes[data.pods.shape[p]][kind] || 0 : 0), 0);
    const duty = (/** @type {number} */ i) => { let sum = 0, n = 0; for (const p of [...linked(data.podsOfJob, i)].slice(0, 4000)) { const d = data.shapes[data.pods.shape[p]].duty_permille; if (d !== undefined && podNow(p).state === "running") { sum += d; n++; } } return n ? sum / n : -1; };
    const lasted = (/** @type {number} */ i) => Math.max(0, Math.min(at, j.ended[i] < 0 ? at : j.ended[i]) - j.submitted[i]);
    const asks = (/** @type {number} */ i) => amountOf(data.amounts[j.request[i]], asked);
    const bytes = (/** @type {number} */ n) => (n ? units.bytes(n) : "·");
    /** @type {Column<{i: number, now: string}>[]} */
    const columns = [
      { name: "Job", cell: ({ i }) => link("job", j.name[i]), key: ({ i }) => j.name[i] }, { name: "Namespace", cell: ({ i }) => h("span", { class: "who" }, h("span", { class: "dot " + (j.quota[i] < 0 ? "slate" : colour(j.quota[i])) }), bdi(j.namespace[i])), key: ({ i }) => j.namespace[i] },
      { name: "Type", cell: ({ i }) => j.kind[i], key: ({ i }) => j.kind[i] }, { name: "User", hide: !j.user.some(Boolean), cell: ({ i }) => (j.user[i] ? bdi(j.user[i]) : "·"), key: ({ i }) => j.user[i] }, { name: "Status", cell: ({ now }) => stateChip(now), key: ({ now }) => now },
      { name: "Submitted", num: true, cell: ({ i }) => time(j.submitted[i]), key: ({ i }) => j.submitted[i] }, { name: "Duration", num: true, cell: ({ i, now }) => (now === "future" ? "·" : units.span(lasted(i))), key: ({ i }) => lasted(i) },
      { name: "Longest wait", num: true, cell: ({ i }) => (j.longest[i] ? units.span(j.longest[i]) : "·"), key: ({ i }) => j.longest[i] }, { name: "Request " + data.resources[asked].short, num: true, cell: ({ i }) => (asks(i) ? units.bare(asked, asks(i)) : "·"), key: ({ i }) => asks(i) },
      { name: "Allocated GPU memory", hide: !data.shapes.some((x) => x.device_memory), num: true, cell: ({ i }) => bytes(memory(i, "device_memory")) }, { name: "Used GPU memory", hide: !memoryUsed(), num: true, cell: ({ i }) => bytes(memory(i, "device_memory_used")) }, { name: "GPU utilisation", hide: !data.shapes.some((x) => x.duty_permille !== undefined), num: true, cell: ({ i }) => { const d = duty(i); return d < 0 ? "·" : units.percent(d); } },
      { name: "Evicted", num: true, cell: ({ i }) => j.evictions[i] || "·", key: ({ i }) => j.evictions[i] }, { name: "Used", num: true, cell: ({ i }) => { const r = gpu >= 0 && j.used[gpu] && j.used[gpu][i] ? gpu : data.resources.findIndex((x) => x.kind === "cpu"); return r >= 0 && j.used[r] && j.used[r][i] ? units.amountTime(r, j.used[r][i]) : "·"; }, key: ({ i }) => (gpu >= 0 && j.used[gpu] ? j.used[gpu][i] : 0) },
      { name: "Cost", hide: !j.cost.some(Boolean), num: true, cell: ({ i }) => (j.cost[i] ? units.money(j.cost[i]) : "·"), key: ({ i }) => j.cost[i] },
    ];
    const sorted = (/** @type {string} */ by, /** @type {boolean} */ down) => { filter.sort = (down ? "-" : "") + by; shown = JSON.stringify([state.moment, filter]); keepAddress(); };
    const [, down, by] = /** @type {RegExpMatchArray} */ (filter.sort.match(/^(-?)([^]*)$/));
    box.replaceChildren(all.length ? sortable({ label: "Jobs", rows: all, columns, limit: 30, sort: by, down: !!down, sorted, classOf: ({ i }) => (state.story?.kind === "job" && state.story.id === j.name[i] ? "on" : "") }) : h("p", { class: "none" }, j.n ? "No job is like that at " + units.moment(at) + "." : "No job was submitted."));
    if (j.cost.some(Boolean)) box.append(moneySays() || "");
  }
  return show;
};

/** The states by which jobs can be chosen. */
const JOB_STATES = [["", "Any state"], ["pending", "Pending"], ["running", "Running"], ["succeeded", "Succeeded"], ["failed", "Failed"], ["waiting", "With waiting pods"], ["evicted", "Ever evicted"]];
