"""A prompt text: the one in production without what was compiled into it before, lessons, examples."""

from flywheel_assets.candidates.prompts.material import Run
from flywheel_assets.tables.documents.prompt_sections import EXAMPLES, LESSONS, parted


def compile_prompt(incumbent: str, lessons: list[str], examples: list[Run]) -> str:
    """The new text. Equal arguments give equal text."""
    parts = [written_by_hand(incumbent)]
    if lessons:
        parts.append("\n".join([LESSONS, "", *(f"- {lesson}" for lesson in lessons)]))
    if examples:
        parts.append("\n\n".join([EXAMPLES, *(_example(number, run) for number, run in enumerate(examples, 1))]))
    return "\n\n".join(part for part in parts if part) + "\n"


def written_by_hand(text: str) -> str:
    """What stands before the first compiled section."""
    return parted(text)[0]


def lessons_in(text: str) -> list[str]:
    """The lessons that were compiled into a prompt before: what it was taught is not forgotten."""
    _, found, after = text.partition(f"{LESSONS}\n")
    section = after.partition(f"{EXAMPLES}\n")[0] if found else ""
    return [line[2:] for line in section.splitlines() if line.startswith("- ")]


def _example(number: int, run: Run) -> str:
    return f"### Example {number}\n\nRequest:\n{_quoted(run.question)}\n\nAnswer:\n{_quoted(run.answer)}"


def _quoted(text: str) -> str:
    """Every line marked as quotation, so that no example can open a section of its own."""
    return "\n".join(f"> {line}".rstrip() for line in text.splitlines())
