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

/** The first segment whose cumulative share, added from the left, exceeds the draw. */
function segmentAt(segments, at) {
  let edge = 0;
  return segments.find((segment) => at < (edge += segment.share));
}

/** Probability of each arm over both draws. */
export function propensities(route) {
  const left = 1 - route.fixed.reduce((sum, segment) => sum + segment.share, 0);
  const arms = {};
  for (const [segments, scale] of [[route.fixed, 1], [route.trial, left]])
    for (const { arm, share } of segments) arms[arm] = (arms[arm] ?? 0) + share * scale;
  return arms;
}

/** Segment, arm and propensity for a unit: `fixed` first, and where that hits nothing, `trial`. */
export function choose(route, skill, unit) {
  const { name, arm } =
    segmentAt(route.fixed, draw(route.salt, skill, unit)) ??
    segmentAt(route.trial, draw(route.trial_salt, skill, unit)) ??
    route.trial.at(-1);
  return { segment: name, arm, propensity: propensities(route)[arm] };
}

/** The routing document that the channel points at, as it was published. Throws where it is not. */
export function load(folder, channel = "production") {
  const pointer = JSON.parse(readFileSync(join(folder, "channels", `${channel}.json`), "utf8"));
  const content = readFileSync(join(folder, pointer.path));
  if (sha256(content).toString("hex") !== pointer.sha256) throw new Error(`${pointer.path} is not what was published`);
  return { policyId: pointer.policy_id, skills: JSON.parse(content.toString("utf8")).skills };
}

/** The attributes to put on the run's root span, beside those of the GenAI conventions. */
export function attributes({ policyId, skills }, skill, unit = randomUUID()) {
  const { segment, arm, propensity } = choose(skills[skill], skill, unit);
  const trial = ["canary", "production"].includes(segment) && skills[skill].experiment_id;
  return {
    "flywheel.skill.name": skill, "flywheel.decision.id": randomUUID(), "flywheel.policy.id": policyId,
    "flywheel.arm": arm, "flywheel.segment": segment, "flywheel.propensity": propensity, "flywheel.unit.id": unit,
    "flywheel.candidate_set": JSON.stringify(propensities(skills[skill])),
    ...(trial ? { "flywheel.experiment.id": trial } : {}),
  };
}
