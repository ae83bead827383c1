// The page comes to life: data, tabs, the slider, one listener for all buttons with a story or a moment.

/** Draws all that is in sight. */
function draw() {
  keepAddress();
  const focus = focused();
  const at = state.moment;
  for (const a of document.querySelectorAll(".tabs a")) {
    const on = a.getAttribute("href") === "#" + state.tab;
    if (on && !a.hasAttribute("aria-current")) { a.setAttribute("aria-current", "page"); const strip = /** @type {HTMLElement} */ (a.parentElement); strip.scrollLeft = /** @type {HTMLElement} */ (a).offsetLeft - strip.clientWidth / 2 + /** @type {HTMLElement} */ (a).offsetWidth / 2; }
    if (!on) a.removeAttribute("aria-current");
  }
  for (const section of document.querySelectorAll("main section[data-tab]")) section.classList.toggle("on", section.id === state.tab);
  const slider = /** @type {HTMLInputElement} */ (byId("moment")), says = momentSays();
  slider.value = String(at);
  slider.setAttribute("aria-valuetext", units.name(`${units.moment(at)}, ${says}`));
  byId("now").textContent = units.moment(at);
  byId("says").textContent = units.name(says);
  drawTrack();
  // The story first: it changes the width that is left for charts.
  drawStory();
  for (const panel of state.panels) if (panel.card.closest("section")?.id === state.tab) panel.update();
  if (focus) refocus(focus);
}

/** What leads to the focused button again after it was made anew: its story, its moment, or the story that is shown. @returns {[string, string] | null} */
function focused() {
  const active = document.activeElement;
  if (!state.story && toldOf) return ["data-story", toldOf];
  for (const name of ["data-story", "data-moment"]) if (active?.hasAttribute(name)) return [name, active.getAttribute(name) || ""];
  return null;
}

/** Gives the focus back where the button that had it is gone. @param {[string, string]} what */
function refocus([name, value]) {
  if (document.activeElement && document.activeElement !== document.body) return;
  const all = /** @type {HTMLElement[]} */ ([...document.querySelectorAll(`main .on button[${name}]`)]), again = all.find((e) => e.getAttribute(name) === value && e.offsetParent);
  (again || /** @type {HTMLElement | null} */ (document.querySelector(".tabs a[aria-current]")))?.focus({ preventScroll: true });
}

let tracked = "";

/** The picture of total use behind the slider, and a tick for each event. */
function drawTrack() {
  const svg = byId("track"), width = svg.clientWidth || 600, height = 46, all = clusterOf(data.main), x = (/** @type {number} */ t) => t / Math.max(1, data.end) * width;
  if (tracked !== String(width)) {
    tracked = String(width);
    svg.setAttribute("viewBox", `0 0 ${width} ${height}`);
    const parts = [];
    if (all) {
      const used = series.peak(all.allocated, 0, data.end), cap = series.peak(all.capacity, 0, data.end), top = isLow(used, cap) ? used * ROOM : Math.max(1, cap, used), y = (/** @type {number} */ v) => 4 + 28 * (1 - Math.min(1, v / top)), t = series.grid([all.capacity, all.allocated], 0, data.end, width), zero = t.map(() => 0);
      parts.push(s("path", { class: "tr-cap", d: stepPath(t, t.map((ms) => series.at(all.capacity, ms)), data.end, x, y, zero) }), s("path", { class: "tr-use", d: stepPath(t, t.map((ms) => series.at(all.allocated, ms)), data.end, x, y, zero) }));
    }
    let last = -9;
    for (const m of state.marks) {
      if (x(m.at) - last < 2) continue;
      last = x(m.at);
      parts.push(s("rect", { class: m.kind === "refused" ? "solid slate" : "m-" + m.kind, x: Math.max(0, last - 1.25), y: 36, width: 2.5, height: 8, rx: 1 }));
    }
    parts.push(s("path", { class: "now", id: "needle" }));
    svg.replaceChildren(...parts);
  }
  byId("needle").setAttribute("d", `M${x(state.moment).toFixed(1)} 0V34`);
}

function setUpSlider() {
  const slider = /** @type {HTMLInputElement} */ (byId("moment"));
  slider.max = String(data.end);
  slider.addEventListener("input", () => setMoment(Number(slider.value)));
  slider.addEventListener("keydown", (e) => {
    const way = e.key === "ArrowRight" || e.key === "ArrowUp" ? 1 : e.key === "ArrowLeft" || e.key === "ArrowDown" ? -1 : 0;
    if (way) { e.preventDefault(); if (e.shiftKey) setMoment(state.moment + way * 10 * MINUTE); else stepMoment(way); }
    else if (e.key === "Home" || e.key === "End") { e.preventDefault(); setMoment(e.key === "Home" ? 0 : data.end); }
  });
  byId("back").addEventListener("click", () => stepMoment(-1));
  byId("forth").addEventListener("click", () => stepMoment(1));
}

function setUpClicks() {
  document.addEventListener("click", (event) => {
    const target = /** @type {Element} */ (event.target), moment = target.closest("[data-moment]"), story = target.closest("[data-story]"), tab = target.closest("a[data-tab]"), rule = target.closest("[data-rule]")?.getAttribute("data-rule");
    if (moment) setMoment(Number(moment.getAttribute("data-moment")));
    if (story) { const [kind, ...id] = (story.getAttribute("data-story") || "").split(":"); setStory({ kind, id: id.join(":") }); }
    const text = rule && document.getElementById("rule-" + rule);
    if (text) { setTab(text.closest("section")?.id || state.tab); requestAnimationFrame(() => { text.scrollIntoView({ block: "center" }); text.focus({ preventScroll: true }); }); }
    if (tab) {
      event.preventDefault();
      setTab((tab.getAttribute("href") || "#").slice(1).split("?")[0]);
      const worst = tab.getAttribute("data-at");
      if (worst !== null) setMoment(Number(worst));
    }
  });
  document.addEventListener("keydown", (e) => {
    const typing = /** @type {Element} */ (e.target).closest("input:not([type=range]), select, textarea");
    if (e.key === "/" && !typing && !e.ctrlKey && !e.metaKey) { e.preventDefault(); byId("find").focus(); }
    else if (e.key === "Escape" && state.story) { setStory(null); }
  });
  byId("theme").addEventListener("click", () => {
    const root = document.documentElement, dark = root.dataset.theme ? root.dataset.theme === "dark" : matchMedia("(prefers-color-scheme: dark)").matches;
    root.dataset.theme = dark ? "light" : "dark";
    changed();
  });
  window.addEventListener("hashchange", () => { if (location.hash !== address()) { readAddress(location.hash); changed(); } });
  let width = 0;
  window.addEventListener("resize", () => { if (width !== window.innerWidth) { width = window.innerWidth; changed(); } });
}

async function start() {
  data = unpack(JSON.parse(await inflate("columns")));
  state.resource = data.main;
  state.marks = findMarks();
  state.moment = firstMoment();
  document.documentElement.classList.add("js");
  for (const card of /** @type {NodeListOf<HTMLElement>} */ (document.querySelectorAll("[data-panel]"))) {
    const name = card.dataset.panel || "", body = /** @type {HTMLElement} */ (card.querySelector(".body")), build = panels[name];
    if (!build || !body) continue;
    /** @type {(() => void) | null} */
    let update = null;
    state.panels.push({ card, update: () => { if (!update) update = build(body, card); update(); } });
  }
  setUpSearch();
  setUpSlider();
  setUpClicks();
  readAddress(location.hash);
  draw();
  document.documentElement.dataset.ready = "true";
}

start().catch(stayStill);
