"""Renders models, macros and YAML in dbt's own words; a word that is not known here is an error, never a guess."""

from __future__ import annotations

import ast
import os
import re
import traceback
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import jinja2
from jinja2 import nodes
from jinja2.ext import Extension
from jinja2.nativetypes import NativeCodeGenerator, NativeTemplate
from jinja2.sandbox import SandboxedEnvironment

from surgical_cdc.errors import ProjectError
from surgical_cdc.files import read_text

# dbt's documentation has a project's variables begin with this; those of other names may hold other programs' secrets.
VARIABLE_PREFIX = "DBT_"
SECRET_PREFIX = "DBT_ENV_SECRET"  # noqa: S105 - the prefix that dbt gives the names of secrets
# YAML keys that dbt renders later or never, and that nothing here reads.
UNRENDERED_KEYS = frozenset({"description", "docs", "tests", "data_tests", "unit_tests", "loaded_at_query", "vars"})
# Macros get this prefix inside Jinja, so that each call of one goes through the words and can `return` a value.
MACRO_PREFIX = "macro__"
# Around the number of a line while a model is rendered; no SQL has it.
MARK = "\x1a"
MARKED = re.compile(f"{MARK}(\\d+){MARK}")
# What Jinja raises at run time for what stands in a template: wrong arguments, a division by zero, endless recursion.
RUNTIME_ERRORS = (
    *(jinja2.TemplateError, TypeError, ValueError, ArithmeticError, LookupError, AttributeError),
    *(RecursionError, OverflowError),
)
TOO_DEEP = "Jinja stands too deep in other Jinja here, or a macro calls itself. Write it with fewer levels"
SHOWN_CHARACTERS = 160
Words = dict[str, Any]


class WordError(Exception):
    """A word of dbt's is used in a way that can not be followed; rendering adds file and line."""


class _Return(Exception):
    def __init__(self, value: Any) -> None:
        self.value = value


class _OtherBlocks(Extension):
    """Leaves out what dbt lets stand beside macros and that no model calls: tests, materializations, documentation."""

    tags = {"test", "data_test", "materialization", "docs"}  # noqa: RUF012 - Jinja's own declaration

    def parse(self, parser: Any) -> list[nodes.Node]:
        tag = next(parser.stream).value
        while parser.stream.current.type != "block_end":
            next(parser.stream)
        parser.parse_statements((f"name:end{tag}",), drop_needle=True)
        return []


class _Environment(SandboxedEnvironment):
    """Jinja as dbt sets it up, without what gives another text at each run."""

    def __init__(self) -> None:
        super().__init__(
            undefined=jinja2.StrictUndefined, extensions=["jinja2.ext.do", "jinja2.ext.loopcontrols", _OtherBlocks]
        )
        self.filters |= {name: lambda value: value for name in ("as_text", "as_bool", "as_native", "as_number")}
        del self.filters["random"], self.globals["lipsum"]

    def template(self, tree: nodes.Template, file: Path) -> jinja2.Template:
        """Compile a tree under the name of its file, which errors are then told by."""
        for macro in tree.find_all(nodes.Macro):
            macro.name = MACRO_PREFIX + macro.name
        return self.template_class.from_code(self, self.compile(tree, str(file), str(file)), dict(self.globals))


class _NativeEnvironment(_Environment):
    """Jinja for values of YAML: what is one expression keeps its type."""

    code_generator_class = NativeCodeGenerator

    def __init__(self) -> None:
        super().__init__()
        self.filters |= {"as_text": str, "as_bool": _literal, "as_native": _literal, "as_number": _literal}

    @staticmethod
    def concat(values: Iterable[Any]) -> Any:
        """Return the value of one expression as it is, several pieces as text."""
        parts = list(values)
        return parts[0] if len(parts) == 1 else "".join(str(part) for part in parts)


class _NativeTemplate(NativeTemplate):
    environment_class = _NativeEnvironment  # type: ignore[assignment] # Jinja means its own class here


_NativeEnvironment.template_class = _NativeTemplate


class Config:
    """The word `config`: takes a model's settings where it is called, and gives those that are known.

    When they are `complete`, a call adds nothing: a list that it makes longer would otherwise never be the same again.
    """

    def __init__(self, settings: Mapping[str, Any], *, complete: bool = False) -> None:
        self.settings = dict(settings)
        self._complete = complete

    def __call__(self, given: Mapping[str, Any] | None = None, /, **values: Any) -> str:
        """Add settings; they win over those of the YAML files."""
        if not self._complete:
            self.settings = merged(self.settings, {**(given or {}), **values})
        return ""

    def get(self, name: str, default: Any = None) -> Any:
        """Return a setting."""
        return self.settings.get(name, default)

    def require(self, name: str) -> Any:
        """Return a setting that must be there."""
        if name not in self.settings:
            raise WordError(f"config.require({name!r}): the model has no such setting")
        return self.settings[name]


class This(str):
    """The word `this`: the relation that dbt builds for the model."""

    __slots__ = ()

    @property
    def schema(self) -> str:
        """The relation's schema."""
        return self.partition(".")[0]

    @property
    def name(self) -> str:
        """The relation's table."""
        return self.partition(".")[2]

    identifier = table = name


class _Var:
    """The word `var`: a variable of dbt_project.yml."""

    def __init__(self, variables: Mapping[str, Any], render: Callable[[str], str] | None = None) -> None:
        self._variables = variables
        self._render = render

    def __call__(self, name: str, *default: Any) -> Any:
        if name not in self._variables and not default:
            known = ", ".join(sorted(self._variables)) or "none"
            raise WordError(f"var({name!r}) is not set under `vars` in dbt_project.yml. Known: {known}")
        value = self._variables.get(name, *default)
        return self._render(value) if self._render and isinstance(value, str) else value

    def has_var(self, name: str) -> bool:
        """Return whether a variable is set."""
        return name in self._variables


class Renderer:
    """Renders the files of one project.

    Args:
        project: its name, by which its own macros can be called.
        target: what the profile says of the warehouse.
        variables: the project's `vars`.
        macro_files: files with its macros.

    Raises:
        ProjectError: a macro file is no Jinja, defines a macro twice, or one under the name of a word.
    """

    def __init__(
        self, *, project: str, target: Mapping[str, Any], variables: Mapping[str, Any], macro_files: Sequence[Path]
    ) -> None:
        self._environment = _Environment()
        self._templates: dict[Path, jinja2.Template] = {}
        self._project = project
        self._variables = variables
        self._target = dict(target)
        self._macro_files = [self._macro_file(file) for file in macro_files]
        self.macros = {name: file for file, names, _ in self._macro_files for name in names}
        self._check_macros()

    def model(self, file: Path, words: Mapping[str, Any]) -> tuple[str, tuple[int, ...]]:
        """Return the SQL of a model file, and for each of its lines the line of the file that it comes from.

        `words` are those that mean something else in each model.

        Raises:
            ProjectError: the text is no Jinja, or uses a word that is not known; the message has file and line.
        """
        with self._places(file):
            return _without_marks(self._template(file).render(self._words(words)))

    def call(self, macro: str, file: Path, *arguments: Any) -> str:
        """Call a macro of the project for the model in `file`."""
        with self._places(file):
            return str(self._words({})[macro](*arguments)).strip()

    def _words(self, words: Mapping[str, Any]) -> Words:
        """Return all that a template can name; macros see what is in it when they are called."""
        known: Words = {**self._environment.globals, **_shared_words(self._target), **words}
        known["var"] = _Var(self._variables, lambda text: self._environment.from_string(text).render(known))
        macros: Words = {}
        for _, names, template in self._macro_files:
            module = template.make_module(known, shared=True)
            macros |= {name: _returning(getattr(module, MACRO_PREFIX + name)) for name in names}
        known |= {**macros, self._project: macros}
        return known

    def _template(self, file: Path) -> jinja2.Template:
        """Return the template of a model, which may be rendered twice."""
        if file not in self._templates:
            tree = self._environment.parse(read_text(file))
            _mark_lines(tree)
            self._templates[file] = self._environment.template(tree, file)
        return self._templates[file]

    def _macro_file(self, file: Path) -> tuple[Path, list[str], jinja2.Template]:
        with self._places(file):
            tree = self._environment.parse(read_text(file))
            macros = [node for node in tree.body if isinstance(node, nodes.Macro)]
            names = [macro.name for macro in macros]
            tree.body = list(macros)
            return file, names, self._environment.template(tree, file)

    def _check_macros(self) -> None:
        taken = {*_shared_words(self._target), *self._environment.globals, "ref", "source", "config", "var", "this"}
        seen: dict[str, Path] = {}
        for file, names, _ in self._macro_files:
            for name in names:
                if name in taken:
                    raise ProjectError(
                        f"{file}: the macro {name} has the name of a word of dbt's or Jinja's. Rename it."
                    )
                if name in seen:
                    raise ProjectError(f"{file}: the macro {name} is defined in {seen[name]} too.")
                seen[name] = file

    @contextmanager
    def _places(self, file: Path) -> Iterator[None]:
        """Turn what goes wrong in a template into a ProjectError with the files and lines that lead there."""
        try:
            yield
        except jinja2.TemplateSyntaxError as error:
            raise ProjectError(f"{error.filename or file}, line {error.lineno}: {error.message}.") from error
        except _Return as error:
            raise ProjectError(f"{file}: return() stands outside a macro.") from error
        except (WordError, *RUNTIME_ERRORS) as error:
            problem = TOO_DEEP if isinstance(error, RecursionError) else str(error).rstrip(".")
            if isinstance(error, jinja2.UndefinedError):
                problem += f". {self._known_words()}"
            raise ProjectError(f"{self._place(error, file)}: {problem}.") from error

    def _place(self, error: Exception, file: Path) -> str:
        """Return where in a template an error was raised, the innermost place first."""
        templates = {str(file), *(str(macro_file) for macro_file, _, _ in self._macro_files)}
        frames = [frame for frame in traceback.extract_tb(error.__traceback__) if frame.filename in templates]
        places = [f"{frame.filename}, line {frame.lineno}" for frame in reversed(frames)]
        return ", called from ".join(dict.fromkeys(places)) or str(file)

    def _known_words(self) -> str:
        words = ["ref", "source", "config", "var", "this", *_shared_words(self._target)]
        macros = ", ".join(sorted(self.macros)) or "none"
        return f"Known words: {', '.join(words)}; macros of the project: {macros}"


class YamlRenderer:
    """Renders the strings of a YAML file that hold Jinja; a value that is one expression keeps its type.

    A profile, which says where the warehouse is, reads variables of any name that is no secret's.
    """

    def __init__(self, target: Mapping[str, Any], variables: Mapping[str, Any], *, profile: bool = False) -> None:
        self._environment = _NativeEnvironment()
        self._words = {**_shared_words(target), "var": _Var(variables)}
        if profile:
            self._words["env_var"] = _read_variable

    def render(self, value: Any, file: Path) -> Any:
        """Return a value with all strings in it rendered, but for keys that dbt leaves alone.

        Raises:
            ProjectError: a string is no Jinja, or names a variable that is not set.
        """
        if isinstance(value, Mapping):
            return {key: inner if key in UNRENDERED_KEYS else self.render(inner, file) for key, inner in value.items()}
        if isinstance(value, list):
            return [self.render(inner, file) for inner in value]
        if not isinstance(value, str) or "{" not in value:
            return value
        try:
            found: Any = self._environment.from_string(value).render(self._words)
            # An undefined name alone is a value of that kind, which only complains when it becomes text.
            return str(found) if isinstance(found, jinja2.Undefined) else found
        except (WordError, SyntaxError, *RUNTIME_ERRORS) as error:
            known = ", ".join(self._words)
            problem = TOO_DEEP if isinstance(error, RecursionError) else error
            shown = value if len(value) <= SHOWN_CHARACTERS else f"{value[:SHOWN_CHARACTERS]}…"
            raise ProjectError(f"{file}: {shown!r} can not be rendered: {problem}. Known words: {known}.") from error


def merged(settings: Mapping[str, Any], over: Mapping[str, Any]) -> dict[str, Any]:
    """Return settings with others over them; `meta` is merged key by key, as dbt does."""
    both = {**settings, **over}
    if isinstance(settings.get("meta"), Mapping) and isinstance(over.get("meta"), Mapping):
        both["meta"] = {**settings["meta"], **over["meta"]}
    return both


def _mark_lines(node: nodes.Node) -> None:
    """Let each line of a template begin with its number, where its text goes straight into what is rendered."""
    for part in node.iter_child_nodes():
        if isinstance(part, nodes.TemplateData):
            lines = part.data.split("\n")
            part.data = "\n".join(f"{MARK}{part.lineno + place}{MARK}{line}" for place, line in enumerate(lines))
        elif isinstance(part, nodes.Output | nodes.If | nodes.For):
            _mark_lines(part)


def _without_marks(text: str) -> tuple[str, tuple[int, ...]]:
    """Return a rendered text without its marks, and the number that each of its lines has by them."""
    numbers, number = [], 1
    for line in text.split("\n"):
        marked = MARKED.search(line)
        number = int(marked[1]) if marked else number
        numbers.append(number)
    return MARKED.sub("", text), tuple(numbers)


def _shared_words(target: Mapping[str, Any]) -> Words:
    """Return the words that mean the same in every file."""
    return {
        "env_var": _env_var,
        "target": dict(target),
        "is_incremental": lambda: False,
        # dbt compiles with True; what asks the warehouse then is refused by its own name, such as run_query.
        "execute": True,
        "return": _return,
        "exceptions": {"raise_compiler_error": _raise_compiler_error},
    }


def _env_var(name: str, default: Any = None) -> Any:
    if not name.startswith(VARIABLE_PREFIX):
        raise WordError(
            f"env_var({name!r}): a project reads only variables whose names begin with {VARIABLE_PREFIX}, so that "
            f"nothing of another program gets into its SQL. Call it {VARIABLE_PREFIX}{name}, here and where it is set"
        )
    return _read_variable(name, default)


def _read_variable(name: str, default: Any = None) -> Any:
    if name.startswith(SECRET_PREFIX):
        raise WordError(f"env_var({name!r}): a secret can only be read in profiles.yml")
    value = os.environ.get(name, default)
    if value is None:
        raise WordError(f"env_var({name!r}): the environment has no such variable, and no default is given")
    return value


def _return(value: Any = None) -> None:
    raise _Return(value)


def _raise_compiler_error(message: Any) -> None:
    raise WordError(str(message))


def _returning(macro: Callable[..., Any]) -> Callable[..., Any]:
    """Let a macro's return() be the value of its call."""

    def call(*arguments: Any, **named: Any) -> Any:
        try:
            return macro(*arguments, **named)
        except _Return as found:
            return found.value

    return call


def _literal(value: Any) -> Any:
    return ast.literal_eval(str(value).capitalize() if str(value).lower() in {"true", "false"} else str(value))
