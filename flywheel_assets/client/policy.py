"""A routing document made ready for drawing: one hash and one bisection for each draw.

The draw is specified in `tables/documents/routing.py`; `docs/decision-vectors.json` holds its test
vectors for every language.
"""

import json
from bisect import bisect_right
from collections.abc import Callable, Iterable, Mapping
from hashlib import sha256
from itertools import accumulate
from typing import Any, NamedTuple
from urllib.parse import quote

from flywheel_assets.client.scoring import PREFIX, Scores, ready

CASCADE = "cascade/"


class Choice(NamedTuple):
    """One segment of a draw, with all that a decision says of it."""

    segment: str
    arm: str | None
    model: str
    prompt: str | None
    prompt_version: str
    propensity: float | None
    experiment_id: str | None
    fallbacks: tuple[str, ...]
    candidate_set: str | None = None
    gate: str | None = None
    escalation: tuple[str, ...] = ()


class Draw(NamedTuple):
    """A draw by unit: upper edges of the segments in order, and what each gives."""

    prefix: bytes
    edges: tuple[float, ...]
    choices: tuple[Choice, ...]

    def choose(self, unit_id: str) -> Choice | None:
        """The segment that a unit falls in; None beyond the last edge."""
        digest = sha256(self.prefix + unit_id.encode("utf-8", "surrogatepass")).digest()
        index = bisect_right(self.edges, (int.from_bytes(digest[:8], "big") >> 11) / 2**53)
        return self.choices[index] if index < len(self.choices) else None


class Route(NamedTuple):
    """One skill's draws. `arms`: their probability over both; `scorers` choose for the scored ones among them."""

    fixed: Draw
    trial: Draw
    arms: Mapping[str, float]
    scorers: Mapping[str, Scores]
    prompts: Mapping[str, str | None]
    fallbacks: tuple[str, ...]

    def choose(self, unit_id: str, text: str = "", context: Mapping[str, object] | None = None) -> Choice:
        """First the fixed shares, then the trial; rounding never leaves a unit without an arm."""
        choice = self.fixed.choose(unit_id) or self.trial.choose(unit_id) or self.trial.choices[-1]
        return self._resolved(choice, text, context or {}) if self.scorers else choice

    def _resolved(self, choice: Choice, text: str, context: Mapping[str, object]) -> Choice:
        """With every scored arm replaced by what its rule chooses here, and the probabilities added up."""
        stands_for = {scored: rule.choose(text, context) for scored, rule in self.scorers.items()}
        arms: dict[str, float] = {}
        for arm, share in self.arms.items():
            real = stands_for.get(arm, arm)
            arms[real] = arms.get(real, 0.0) + share
        arm = stands_for.get(choice.arm or "", choice.arm or "")
        name, version, _ = arm.split("|")
        gate, (model, *escalation) = steps(name)
        return choice._replace(
            arm=arm,
            model=model,
            prompt=self.prompts[arm],
            prompt_version=version,
            propensity=arms[arm],
            fallbacks=in_turn(model, self.fallbacks),
            candidate_set=_as_json(arms),
            gate=gate,
            escalation=tuple(escalation),
        )


class Policy(NamedTuple):
    """A whole document. `stamp` is what the source says of the version it came from."""

    policy_id: str | None
    routes: Mapping[str, Route]
    stamp: object = None


def load_policy(pointer: bytes, read: Callable[[str], bytes], stamp: object = None) -> Policy:
    """The policy that a channel's pointer names. `read` gives a file of the artifacts folder.

    Raises ValueError, LookupError, TypeError or AttributeError where anything is not as it was
    published, and whatever `read` raises.
    """
    target = json.loads(pointer)
    content = read(target["path"])
    if sha256(content).hexdigest() != target["sha256"]:
        raise ValueError(f"{target['path']} is not what was published")
    skills = json.loads(content)["skills"]
    return Policy(target["policy_id"], {skill: _route(skill, route, read) for skill, route in skills.items()}, stamp)


def prompt_path(skill: str, version: str) -> str:
    """Where a prompt is in the artifacts folder."""
    return f"prompts/{quote(skill, safe='').replace('.', '%2E')}/{version}.json"


def _route(skill: str, route: Mapping[str, Any], read: Callable[[str], bytes]) -> Route:
    fixed, trial = route["fixed"], route["trial"]
    left = 1 - sum(segment["share"] for segment in fixed)
    arms: dict[str, float] = {}
    for segments, scale in ((fixed, 1.0), (trial, left)):
        for segment in segments:
            arms[segment["arm"]] = arms.get(segment["arm"], 0.0) + segment["share"] * scale
    scorers = {arm: ready(route.get("scorers", {})[arm]) for arm in arms if arm.startswith(PREFIX)}
    real = {arm for arm in arms if arm not in scorers} | {arm for rule in scorers.values() for arm, *_ in rule.arms}
    prompts = {arm: _prompt(skill, arm, read) for arm in sorted(real)}
    fallbacks = tuple(route.get("fallbacks", ()))

    def draw(salt: str, segments: list[Mapping[str, Any]]) -> Draw:
        edges = tuple(accumulate(float(segment["share"]) for segment in segments))
        choices = tuple(_choice(route, segment, arms, prompts) for segment in segments)
        return Draw(f"{salt}\n{skill}\n".encode(), edges, choices)

    trial_draw = draw(route["trial_salt"], trial)
    if not trial_draw.choices:
        raise ValueError(f"skill {skill} has no arm")
    return Route(draw(route["salt"], fixed), trial_draw, arms, scorers, prompts, fallbacks)


def _choice(
    route: Mapping[str, Any], segment: Mapping[str, Any], arms: Mapping[str, float], prompts: Mapping[str, str | None]
) -> Choice:
    name, arm = segment["name"], segment["arm"]
    arm_model, version, _ = arm.split("|")
    gate, (model, *escalation) = steps(arm_model)
    return Choice(
        segment=name,
        arm=arm,
        model=model,
        prompt=prompts.get(arm),
        prompt_version=version,
        propensity=arms[arm],
        # Only the two groups that a trial compares are its evidence.
        experiment_id=route.get("experiment_id") if name in ("canary", "production") else None,
        fallbacks=in_turn(model, route.get("fallbacks", ())),
        candidate_set=_as_json(arms),
        gate=gate,
        escalation=tuple(escalation),
    )


def steps(model: str) -> tuple[str | None, list[str]]:
    """The models that an arm asks in order, and the gate whose word decides on the next one; one model has none.

    'cascade/<gate>/<first>><next>', as `tables/documents/cascade.py` specifies it.
    """
    if not model.startswith(CASCADE):
        return None, [model]
    gate, _, models = model.removeprefix(CASCADE).partition("/")
    return gate, models.split(">")


def in_turn(model: str, fallbacks: Iterable[str]) -> tuple[str, ...]:
    """The other models, those of another provider first: one provider's quota fails as a whole."""
    provider = _provider(model)
    return tuple(sorted((one for one in fallbacks if one != model), key=lambda one: _provider(one) == provider))


def _provider(model: str) -> str:
    return model.partition("/")[0] if "/" in model else ""


def _as_json(arms: Mapping[str, float]) -> str:
    return json.dumps(arms, separators=(",", ":"), ensure_ascii=False)


def _prompt(skill: str, arm: str, read: Callable[[str], bytes]) -> str | None:
    """The text of an arm's prompt; None for '-', where the agent uses its own."""
    version = arm.split("|")[1]
    if version == "-":
        return None
    text = json.loads(read(prompt_path(skill, version)))["text"]
    if sha256(text.encode()).hexdigest()[:12] != version:
        raise ValueError(f"prompt {version} of skill {skill} is not what was published")
    return text
