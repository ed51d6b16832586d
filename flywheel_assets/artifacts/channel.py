"""The channel: which routing document agents load, and every document they were ever told to load.

`channels/<name>.json` is the one file that changes; what it points at never does. The history
beside it is written after it, so that what the pointer says is true and the history may lag by one.
"""

import hashlib
import json
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter

from flywheel_assets.artifacts.files import write_whole
from flywheel_assets.tables.documents.routing import RoutingDocument


class Pointer(BaseModel):
    """What a channel points at."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    policy_id: str
    path: str = Field(description="The routing document, relative to the artifacts folder")
    sha256: str = Field(pattern="^[0-9a-f]{64}$", description="Of the file's bytes")
    version: int = Field(ge=1)


class Pointing(Pointer):
    """One time that a channel was pointed somewhere."""

    published_at: datetime


_HISTORY = TypeAdapter(list[Pointing])


@dataclass(frozen=True, slots=True)
class Channel:
    """One channel in an artifacts folder."""

    folder: Path
    name: str = "production"

    @property
    def file(self) -> Path:
        """The pointer's file."""
        return self.folder / "channels" / f"{self.name}.json"

    @property
    def history_file(self) -> Path:
        """Every pointing, oldest first."""
        return self.folder / "channels" / f"{self.name}.history.json"

    def pointer(self) -> Pointer | None:
        """What agents load now; None before the first publication."""
        return Pointer.model_validate_json(self.file.read_bytes()) if self.file.is_file() else None

    def history(self) -> list[Pointing]:
        """Every pointing, oldest first, the current one included.

        A writer that died between pointer and history leaves the last one out; it is added here, as of
        the time that the pointer's file was written.
        """
        past = _HISTORY.validate_json(self.history_file.read_bytes()) if self.history_file.is_file() else []
        pointer = self.pointer()
        if pointer is not None and (not past or past[-1].policy_id != pointer.policy_id):
            written = datetime.fromtimestamp(self.file.stat().st_mtime, UTC)
            past.append(Pointing(**pointer.model_dump(), published_at=written))
        return past

    def published(self) -> list[Pointing]:
        """Each document once, by version, as it was first pointed at."""
        first: dict[int, Pointing] = {}
        for pointing in self.history():
            first.setdefault(pointing.version, pointing)
        return [first[version] for version in sorted(first)]

    def load(self, pointer: Pointer) -> RoutingDocument:
        """The document pointed at. Raises ValueError when its bytes are not those that were published."""
        content = (self.folder / pointer.path).read_bytes()
        if hashlib.sha256(content).hexdigest() != pointer.sha256:
            raise ValueError(f"{pointer.path} was changed after it was published")
        return RoutingDocument.model_validate_json(content)

    def point(self, pointer: Pointer, at: datetime) -> None:
        """Point the channel at a document that is already in place."""
        self.load(pointer)
        history = self.history()
        # First what an earlier writer may have left out: the history lags by one pointing, never by two.
        self._write_history(history)
        write_whole(self.file, document_bytes(pointer))
        if not history or history[-1].policy_id != pointer.policy_id:
            history.append(Pointing(**pointer.model_dump(), published_at=at))
        self._write_history(history)

    def _write_history(self, history: list[Pointing]) -> None:
        if history:
            write_whole(self.history_file, _HISTORY.dump_json(history, indent=1) + b"\n")

    def restore(self, version: int, at: datetime) -> Pointer:
        """Point at an earlier version again, byte for byte. Raises ValueError if there is none.

        It stays until a decision changes the newest document.
        """
        for pointing in self.published():
            if pointing.version == version:
                pointer = Pointer(**pointing.model_dump(exclude={"published_at"}))
                self.point(pointer, at)
                return pointer
        raise ValueError(f"no routing document of version {version} was ever published in {self.folder}")


def document_bytes(document: BaseModel) -> bytes:
    """A document as it is written: JSON for people, sorted keys, a line feed at the end."""
    content = document.model_dump(mode="json", by_alias=True)
    return (json.dumps(content, indent=1, sort_keys=True, ensure_ascii=False) + "\n").encode()
