"""Makes the folder `cdc` of a dbt project from dbt's artifacts: contract, dictionary, one SELECT for each fact."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import NoReturn, Protocol, TypeVar

from sqlglot import exp

from surgical_cdc.compiler.compiled_fact import (
    CompiledFact,
    by_another_anchor,
    collect_seldom,
    compile_fact,
    compile_query,
    unsupported,
)
from surgical_cdc.compiler.current_time import grain
from surgical_cdc.compiler.documents import lineage_page
from surgical_cdc.compiler.fact_query import DIALECT, qualified_query
from surgical_cdc.compiler.inlining import Inlining
from surgical_cdc.compiler.unsupported import Refused
from surgical_cdc.contract.project import Project, contract_path, contract_text, load_project, select_path, table_of
from surgical_cdc.contract.tables import Fact, Select, Source, Static
from surgical_cdc.dbt.artifacts import COMPILE, Node, SourceTable, read_artifacts
from surgical_cdc.dbt.declared import (
    UNTYPED,
    Types,
    candidates,
    catalog_types,
    declared_types,
    fact_meta,
    parts,
    reached,
    relation_of,
    seeds,
    told_apart,
    tracked_sources,
    untyped_relations,
    untyped_sources,
    usable_types,
)
from surgical_cdc.dbt.settings import read_settings
from surgical_cdc.dictionary import Dictionary, dump_dictionary
from surgical_cdc.errors import ProjectError, UnsupportedQuery, WarehouseRefusal
from surgical_cdc.files import fail, read_text, write_text

T = TypeVar("T")
F = TypeVar("F")
SELECT_HEADER = "-- The SELECT of {} on the sources, its models as CTEs. Made by compiling; edit the models instead.\n"
# What dbt does besides the SELECT when it builds a model.
BESIDE_THE_SELECT = ("pre_hook", "post_hook", "sql_header")
# What `dist` can be where it names no column.
DIST_STYLES = ("auto", "all", "even")


class AskWarehouse(Protocol):
    """Tells what neither YAML nor dbt's catalog says."""

    def columns(self, relations: Sequence[str]) -> Types:
        """Return the columns of the tables among these that exist."""

    def columns_of(self, query: exp.Select) -> Mapping[str, str]:
        """Return the columns that a query gives."""


@dataclass(frozen=True)
class Compilation:
    """What was made of a project: the files of `cdc`, by path, and what a person should know.

    `obsolete` are SELECTs in the folder of facts that are none any more.
    """

    project: Project
    dictionary: Dictionary
    files: Mapping[Path, str]
    obsolete: Sequence[Path]
    warnings: Sequence[str]

    def stale(self) -> list[Path]:
        """Return the files that are not as they must be, those that must go among them."""
        stale = [file for file, text in self.files.items() if not file.exists() or read_text(file) != text]
        return [*stale, *self.obsolete]

    def write(self) -> list[Path]:
        """Write what is stale, and return it."""
        stale = self.stale()
        for file in stale:
            if file in self.files:
                write_text(file, self.files[file])
            else:
                file.unlink()
        return stale


@dataclass
class _Draft:
    """A fact on its way: its node, its SELECT as a tree that knows its places, and the fact itself."""

    node: Node
    tree: exp.Query
    fact: Fact


def compile_project(
    path: Path, *, select: Sequence[str] = (), ask: AskWarehouse | None = None, progress: Callable[[str], None] = print
) -> Compilation:
    """Make the folder `cdc` of the dbt project in the folder `path`, which dbt has compiled; nothing is written.

    A model that can be a fact and that nothing can be made of is left out, and the contract says so, unless it was
    asked for, or was a fact before: what is kept up to date is never dropped in silence.

    Args:
        path: folder of the dbt project.
        select: names, or tags as tag:…, of the models that are to be facts; those of the last time if there are none.
        ask: asks the warehouse for types that nobody declares.
        progress: is called with a line about each fact.

    Raises:
        ProjectError: the artifacts are missing or older than the models, or a setting in them is wrong.
        UnsupportedQuery: a fact that was asked for can not be maintained.
    """
    collect_seldom()
    return _Compiling(path, select, ask, progress).compile()


def compile_dictionary(project: Project) -> Dictionary:
    """Derive the dictionary of a project from its facts' SELECTs, sources and columns in the contract's order."""
    compiled = {fact: compile_fact(project, fact) for fact in project.facts}
    lineage = {fact: one.lineage.feeds for fact, one in compiled.items()}
    feeds = {
        source.name: {
            column: facts
            for column in source.column_names
            if (
                facts := {
                    fact: fed[source.relation, column]
                    for fact, fed in lineage.items()
                    if (source.relation, column) in fed
                }
            )
        }
        for source in project.sources.values()
    }
    full = {fact: one.reason for fact, one in compiled.items() if one.reason}
    whole = {fact: one.tree.read_whole for fact, one in compiled.items() if one.tree and one.tree.read_whole}
    contributions = tuple(fact for fact, one in compiled.items() if one.groups)
    return Dictionary(tuple(project.facts), full, whole, contributions, feeds, project.fingerprint)


def edited_models(project: Project) -> list[str]:
    """Return the files of models that are not as they were when the project was compiled."""
    return [file for file, checksum in project.models.items() if _checksum(project.path / file) != checksum]


class _Compiling:
    def __init__(
        self, path: Path, select: Sequence[str], ask: AskWarehouse | None, progress: Callable[[str], None]
    ) -> None:
        self._path = path
        self._ask = ask
        self._progress = progress
        self._settings = read_settings(path)
        self._artifacts = read_artifacts(path)
        before = load_project(path) if contract_path(path).exists() else None
        self._select = tuple(select) or (before.select if before else ())
        self._kept = frozenset(before.facts if before else ())
        chosen = candidates(self._artifacts, self._select)
        self._nodes = dict(sorted(chosen.items(), key=lambda item: (item[1].name, item[0])))
        self._names = Counter(node.name for node in self._nodes.values())
        self._named = {self._name(node): node for node in self._nodes.values()}
        self._read = {name: list(reached(self._artifacts, node)) for name, node in self._nodes.items()}
        # By unique id, and by relation.
        self._tracked, self._unusable = self._tables()
        self._by_relation = {table.relation: table for table in self._tracked.values()}
        self._inlining = Inlining(self._artifacts)
        self._left_out: dict[str, str] = {}
        self._dropped = list(self._no_longer_facts(chosen_anew=bool(select)))

    def compile(self) -> Compilation:
        self._check_fresh()
        drafts = self._each(self._named, self._draft, "read, with the types of its columns")
        places = {name: self._place(draft.node) for name, draft in drafts.items()}
        compiled = self._each(
            drafts, partial(self._compile, replace(self._project(drafts), selects=places)), "compiled"
        )
        if not compiled:
            self._fail_without_facts()
        project = self._project({name: replace(drafts[name], fact=one.fact) for name, one in compiled.items()})
        project = _with_read_cursors(project, {read for one in compiled.values() for read in one.lineage.feeds})
        self._check_written(project, drafts, compiled)
        dictionary = replace(compile_dictionary(project), descriptions=self._descriptions(project))
        used = [drafts[name].node for name in compiled]
        files = _files(project, dictionary)
        obsolete = [file for file in sorted(project.folder.glob("facts/*.sql")) if file not in files]
        return Compilation(project, dictionary, files, obsolete, [*self._dropped, *self._not_read(), *_warnings(used)])

    def _descriptions(self, project: Project) -> dict[str, dict[str, str]]:
        """Return what dbt's YAML says of sources and facts, by name; what it says nothing of is not among them."""
        sources = {
            self._tracked[unique_id].name: table.description
            for unique_id, table in self._artifacts.sources.items()
            if unique_id in self._tracked
        }
        facts = {name: node.description for name, node in self._named.items()}
        return {
            "sources": {name: text for name in project.sources if (text := sources.get(name, "").strip())},
            "facts": {name: text for name in project.facts if (text := facts[name].strip())},
        }

    def _tables(self) -> tuple[Mapping[str, Source | Static], Mapping[str, str]]:
        """Return the tables that facts can read, by unique id: tracked sources, and the seeds that are used.

        And of those that can not be read, why: what reads one of them is left out, and stops nothing else.
        """
        used = sorted({one.unique_id: one for read in self._read.values() for one in read}.items())
        seeded = [one for _, one in used if isinstance(one, Node) and one.resource_type == "seed"]
        tracked = [unique_id for unique_id, table in self._artifacts.sources.items() if table.cdc is not None]
        if not tracked and not seeded:
            fail(
                self._path / "dbt_project.yml",
                "no source has `config: meta: cdc:` (staging, key, cursor), so nobody would look for changes. See which"
                " sources there are, and have it written, with: python -m surgical_cdc init",
            )
        unknown = untyped_relations(self._artifacts, [*tracked, *(seed.unique_id for seed in seeded)])
        known = self._ask.columns(unknown) if self._ask and unknown else {}
        self._untyped = untyped_sources(self._artifacts, known)
        sources, odd_sources = tracked_sources(self._artifacts, known)
        static, odd_seeds = seeds(self._artifacts, seeded, known, [table.name for table in sources.values()])
        return {**sources, **static}, {**odd_sources, **odd_seeds}

    def _no_longer_facts(self, *, chosen_anew: bool) -> Iterator[str]:
        """Yield a warning for each fact that somebody has dropped; refuse where it may have come about by an oversight.

        A misspelled `unique_key` is one, and a first `fact: true` in another model.
        """
        for name in sorted(self._kept - self._named.keys()):
            models = (node for node in self._artifacts.nodes.values() if node.resource_type == "model")
            node = next((one for one in models if name in {one.name, f"{one.package_name}__{one.name}"}), None)
            if node is None or chosen_anew or fact_meta(self._artifacts, node).fact is False:
                yield f"{name} is no fact any more, and nobody keeps its table up to date"
                continue
            self._artifacts.refuse(
                node,
                f"{name} was a fact, and can not be one as it is: it needs a unique_key, to be a table, and `fact:"
                " true` or the tag where these choose. Say so, or drop it with `meta: {cdc: {fact: false}}` or"
                " --select",
            )

    def _not_read(self) -> Iterator[str]:
        """Yield a warning for each table that can not be read; facts that read one are left out for it."""
        for unique_id, reason in self._unusable.items():
            owner = self._artifacts.sources.get(unique_id) or self._artifacts.nodes[unique_id]
            yield f"{owner.called} is left out: {reason.replace(f'{self._path}/', '')}"

    def _check_fresh(self) -> None:
        """Refuse artifacts that dbt made before a model was edited."""
        for node in self._used(self._nodes.values()):
            file = self._artifacts.file(node)
            if file.exists() and read_text(file).strip() != node.raw_code.strip():
                fail(file, f"was edited after dbt had compiled it. {COMPILE}")

    def _used(self, facts: Iterable[Node]) -> Iterable[Node]:
        """Yield the project's own models that are facts or read by them, each once; those of packages aside."""
        read = [one for fact in facts for one in (fact, *self._read[fact.unique_id])]
        models = {one.unique_id: one for one in read if isinstance(one, Node) and one.resource_type == "model"}
        return (node for node in models.values() if node.package_name == self._artifacts.project_name)

    def _each(self, facts: Mapping[str, F], make: Callable[[str, F], T], done: str) -> dict[str, T]:
        """Make something of each fact, and say that it is done.

        One where that fails is left out, if nobody has asked for it or counts on it.
        """
        made = {}
        for name, fact in facts.items():
            node = self._named[name]
            try:
                made[name] = make(name, fact)
            except (ProjectError, UnsupportedQuery) as error:
                if self._select or fact_meta(self._artifacts, node).fact or name in self._kept:
                    raise
                self._left_out[name] = str(error).replace(f"{self._path}/", "")
                self._progress(f"{name}: left out")
            else:
                self._progress(f"{name}: {done}")
        return made

    def _draft(self, name: str, node: Node) -> _Draft:
        self._check_tracked(node)
        try:
            tree = self._inlining.select(node)
            columns = self._columns(node, tree)
        except Refused as error:
            raise unsupported(error, self._place(node)) from error
        key = self._artifacts.row_key(node)
        meta, sort, dist = fact_meta(self._artifacts, node), node.config.sort, node.config.dist
        settings = {
            "name": name,
            "relation": relation_of(node),
            "columns": [{"name": column, "data_type": data_type} for column, data_type in columns.items()],
            "unique_key": key,
            "anchor": meta.anchor or key[0],
            "maintenance": meta.maintenance,
            "moment": meta.moment or grain(tree),
            "history": meta.history,
            "dist": None if dist in DIST_STYLES else dist,
            "grants": {word.lower(): grantees for word, grantees in node.config.grants.items()},
            "sort": sort,
        }
        return _Draft(node, tree, table_of(Fact, settings, self._artifacts.file(node), node.said))

    def _check_tracked(self, node: Node) -> None:
        """Refuse a fact that reads, through any model, a source in which nobody looks for changes, or can."""
        for one in self._read[node.unique_id]:
            if one in self._untyped:
                self._refuse_untyped()
            if one.unique_id in self._unusable:
                raise ProjectError(self._unusable[one.unique_id])
            if isinstance(one, SourceTable) and one.unique_id not in self._tracked:
                self._artifacts.refuse(
                    node,
                    f"{node.name} reads source({one.source_name!r}, {one.name!r}), which has no `config: meta: cdc:`"
                    f" (staging, key, cursor; or load: static). It is described in {one.original_file_path}",
                )
            own = parts(node.relation_name or "")[0]
            database = parts(one.relation_name)[0] if isinstance(one, SourceTable) else own
            if database not in {"", own}:
                self._artifacts.refuse(
                    one,
                    f"{one.said} is in the database {database}, and the fact {node.name} in {own}; all tables are in"
                    " the one that the connection leads to",
                )

    def _columns(self, node: Node, tree: exp.Query) -> Mapping[str, str]:
        """Return the columns of a fact with their types: those of YAML, else of dbt's catalog, else of the SELECT.

        Where YAML has a type of all columns, it says their order too. What it calls a type and is none of Redshift's
        counts where nobody else knows one.
        """
        declared = declared_types(node.columns)
        usable = usable_types(declared)
        if usable and len(usable) == len(node.columns):
            return usable
        query = qualified_query(self._by_relation, tree.copy(), self._place(node))
        names = query.named_selects
        types = {**catalog_types(self._artifacts, node), **usable}
        if self._ask and not all(name in types for name in names):
            try:
                types = {**self._ask.columns_of(query), **usable}
            except WarehouseRefusal as error:
                self._artifacts.refuse(node, str(error).rstrip("."))
        types = {**declared, **types}
        untyped = [name for name in names if name not in types]
        if untyped:
            self._artifacts.refuse(node, f"nobody knows the types of {node.name}'s {', '.join(untyped)}. {UNTYPED}")
        return {name: types[name] for name in names}

    def _compile(self, in_models: Project, _: str, draft: _Draft) -> CompiledFact:
        """Compile a fact by the places in its models, and choose its anchor where nobody has."""
        fact = draft.fact
        compiled = self._by_some_anchor(in_models, draft)
        if compiled.in_full and fact.maintenance == "incremental":
            compiled = compile_query(in_models, fact, draft.tree.copy())
        return replace(compiled, fact=compiled.fact.model_copy(update={"maintenance": fact.maintenance}))

    def _by_some_anchor(self, in_models: Project, draft: _Draft) -> CompiledFact:
        if fact_meta(self._artifacts, draft.node).anchor or draft.fact.maintenance == "full":
            return compile_query(in_models, draft.fact, draft.tree.copy())
        fact = draft.fact.model_copy(update={"maintenance": "auto"})
        compiled = compile_query(in_models, fact, draft.tree.copy())
        return by_another_anchor(in_models, compiled) if compiled.in_full else compiled

    def _check_written(
        self, project: Project, drafts: Mapping[str, _Draft], compiled: Mapping[str, CompiledFact]
    ) -> None:
        """See that each fact's SELECT in `cdc` is read as the same one as those of its models."""
        for name, one in compiled.items():
            if compile_fact(project, name).select_fingerprint != one.select_fingerprint:
                fail(
                    self._artifacts.sql_file(drafts[name].node),
                    f"is written into {select_path(self._path, name)} as another SELECT than it is, which is a fault of"
                    " the compiler's. Compare both, write what differs in another way, and report it",
                )
            self._progress(f"{name}: read again as it is written")

    def _place(self, node: Node) -> Select:
        return Select(path=str(self._artifacts.sql_file(node)), sql=node.compiled_code or "")

    def _name(self, node: Node) -> str:
        """Return what a fact is called: by its model, and by the package too where two have a model of that name."""
        return told_apart(self._names, node.package_name, node.name)

    def _project(self, drafts: Mapping[str, _Draft]) -> Project:
        tables = self._tracked.values()
        used = self._used([draft.node for draft in drafts.values()])
        return Project(
            name=self._artifacts.project_name,
            path=self._path,
            sources={table.name: table for table in tables if isinstance(table, Source)},
            static={table.name: table for table in tables if isinstance(table, Static)},
            facts={name: draft.fact for name, draft in drafts.items()},
            selects={name: self._written(name, draft.tree) for name, draft in drafts.items()},
            control_schema=self._settings.control_schema,
            scratch_schema=self._settings.scratch_schema,
            retention=self._settings.retention,
            verification=self._settings.verification,
            freshness=self._settings.freshness,
            volume=self._settings.volume,
            select=self._select,
            left_out=dict(sorted(self._left_out.items())),
            models={node.original_file_path: _checksum(self._artifacts.file(node)) for node in used},
        )

    def _written(self, name: str, tree: exp.Query) -> Select:
        text = SELECT_HEADER.format(name) + tree.sql(DIALECT, pretty=True) + "\n"
        return Select(path=str(select_path(self._path, name)), sql=text)

    def _refuse_untyped(self) -> NoReturn:
        listed = ", ".join(table.called for table in self._untyped)
        self._artifacts.refuse(self._untyped[0], f"nobody knows the columns of {listed}. {UNTYPED}")

    def _fail_without_facts(self) -> NoReturn:
        if self._untyped:
            self._refuse_untyped()
        left_out = "".join(f"\n  {name}: {reason.rstrip('.')}" for name, reason in self._left_out.items())
        fail(
            self._path / "dbt_project.yml",
            "no model can be a fact. A fact is a table with a `unique_key`, or a column that is tested to be unique and"
            f" not_null, that reads sources with `cdc` meta{':' if left_out else ''}{left_out}",
        )


def _with_read_cursors(project: Project, read: Collection[tuple[str, str]]) -> Project:
    """Return a project in which each source knows whether its cursor is among the columns that are read."""
    sources = {
        name: source.model_copy(update={"cursor_is_read": (source.relation, source.cursor) in read})
        for name, source in project.sources.items()
    }
    return replace(project, sources=sources)


def _files(project: Project, dictionary: Dictionary) -> Mapping[Path, str]:
    """Return what the files of `cdc` must hold."""
    return {
        contract_path(project.path): contract_text(project),
        project.dictionary_path: dump_dictionary(dictionary),
        project.folder / "lineage.md": lineage_page(project, dictionary),
        **{Path(select.path): select.sql for select in project.selects.values()},
    }


def _checksum(file: Path) -> str:
    """Return sixteen hex digits that change with the text of a file, none where there is no such file."""
    return hashlib.sha256(read_text(file).encode()).hexdigest()[:16] if file.exists() else ""


def _warnings(facts: Iterable[Node]) -> Iterator[str]:
    """Yield what dbt does besides the SELECT when it builds a fact, which no run does."""
    for node in facts:
        beside = [name for name in BESIDE_THE_SELECT if getattr(node.config, name)]
        if beside:
            listed = " and a ".join(name.replace("_", "-") for name in beside)
            yield f"{node.name} has a {listed}, which no run executes: a fact is its SELECT alone"
