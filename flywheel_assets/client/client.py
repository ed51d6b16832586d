"""`Client`: decides for an agent, from the last good artifact it has seen.

client = Client("data/artifacts", default_model="openai/gpt-5.2")
decision = client.decide("triage", unit_id=ticket_id)
answer = call(decision.model, decision.prompt, ticket)
client.feedback("resolved", True, author="ticket-system", tier="outcome")
"""

import os
from collections.abc import Mapping
from hashlib import sha256
from itertools import count
from threading import Thread
from time import monotonic
from typing import Unpack

from flywheel_assets.client.decision import Decision, annotate_current
from flywheel_assets.client.feedback import Statement, say
from flywheel_assets.client.policy import Choice, Policy, load_policy
from flywheel_assets.client.post import Poster
from flywheel_assets.client.source import source_at

# What a damaged, absent or unreachable artifact can raise while it is loaded.
_UNUSABLE = (OSError, ValueError, LookupError, TypeError, AttributeError, RecursionError)


class Client:
    """Decides from an artifacts folder, or from the address that one is served at.

    The first load happens here and waits for at most `timeout` seconds a file; later ones happen on
    a thread, at most every `check_every` seconds, and only when a decision is asked for.
    """

    def __init__(  # noqa: PLR0913 - all but the source have defaults
        self,
        source: str | os.PathLike[str],
        *,
        default_model: str = "",
        default_prompt: str = "",
        channel: str = "production",
        check_every: float = 5.0,
        token: str | None = None,
        timeout: float = 2.0,
        feedback_url: str | None = None,
        annotate: bool = True,
    ) -> None:
        self._source = source_at(os.fspath(source), channel, token, timeout)
        self._default = (default_model, default_prompt)
        self._check_every = check_every
        self._annotate = annotate
        self._poster = Poster(feedback_url, token, timeout) if feedback_url else None
        self._policy = Policy(None, {})
        self._problem: str | None = None
        self._process, self._prefix, self._count = 0, "", count(1)
        self.refresh()

    @property
    def policy_id(self) -> str | None:
        """The routing document in use; None while there is none."""
        return self._policy.policy_id

    @property
    def problem(self) -> str | None:
        """Why the newest artifact is not in use; None when it is."""
        return self._problem

    def refresh(self) -> bool:
        """Load the newest artifact now, if it changed; False where the last good one stays in use."""
        self._due = monotonic() + self._check_every
        try:
            found = self._source.changed(self._policy.stamp)
            if found is not None:
                pointer, stamp = found
                self._policy = load_policy(pointer, self._source.read, stamp)
        except _UNUSABLE as error:
            self._problem = f"{type(error).__name__}: {error}"
            return False
        self._problem = None
        return True

    def decide(  # noqa: PLR0913 - all but the skill have defaults
        self,
        skill: str,
        unit_id: str | None = None,
        context: Mapping[str, object] | None = None,
        default_model: str = "",
        default_prompt: str = "",
        *,
        text: str = "",
    ) -> Decision:
        """Model and prompt for one run. Never raises; sets `flywheel.*` on the current span.

        `text` is what the run is asked, and `context` what else is known before it: a contextual policy
        goes by them, and any other ignores them.

        The same `unit_id` gets the same arm for as long as the routing document stands; without one,
        every decision is drawn by itself. The defaults are what is used where no document has a say.
        """
        if monotonic() >= self._due:
            self._refresh_beside()
        decision_id, policy = self._next_id(), self._policy
        unit = decision_id if unit_id is None else str(unit_id)
        route = policy.routes.get(skill) if isinstance(skill, str) else None  # pyright: ignore[reportUnnecessaryIsInstance]
        try:
            chosen = route.choose(unit, text, context) if route else self._by_default(default_model, default_prompt)
        except (TypeError, ValueError, LookupError, AttributeError) as error:
            # A text or context of another type than was promised.
            self._problem = f"{type(error).__name__}: {error}"
            chosen = self._by_default(default_model, default_prompt)
        decision = Decision(
            str(skill),
            chosen.model,
            (default_prompt or self._default[1]) if chosen.prompt is None else chosen.prompt,
            chosen.prompt_version,
            chosen.arm,
            chosen.segment,
            chosen.propensity,
            decision_id,
            policy.policy_id,
            chosen.experiment_id,
            unit,
            chosen.candidate_set,
            chosen.fallbacks,
            context,
            chosen.gate,
            chosen.escalation,
        )
        if self._annotate:
            annotate_current(decision)
        return decision

    def feedback(self, name: str, value: float | None = None, **statement: Unpack[Statement]) -> bool:
        """Say how a run went; see `feedback.say`. Goes to `feedback_url` where one was given."""
        return say(name, value, poster=self._poster, **statement)

    def close(self, timeout: float = 2.0) -> bool:
        """Wait for feedback that is still to be posted; False where some is left."""
        return self._poster.flush(timeout) if self._poster else True

    def _by_default(self, model: str, prompt: str) -> Choice:
        """The caller's own arm, without a propensity: it is evidence of no trial."""
        model, prompt = model or self._default[0], prompt or self._default[1]
        version = sha256(prompt.encode("utf-8", "surrogatepass")).hexdigest()[:12] if prompt else "-"
        arm = f"{model}|{version}|-" if model else None
        return Choice("default", arm, model, prompt, version, None, None, ())

    def _next_id(self) -> str:
        """An id that no other decision has: a forked process draws a prefix of its own."""
        process = os.getpid()
        if process != self._process:
            self._prefix, self._process = os.urandom(8).hex(), process
        return f"{self._prefix}{next(self._count):08x}"

    def _refresh_beside(self) -> None:
        """Refresh on a thread. Where none can be started, at interpreter exit say, nothing is lost."""
        self._due = monotonic() + self._check_every
        try:
            Thread(target=self.refresh, name="flywheel-refresh", daemon=True).start()
        except RuntimeError as error:
            self._problem = str(error)
