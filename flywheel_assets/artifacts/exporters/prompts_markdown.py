"""Plain Markdown: the prompt in production of each skill, byte for byte, as a file of its own."""

from urllib.parse import quote

from flywheel_assets.artifacts.export import Export, Material

PLACE = "prompts"


def render(material: Material) -> dict[str, Export]:
    """`prompts/<skill>.md`, its name quoted as in a URL. A skill without a known prompt has no file."""
    texts = {skill: material.text(skill) for skill in material.document.skills}
    return {f"{PLACE}/{quote(skill, safe='')}.md": Export(text) for skill, text in texts.items() if text}
