"""How likely each named error is, from who named it: for authors that only say what they found, and find little.

Such authors differ from voters. Silence is weak, most of what is named is wrong, and several prompts of one
model name the same mistakes: by their agreement alone the largest family would be believed, right or wrong. So

* authors who name the same far more often than independent ones do are one family, which has one voice;
* a family is believed as far as a reference bears it out: what people marked in runs that they looked through,
  and where they have looked through too few, what signs show there (`signs/`), which err in other ways;
* families count as independent of each other: p = 1 - Π (1 - precision), "noisy or" (Pearl 1988).
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Numbers = NDArray[np.float64]
Index = NDArray[np.int64]
Flags = NDArray[np.bool_]

# Dice's coefficient of what two authors name in runs that both looked through, from which they are one family.
SAME = 0.25
# So many named errors outweigh what families have in common.
DRAWN = 8.0
# From so many runs that people looked through on, they are the reference.
LEAST_LOOKED_THROUGH = 10


@dataclass(frozen=True, slots=True)
class Named:
    """`names[a, i]`: author a names item i. `answered[a, r]`: a has looked through run r. `run[i]`: the item's run."""

    names: Flags
    answered: Flags
    run: Index


@dataclass(frozen=True, slots=True)
class Reference:
    """Which items people marked, in which runs they looked for any; and which items signs show."""

    marked: Flags
    looked_through: Flags
    shown: Flags


def families(named: Named) -> Index:
    """By author the number of its family, from 0."""
    both = named.answered[:, named.run]
    authors = len(named.names)
    family = np.arange(authors)
    for one in range(authors):
        for other in range(one):
            mine, yours = named.names[one] & both[other], named.names[other] & both[one]
            total = mine.sum() + yours.sum()
            if total and 2 * (mine & yours).sum() > SAME * total:
                family[family == family[one]] = family[other]
    return np.unique(family, return_inverse=True)[1].astype(np.int64)


def probabilities(named: Named, reference: Reference) -> Numbers:
    """By item how likely it is a true error."""
    family = families(named)
    says = np.zeros((family.max(initial=-1) + 1, len(named.run)))
    for number in range(len(says)):
        mine = family == number
        heard = named.answered[mine][:, named.run].sum(axis=0)
        says[number] = named.names[mine].sum(axis=0) / np.maximum(heard, 1)
    right, known = _reference(named, reference)
    wrong = np.ones(len(named.run))
    # What most of a family's members say is surer than what one of them says.
    strong, weak = says > 0.5, (says > 0) & (says <= 0.5)
    everything = (says > 0) & known
    mean = (everything & right).sum() / max(everything.sum(), 1)
    for number in range(len(says)):
        own = _drawn(everything[number], right, float(mean))
        for which in (strong[number], weak[number]):
            wrong *= np.where(which, 1 - _drawn(which & known, right, own), 1.0)
    return 1 - wrong


def likely(chance: Numbers, found: float) -> Flags:
    """The items to show, for the greatest expected F1, if the share `found` of all errors is named by somebody."""
    order = np.argsort(-chance, kind="stable")
    hits = np.cumsum(chance[order])
    if not len(hits):
        return np.zeros(0, np.bool_)
    errors = hits[-1] / max(found, 1e-9)
    best = int(np.argmax(2 * hits / (np.arange(1, len(hits) + 1) + errors)))
    # Equally likely items are shown together.
    return chance >= chance[order[best]]


def _reference(named: Named, reference: Reference) -> tuple[Flags, Flags]:
    """Whether each item is right as far as is known, and whether anything is known of it."""
    looked = reference.looked_through
    if looked.sum() >= LEAST_LOOKED_THROUGH:
        return reference.marked, looked[named.run]
    return reference.shown, np.ones(len(named.run), np.bool_)


def _drawn(which: Flags, right: Flags, towards: float) -> float:
    return float(((which & right).sum() + DRAWN * towards) / (which.sum() + DRAWN))
