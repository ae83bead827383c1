// The shapes of the data, for readers and for `tsc --checkJs`. Nothing here runs.

/** @typedef {{resource: number, amount: number}} Amount */
/** @typedef {{resource: number, unit_s: number}} AmountTime */
/** @typedef {{t: number[], v: number[], lo?: number[], hi?: number[]}} Series moments and the value from each on; of a thinned series also the bounds */
/** @typedef {{count: number, sum_ms: number, p50_ms: number, p95_ms: number, p99_ms: number, max_ms: number}} Quantiles */
/** @typedef {{name: string, short: string, unit: string, units: string, kind: "cpu"|"bytes"|"gpu"|"other", governed: boolean}} Resource */
/** @typedef {{name: string, parent?: number, leaf: boolean, team: number, shade: number, depth: number, namespaces?: string[], groups?: string[], min: Amount[], max: Amount[], added_ms?: number, removed_ms?: number, running: number, pending: number, evicted: number, evicted_for: number, wait: Quantiles, cost_milli: number, lost_work_ms: number}} Quota */
/** @typedef {{quota: number, resource: number, min: Series, max: Series, used: Series, request: Series, borrowed: Series, lent: Series, held: Series, missed: Series, share: Series, used_unit_s: number, borrowed_unit_s: number, lent_unit_s: number, missed_unit_s: number, starved_unit_s: number}} QuotaSeries */
/** @typedef {{resource: number, lender: number, borrower: number, unit_s: number, most: number}} Loan */
/** @typedef {{field: string, resource?: number, before?: number, after?: number, words?: string}} FieldChange */
/** @typedef {{at_ms: number, by?: string, quota?: number, changes: FieldChange[], refused: boolean, most_used_after: Amount[], bound_before_ms: number, bound_after_ms: number}} QuotaEdit */
/** @typedef {{resource: number, capacity: Series, allocated: Series, most_free: Series, fits: {each: number, pods: Series}[]}} ResourceSeries */
/** @typedef {{resources: ResourceSeries[], nodes_ready: Series, nodes_total: Series, unhealthy_devices: Series, pods_waiting: Series, pods_running: Series, jobs_pending: Series, jobs_running: Series, jobs_succeeded: Series, jobs_failed: Series, price_milli_per_hour: Series, device_memory_total: Series, device_memory_allocated: Series, device_memory_used: Series, duty_permille: Series}} Cluster */
/** @typedef {{from_ms: number, to_ms: number, state: "ready"|"cordoned"|"draining"|"down"|"absent", cause?: string}} NodeSpan */
/** @typedef {{name: string, pool: string, rack?: string, role: string, ip?: string, model?: string, gpu_mode?: string, labels?: string[], devices: number, device_resource?: number, device_memory?: number, capacity: Amount[], price_milli_per_hour: number, spans: NodeSpan[], ill?: {device: number, from_ms: number, to_ms: number}[]}} Node_ */
/** @typedef {{node: number, device: number, duty_permille: Series, memory_used: Series}} Load */
/** @typedef {{from_ms: number, to_ms?: number, kind: string, what: string, nodes_down: boolean, nodes: number[], gone: Amount[], lost_pods: number[], jobs: number[], lost_work_ms: number}} Incident */
/** @typedef {{request: Amount[], device_memory?: number, duty_permille?: number, device_memory_used?: number}} Shape */
/** @typedef {{rule: string, text: string, quota?: number, resource?: number, needed?: number, available?: number}} Obstacle */
/** @typedef {{quota?: number, used: number, borrowed: number, pods: number, who: number[]}} Holder */
/** @typedef {{rule: string, why: string, pods: number, who: number[]}} Spared */
/** @typedef {{node: number, failed: string, lacks?: Amount}} NodeCheck */
/** @typedef {{binding: Obstacle, entitled: boolean, free?: number, fragmented: boolean, head?: string, holders: Holder[], also?: Obstacle[], spared?: Spared[], helps?: string[], bounds_hit?: string[], nodes?: Record<string, number>, closest?: {node: number, resource: number, needed: number, available: number, taken?: number[]}[], checks?: NodeCheck[]}} Verdict */
/** @typedef {{quota?: number, size?: string, wait_ms: number[], pods: number[], never: number, quantiles: Quantiles}} WaitSteps */
/** @typedef {{rule: string, quota?: number, wait_ms: number, waits: number}} WaitTime */
/** @typedef {{at_ms: number, pod: number, job: number, leaf?: number, node: number, devices?: number[], amounts: Amount[], rule: string, reason: string, cause?: number, cause_leaf?: number, cause_pods?: number[], left_ms?: number, cause_bound_ms?: number, lost_work_ms: number, lost?: AmountTime[], wasted: boolean, replacement?: number}} Eviction */
/** @typedef {{claim: string, line: number, because?: string, passed: boolean, expected: string, seen: string, at_ms?: number, breach_from_ms?: number, breach_to_ms?: number, quotas?: number[], jobs?: number[], nodes?: number[], explanations?: string[]}} Claim */
/** @typedef {{kind: string, weight: number, at_ms: number, from_ms?: number, to_ms?: number, pieces: any[]}} Finding */
/** @typedef {{at_ms: number, what: string, by?: string, reason: string, why: string, times: number}} Refusal */
/** @typedef {{pods: number, running: number, pending: number, succeeded: number, failed: number, evicted: number, evicted_for: number, refused: number, wait: Quantiles, lost_work_ms: number, cost_milli: number, used: AmountTime[], borrowed: AmountTime[], starved: AmountTime[]}} Account */

/**
 * Columns of the rows that there are many of. -1 says absent.
 * @typedef {{n: number, name: string[], workload: string[], kind: string[], namespace: string[], quota: number[], user: string[], priority: number[], submitted: number[], bound: number[], ended: number[], state: string[], gang: number[], gang_min: number[], request: number[], longest: number[], waited: number[], used: number[][], evictions: number[], evicted_for: number[], lost: number[], lost_work: number[], cost: number[], deadline: number[], met: number[]}} Jobs
 */
/** @typedef {{n: number, name: string[], job: number[], shape: number[], created: number[], ended: number[], end: string[], replaces: number[]}} Pods */
/** @typedef {{n: number, pod: number[], node: number[], bound: number[], running: number[], leaving: number[], gone: number[], end: string[], eviction: number[], devices: number[], borrowed: number[]}} Placements */
/** @typedef {{n: number, pod: number[], from: number[], to: number[], rule: string[], quota: number[], resource: number[], needed: number[], available: number[], verdict: number[], until: number[]}} Waits */
/** @typedef {{from: Int32Array, rows: Int32Array}} Links rows of each key: rows[from[key]] to rows[from[key + 1]] */

/**
 * @typedef {object} Data
 * @property {any} run
 * @property {any} totals
 * @property {number} end
 * @property {Resource[]} resources
 * @property {Quota[]} quotas
 * @property {QuotaSeries[]} series
 * @property {QuotaEdit[]} edits
 * @property {Loan[]} loans
 * @property {Cluster} cluster
 * @property {Node_[]} nodes
 * @property {Load[]} loads
 * @property {Incident[]} incidents
 * @property {Shape[]} shapes
 * @property {Amount[][]} amounts
 * @property {number[][]} deviceSets
 * @property {Jobs} jobs
 * @property {Pods} pods
 * @property {Placements} placements
 * @property {Waits} waits
 * @property {Verdict[]} verdicts
 * @property {WaitSteps[]} waitSteps
 * @property {WaitTime[]} waitTimes
 * @property {Eviction[]} evictions
 * @property {Claim[]} claims
 * @property {Refusal[]} refusals
 * @property {{users: {name: string, role: string, groups: string[], account: Account}[], groups: {name: string, quota?: number, members: string[], account: Account}[]}} people
 * @property {Finding[]} findings
 * @property {Record<string, {title: string, text: string}>} rules
 * @property {number} main the resource that the page opens with
 * @property {Links} podsOfJob
 * @property {Links} placementsOfPod
 * @property {Links} waitsOfPod
 * @property {Links} placementsOfNode
 * @property {Links} replacedBy
 */

/** @typedef {{at: number, kind: "evict"|"down"|"up"|"edit"|"refused"|"claim"|"drain", text: string}} Mark */
/** @typedef {{kind: string, id: string}} StoryOf */
/** @typedef {{card: HTMLElement, update: () => void}} Panel */
