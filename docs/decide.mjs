// Decides from an artifacts folder as the Python client does; `decision-vectors.json` holds the proof.
// Node only, nothing to install. Copy it into an agent, or port it: this is all that a decision is.
import { createHash, randomUUID } from "node:crypto";
import { readFileSync } from "node:fs";
import { join } from "node:path";

const sha256 = (bytes) => createHash("sha256").update(bytes).digest();

/** A number in [0, 1): the first 53 bits of SHA-256 over salt, skill and unit, joined by line feeds. */
export function draw(salt, skill, unit) {
  const bits = sha256(Buffer.from(`${salt}\n${skill}\n${unit}`, "utf8")).readBigUInt64BE(0) >> 11n;
  return Number(bits) / 2 ** 53;
}

/** CRC-32 of latin-1 text, as in zlib and PNG; in `node:zlib` only since Node 20.15. */
function crc32(text) {
  let crc = ~0;
  for (const byte of Buffer.from(text, "latin1")) {
    crc ^= byte;
    for (let bit = 0; bit < 8; bit++) crc = (crc >>> 1) ^ (crc & 1 ? 0xedb88320 : 0);
  }
  return ~crc >>> 0;
}

/** The first segment whose cumulative share, added from the left, exceeds the draw. */
function segmentAt(segments, at) {
  let edge = 0;
  return segments.find((segment) => at < (edge += segment.share));
}

/** How far a context entry's numbers are from their centres, cut at their reach; zero where it is not these numbers. */
function deviations({ centre, reach }, value) {
  const parts = Array.isArray(value) ? value : [value];
  if (parts.length !== centre.length || !parts.every(Number.isFinite)) return centre.map(() => 0);
  return parts.map((part, at) => Math.max(-reach[at], Math.min(reach[at], part - centre[at])));
}

const inOrder = (keyed) =>
  Object.keys(keyed ?? {}).sort((a, b) => Buffer.compare(Buffer.from(a), Buffer.from(b)));

/** The arm that a contextual policy chooses: words and neighbours hashed into buckets, context by value or number. */
export function scored(scorer, text = "", context = {}) {
  const read = Buffer.from(text, "utf8").subarray(0, 4096).toString("latin1").replace(/[A-Z]/g, (c) => c.toLowerCase());
  const words = read.match(/[a-z0-9\x80-\xff]+/g) ?? [];
  const grams = [...words, ...words.slice(1).map((word, at) => `${words[at]} ${word}`)];
  const buckets = new Set(grams.map((gram) => crc32(gram) % scorer.buckets));
  const bits = (count) => String(count === 0 ? 0 : Math.floor(Math.log2(count)) + 1);
  const count = (pattern) => bits((read.match(pattern) ?? []).length);
  const entries = { ...context, "#length": bits(read.length), "#digits": count(/[0-9]/g), "#lines": count(/\n/g) };
  const root = Math.sqrt(buckets.size) || 1;
  let [best, arm] = [-Infinity, null];
  for (const one of scorer.arms) {
    let [sum, added, measured] = [0, 0, 0];
    if (one.weights?.length) for (const bucket of buckets) sum += one.weights[bucket];
    for (const key of inOrder(one.context))
      if (typeof entries[key] === "string") added += one.context[key][entries[key]] ?? 0;
    for (const key of inOrder(one.numbers))
      deviations(scorer.numbers[key], context[key]).forEach((away, at) => (measured += one.numbers[key][at] * away));
    const score = one.bias + (scorer.unit * sum) / root + added + measured;
    if (score > best) [best, arm] = [score, one.arm];
  }
  return arm;
}

/** The models that an arm asks, in order; the next one where the gate of that name does not pass the answer. */
export function steps(arm) {
  const [model] = arm.split("|");
  const [, gate, models] = /^cascade\/([^/]+)\/(.+)$/.exec(model) ?? [null, null, model];
  return { gate, models: gate === null ? [models] : models.split(">") };
}

/** The real arm behind each name: a scored one stands for what its rule chooses here. */
const real = (route, arm, text, context) => (route.scorers?.[arm] ? scored(route.scorers[arm], text, context) : arm);

/** Probability of each arm over both draws. */
export function propensities(route, text, context) {
  const left = 1 - route.fixed.reduce((sum, segment) => sum + segment.share, 0);
  const [named, arms] = [{}, {}];
  for (const [segments, scale] of [[route.fixed, 1], [route.trial, left]])
    for (const { arm, share } of segments) named[arm] = (named[arm] ?? 0) + share * scale;
  for (const [name, share] of Object.entries(named)) {
    const arm = real(route, name, text, context);
    arms[arm] = (arms[arm] ?? 0) + share;
  }
  return arms;
}

/** Segment, arm and propensity for a unit: `fixed` first, and where that hits nothing, `trial`. */
export function choose(route, skill, unit, text, context) {
  const found =
    segmentAt(route.fixed, draw(route.salt, skill, unit)) ??
    segmentAt(route.trial, draw(route.trial_salt, skill, unit)) ??
    route.trial.at(-1);
  const arm = real(route, found.arm, text, context);
  return { segment: found.name, arm, propensity: propensities(route, text, context)[arm] };
}

/** The routing document that the channel points at, as it was published. Throws where it is not. */
export function load(folder, channel = "production") {
  const pointer = JSON.parse(readFileSync(join(folder, "channels", `${channel}.json`), "utf8"));
  const content = readFileSync(join(folder, pointer.path));
  if (sha256(content).toString("hex") !== pointer.sha256) throw new Error(`${pointer.path} is not what was published`);
  return { policyId: pointer.policy_id, skills: JSON.parse(content.toString("utf8")).skills };
}

/** The attributes to put on the run's root span, beside those of the GenAI conventions. */
export function attributes({ policyId, skills }, skill, unit = randomUUID(), text = "", context = {}) {
  const { segment, arm, propensity } = choose(skills[skill], skill, unit, text, context);
  const trial = ["canary", "production"].includes(segment) && skills[skill].experiment_id;
  return {
    "flywheel.skill.name": skill, "flywheel.decision.id": randomUUID(), "flywheel.policy.id": policyId,
    "flywheel.arm": arm, "flywheel.segment": segment, "flywheel.propensity": propensity, "flywheel.unit.id": unit,
    "flywheel.candidate_set": JSON.stringify(propensities(skills[skill], text, context)),
    ...(trial ? { "flywheel.experiment.id": trial } : {}),
  };
}
