"""Where things are under the data folder."""

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Places:
    """The data folder's layout. `lake_url` moves the tables alone, to a folder or an object store."""

    data: Path
    lake_url: str | None = None

    @property
    def lake(self) -> str:
        """Root of the Delta tables."""
        return self.lake_url or str(self.data / "lake")

    @property
    def inbox(self) -> Path:
        """What the receiver and OpenTelemetry Collector file exporters write."""
        return self.data / "inbox"

    @property
    def events(self) -> Path:
        """Events of a system bus, as its workers posted them; converted from here."""
        return self.data / "events"

    @property
    def landing(self) -> Path:
        """Bytes of landed batches, as received, for good."""
        return self.data / "landing"

    @property
    def cursors(self) -> Path:
        """How far each polled system was read."""
        return self.data / "cursors"

    @property
    def queues(self) -> Path:
        """Questions for people to answer."""
        return self.data / "queues"

    @property
    def prompts(self) -> Path:
        """Prompt variants to try, `<skill>/<name>.md`, by whoever puts them there."""
        return self.data / "prompts"

    @property
    def artifacts(self) -> Path:
        """What agents load."""
        return self.data / "artifacts"

    @property
    def snapshots(self) -> Path:
        """DuckDB files for analysts."""
        return self.data / "snapshots"

    @property
    def skills_file(self) -> Path:
        """What the operator states about skills."""
        return self.data / "skills.yaml"

    @property
    def prices_file(self) -> Path:
        """What the operator pays for tokens."""
        return self.data / "prices.yaml"

    @property
    def report(self) -> Path:
        """The report page."""
        return self.data / "report.html"
