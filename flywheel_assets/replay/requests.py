"""Texts of the simulated runs: requests that differ as real ones do, with right and wrong answers."""

import json
from collections.abc import Callable
from dataclasses import dataclass
from random import Random

PRODUCTS = (
    "invoice export",
    "mobile login",
    "calendar sync",
    "search index",
    "billing page",
    "push messages",
    "photo upload",
    "report builder",
    "webhook relay",
    "currency table",
    "user import",
    "audit log",
)
SYMPTOMS = (
    "stays blank",
    "shows last week's numbers",
    "asks for the password twice",
    "loses every second entry",
    "takes a minute to open",
    "answers in the wrong language",
    "counts each order twice",
    "drops the attachment",
    "ignores the time zone",
    "stops half-way",
)
WHEN = (
    "since the update on Tuesday",
    "only on the older tablets",
    "whenever two people work at once",
    "after the nightly backup",
    "on the train without a network",
    "for customers outside Europe",
    "when the list has more than a thousand rows",
    "right after signing in",
)
TEAMS = ("payments", "identity", "mobile", "platform", "reporting")
PLACES = ("Lyon", "Graz", "Porto", "Tampere", "Ghent", "Brno", "Malmö", "Turin", "Leeds", "Cork", "Gdansk", "Split")
NAMES = ("Aster", "Birch", "Cedar", "Dogwood", "Elder", "Fir", "Ginkgo", "Hazel", "Ilex", "Juniper", "Larch", "Maple")
TRADES = ("Logistics", "Foods", "Optics", "Textiles", "Ceramics", "Printing", "Tools", "Glass")
MONTHS = (
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
)
MEASURES = ("total revenue", "number of orders", "average basket", "share of returns", "count of new customers")
GROUPS = ("region", "product line", "sales channel", "warehouse", "customer age group", "weekday")
TOPICS = (
    "the new ferry timetable",
    "a bridge repair",
    "the school kitchen",
    "the market hall",
    "river pollution",
    "the tram extension",
    "night-time noise",
    "the library's opening hours",
)
VERBS = ("welcomed", "criticised", "postponed", "approved", "questioned", "explained")
PEOPLE = ("the council", "shop owners", "parents", "the harbour office", "engineers", "two neighbours", "the mayor")


@dataclass(frozen=True, slots=True)
class Request:
    """What a run is asked, the right and a wrong answer, why the wrong one is wrong, and the tool it uses."""

    text: str
    right: str
    wrong: str
    complaint: str
    tool: str


def request(skill: str, rng: Random) -> Request:
    """A request for a skill; the same generator state gives the same one."""
    return _MAKERS[skill](rng)


def _triage(rng: Random) -> Request:
    product, symptom, when = rng.choice(PRODUCTS), rng.choice(SYMPTOMS), rng.choice(WHEN)
    other, number = rng.choice(SYMPTOMS), rng.randint(1000, 99999)
    text = rng.choice(
        (
            f"Ticket {number}: the {product} {symptom} {when}. A colleague in {rng.choice(PLACES)} says it {other}.",
            f"A customer in {rng.choice(PLACES)}: '{when.capitalize()} your {product} {symptom}.' Case {number}.",
            f"Urgent, number {number}. Our {product} {symptom}; last month it {other}. Who looks after this {when}?",
            f"We moved {rng.randint(3, 400)} people to the {product}. Now it {symptom} {when} (reference {number}).",
        )
    )
    team = TEAMS[PRODUCTS.index(product) % len(TEAMS)]
    wrong = rng.choice([one for one in TEAMS if one != team])
    return Request(
        text,
        f"Team {team}: the {product} {symptom}.",
        f"Team {wrong}: something {other}, case {number}.",
        f"Wrong team: tickets about the {product} belong to {team}.",
        "lookup_owner",
    )


def _extract(rng: Random) -> Request:
    party = f"{rng.choice(NAMES)} {rng.choice(TRADES)}"
    day, month, year = rng.randint(1, 28), rng.randint(1, 12), rng.randint(2019, 2026)
    amount, place = rng.randint(90, 99_000), rng.choice(PLACES)
    said = f"{day} {MONTHS[month - 1]} {year}"
    text = rng.choice(
        (
            f"{place}, {said}. {party} will pay {amount} euros within {rng.randint(7, 60)} days of delivery.",
            f"Following our call, {party} of {place} confirms an order worth {amount} euros, to be shipped by {said}.",
            f"Agreement of {said} between {place} and {party}: {amount} euros in {rng.randint(2, 12)} instalments.",
            f"Reminder {rng.randint(1, 9)}: {amount} euros from {party}, {place}, are outstanding since {said}.",
        )
    )
    right = {"date": f"{year}-{month:02d}-{day:02d}", "party": party, "amount": amount}
    return Request(
        f"Extract date, party and amount as JSON: {text}",
        json.dumps(right),
        json.dumps(right | {"date": said}),
        "The date must be written as ISO 8601, YYYY-MM-DD.",
        "validate_json",
    )


def _sql(rng: Random) -> Request:
    measure, group, other = rng.choice(MEASURES), rng.choice(GROUPS), rng.choice(GROUPS)
    place, year, top = rng.choice(PLACES), rng.randint(2019, 2026), rng.randint(3, 25)
    column = group.replace(" ", "_")
    text = rng.choice(
        (
            f"Show the {measure} by {group} for {place} in {year}, the {top} largest first.",
            f"Which {top} values of {group} had the lowest {measure} in {year}? Leave {place} out.",
            f"For {place}: compare {measure} per {group} and {other}, {year} only, at least {top} rows each.",
            f"I need {measure} in {year}, split by {other} and then by {group}, without the {top} smallest in {place}.",
        )
    )
    name = measure.replace(" ", "_")
    right = f"SELECT {column}, {name} FROM sales WHERE year = {year} AND city = '{place}' ORDER BY 2 DESC LIMIT {top}"
    return Request(
        text,
        right,
        f"SELECT {column}, {name} FROM sales WHERE city = '{place}' LIMIT {top}",
        f"The result has rows of other years than {year}.",
        "run_query",
    )


def _summarise(rng: Random) -> Request:
    topic, place = rng.choice(TOPICS), rng.choice(PLACES)
    said = [
        f"In {place}, {rng.choice(PEOPLE)} {rng.choice(VERBS)} {topic} on {rng.choice(MONTHS)} {rng.randint(1, 28)}.",
        f"{rng.choice(PEOPLE).capitalize()} {rng.choice(VERBS)} the plan, which costs {rng.randint(40, 900)} thousand.",
        f"A vote is due in {rng.randint(2, 40)} weeks; {rng.choice(PEOPLE)} collected {rng.randint(90, 9000)} names.",
        f"Earlier, {rng.choice(PEOPLE)} had {rng.choice(VERBS)} a similar idea from {rng.choice(PLACES)}.",
    ]
    head = said[0]
    rng.shuffle(said)
    return Request(
        f"Summarise in one sentence: {' '.join(said)}",
        f"{head[:-1]}, and a vote follows.",
        f"It is about {topic} and several people.",
        "It does not say who did what.",
        "fetch_article",
    )


_MAKERS: dict[str, Callable[[Random], Request]] = {
    "triage": _triage,
    "extract": _extract,
    "sql": _sql,
    "summarise": _summarise,
}
