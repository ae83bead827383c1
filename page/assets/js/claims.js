// Claims that failed come first, with a link to the moment. The rest of this tab does not depend on the moment: Rust has written it.

panels.claims = (body) => {
  const rows = data.claims.map((c, i) => ({ c, i })).sort((a, b) => Number(a.c.passed) - Number(b.c.passed) || a.i - b.i);
  if (!rows.length) return () => {};
  const when = (/** @type {Claim} */ c) => (!c.passed && c.breach_from_ms !== undefined ? [time(c.breach_from_ms), c.breach_to_ms !== undefined && c.breach_to_ms > c.breach_from_ms ? [" to ", time(c.breach_to_ms)] : null] : c.at_ms !== undefined ? [time(c.at_ms)] : ["·"]).flat();
  const about = (/** @type {Claim} */ c) => [...(c.quotas || []).map((q) => team(q)), ...(c.jobs || []).map((j) => link("job", data.jobs.name[j])), ...(c.nodes || []).map((n) => link("node", data.nodes[n].name))].slice(0, 4).flatMap((x, i) => [i ? ", " : "", x]);
  body.replaceChildren(sortable({
    label: "Claims", rows, limit: 100, columns: [
      { name: "", cell: ({ c }) => (c.passed ? chip("✓", "holds", "good") : chip("✕", "fails", "bad")), key: ({ c }) => Number(c.passed) }, { name: "Claim", wide: true, cell: ({ c }) => [h("span", { class: "mono" }, bdi(c.claim)), c.because ? h("div", { class: "sub" }, bdi(c.because)) : null, c.explanations?.length ? h("details", {}, h("summary", {}, "Who waited then, and why"), c.explanations.map((e) => h("p", { class: "sub" }, bdi(e)))) : null] },
      { name: "Expected", hide: !data.claims.some((c) => c.expected), cell: ({ c }) => h("span", { class: "wrap" }, bdi(c.expected)) }, { name: "Seen", cell: ({ c }) => h("span", { class: "wrap" }, bdi(c.seen)) }, { name: "When", cell: ({ c }) => when(c), key: ({ c }) => c.breach_from_ms ?? c.at_ms ?? 0 }, { name: "About", hide: !data.claims.some((c) => (c.quotas || c.jobs || c.nodes || []).length), cell: ({ c }) => about(c) }, { name: "Line", num: true, cell: ({ c }) => c.line || "·", key: ({ c }) => c.line },
    ],
  }));
  return () => {};
};
