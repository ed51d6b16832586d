"""`Commands`: the command line's root, which answers wrong usage in the envelope too where `--json` was asked for."""

import sys
from collections.abc import Sequence
from typing import Any

from typer.core import TyperGroup

from flywheel_assets.commands.envelope import USAGE, write_envelope


class Commands(TyperGroup):
    """As Typer's; what Typer says of wrong usage still goes to standard error."""

    def main(self, args: Sequence[str] | None = None, *more: Any, **options: Any) -> Any:  # noqa: ANN401 - Typer's
        """Run, and leave with the exit code."""
        words = sys.argv[1:] if args is None else list(args)
        try:
            return super().main(args, *more, **options)
        except SystemExit as left:
            # Typer leaves from within the handling of the fault.
            told = getattr(left.__context__, "format_message", None)
            if left.code == USAGE and told is not None and "--json" in words:
                named = " ".join(self._named(words))
                fault = {"message": told(), "code": USAGE}
                write_envelope(named, False, None, fault, [f"flywheel {named} --help".replace("  ", " ")])
            raise

    def _named(self, words: Sequence[str]) -> list[str]:
        """The words before the first option: a group's and its command's, or a command's without its arguments."""
        options = [place for place, word in enumerate(words) if word.startswith("-")]
        group = bool(words) and isinstance(self.commands.get(words[0]), TyperGroup)
        return list(words[: min([2 if group else 1, *options])])
