"""The report of a replay: one HTML file that needs nothing beside it."""

import html
from collections.abc import Mapping, Sequence
from io import StringIO
from typing import Any

import matplotlib as mpl
from matplotlib.figure import Figure

STYLE = "body{font:15px/1.5 system-ui,sans-serif;max-width:62rem;margin:2rem auto;padding:0 1rem;color:#222}"
TABLE = "table{border-collapse:collapse}td,th{padding:.2rem .8rem .2rem 0;text-align:left;border-bottom:1px solid #ddd}"


def page(title: str, result: Mapping[str, Any]) -> str:
    """The page of one study."""
    body = {"contextual": _contextual, "trials": _trials, "cascade": _cascade, "doors": _doors}[result["kind"]](result)
    head = f"<title>Replay of {html.escape(title)}</title><style>{STYLE}{TABLE}</style>"
    about = (
        f"<p>{result['items']} items, arms {html.escape(', '.join(result['arms'][:12]))}; {result['seeds']} seeds, "
        "means with 95 % intervals over seeds. Only the outcome of the arm that was drawn was ever revealed; each "
        "artifact is judged on items that no artifact saw.</p>"
    )
    start = '<!doctype html><html lang="en"><meta charset="utf-8">'
    return f"{start}{head}<h1>Replay of {html.escape(title)}</h1>{about}{body}</html>\n"


def rows_of(plan: Mapping[str, Any]) -> list[tuple[str, str]]:
    """What is said of one plan of a contextual replay, in order."""
    budget = "none" if plan["budget"] is None else f"{plan['budget']:.0%} of the way from cheapest to dearest"
    said = [
        ("budget", budget),
        ("runs", str(plan["runs"])),
        ("best mixture in hindsight, same items", plan["static"]["said"]),
        ("first artifact", plan["first"]["said"]),
        ("last artifact", plan["last"]["said"]),
        ("last minus hindsight", plan["gain_over_static"]["said"]),
        ("control, last minus hindsight with outcomes dealt out anew", plan["control_gain"]["said"]),
        ("largest fall of the mean curve", f"{plan['largest_fall']:.4f}"),
        ("slope per artifact over the first one frozen", plan["slope_over_frozen"]["said"]),
        ("policy's cost over budget, part of it", plan["policy_over_budget"]["said"]),
        ("all that was served over budget, part of it", plan["served_over_budget"]["said"]),
        ("regret per run, exploration included", plan["regret"]["said"]),
    ]
    return said + [(name.upper(), plan[name]["said"]) for name in ("apgr", "cpt50", "cpt80") if name in plan]


def said(result: Mapping[str, Any]) -> list[str]:
    """The main numbers, in lines 'name: value'."""
    if result["kind"] == "contextual":
        return [f"{name}: {value}" for plan in result["plans"] for name, value in rows_of(plan)]
    left_out = ("curve", "production", "arms", "gates", "name", "mode", "kind", "items", "seeds", "aim")
    lines = [
        f"{name.replace('_', ' ')}: {(', '.join(value) or 'none') if isinstance(value, list) else value}"
        for name, value in result.items()
        if name not in left_out
    ]
    return [*lines, *(f"gate of {gate['arm']}: {gate['said']}" for gate in result.get("gates", ()))]


def _contextual(result: Mapping[str, Any]) -> str:
    parts: list[str] = []
    for plan in result["plans"]:
        parts += [_table(rows_of(plan)), _curve(plan)]
        if "frontier" in plan:
            parts.append(_frontier(plan["frontier"]))
    return "".join(parts)


def _trials(result: Mapping[str, Any]) -> str:
    names = ("runs", "baseline", "best", "picked", "obtained", "promotions", "wrong_promotions", "trials")
    said = [(name.replace("_", " "), str(result[name])) for name in (*names, "runs_until_first_promotion")]
    figure = Figure(figsize=(8, 3))
    axes = figure.subplots()
    axes.step(range(len(result["curve"])), result["curve"], where="post")
    axes.set(xlabel="turn", ylabel="true value of the arm in production")
    return _table(said) + _svg(figure)


def _doors(result: Mapping[str, Any]) -> str:
    """Everything that was counted, the outcome per block, and what came into production when."""
    rows = [(name, value) for name, _, value in (line.partition(": ") for line in said(result))]
    figure = Figure(figsize=(8, 3))
    axes = figure.subplots()
    axes.plot(range(1, len(result["curve"]) + 1), result["curve"], label="obtained, all that was served")
    axes.set(xlabel="turn", ylabel="mean outcome")
    axes.legend(fontsize=8)
    steps = [
        (f"seed {seed}, after {step['runs']} runs", f"{step['arm']}: {step['value']:.4f} on unseen items")
        for seed, one in enumerate(result["production"])
        for step in one
    ]
    return _table(rows) + _svg(figure) + _table(steps)


def _cascade(result: Mapping[str, Any]) -> str:
    names = ("budget", "value", "cost", "dearest_alone", "cascades")
    said = [(name.replace("_", " "), str(result[name])) for name in names]
    said += [(f"gate precision, {one['arm']}", one["said"]) for one in result["gates"]]
    return _table(said)


def _table(rows: Sequence[tuple[str, str]]) -> str:
    cells = "".join(f"<tr><th>{html.escape(name)}</th><td>{html.escape(value)}</td></tr>" for name, value in rows)
    return f"<table>{cells}</table>"


def _curve(plan: Mapping[str, Any]) -> str:
    figure = Figure(figsize=(8, 3.2))
    axes = figure.subplots()
    steps = [min((at + 1) * plan["every"], plan["runs"]) for at in range(len(plan["curve"]))]
    axes.plot(steps, [one["value"] for one in plan["curve"]], label="promoted artifact")
    if plan["curve"][0]["lower"] is not None:
        ends = ([one["lower"] for one in plan["curve"]], [one["upper"] for one in plan["curve"]])
        axes.fill_between(steps, *ends, alpha=0.2)
    axes.plot(steps, plan["control_curve"], linestyle=":", label="control: outcomes dealt out anew")
    axes.axhline(plan["static"]["value"], color="grey", linewidth=1, label="best mixture in hindsight")
    axes.axhline(plan["first"]["value"], color="grey", linewidth=1, linestyle="--", label="first artifact, frozen")
    axes.set(xlabel="runs", ylabel="value on unseen items")
    axes.legend(fontsize=8)
    return _svg(figure)


def _frontier(points: Sequence[Sequence[float]]) -> str:
    figure = Figure(figsize=(8, 3.2))
    axes = figure.subplots()
    axes.plot([x for x, _ in points], [y for _, y in points], marker="o", label="last artifact")
    ends = (points[0], points[-1])
    axes.plot([x for x, _ in ends], [y for _, y in ends], color="grey", linestyle="--", label="by chance")
    axes.set(xlabel="share of calls to the dearer arm", ylabel="value on unseen items")
    axes.legend(fontsize=8)
    return _svg(figure)


def _svg(figure: Figure) -> str:
    figure.tight_layout()
    out = StringIO()
    with mpl.rc_context({"svg.hashsalt": "replay"}):
        figure.savefig(out, format="svg", metadata={"Date": None})
    return f"<figure>{out.getvalue().partition('<svg')[1]}{out.getvalue().partition('<svg')[2]}</figure>"
