"""Asks a model through LiteLLM: any provider, or a local OpenAI-compatible address."""

import importlib.util
import os
import warnings
from collections.abc import Mapping, Sequence
from typing import cast

from flywheel_assets.commands.envelope import RefusedError
from flywheel_assets.examples.judge import Ask, Reply, UnavailableError, Verdict


def asking(model: str, base: str | None, timeout: float) -> Ask:
    """A function that asks `model`; `base` is the address of an endpoint of one's own. Never retries."""
    if importlib.util.find_spec("litellm") is None:
        raise RefusedError("the judge needs LiteLLM", ["pip install 'flywheel-assets[judge]'"])
    # LiteLLM else asks GitHub for prices when it is imported.
    os.environ.setdefault("LITELLM_LOCAL_MODEL_COST_MAP", "True")
    import litellm
    from openai import OpenAIError

    # It writes advice on errors to standard output, where the answer of the command goes.
    litellm.suppress_debug_info = True

    def ask(messages: Sequence[Mapping[str, str]]) -> Reply:
        try:
            # It warns of its own types; where warnings are errors it would report a model that cannot be reached.
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                answered = litellm.completion(
                    model=model,
                    messages=[dict(message) for message in messages],
                    response_format=Verdict,
                    temperature=0,
                    timeout=timeout,
                    max_retries=0,
                    base_url=base,
                    drop_params=True,
                )
        except OpenAIError as error:
            raise UnavailableError(type(error).__name__) from error
        choice = cast("litellm.ModelResponse", answered).choices[0]
        said = getattr(choice, "message", None)
        # How a refusal in structured output is sent depends on the provider.
        fields = getattr(said, "provider_specific_fields", None) or {}
        refused = bool(getattr(said, "refusal", None) or fields.get("refusal"))
        declined = refused or getattr(choice, "finish_reason", None) == "content_filter"
        return Reply(getattr(said, "content", None) or "", declined)

    return ask
