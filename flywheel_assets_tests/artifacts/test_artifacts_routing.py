"""Who gets which arm."""

from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import chisquare

from flywheel_assets.artifacts.exploring import dominated
from flywheel_assets.artifacts.export import arm_shares
from flywheel_assets.artifacts.routing import routing_document, skill_route
from flywheel_assets.tables.documents.routing import SkillRoute, draw
from flywheel_assets.tables.documents.scorer import ArmScore, Scorer
from flywheel_assets.tables.documents.skills_file import Skill
from flywheel_assets.tables.routing_candidates import ROUTING_CANDIDATES

SMALL, LARGE, MID = "north/small|-|-", "north/large|-|-", "south/mid|-|-"


def shares(segments):
    return [(s.name, s.arm, round(s.share, 6)) for s in segments]


def test_without_a_trial_production_and_the_untried_arms_share_the_traffic(skills, rollout):
    route = skill_route(rollout(), skills.skills["triage"])
    assert shares(route.fixed) == [("holdout", SMALL, 0.05)]
    assert shares(route.trial) == [("production", SMALL, 0.9), ("explore", LARGE, 0.05), ("explore", MID, 0.05)]
    assert route.experiment_id is None


def test_a_trial_gives_the_candidate_and_the_incumbent_their_registered_shares(skills, rollout, register):
    route = skill_route(rollout(trials=(register(LARGE, SMALL),)), skills.skills["triage"])
    assert shares(route.trial) == [("canary", LARGE, 0.4), ("production", SMALL, 0.5), ("explore", MID, 0.1)]
    assert (route.experiment_id, route.trial_salt) == ("exp-1", "exp-1")


@pytest.mark.parametrize(
    ("production", "first", "fixed"),
    [
        (SMALL, None, ["holdout"]),
        (LARGE, LARGE, ["holdout"]),
        (MID, LARGE, ["holdout", "frozen"]),
        (SMALL, LARGE, ["holdout"]),
    ],
)
def test_the_first_promoted_arm_is_frozen_once_production_has_moved_past_it(skills, rollout, production, first, fixed):
    route = skill_route(rollout(production_arm=production, first_promoted_arm=first), skills.skills["triage"])
    assert [s.name for s in route.fixed] == fixed


def test_explored_arms_carry_the_prompt_in_production(skills, rollout):
    route = skill_route(rollout(production_arm="north/large|abc|-"), skills.skills["triage"])
    assert [s.arm for s in route.trial] == ["north/large|abc|-", "north/small|abc|-", "south/mid|abc|-"]


def test_where_nothing_is_left_to_explore_the_trial_keeps_its_odds(rollout, register):
    skill = Skill(baseline_model="north/small")
    route = skill_route(rollout(trials=(register("north/small|abc|-", SMALL, 0.3, 0.6),)), skill)
    assert shares(route.trial) == [("canary", "north/small|abc|-", 0.333333), ("production", SMALL, 0.666667)]


def test_fallbacks_begin_with_another_provider(skills, rollout):
    assert skill_route(rollout(), skills.skills["triage"]).fallbacks == ("south/mid", "north/large")


def test_the_version_changes_only_when_the_content_does(skills, rollout, register):
    first = routing_document({"triage": rollout()}, skills, None)
    assert routing_document({"triage": rollout()}, skills, first) is first
    second = routing_document({"triage": rollout(trials=(register(LARGE, SMALL),))}, skills, first)
    assert (second.version, second.parent) == (2, first.policy_id)
    assert second.skills["triage"].trial_salt != first.skills["triage"].trial_salt


def test_skills_that_the_operator_does_not_name_are_left_out(skills, rollout):
    document = routing_document({"triage": rollout(), "gone": rollout()}, skills, None)
    assert list(document.skills) == ["triage"]


def segment_of(route: SkillRoute, unit: str) -> str:
    for salt, segments in ((route.salt, route.fixed), (route.trial_salt, route.trial)):
        at = draw(salt, "triage", unit)
        for segment in segments:
            if at < segment.share:
                return segment.name
            at -= segment.share
    return route.trial[-1].name


def test_units_fall_into_segments_by_their_shares(skills, rollout, register):
    route = skill_route(
        rollout(production_arm=MID, first_promoted_arm=LARGE, trials=(register(LARGE, MID),)), skills.skills["triage"]
    )
    units = 40_000
    seen = Counter(segment_of(route, f"ticket-{n}") for n in range(units))
    expected = {"holdout": 0.05, "frozen": 0.05, "canary": 0.36, "production": 0.45, "explore": 0.09}
    assert chisquare([seen[n] for n in expected], [share * units for share in expected.values()]).pvalue > 0.001


def test_one_trials_groups_are_independent_of_the_next_ones(skills, rollout, register):
    skill = skills.skills["triage"]
    routes = [
        skill_route(rollout(trials=(register(LARGE, SMALL, 0.5, 0.5, name),)), skill) for name in ("exp-1", "exp-2")
    ]
    units = [f"u{n}" for n in range(20_000)]
    both = Counter(tuple(segment_of(route, unit) for route in routes) for unit in units)
    assert both.pop(("holdout", "holdout")) > 0
    assert len(both) == 4
    assert chisquare(list(both.values())).pvalue > 0.001


@given(
    holdout=st.floats(0, 0.25),
    frozen=st.floats(0, 0.25),
    explore=st.floats(0, 0.2),
    models=st.lists(st.sampled_from(["a/1", "a/2", "b/1", "c"]), max_size=4),
    trial=st.integers(0, 3),
)
def test_the_arms_probabilities_add_up_to_one(  # noqa: PLR0913, PLR0917 - drawn values and fixtures
    holdout, frozen, explore, models, trial, rollout, register
):
    skill = Skill(baseline_model="north/small", models=tuple(models), holdout=holdout, frozen=frozen, explore=explore)
    names = ("a/1|p|-", "a/2|p|-", "c|p|-")[:trial]
    running = tuple(register(name, "b/1|p|-", 0.4, 1 - 0.4 - explore) for name in names)
    state = rollout(production_arm="b/1|p|-", first_promoted_arm="a/1|-|-", trials=running)
    assert sum(arm_shares(skill_route(state, skill)).values()) == pytest.approx(1)


@pytest.mark.parametrize(
    ("waiting", "trial", "shares"),
    [
        ((), False, {"production": 0.9, "explore": 0.1}),
        # One variant is tried, not explored for.
        (("p1",), False, {"production": 0.9, "explore": 0.1}),
        (("p1", "p2"), False, {"production": 0.5, "explore": 0.5}),
        (("p1", "p2"), True, {"canary": 0.4, "production": 0.5, "explore": 0.1}),
    ],
)
def test_prompts_that_wait_share_in_the_exploration(skills, rollout, register, waiting, trial, shares):  # noqa: PLR0913, PLR0917 - rows and fixtures
    state = rollout(trials=(register("north/small|p1|-", SMALL),) if trial else ())
    route = skill_route(state, skills.skills["triage"], waiting=waiting)
    found: Counter[str] = Counter()
    for segment in route.trial:
        found[segment.name] += segment.share
    assert dict(found) == pytest.approx(shares)
    explored = {segment.arm for segment in route.trial if segment.name == "explore"}
    on_trial = {"north/small|p1|-"} if trial else set()
    assert explored == {LARGE, MID} | {f"north/small|{version}|-" for version in waiting} - on_trial


def test_an_arm_that_is_dominated_is_not_explored(skills, rollout, register):
    skill = skills.skills["triage"]
    route = skill_route(rollout(), skill, dominated={MID})
    assert shares(route.trial) == [("production", SMALL, 0.9), ("explore", LARGE, 0.1)]
    assert shares(skill_route(rollout(), skill, dominated={MID, LARGE}).trial) == [("production", SMALL, 1.0)]
    # A trial's own shares stay, and its units with them.
    trial = rollout(trials=(register(LARGE, SMALL),))
    assert skill_route(trial, skill, dominated={MID}) == skill_route(trial, skill)


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        ({}, {"triage": {LARGE}}),
        ({"probability_best": 0.05}, {}),
        ({"probability_best": None}, {}),
        ({"state": "proposed"}, {}),
    ],
    ids=["hardly ever the best", "it may be", "nothing is known", "it saves"],
)
def test_an_arm_is_dominated_where_draws_say_so(change, expected):
    row = {"skill": "triage", "arm": LARGE, "state": "not_proposed", "probability_best": 0.0}
    assert dominated(routes(row | change)) == expected


@pytest.mark.parametrize("policy", [{"state": "proposed"}, {"state": "incumbent"}], ids=["proposed", "in production"])
def test_a_policy_by_request_keeps_the_arms_that_it_may_choose(policy):
    rule = Scorer(buckets=1, unit=1.0, arms=(ArmScore(arm=SMALL, bias=0.0), ArmScore(arm=LARGE, bias=0.0)))
    scored = {"skill": "triage", "arm": "scored/1|-|-", "policy_json": rule.model_dump_json()} | policy
    worse = {"skill": "triage", "arm": LARGE, "state": "not_proposed", "probability_best": 0.0}
    assert dominated(routes(worse, scored)) == {}


def routes(*rows: dict[str, object]):
    said = {"candidate_id": "c", "model": "m", "reason": "r", "effective_n": 100.0}
    return ROUTING_CANDIDATES.rows(
        [{name: (said | row).get(name) for name in ROUTING_CANDIDATES.names} for row in rows]
    )
