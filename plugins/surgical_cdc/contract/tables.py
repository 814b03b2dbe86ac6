"""The contract: what is said of sources and facts, read by pydantic and checked once."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from typing import Annotated, Any, Literal, Self

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, PlainSerializer, model_validator

from surgical_cdc.errors import did_you_mean
from surgical_cdc.names import PREFIX

# Redshift keeps these for itself, in quotation marks too (r_names in its developer guide).
SYSTEM_COLUMNS = frozenset({"cmax", "cmin", "ctid", "deletexid", "insertxid", "oid", "tableoid", "xmax", "xmin"})
_IDENTIFIER = re.compile(r"[a-z0-9_]{1,127}")
# What a file brought as a title is a column's name too, in quotation marks. But a comma ends it in a list of columns, a
# point in a qualified name and a quotation mark in SQL, and to the driver a per cent sign is a placeholder.
_COLUMN = re.compile(r"(?! )[a-z0-9_ $#&@!?*+=<>/|()\[\]:;~^-]{1,127}(?<! )")
_TYPE = re.compile(
    r"(?:smallint|integer|bigint|boolean|date|timestamp|timestamptz|real|double precision"
    r"|(?:varchar|char)\(\d{1,5}\)|numeric\(\d{1,2},\s?\d{1,2}\))"
)

# The greatest sizes that Redshift gives a type, in bytes.
LENGTHS = {"varchar": 65535, "char": 4096}
PRECISION, SCALE = 38, 37
# Redshift's other names of types (c_Supported_data_types in its developer guide), and what a type is without sizes.
NAMES = {
    "int2": "smallint",
    "int": "integer",
    "int4": "integer",
    "int8": "bigint",
    "bool": "boolean",
    "float4": "real",
    "float8": "double precision",
    "float": "double precision",
    "decimal": "numeric",
    "character varying": "varchar",
    "nvarchar": "varchar",
    "text": "varchar",
    "character": "char",
    "nchar": "char",
    "timestamp without time zone": "timestamp",
    "timestamp with time zone": "timestamptz",
}
SIZED = {"varchar": "varchar(256)", "char": "char(1)", "numeric": "numeric(18,0)"}
# Types of which equal values are written alike, whatever the session's settings.
KEY_TYPES = ("smallint", "integer", "bigint", "numeric", "varchar", "char", "date", "timestamp")
# Redshift's limits on the columns of a table, and on what one SELECT lists.
COLUMNS, LISTED = 1600, 1664
# What a history has at most beside the columns of its source or fact; a change set has fewer.
HISTORY_COLUMNS = 6
# A century: what is older than that is in no warehouse.
DAYS = 36_500

# Types each of which holds what those before it hold.
WIDER = (("smallint", "integer", "bigint"), ("real", "double precision"))
# Tombstones keep the keys of all sources in one column of this length; what is longer, they keep as a digest.
KEY_BYTES = 256
# The longest text of a key that is none: a date, a timestamp, a number of 38 digits.
OTHER_BYTES = 40


def spelled(text: str) -> str:
    """Return a data type as the contract spells it, whichever of Redshift's names it is given by.

    Example:
        >>> spelled("character varying(64)"), spelled("INT8"), spelled("decimal(10, 2)"), spelled("varchar(max)")
        ('varchar(64)', 'bigint', 'numeric(10,2)', 'varchar(65535)')
    """
    name, bracket, sizes = text.strip().lower().partition("(")
    given = NAMES.get(name.strip(), name.strip())
    if not bracket:
        return SIZED.get(given, given)
    sizes = sizes.replace(" ", "").replace("max", str(LENGTHS.get(given, "max")))
    return f"{given}({sizes[:-1]},0)" if given == "numeric" and "," not in sizes else f"{given}({sizes}"


def type_family(data_type: str) -> str:
    """Return what a data type has in common with those that hold the same values, or some of them, exactly."""
    if data_type in {"smallint", "integer", "bigint"}:
        return "integer"
    return "varchar" if data_type.startswith("varchar") else data_type.replace(" ", "")


def holds(data_type: str, other: str) -> bool:
    """Return whether a column of one data type can hold each value of another as it is.

    Example:
        >>> holds("varchar(64)", "varchar(32)"), holds("numeric(10,2)", "numeric(12,2)")
        (True, False)
    """
    name, sizes = _name_and_sizes(data_type)
    other_name, other_sizes = _name_and_sizes(other)
    if name == other_name == "numeric":
        return sizes[1] >= other_sizes[1] and sizes[0] - sizes[1] >= other_sizes[0] - other_sizes[1]
    if name == other_name:
        return sizes >= other_sizes
    return any(name in wider and other_name in wider[: wider.index(name)] for wider in WIDER)


def _name_and_sizes(data_type: str) -> tuple[str, list[int]]:
    return data_type.partition("(")[0], [int(size) for size in re.findall(r"\d+", data_type)]


def _identifier(name: str) -> str:
    if not _IDENTIFIER.fullmatch(name):
        message = f"{name!r} is no name: expected lower-case letters, digits and _, 127 at most"
        raise ValueError(message)
    return _not_ours(name)


def _not_ours(name: str) -> str:
    if name.startswith(PREFIX):
        message = f"{name!r} begins with {PREFIX}, as only names of the engine's own do"
        raise ValueError(message)
    return name


def _column(name: str) -> str:
    if name in SYSTEM_COLUMNS:
        message = f"{name!r} is a name that Redshift keeps, as {', '.join(sorted(SYSTEM_COLUMNS))}"
        raise ValueError(message)
    if not _COLUMN.fullmatch(name):
        message = (
            f"{name!r} is no name of a column: expected lower-case letters, digits, _ and, between them, blanks and"
            " signs but , . % \" ' ` \\ { }, 127 at most"
        )
        raise ValueError(message)
    return _not_ours(name)


def _relation(name: str) -> str:
    schema, dot, table = name.partition(".")
    if not dot:
        message = f"{name!r} is no table: expected its schema too, as in public.{name}"
        raise ValueError(message)
    return f"{_identifier(schema)}.{_identifier(table)}"


def _data_type(given: str) -> str:
    text = spelled(given)
    if not _TYPE.fullmatch(text):
        message = (
            f"{given!r} is no data type of the contract: expected e.g. bigint, varchar(64), numeric(18,4), timestamp"
        )
        raise ValueError(message)
    _check_sizes(text)
    return text


def is_data_type(given: str) -> bool:
    """Return whether a column of the contract can have a type: in YAML, dbt takes any word for one.

    Example:
        >>> is_data_type("int8"), is_data_type("string"), is_data_type("numeric(50, 2)")
        (True, False, False)
    """
    try:
        _data_type(given)
    except ValueError:
        return False
    return True


def _check_sizes(text: str) -> None:
    name, sizes = _name_and_sizes(text)
    if name in LENGTHS and not 1 <= sizes[0] <= LENGTHS[name]:
        message = f"{text!r} is no type of Redshift's: expected {name}(1) to {name}({LENGTHS[name]})"
        raise ValueError(message)
    if name == "numeric" and not (1 <= sizes[0] <= PRECISION and sizes[1] <= min(sizes[0], SCALE)):
        message = (
            f"{text!r} is no type of Redshift's: expected numeric(precision, scale), a precision of 1 to {PRECISION},"
            f" and a scale of {SCALE} at most that is not above the precision"
        )
        raise ValueError(message)


def _key_columns(given: Any) -> Any:
    """Take one column for a list of it; each column is there once."""
    columns = (given,) if isinstance(given, str) else given
    if not isinstance(columns, list | tuple) or not columns:
        message = "expected a column, or a list of columns"
        raise ValueError(message)
    if twice := [name for name in dict.fromkeys(map(str, columns)) if list(columns).count(name) > 1]:
        message = f"{', '.join(twice)} is there twice"
        raise ValueError(message)
    return columns


def _no_boolean(given: Any) -> Any:
    """Refuse what pydantic takes for 0 or 1."""
    if isinstance(given, bool):
        message = f"expected a number, found {str(given).lower()}"
        raise ValueError(message)  # noqa: TRY004 - pydantic makes a message of a ValueError alone
    return given


def _check_key(kind: str, name: str, columns: Sequence[Column]) -> None:
    data_type = next((column.data_type for column in columns if column.name == name), "")
    if data_type and data_type.partition("(")[0] not in KEY_TYPES:
        message = (
            f"the {kind} {name} is {data_type}; expected one of {', '.join(KEY_TYPES)}: make another column the key"
        )
        raise ValueError(message)


def _bytes(column: Column) -> int:
    return _name_and_sizes(column.data_type)[1][0] if column.is_text else OTHER_BYTES


def _check_width(columns: Sequence[Column], added: int) -> None:
    """Refuse columns that Redshift would not take together with what the engine lists beside them."""
    if len(columns) + added > COLUMNS:
        beside = f", and a history has {added} of the engine's own" if added else ""
        message = (
            f"{len(columns)} columns, expected {COLUMNS - added} at most: a table has {COLUMNS}{beside}. List fewer, or"
            " make two tables of it"
        )
        raise ValueError(message)
    compared = sum(column.look_alike is not None for column in columns)
    if len(columns) + compared >= LISTED:
        message = (
            f"{len(columns)} columns and {compared} texts and floats, expected {LISTED - 1} of both at most: texts and"
            " floats are compared in two ways, and a SELECT lists no more. List fewer, or make two tables of it"
        )
        raise ValueError(message)


Identifier = Annotated[str, AfterValidator(_identifier)]
ColumnName = Annotated[str, AfterValidator(_column)]
Relation = Annotated[str, AfterValidator(_relation)]
DataType = Annotated[str, AfterValidator(_data_type)]
Share = Annotated[float, BeforeValidator(_no_boolean), Field(gt=0, le=1)]
Days = Annotated[int, BeforeValidator(_no_boolean), Field(ge=1, le=DAYS)]
Privilege = Literal["select", "insert", "update", "delete", "references", "drop", "truncate", "alter"]
Maintenance = Literal["auto", "incremental", "full"]
Grain = Literal["day", "hour"]
# In YAML one column stands alone, as in dbt.
Key = Annotated[
    tuple[ColumnName, ...],
    BeforeValidator(_key_columns),
    PlainSerializer(lambda key: key[0] if len(key) == 1 else list(key)),
]


class Strict(BaseModel):
    """A frozen part of the contract in which an unknown key is an error."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    @model_validator(mode="before")
    @classmethod
    def _check_keys(cls, given: Any) -> Any:
        known = list(cls.model_fields)
        keys = given if isinstance(given, dict) else ()
        unknown = [f"{key}{did_you_mean(str(key), known)}" for key in keys if key not in known]
        if unknown:
            message = f"no such setting: {', '.join(unknown)}. Known: {', '.join(known)}"
            raise ValueError(message)
        return given


class Column(Strict):
    """A column with its Redshift data type, as the YAML has it: bigint, varchar(64), numeric(18,4)."""

    name: ColumnName
    data_type: DataType

    @property
    def is_text(self) -> bool:
        """Whether Redshift ignores trailing blanks when it compares the column."""
        return self.data_type.startswith(("varchar", "char"))

    @property
    def look_alike(self) -> Literal["text", "float"] | None:
        """Which equal values of the column a SELECT can tell apart: texts by trailing spaces, floats by zero's sign."""
        return "text" if self.is_text else "float" if self.is_float else None

    @property
    def is_float(self) -> bool:
        """Whether the column has a zero and a negative one, which are equal and yet not written alike."""
        return self.data_type in {"real", "double precision"}


class Table(Strict):
    """What sources and facts have in common: a relation, its columns in order, and its physical layout."""

    name: Identifier
    relation: Relation
    columns: tuple[Column, ...]
    dist: ColumnName | None = None
    sort: tuple[ColumnName, ...] = ()

    @property
    def column_names(self) -> tuple[str, ...]:
        """The columns' names, in the table's order."""
        return tuple(column.name for column in self.columns)

    @property
    def sort_keys(self) -> tuple[str, ...]:
        """What the table is sorted by."""
        return self.sort

    def named_columns(self) -> Iterable[str]:
        """Yield the columns that the table's settings name."""
        return (name for name in (self.dist, *self.sort) if name)

    def column(self, name: str) -> Column:
        """Return the column of that name; KeyError where there is none."""
        for column in self.columns:
            if column.name == name:
                return column
        raise KeyError(name)


class Retention(Strict):
    """For how many days the control tables keep what runs write: the ledger, tombstones, quarantined rows, history.

    A year of half hours is some 300,000 lines of the ledger for 12 sources and 6 facts. `history_rows` is how many rows
    of one source or fact a run may add to its history: of a larger change none are kept.
    """

    ledger_days: Days = 400
    tombstone_days: Days = 400
    quarantine_days: Days = 400
    history_days: Days = 90
    history_rows: Annotated[int, BeforeValidator(_no_boolean), Field(ge=1)] = 1_000_000


class Verification(Strict):
    """How facts are verified by the runs themselves: all keys within so many days, None for not at all.

    `repair` says whether what is found to be wrong is mended at once; the run fails all the same.
    """

    days: Days | None = 7
    repair: bool = False


class Age(Strict):
    """How old something may be, as dbt's freshness says it."""

    count: Annotated[int, BeforeValidator(_no_boolean), Field(ge=1, le=DAYS)]
    period: Literal["minute", "hour", "day"]

    @property
    def length(self) -> timedelta:
        """The age as a length of time."""
        return timedelta(**{f"{self.period}s": self.count})


class Freshness(Strict):
    """How old a fact may be, by the end of the last window that it shows; None: nobody is told."""

    warn_after: Age | None = None
    error_after: Age | None = None

    @property
    def ages(self) -> dict[str, timedelta]:
        """The ages by level, `warn` before `error`."""
        ages = {"warn": self.warn_after, "error": self.error_after}
        return {level: age.length for level, age in ages.items() if age}


class Volume(Strict):
    """When a run changes far more rows of a source than runs usually do: more than `factor` times; None: never.

    Usual is the median of the last `runs` that have changed any. Less than `min_rows` are never too many. `stop` says
    whether such a run stops before it has written anything of the source.
    """

    factor: Annotated[float, BeforeValidator(_no_boolean), Field(gt=1, allow_inf_nan=False)] | None = None
    runs: Annotated[int, BeforeValidator(_no_boolean), Field(ge=5, le=10_000)] = 20
    min_rows: Annotated[int, BeforeValidator(_no_boolean), Field(ge=0)] = 1_000
    stop: bool = False


class Source(Table):
    """A source table: its staging and baseline relation share the columns.

    `key` has the columns that identify a row, `cursor` orders the versions of one key, `created` is the timestamp by
    which the upstream claims an insert, `delete_when` a predicate on the staged row, `max_delete_share` the share of a
    snapshot's baseline that one run may delete. `history` says whether what runs change is kept. `cursor_is_read` says
    that a fact reads the cursor, as compiling finds: then a row in which only the cursor moved has changed for facts
    too.
    """

    staging: Relation
    key: Key
    cursor: ColumnName
    created: ColumnName | None = None
    load: Literal["window", "snapshot"] = "window"
    delete_when: str | None = None
    max_delete_share: Share = 0.5
    history: bool = True
    cursor_is_read: bool = False

    @model_validator(mode="after")
    def _check_types(self) -> Self:
        types = {column.name: column.data_type for column in self.columns}
        for name in (self.cursor, self.created):
            if types.get(str(name), "timestamp") != "timestamp":
                message = (
                    f"{name} is {types[str(name)]}; cursor and created are compared with a window's bounds: timestamp"
                )
                raise ValueError(message)
        if self.cursor in self.key:
            message = f"{self.cursor} is both key and cursor: the cursor orders the versions of one key"
            raise ValueError(message)
        for name in self.key:
            _check_key("key", name, self.columns)
        _check_width(self.columns, HISTORY_COLUMNS)
        return self

    def named_columns(self) -> Iterable[str]:
        """Yield the columns that the source's settings name."""
        yield from super().named_columns()
        yield from (name for name in (*self.key, self.cursor, self.created) if name)

    @property
    def sort_keys(self) -> tuple[str, ...]:
        """What the table is sorted by: its key where the project names nothing."""
        return self.sort or self.key

    @property
    def key_bytes(self) -> int:
        """How many bytes the key has as one text, at most: key.jinja writes it, and tombstones keep it."""
        lengths = [_bytes(self.column(name)) for name in self.key]
        # Of several, each letter may be one that an escape stands before, and a separator follows.
        longest = lengths[0] if len(lengths) == 1 else sum(2 * length + 1 for length in lengths)
        return min(max(longest, KEY_BYTES), LENGTHS["varchar"])

    @property
    def keeps_tombstones(self) -> bool:
        """Whether deletions are remembered; a snapshot is the whole table, so a key that is back in it is back."""
        return self.load == "window" and self.delete_when is not None


class Static(Table):
    """A table that facts read and in which nobody looks for changes, as a seed of dbt's.

    A seed's `checksum`, that of its file, is part of what a fact is built by.
    """

    checksum: str = ""


class Fact(Table):
    """A fact: a model with a row key, of one column or several.

    `anchor` is the column by whose values rows are recomputed; `grants`, as dbt's, what others may do with the table
    from when it is made on; `history` says whether what runs change is kept.

    Of a SELECT that reads the current date or time, `moment` is how often that moves: it is the end of a run's window
    cut to a day or an hour.
    """

    unique_key: Key
    anchor: ColumnName
    maintenance: Maintenance = "auto"
    moment: Grain | None = None
    history: bool = False
    grants: dict[Privilege, tuple[str, ...]] = {}

    @property
    def sort_keys(self) -> tuple[str, ...]:
        """What the table is sorted by: anchor and row key where the project names nothing."""
        return self.sort or tuple(dict.fromkeys((self.anchor, *self.unique_key)))

    def moment_at(self, time: datetime) -> datetime | None:
        """Return what the current time is in the fact's SELECT, for a run whose window ends at `time`."""
        if self.moment is None:
            return None
        hour = 0 if self.moment == "day" else time.hour
        return time.replace(hour=hour, minute=0, second=0, microsecond=0)

    def named_columns(self) -> Iterable[str]:
        """Yield the columns that the fact's settings name."""
        yield from super().named_columns()
        yield from (*self.unique_key, self.anchor)

    @model_validator(mode="after")
    def _check_columns(self) -> Self:
        for name in self.unique_key:
            _check_key("row key", name, self.columns)
        _check_width(self.columns, HISTORY_COLUMNS if self.history else 0)
        return self


class Select(Strict):
    """The SELECT of a fact or a model, in Redshift's SQL; `path` is the file that it stands in, for messages."""

    path: str
    sql: str
