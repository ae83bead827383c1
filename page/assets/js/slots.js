// Nodes that count their GPUs and declare no devices: each pod gets the lowest slots with room, so that figures have a row for
// each GPU there, too.

/** @param {Data} d */
function giveSlots(d) {
  const l = d.placements, /** @type {Map<string, number>} */ sets = new Map();
  d.nodes.forEach((n, node) => {
    const gpu = d.resources.findIndex((r, i) => r.kind === "gpu" && amountOf(n.capacity, i) >= 1000);
    if (n.devices || gpu < 0) return;
    n.devices = Math.floor(amountOf(n.capacity, gpu) / 1000);
    n.device_resource = gpu;
    /** @type {{until: number, amount: number}[][]} */
    const slots = Array.from({ length: n.devices }, () => []);
    for (const i of linked(d.placementsOfNode, node)) {
      const asks = amountOf(d.shapes[d.pods.shape[l.pod[i]]].request, gpu), each = Math.min(1000, asks), until = l.gone[i] < 0 ? Infinity : l.gone[i];
      if (!asks) continue;
      const given = [];
      for (let k = 0; k < slots.length && given.length < Math.ceil(asks / 1000); k++) {
        slots[k] = slots[k].filter((use) => use.until > l.bound[i]);
        if (slots[k].reduce((sum, use) => sum + use.amount, each) <= 1000) given.push(k);
      }
      for (const k of given) slots[k].push({ until, amount: each });
      const key = given.join();
      if (!sets.has(key)) { sets.set(key, d.deviceSets.length); d.deviceSets.push(given); }
      l.devices[i] = sets.get(key) ?? -1;
    }
  });
}
