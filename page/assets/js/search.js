// Search over jobs, pods, nodes, quotas, users and moments, as a list box under the field.

/** The moment that a text means: `12:30`, `12:00:51`, `d3 07:58`; -1: none. @param {string} text */
function momentOf(text) {
  const parts = text.match(/^(?:d(\d{1,5}) )?(\d{1,2}):(\d{2})(?::(\d{2}))?$/);
  if (!parts) return -1;
  const [day, h, m, s] = parts.slice(1).map((part) => Number(part || 0)), ms = day * DAY + h * HOUR + m * MINUTE + s * SECOND;
  return ms <= data.end ? ms : -1;
}

/** @param {string} text @returns {StoryOf[]} at most twelve, those that begin with the text first */
function search(text) {
  const wanted = text.toLowerCase();
  /** @type {{kind: string, id: string, rank: number}[]} */
  const hits = [], moment = momentOf(text);
  if (moment >= 0) hits.push({ kind: "moment", id: units.moment(moment), rank: -99 });
  const look = (/** @type {string} */ kind, /** @type {string[]} */ names, /** @type {number} */ bias) => {
    let n = 0;
    for (const id of names) {
      const at = id.toLowerCase().indexOf(wanted);
      if (at < 0) continue;
      hits.push({ kind, id, rank: (at === 0 ? 0 : 10) + bias + (id.length === wanted.length ? -20 : 0) });
      if (++n >= 40) break;
    }
  };
  look("quota", data.quotas.map((q) => q.name), 0);
  look("job", data.jobs.name, 1);
  look("node", data.nodes.map((n) => n.name), 2);
  look("user", data.people.users.map((u) => u.name), 3);
  look("pod", data.pods.name, 4);
  look("rack", [...new Set(data.nodes.flatMap((n) => (n.rack ? [n.rack] : [])))], 5);
  return hits.sort((a, b) => a.rank - b.rank).slice(0, 12).map(({ kind, id }) => ({ kind, id }));
}

function setUpSearch() {
  const field = /** @type {HTMLInputElement} */ (byId("find")), list = byId("found");
  /** @type {StoryOf[]} */
  let hits = [];
  let at = 0;
  const close = () => { list.hidden = true; field.setAttribute("aria-expanded", "false"); field.removeAttribute("aria-activedescendant"); };
  const pick = (/** @type {number} */ i) => { if (!hits[i]) return; close(); field.value = ""; if (hits[i].kind === "moment") setMoment(momentOf(hits[i].id)); else setStory(hits[i]); };
  const show = () => {
    hits = field.value.trim() ? search(field.value.trim()) : [];
    at = 0;
    if (!field.value.trim()) return close();
    list.replaceChildren(...(hits.length ? hits.map((hit, i) => h("li", { role: "option", id: "found-" + i, "aria-selected": String(i === at), onclick: () => pick(i) }, bdi(hit.id), h("span", { class: "kind" }, hit.kind))) : [h("li", { role: "option", "aria-selected": "false", "aria-disabled": "true" }, "Nothing has this name")]));
    list.hidden = false;
    field.setAttribute("aria-expanded", "true");
    if (hits.length) field.setAttribute("aria-activedescendant", "found-0");
  };
  field.addEventListener("input", show);
  field.addEventListener("keydown", (e) => {
    if (e.key === "/" && !field.value) e.preventDefault();
    else if (e.key === "Escape") { field.value = ""; close(); field.blur(); e.stopPropagation(); }
    else if (e.key === "Enter") pick(at);
    else if ((e.key === "ArrowDown" || e.key === "ArrowUp") && hits.length) {
      e.preventDefault();
      at = (at + (e.key === "ArrowDown" ? 1 : hits.length - 1)) % hits.length;
      [...list.children].forEach((li, i) => { li.setAttribute("aria-selected", String(i === at)); if (i === at) li.scrollIntoView({ block: "nearest" }); });
      field.setAttribute("aria-activedescendant", "found-" + at);
    }
  });
  field.addEventListener("blur", () => setTimeout(close, 200));
}
