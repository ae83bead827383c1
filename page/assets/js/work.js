// Pods, jobs and nodes at the moment.

/** What a pod does at the moment. @param {number} pod @param {number} [ms] @returns {{state: string, placement: number}} */
function podNow(pod, ms = state.moment) {
  const p = data.pods, l = data.placements;
  if (p.created[pod] > ms) return { state: "future", placement: -1 };
  const over = ms >= data.end;
  for (const i of linked(data.placementsOfPod, pod)) {
    if (l.bound[i] > ms) break;
    if (l.gone[i] >= 0 && l.gone[i] <= ms) continue;
    if (l.leaving[i] >= 0 && l.leaving[i] <= ms) return { state: "leaving", placement: i };
    return { state: l.running[i] >= 0 && l.running[i] <= ms ? "running" : "binding", placement: i };
  }
  if (p.ended[pod] >= 0 && (p.ended[pod] <= ms || over)) return { state: p.end[pod] || "deleted", placement: -1 };
  return { state: "waiting", placement: -1 };
}

/** The wait of a pod at the moment: the row, or -1. @param {number} pod @param {number} [ms] */
function waitNow(pod, ms = state.moment) {
  for (const i of linked(data.waitsOfPod, pod)) if (data.waits.from[i] <= ms && (ms < data.waits.to[i] || (ms >= data.end && data.waits.to[i] >= data.end))) return i;
  return -1;
}

/** @param {number} job @param {number} [ms] */
function jobNow(job, ms = state.moment) {
  const j = data.jobs;
  if (j.submitted[job] > ms) return "future";
  if (j.ended[job] >= 0 && j.ended[job] <= ms) return j.state[job];
  if (ms >= data.end) return j.state[job];
  if (j.bound[job] < 0 || j.bound[job] > ms) return "pending";
  let here = 0;
  const pods = linked(data.podsOfJob, job);
  if (pods.length > 4000) return "running";
  for (const pod of pods) if (podNow(pod, ms).placement >= 0) here++;
  return here >= Math.max(1, Math.min(data.jobs.gang_min[job], 1)) ? "running" : "interrupted";
}

/** The amount of a resource in a list of amounts. @param {Amount[] | undefined} amounts @param {number} resource */
function amountOf(amounts, resource) {
  return amounts?.find((a) => a.resource === resource)?.amount || 0;
}

/** `8 GPUs, 16 cores`. @param {Amount[]} amounts */
function amountsSay(amounts) {
  return amounts.map((a) => units.amount(a.resource, a.amount)).join(", ") || "nothing";
}

/** What is on a node at the moment. @param {number} node */
function nodeNow(node) {
  const n = data.nodes[node], at = state.moment, l = data.placements, used = data.resources.map(() => 0);
  const span = n.spans.find((x) => x.from_ms <= at && at < x.to_ms) || (at >= data.end ? n.spans[n.spans.length - 1] : undefined);
  /** @type {number[]} */
  const here = [];
  /** @type {{quotas: Set<number>, part: boolean}[]} */
  const devices = Array.from({ length: n.devices }, () => ({ quotas: new Set(), part: false }));
  let memory = 0, memoryUsed = 0;
  for (const i of linked(data.placementsOfNode, node)) {
    if (l.bound[i] > at) break;
    if (l.gone[i] >= 0 && l.gone[i] <= at) continue;
    here.push(i);
    const pod = l.pod[i], shape = data.shapes[data.pods.shape[pod]], quota = data.jobs.quota[data.pods.job[pod]];
    for (const a of shape.request) used[a.resource] += a.amount;
    const set = l.devices[i] >= 0 ? data.deviceSets[l.devices[i]] : [], given = shape.device_memory ?? set.length * (n.device_memory || 0);
    memory += given;
    if (l.running[i] >= 0 && l.running[i] <= at) memoryUsed += shape.device_memory_used ?? given;
    const whole = n.device_resource !== undefined && amountOf(shape.request, n.device_resource) >= 1000 * Math.max(1, set.length);
    for (const d of set) if (devices[d]) { devices[d].quotas.add(quota); devices[d].part = devices[d].part || !whole; }
  }
  const ill = (n.ill || []).filter((x) => x.from_ms <= at && at < x.to_ms).map((x) => x.device);
  // Devices that are given by memory are counted: in use is what has a pod.
  const r = n.device_resource, gpus = r !== undefined && data.resources[r].kind === "gpu" ? used[r] / 1000 : devices.filter((d) => d.quotas.size).length;
  return { n, state: span ? span.state : "absent", cause: span?.cause || "", used, gpus, here, devices, ill, memory, memoryUsed };
}

/** The loads of a node's devices. @param {number} node */
function loadsOf(node) {
  return data.loads.filter((l) => l.node === node);
}

/** Mean duty cycle of a node at the moment, thousandths; -1: nothing says so. @param {number} node */
function dutyOf(node) {
  const devices = data.nodes[node].devices;
  return devices && data.loads.length ? loadsOf(node).reduce((n, l) => n + series.at(l.duty_permille, state.moment), 0) / devices : -1;
}
