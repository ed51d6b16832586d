"""`agents/*.md` and `SKILL.md`: the file that carries a skill's prompt, as it should be, and a patch to it.

skills.yaml names the file. Nothing writes to it: what is exported is a proposal, applied by `git apply`
or by hand. Front matter stays as it is but for the version, which is raised, and the model where one is
named. Text that people changed since stays too: only the lessons and examples below it are replaced.
"""

import re
from collections.abc import Collection
from dataclasses import dataclass
from difflib import unified_diff
from pathlib import Path
from typing import cast
from urllib.parse import quote

import yaml

from flywheel_assets.artifacts.export import Export, Material, production_arm
from flywheel_assets.tables.documents.prompt_sections import parted

PLACE = "files"
_FRONT = re.compile(r"\A---\n(.*?\n)---[ \t]*(?:\n|\Z)", re.DOTALL)
# Of the file itself: at the top level, or in `metadata`, where the Agent Skills format wants it.
_OF_FILE = r"(?:^|^metadata:[ \t]*\n(?:[ \t]+.*\n)*?[ \t]+)"
_VERSION = re.compile(rf"({_OF_FILE}version:[ \t]*[\"']?(?:\d+\.)*)(\d+)(?=[\"']?[ \t]*(?:#.*)?$)", re.MULTILINE)
_MODEL = re.compile(r"^(model:[ \t]*)([^#\n]*?)(?=[ \t]*(?:#.*)?$)", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Wanted:
    """What a file should say: the prompt in production, its model, and the skill's other texts that are known."""

    text: str
    model: str
    known: Collection[str] = ()


def render(material: Material) -> dict[str, Export]:
    """`files/<skill>/<folder>/<name>` and, where the file differs, the same with `.patch`."""
    found: dict[str, Export] = {}
    for skill, file in material.files.items():
        text = material.text(skill) if skill in material.document.skills else None
        if text is None:
            continue
        path = f"{PLACE}/{quote(skill, safe='')}/{quote(file.parent.name, safe='')}/{quote(file.name, safe='')}"
        try:
            before = file.read_bytes().decode()
        except (OSError, UnicodeDecodeError) as error:
            found[path] = Export("", (f"{skill}: {file.name} cannot be read ({type(error).__name__})",))
            continue
        known = [prompt.text for (of, _), prompt in material.prompts.items() if of == skill]
        model = production_arm(material.document.skills[skill]).model
        after, warnings = rewritten(before, Wanted(text, model, known))
        found[path] = Export(after, tuple(f"{skill}: {one}" for one in warnings))
        if after != before:
            found[f"{path}.patch"] = Export(patch(before, after, _in_repository(file)))
    return found


def rewritten(before: str, wanted: Wanted) -> tuple[str, list[str]]:
    """The file with the prompt in it, and what had to be left; itself where it says so already."""
    lines = before.replace("\r\n", "\n")
    matter = _FRONT.match(lines)
    front, body = (matter.group(0), lines[matter.end() :]) if matter else ("", lines)
    if front and not isinstance(_fields(front), dict):
        return before, ["its front matter is no YAML mapping, so it is left alone"]
    new_body, said = _body(body, wanted)
    new_front = _MODEL.sub(lambda found: found.group(1) + wanted.model, front, count=1) if front else ""
    if (new_front, new_body) == (front, body):
        return before, said
    raised, times = _VERSION.subn(lambda found: f"{found.group(1)}{int(found.group(2)) + 1}", new_front, count=1)
    if not times:
        said.append("it states no version that could be raised")
    after = raised + new_body
    return after.replace("\n", "\r\n") if "\r\n" in before else after, said


def patch(before: str, after: str, path: str) -> str:
    """A unified diff that `git apply` takes."""
    lines = unified_diff(_lines(before), _lines(after), f"a/{path}", f"b/{path}")
    return "".join(line if line.endswith("\n") else f"{line}\n\\ No newline at end of file\n" for line in lines)


def _lines(text: str) -> list[str]:
    """By line feeds alone: other separators are content."""
    return re.findall(r"[^\n]*\n|[^\n]+\Z", text)


def _body(body: str, wanted: Wanted) -> tuple[str, list[str]]:
    """The body with the wanted text in place of an earlier one, or with its compiled sections alone."""
    if body.strip() == wanted.text.strip():
        return body, []
    # The longest first: a compiled prompt begins with the one it was compiled from.
    for known in sorted({text.strip() for text in wanted.known} - {""}, key=len, reverse=True):
        if known in body:
            same = known == wanted.text.strip()
            return (body if same else body.replace(known, wanted.text.strip(), 1)), []
    if not body.strip():
        return f"{body}{wanted.text.strip()}\n", []
    _, compiled = parted(wanted.text)
    if not compiled:
        return body, ["its text is none that was ever in production: put the new one in by hand"]
    written, _ = parted(body)
    kept = ["its text was changed by hand: that is kept, lessons and examples are replaced"]
    return f"{written}\n\n{compiled.rstrip()}\n", kept


def _fields(front: str) -> dict[str, object] | None:
    try:
        found = yaml.safe_load(front.strip().strip("-"))
    except yaml.YAMLError:
        return None
    return cast("dict[str, object]", found) if isinstance(found, dict) else None


def _in_repository(file: Path) -> str:
    """The file's path from the root of the repository that it is in; its name where it is in none."""
    whole = file.resolve()
    root = next((parent for parent in whole.parents if (parent / ".git").exists()), whole.parent)
    return whole.relative_to(root).as_posix()
