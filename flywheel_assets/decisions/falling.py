"""Where a falling function stops to hold.

In a dozen lines, because the package of root finders takes a tenth of a second to load: as long as all roots of a turn.
"""

from collections.abc import Callable


def last_held(excess: Callable[[float], float], count: float) -> float:
    """The last of 0, 1 … `count` at which the falling `excess` is not negative; 0 where it always is.

    Regula falsi, where an end that stays twice counts for half (Illinois), and the middle where two guesses did not
    halve what was left.
    """
    low, high, above, below = 0.0, count, excess(0.0), excess(count)
    if above < 0 or below >= 0:
        return low if above < 0 else high
    guesses, width, held = 0, count, None
    while high - low > 1:
        guesses += 1
        guess = low + (high - low) * above / (above - below)
        if guesses % 2 == 0:
            guess = (low + high) / 2 if high - low > width / 2 else guess
            width = high - low
        guess = float(round(min(max(guess, low + 1), high - 1)))
        found = excess(guess)
        again, held = held == (found >= 0), found >= 0
        if held:
            low, above, below = guess, found, below / 2 if again else below
        else:
            high, below, above = guess, found, above / 2 if again else above
    return low
