"""Asks a model for a text through LiteLLM."""

import importlib.util
import os
import warnings
from collections.abc import Mapping, Sequence
from typing import cast

from flywheel_assets.candidates.prompts.edit import Ask
from flywheel_assets.commands.envelope import RefusedError
from flywheel_assets.examples.judge import UnavailableError


def asking(model: str, base: str | None, timeout: float) -> Ask:
    """A function that asks `model`; `base` is the address of an endpoint of one's own. Never retries."""
    if any(importlib.util.find_spec(name) is None for name in ("gepa", "litellm")):
        raise RefusedError("edits need GEPA and LiteLLM", ["pip install 'flywheel-assets[edit]'"])
    # LiteLLM else asks GitHub for prices when it is imported.
    os.environ.setdefault("LITELLM_LOCAL_MODEL_COST_MAP", "True")
    import litellm
    from openai import OpenAIError

    # It writes advice on errors to standard output, where the answer of the command goes.
    litellm.suppress_debug_info = True

    def ask(messages: Sequence[Mapping[str, str]], temperature: float) -> str:
        try:
            # It warns of its own types; where warnings are errors it would report a model that cannot be reached.
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                answered = litellm.completion(
                    model=model,
                    messages=[dict(message) for message in messages],
                    temperature=temperature,
                    timeout=timeout,
                    max_retries=0,
                    base_url=base,
                    drop_params=True,
                )
        except OpenAIError as error:
            raise UnavailableError(type(error).__name__) from error
        choice = cast("litellm.ModelResponse", answered).choices[0]
        return getattr(getattr(choice, "message", None), "content", None) or ""

    return ask
