"""`Labeler`: a named, versioned rule that votes on runs, or abstains."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Labeler:
    """`sql` selects votes: run_id, value, confidence, evidence.

    It reads the views `runs` (of the day), `nearby_runs` (with the day before and after), `turns` (those
    of them whose session has several), `sampled_runs` (those that people are asked about) and `work` (the
    runs' spans), and the tables of `tables/`. It may also give grain and example_id (else: the run), tier,
    author_id (else: the labeler's), author_version, observed_at (when that was said; else: as the run ended), anchor (a
    person's answer about a sampled run; else: none), and decides (below).

    A vote that is *one-sided* cannot make an outcome. A labeler that only ever says "this went
    wrong" would, alone, leave all runs it is silent about without an outcome, and the mean of what
    is left would be zero. So its votes are kept, shown, and counted as dissent, but neither decide an
    outcome nor weaken one: weakening only the good outcomes would bias the mean just the same. A vote
    decides only if the same signal could as well have said the opposite, with the same confidence.

    `concerned` selects anything from the same where there is something that it may speak of, and is quick to do so:
    else it is not asked. Without one it always is.
    """

    name: str
    version: str
    tier: str
    sql: str
    one_sided: bool = False
    concerned: str = "SELECT 1"
