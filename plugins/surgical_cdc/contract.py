"""The contract: what the project's YAML says of sources and facts, read by pydantic and checked once."""

from __future__ import annotations

import re
from typing import Annotated, Any, Literal, Self

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, model_validator

from surgical_cdc.errors import did_you_mean
from surgical_cdc.names import PREFIX

# Redshift keeps these for itself, in quotation marks too (r_names in its developer guide).
SYSTEM_COLUMNS = frozenset({"cmax", "cmin", "ctid", "deletexid", "insertxid", "oid", "tableoid", "xmax", "xmin"})
_IDENTIFIER = re.compile(r"[a-z_][a-z0-9_]{0,62}")
_TYPE = re.compile(
    r"(?:smallint|integer|bigint|boolean|date|timestamp|timestamptz|real|double precision"
    r"|(?:varchar|char)\(\d{1,5}\)|numeric\(\d{1,2},\s?\d{1,2}\))"
)

# Types each of which holds what those before it hold.
WIDER = (("smallint", "integer", "bigint"), ("real", "double precision"))
# Tombstones keep the keys of all sources in one column of this length.
KEY_BYTES = 256


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
        message = f"{name!r} is no name: expected lower-case letters, digits and _, 63 at most"
        raise ValueError(message)
    if name.startswith(PREFIX):
        message = f"{name!r} begins with {PREFIX}, as only names of the engine's own do"
        raise ValueError(message)
    return name


def _column(name: str) -> str:
    if name in SYSTEM_COLUMNS:
        message = f"{name!r} is a name that Redshift keeps, as {', '.join(sorted(SYSTEM_COLUMNS))}"
        raise ValueError(message)
    return _identifier(name)


def _relation(name: str) -> str:
    schema, _, table = name.partition(".")
    return f"{_identifier(schema)}.{_identifier(table)}"


def _data_type(text: str) -> str:
    if not _TYPE.fullmatch(text):
        message = (
            f"{text!r} is no data type of the contract: expected e.g. bigint, varchar(64), numeric(18,4), timestamp"
        )
        raise ValueError(message)
    return text


Identifier = Annotated[str, AfterValidator(_identifier)]
ColumnName = Annotated[str, AfterValidator(_column)]
Relation = Annotated[str, AfterValidator(_relation)]
DataType = Annotated[str, AfterValidator(_data_type)]
Maintenance = Literal["incremental", "full"]


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
    dist: Identifier | None = None
    sort: tuple[Identifier, ...] = ()

    @property
    def column_names(self) -> tuple[str, ...]:
        """The columns' names, in the table's order."""
        return tuple(column.name for column in self.columns)

    def column(self, name: str) -> Column:
        """Return the column of that name; KeyError where there is none."""
        for column in self.columns:
            if column.name == name:
                return column
        raise KeyError(name)


class Cdc(Strict):
    """What stands under `config: meta: cdc:` of a source table."""

    staging: Relation
    key: Identifier
    cursor: Identifier
    created: Identifier | None = None
    load: Literal["window", "snapshot"] = "window"
    delete_when: str | None = None
    max_delete_share: float = Field(default=0.5, gt=0, le=1)
    dist: Identifier | None = None
    sort: tuple[Identifier, ...] = ()


class Retention(Strict):
    """For how many days the control tables keep what runs write: the ledger, tombstones, quarantined rows.

    A year of half hours is some 300,000 lines of the ledger for 12 sources and 6 facts.
    """

    ledger_days: int = Field(default=400, ge=1)
    tombstone_days: int = Field(default=400, ge=1)
    quarantine_days: int = Field(default=400, ge=1)


class Source(Table):
    """A source table: its staging and baseline relation share the columns.

    `key` identifies a row, `cursor` orders the versions of one key, `created` is the timestamp by which the upstream
    claims an insert, `delete_when` a predicate on the staged row, `max_delete_share` the share of a snapshot's baseline
    that one run may delete.
    """

    staging: Relation
    key: Identifier
    cursor: Identifier
    created: Identifier | None = None
    load: Literal["window", "snapshot"] = "window"
    delete_when: str | None = None
    max_delete_share: float = 0.5

    @model_validator(mode="after")
    def _check_types(self) -> Self:
        types = {column.name: column.data_type for column in self.columns}
        for name in (self.cursor, self.created):
            if types.get(str(name), "timestamp") != "timestamp":
                message = (
                    f"{name} is {types[str(name)]}; cursor and created are compared with a window's bounds: timestamp"
                )
                raise ValueError(message)
        if self.key == self.cursor:
            message = f"{self.key} is both key and cursor: the cursor orders the versions of one key"
            raise ValueError(message)
        _, _, length = types.get(self.key, "").rstrip(")").partition("char(")
        if length and int(length) > KEY_BYTES:
            message = f"the key {self.key} is {types[self.key]}; a key has {KEY_BYTES} bytes at most"
            raise ValueError(message)
        return self

    @property
    def keeps_tombstones(self) -> bool:
        """Whether deletions are remembered; a snapshot is the whole table, so a key that is back in it is back."""
        return self.load == "window" and self.delete_when is not None


class Fact(Table):
    """A fact: a model with a row key. `anchor` is the column by whose values rows are recomputed."""

    unique_key: Identifier
    anchor: Identifier
    maintenance: Maintenance = "incremental"


class Model(Strict):
    """A model after Jinja: `sql` is Redshift SQL in which other models stand as ref.<name>.

    `path` and `lines`, the line of the file for each line of `sql`, are for messages.
    """

    name: Identifier
    path: str
    sql: str
    lines: tuple[int, ...]
    relation: Relation | None
