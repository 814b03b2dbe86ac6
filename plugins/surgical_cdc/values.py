"""The values that tasks hand to one another; each is small, frozen, and goes through XCom as a plain dict."""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any, NamedTuple, Self

from pydantic import BaseModel, ConfigDict

from surgical_cdc.errors import shortened

# What a line of the ledger is of, and how it ended.
RUN, UNDO, REFRESH, VERIFICATION, FRESHNESS = "run", "undo", "refresh", "verification", "freshness"
SUCCESS, NOTHING_NEW, IN_PART, FAILED, DRY_RUN = "success", "nothing new", "in part", "failed", "dry run"
PHASES = ("detect", "update", "sync")
# Why a fact was not brought up to date, where its own task has the rest.
HAS_FAILED = "it has failed"


def new_token() -> str:
    """Return twelve hex digits that nobody else has drawn."""
    return secrets.token_hex(6)


def now() -> datetime:
    """Return the current time by this machine's clock, as the warehouse has times: UTC, without an offset."""
    return datetime.now(UTC).replace(tzinfo=None)


def as_utc(time: datetime) -> datetime:
    """Return a time as the warehouse has it: UTC, without an offset; one without an offset is taken as UTC."""
    return time.astimezone(UTC).replace(tzinfo=None) if time.tzinfo else time


def read_time(name: str, value: object) -> datetime:
    """Return a time in ISO 8601, as a person gives it, in UTC without an offset.

    Args:
        name: what the field or option is called, for the message.
        value: the text; one without an offset is taken as UTC.

    Raises:
        ValueError: it is no such text, or no time of the years 1 to 9999 in UTC.
    """
    shown = f"{name} is {shortened(value)}"
    example = "Expected one like 2024-02-29T06:30:00Z."
    if not isinstance(value, str):
        raise ValueError(f"{shown}, which is no time. {example}")  # noqa: TRY004 - it is what somebody has typed
    try:
        time = datetime.fromisoformat(value)
    except ValueError:
        raise ValueError(f"{shown}, which is no time. {example}") from None
    try:
        return as_utc(time)
    except OverflowError:
        raise ValueError(f"{shown}, which in UTC is not in the years 1 to 9999. {example}") from None


class Value(BaseModel):
    """A frozen value that travels as a plain dict."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    def to_dict(self) -> dict[str, Any]:
        """Return the value as JSON-ready primitives, the form in which it is shown in the UI's XCom tab."""
        return self.model_dump(mode="json")

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Self:
        """Read back what `to_dict` wrote."""
        return cls.model_validate(data)


class Run(Value):
    """One cycle: which window of which sources, in whose name.

    `token` is drawn for each attempt, by who prepares it, and names the attempt in the control tables: run ids are not
    unique among the DAGs, and deployments, of one warehouse.
    `window_end` bounds the candidates (cursor < end); `window_start` is None unless the trigger form asked for a lower
    bound. Both are UTC without an offset, as the warehouse's timestamps are. An empty `sources` means all. `keys`, if
    there are any, are the only keys that are looked at, as text; a dry run over one source asks for them.
    `undoes` is the key of a run that this one takes back, without the rows that have changed again since if it is to be
    `partial`; what is staged is not looked at then. `ignore_volume` says that no source changes too many rows.
    """

    run_id: str
    dag_id: str
    token: str
    window_end: datetime
    window_start: datetime | None = None
    sources: tuple[str, ...] = ()
    keys: tuple[str, ...] = ()
    dry_run: bool = False
    undoes: str = ""
    partial: bool = False
    ignore_volume: bool = False

    @property
    def key(self) -> str:
        """What people know this run by."""
        return f"{self.dag_id}/{self.run_id}"

    @property
    def kind(self) -> str:
        """What a line of the ledger calls it."""
        return UNDO if self.undoes else RUN

    @property
    def takes_all(self) -> bool:
        """Whether it takes all that is staged before its end, so that the facts are up to date as of then."""
        return not (self.sources or self.keys or self.window_start or self.dry_run or self.undoes)

    def covers(self, source: str) -> bool:
        """Return whether the run asks for that source."""
        return not self.sources or source in self.sources


class SourceCounts(Value):
    """What detection counts of a source, in rows; detect_summary.sql and the ledger have the same names.

    `touched` rows differ in the cursor alone. `unknown_deletes` are deletions of keys that the baseline does not have:
    they change nothing but are remembered, so that an older version that comes later is not inserted. `waiting` are
    staged rows beyond the window's end. `disagreements` are rows whose timestamps claim an insert where the baseline
    says update, or the reverse.
    """

    rows_compared: int = 0
    cells_compared: int = 0
    inserts: int = 0
    updates: int = 0
    deletes: int = 0
    touched: int = 0
    unknown_deletes: int = 0
    stale: int = 0
    quarantined: int = 0
    waiting: int = 0
    disagreements: int = 0

    @property
    def changes(self) -> int:
        """Rows that can change a fact."""
        return self.inserts + self.updates + self.deletes


class FactCounts(Value):
    """What an update counts of a fact: affected keys, and rows; the ledger has the same names."""

    affected: int = 0
    inserted: int = 0
    updated: int = 0
    deleted: int = 0

    @property
    def written(self) -> int:
        """Rows that were written."""
        return self.inserted + self.updated + self.deleted


class ChangeSet(SourceCounts):
    """What detection found for one source: where the rows are, and their counts; the rows themselves never travel.

    `token` is that of the attempt which has made it, `baseline_token` that of the attempt, or refresh, which the
    baseline showed: in another attempt, or on another baseline, the change set is not valid.
    `relation` is empty where nothing had to be detected.
    `changed_columns` counts per column the updated rows in which it differs (the cursor's own changes left out).
    `usual` are the rows that runs usually change, where this one changes far more (steps/volume.py); else 0.
    `farthest_cursor` is the newest cursor of the waiting rows, as text, since a timestamp of the warehouse may lie
    beyond Python's.
    `started_at` is UTC by the worker's clock, without an offset; None where nothing had to be detected.
    """

    source: str
    relation: str
    token: str
    baseline_token: str | None = None
    window_start: datetime | None = None
    window_end: datetime
    farthest_cursor: str | None = None
    changed_columns: dict[str, int] = {}
    usual: int = 0
    started_at: datetime | None = None
    seconds: float = 0.0

    @property
    def rewrites(self) -> int:
        """Rows of the baseline that the sync will insert, replace or delete."""
        return self.changes + self.touched


class Quiet(Value):
    """What was staged in a source in which there is nothing to detect: keys, and rows that wait beyond the window."""

    rows_compared: int = 0
    cells_compared: int = 0
    waiting: int = 0
    farthest_cursor: str | None = None

    def change_set(self, source: str, run: Run, baseline_token: str | None) -> ChangeSet:
        """Return the change set of the source, which has no rows and no table."""
        return ChangeSet(
            source=source,
            relation="",
            token=run.token,
            baseline_token=baseline_token,
            window_start=run.window_start,
            window_end=run.window_end,
            **dict(self),
        )


class Preparation(Value):
    """What the run found when it took the lease.

    `token` is that of the attempt which begins with it; `baseline_token` that of the attempt, or refresh, which the
    baseline shows now; `unbuilt` are facts that have no table, or one that
    another SELECT than theirs has filled, or of which nobody knows what has; these are built in
    full first; `pending` are facts that an earlier run has updated though the baseline was not synced after it;
    `moments` are what the current time is, by fact, in the SELECTs that read it.
    `started_at` is when that was, by the warehouse's clock.
    `voided` are sources of which versions have been undone; `undone_token` is the attempt that the run takes back.
    `quiet` are sources in which nothing is staged that the baseline does not show; where all are, and no fact has
    anything to do, the run is over: `ended`.
    """

    token: str
    baseline_token: str | None = None
    started_at: datetime | None = None
    unbuilt: tuple[str, ...] = ()
    pending: tuple[str, ...] = ()
    moments: dict[str, datetime] = {}
    voided: tuple[str, ...] = ()
    undone_token: str = ""
    quiet: dict[str, Quiet] = {}
    ended: bool = False

    def quiet_change_sets(self, run: Run) -> dict[str, ChangeSet]:
        """Return the change sets of the sources in which there is nothing to detect."""
        return {name: quiet.change_set(name, run, self.baseline_token) for name, quiet in self.quiet.items()}


class Example(NamedTuple):
    """A row that would be inserted or deleted, or a cell of one that would be updated, with its values as text."""

    change: str
    row_key: str
    column: str = ""
    old: str = ""
    new: str = ""


class FactResult(FactCounts):
    """What one update task did (or, in a dry run, would do) to its fact, in rows; `reason` says why it did nothing.

    `change_sets` are the relations of those that it has looked at: of the sources that feed the fact.
    `definition` is the fingerprint of the SELECT that it was done by, None where nothing was done; `moment` what the
    current time was in it, None where it does not read that.
    `whole_tables` says that the rows were computed from whole tables, not from slices of them.
    `cells` counts per column the updated rows in which it differed.
    `examples` are what a dry run shows; with their values they stay in the task.
    `started_at` is UTC by the worker's clock, without an offset; None where nothing was done.
    """

    fact: str
    change_sets: tuple[str, ...] = ()
    built: bool = False
    whole_tables: bool = False
    definition: str | None = None
    moment: datetime | None = None
    cells: dict[str, int] = {}
    examples: tuple[Example, ...] = ()
    started_at: datetime | None = None
    seconds: float = 0.0
    reason: str | None = None

    def to_dict(self) -> dict[str, Any]:
        """Return the value as JSON-ready primitives, without values of rows."""
        return self.model_dump(mode="json", exclude={"examples"})


class SourceSummary(SourceCounts):
    """What was detected in a source, and whether its baseline was moved; see ChangeSet."""

    usual: int = 0
    changed_columns: dict[str, int] = {}
    farthest_cursor: str | None = None
    seconds: float = 0.0
    synced: bool = False
    history_rows: int = 0


class FactSummary(FactCounts):
    """What was written to a fact; see FactResult. `failed` says that it was not brought up to date."""

    cells: dict[str, int] = {}
    built: bool = False
    whole_tables: bool = False
    failed: bool = False
    seconds: float = 0.0
    reason: str | None = None


class RunSummary(Value):
    """A run in figures; `kind` says whether it was a `run`, an `undo`, a `refresh` or a `verification`.

    `result` is `success`, `nothing new` (it had nothing to do), `in part` (failed tasks have kept sources back),
    `failed` (nothing was synced) or `dry run`; `reason` says why it failed, `undoes` what an undo has taken back.
    `started_at` is when it took the lease. `seconds` are wall time by phase: detect, update, sync; `written` are rows
    of all facts. `stale_after` are the seconds by level, `warn` and `error`, after which the project calls a fact too
    old. All times are UTC, without an offset.
    """

    dag_id: str
    run_id: str
    token: str = ""
    kind: str = RUN
    window_start: datetime | None = None
    window_end: datetime | None = None
    result: str
    reason: str | None = None
    undoes: str | None = None
    started_at: datetime | None = None
    seconds: dict[str, float] = {}
    written: int = 0
    stale_after: dict[str, float] = {}
    sources: dict[str, SourceSummary] = {}
    facts: dict[str, FactSummary] = {}

    def to_dict(self) -> dict[str, Any]:
        """Return the value as JSON-ready primitives; what is zero or empty is left out."""
        return self.model_dump(mode="json", exclude_defaults=True)

    @classmethod
    def of_run(cls, run: Run, result: str, **values: Any) -> Self:
        """Return the summary of an attempt at a run, with what else is known of it."""
        return cls(
            dag_id=run.dag_id,
            run_id=run.run_id,
            token=run.token,
            kind=run.kind,
            undoes=run.undoes or None,
            window_start=run.window_start,
            window_end=run.window_end,
            result=result,
            **values,
        )

    @property
    def key(self) -> str:
        """What people know the run by."""
        return f"{self.dag_id}/{self.run_id}"
