from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from surgical_cdc.cli import checks
from surgical_cdc.compiler.documents import compile_dictionary
from surgical_cdc.dbt.project import load_project
from surgical_cdc.errors import ProjectError, UnsupportedQuery
from tests.conftest import LIBRARY
from tests.random.one_model import one_model

SELECT = "SELECT o.id, {} AS n FROM {{{{ source('live', 'orders') }}}} AS o"


def sql_of(folder: Path, expression: str, *, macros: str = "", **models: str) -> str:
    """Return what the column n of the fact is, written with dbt's words."""
    if macros:
        (folder / "sql" / "macros").mkdir(parents=True)
        (folder / "sql" / "macros" / "own.sql").write_text(macros)
    sql = one_model(folder, SELECT.format(expression), "id n", **models).models["fact"].sql
    return sql.partition("SELECT o.id, ")[2].partition(" AS n FROM ")[0]


@pytest.fixture
def library(tmp_path: Path) -> Path:
    """A copy of the library project."""
    shutil.copytree(LIBRARY, tmp_path / "sql")
    return tmp_path / "sql"


def edit(project: Path, file: str, before: str, after: str) -> None:
    """Change a file of a project."""
    text = (project / file).read_text()
    assert before in text
    (project / file).write_text(text.replace(before, after))


@pytest.mark.parametrize(
    ("expression", "macros", "expected"),
    [
        pytest.param("{{ var('limit') }}", "", "3", id="var"),
        pytest.param("{{ var('other', 4) }}", "", "4", id="default of var"),
        pytest.param("{{ var.has_var('other') }}", "", "False", id="has_var"),
        pytest.param("{{ target.name }} {{ target.schema }} {{ target.type }}", "", "t facts redshift", id="target"),
        pytest.param("{{ this }} {{ this.schema }} {{ this.name }}", "", "facts.fact facts fact", id="this"),
        pytest.param("{{ config.get('unique_key') }} {{ config.get('x', 1) }}", "", "id 1", id="config.get"),
        pytest.param("{% if is_incremental() %}1{% elif execute %}2{% endif %}", "", "2", id="is_incremental"),
        pytest.param("{% set x = [1] %}{% do x.append(2) %}{{ x | join('+') }}", "", "1+2", id="set and do"),
        pytest.param("{% for x in range(5) %}{% if x == 2 %}{% break %}{% endif %}{{ x }}{% endfor %}", "", "01",
                     id="for"),
        pytest.param("{{ outer(2) }}", "{% macro outer(x) %}{{ inner(x) }}+1{% endmacro %}"
                     "{% macro inner(x) %}{{ x * var('limit') }}{% endmacro %}", "6+1", id="macros"),
        pytest.param("{{ small.one() }}", "{% macro one() %}1{% endmacro %}", "1", id="macro by project"),
        pytest.param("{{ l() | sum }}", "{% macro l() %}{{ return([1, 2]) }}{% endmacro %}", "3", id="return"),
        pytest.param("{{ outer() }}", "{% macro outer() %}{{ inner() + 1 }}{% endmacro %}"
                     "{% macro inner() %}{{ return(1) }}{% endmacro %}", "2", id="return to a macro of the same file"),
        pytest.param("{% call f() %}1+{% endcall %}0", "{% macro f() %}{{ caller() }}{{ caller() }}{% endmacro %}",
                     "1+1+0", id="call"),
        pytest.param("{{ one() }}", "{% test t(model) %}{{ model.x }}{% endtest %}{% macro one() %}1{% endmacro %}"
                     "{% materialization m, default %}{{ hooks(x) }}{% endmaterialization %}", "1", id="other blocks"),
    ],
)  # fmt: skip
def test_words_of_dbt_mean_what_they_mean_there(tmp_path: Path, expression: str, macros: str, expected: str) -> None:
    """What the words give is what dbt gives; test_words.py compares a whole project with dbt itself."""
    assert sql_of(tmp_path, expression, macros=macros) == expected


def test_config_may_build_on_what_it_says_elsewhere(tmp_path: Path) -> None:
    """A list that is made longer where config() is called is so once, however often the file is rendered."""
    assert sql_of(tmp_path, "{{ config(tags=config.get('tags', []) + ['x']) }}{{ config.get('tags') | length }}") == "1"


def test_env_var_is_read_where_it_is_set(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The environment wins over the default, which stands in where there is nothing."""
    monkeypatch.setenv("DBT_TEST_LIMIT", "7")
    expression = "{{ env_var('DBT_TEST_LIMIT', '1') }} {{ env_var('DBT_TEST_OTHER', '2') }}"
    assert sql_of(tmp_path, expression) == "7 2"


@pytest.mark.parametrize(
    ("expression", "macros", "problem"),
    [
        pytest.param("{{ run_query('x') }}", "", r"fact\.sql, line 2: 'run_query' is undefined", id="run_query"),
        pytest.param("{{ adapter.dispatch('x')() }}", "", r"fact\.sql, line 2: 'adapter' is undefined", id="adapter"),
        pytest.param("\n{{ dbt_utils.star(1) }}", "", r"fact\.sql, line 3: 'dbt_utils' is undefined", id="package"),
        pytest.param("{{ x }}", "{% macro own() %}{% endmacro %}", r"macros of the project: own\.$", id="known macros"),
        pytest.param("{{ own() }}", "\n{% macro own() %}\n{{ log('x') }}{% endmacro %}",
                     r"own\.sql, line 3, called from .*fact\.sql, line 2: 'log' is undefined", id="inside a macro"),
        pytest.param("{{ target.host }}", "", r"line 2: 'dict object' has no attribute 'host'", id="target"),
        pytest.param("{{ var('gone') }}", "", r"line 2: var\('gone'\) is not set .*Known: limit", id="var"),
        pytest.param("{{ env_var('DBT_GONE') }}", "", r"env_var\('DBT_GONE'\): the environment has no", id="env_var"),
        pytest.param("{{ env_var('DBT_ENV_SECRET_X', '') }}", "", "a secret can only be read in profiles", id="secret"),
        pytest.param("{{ env_var('HOME') }}", "", r"line 2: env_var\('HOME'\): .* DBT_HOME", id="other program"),
        pytest.param("{{ ref('gone') }}", "", r"line 2: ref\('gone'\): no such model\. Known: fact", id="ref"),
        pytest.param("{{ ref('other', 'fact') }}", "", "models of packages are not supported", id="ref of a package"),
        pytest.param("{{ ref('fact', v=1) }}", "", "versions of models are not supported", id="ref of a version"),
        pytest.param("{{ source('dead', 'orders') }}", "", r"no such source\. Known: live\.cities", id="source"),
        pytest.param("{{ config.require('gone') }}", "", "the model has no such setting", id="config"),
        pytest.param("{{ exceptions.raise_compiler_error('no kind') }}", "", "line 2: no kind", id="own error"),
        pytest.param("{{ return(1) }}", "", r"return\(\) stands outside a macro", id="return"),
        pytest.param("{{ own(1, 2) }}", "{% macro own(x) %}{% endmacro %}", "not more than 1 arg", id="arguments"),
        pytest.param("{% macro f() %}1{% endmacro %}{{ f() }}", "", "'f' is undefined", id="macro in a model"),
        pytest.param("{{ [1, 2] | random }}", "", "No filter named 'random'", id="random"),
        pytest.param("{% include 'fact.sql' %}", "", "no loader", id="include"),
        pytest.param("{{ ().__class__ }}", "", "'__class__'.* unsafe", id="sandbox"),
        pytest.param("{{ f() }}", "{% macro f() %}{{ f() }}{% endmacro %}", "calls itself", id="endless recursion"),
        pytest.param("1", "{% macro ref(x) %}{% endmacro %}", "has the name of a word of dbt's", id="macro called ref"),
        pytest.param("1", "{% macro f() %}{% endmacro %}{% macro f() %}{% endmacro %}", "defined in", id="macro twice"),
        pytest.param("1", "{% macro f() %}", r"own\.sql, line 1", id="no Jinja"),
    ],
)  # fmt: skip
def test_word_that_can_not_be_followed_is_named_with_file_and_line(
    tmp_path: Path, expression: str, macros: str, problem: str
) -> None:
    """Nothing is guessed: an unknown word, package or value ends in one message that says where it stands."""
    with pytest.raises(ProjectError, match=problem):
        sql_of(tmp_path, expression, macros=macros)


@pytest.mark.parametrize(
    ("before", "line"),
    [
        pytest.param("{{ config(\n  sort='id'\n) }}\n", 7, id="config over lines"),
        pytest.param("{% set x = [\n 1, 2\n] -%}\n\n", 8, id="set over lines, blanks removed"),
        pytest.param("{#\n\n#}", 6, id="comment"),
        pytest.param("{% if\n true %}{% for i in [1] %}\n{% endfor %}{% endif %}\n", 7, id="loop"),
        pytest.param("", 4, id="nothing"),
    ],
)
def test_refused_clause_is_found_in_the_file_in_spite_of_jinja(tmp_path: Path, before: str, line: int) -> None:
    """The line of a clause is that of the model's file, where the rendered SQL has fewer lines or more."""
    sql = f"{before}SELECT o.id, 1 AS n\nFROM live.orders AS o\nLIMIT 3"
    with pytest.raises(UnsupportedQuery, match=rf"fact\.sql, line {line}: LIMIT 3"):
        checks.models(one_model(tmp_path, sql, "id n"))


def test_model_that_does_not_parse_is_named_with_its_line(tmp_path: Path) -> None:
    """So is the place of a syntax error."""
    with pytest.raises(ProjectError, match=r"fact\.sql, line 5: "):
        compile_dictionary(
            one_model(tmp_path, "{{ config(\n) }}\nSELECT o.id,\n (1 AS n FROM live.orders AS o", "id n")
        )


@pytest.mark.parametrize(
    ("second_line", "problem"),
    [
        pytest.param("1 AS m,, 1 AS n", "nothing stands between ',' and ','", id="two commas"),
        pytest.param("1 AS n,", "nothing stands between ',' and 'FROM'", id="comma at the end"),
        pytest.param("add_months(day, 1) AS n", "ADD_MONTHS can not be sent as it is", id="ADD_MONTHS"),
        pytest.param("GREATEST(, 1) AS n", r"nothing stands between '\(' and ','", id="comma at the beginning"),
        pytest.param("o.kind % :kind AS n", "':' begins a placeholder", id="named placeholder"),
        pytest.param("o.kind % ? AS n", r"'\?' begins a placeholder", id="placeholder"),
        pytest.param("o.kind % %s AS n", "'%' begins a placeholder", id="placeholder of the driver"),
        pytest.param("$1 AS n", r"'\$' begins a placeholder", id="numbered placeholder"),
        pytest.param("MAX( AS n", "Incomplete expression at 'AS'", id="nothing in parentheses"),
        pytest.param("CASE o.kind END AS n", "Incomplete expression at 'AS'", id="CASE without WHEN"),
        pytest.param("(SELECT 1 FROM WHERE 1 = 1) AS n", "Expected table name 'WHERE'", id="FROM without a table"),
        pytest.param("'a AS n", "' opens what is not closed", id="quote"),
        pytest.param("n FROM (WITH a AS (SELECT 1 AS n), a AS (SELECT 2 AS n) SELECT a.n FROM a) AS u JOIN",
                     "WITH defines a twice", id="two CTEs"),
    ],
)  # fmt: skip
def test_text_that_is_no_query_is_refused_in_words_of_sql(tmp_path: Path, second_line: str, problem: str) -> None:
    """What the parser passes over or says in words of its own has the line, and no name of Python's."""
    sql = f"SELECT o.id,\n{second_line}\nFROM live.orders AS o"
    with pytest.raises(ProjectError, match=rf"fact\.sql, line 3: {problem}[^<]*$"):
        compile_dictionary(one_model(tmp_path, sql, "id n"))


@pytest.mark.parametrize(
    ("sql", "problem"),
    [
        pytest.param("SELECT o.id, 1 AS n\nFROM live.orders AS o\nGROUP BY o.id,\n 7", "5: Unknown output column: 7",
                     id="GROUP BY"),
        pytest.param("SELECT o.id, 1 AS n\nFROM live.orders AS o\nJOIN live.cities AS t\nUSING (kind)",
                     "5: Cannot automatically join: kind", id="USING"),
        pytest.param("SELECT o.id, 1 AS n\nFROM live.orders AS o\nUNION ALL SELECT t.id\nFROM live.cities AS t",
                     "2: the branches of a set operation differ in the number of their columns", id="UNION"),
    ],
)  # fmt: skip
def test_clause_that_fits_nothing_is_named_with_its_line(tmp_path: Path, sql: str, problem: str) -> None:
    """An ordinal beyond the columns, a column that one side lacks, and branches of different width have their place."""
    with pytest.raises(ProjectError, match=rf"fact\.sql, line {problem}\.$"):
        compile_dictionary(one_model(tmp_path, sql, "id n"))


def test_environment_is_part_of_the_fingerprint(library: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A dictionary made under another target, variable or environment is stale."""
    prints = {load_project(library).fingerprint}
    monkeypatch.setenv("DBT_LIBRARY_CURRENCY", "INR")
    prints.add(load_project(library).fingerprint)
    monkeypatch.setenv("LIBRARY_TARGET", "prod")
    prints.add(load_project(library).fingerprint)
    edit(library, "dbt_project.yml", "fine_per_day: 5", "fine_per_day: 6")
    prints.add(load_project(library).fingerprint)
    assert len(prints) == 4
    monkeypatch.setenv("DBT_TARGET", "dev")
    assert load_project(library).facts["fact_loan"].relation == "dev_library_facts.fact_loan"


def test_profile_may_be_in_another_folder(library: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """DBT_PROFILES_DIR leads to the profile, as it does for dbt."""
    shutil.move(library / "profiles.yml", tmp_path / "profiles.yml")
    with pytest.raises(ProjectError, match=r"profiles.yml: does not exist"):
        load_project(library)
    monkeypatch.setenv("DBT_PROFILES_DIR", str(tmp_path))
    assert load_project(library).facts


@pytest.mark.parametrize(
    ("before", "after", "expected"),
    [
        pytest.param("      fact_title:\n        +materialized: incremental", "", "dev_library_facts", id="folder"),
        pytest.param("+schema: facts", "+schema: other", "dev_library_other", id="schema"),
        pytest.param("+schema: facts", "schema: other", "dev_library_other", id="without plus"),
        pytest.param("fact_title:\n", "fact_title:\n        +schema: other\n", "dev_library_other", id="model"),
        pytest.param("+schema: facts", '+schema: "{{ target.type }}"', "dev_library_redshift", id="rendered"),
        pytest.param("fact_title:\n", "fact_title:\n        +enabled: \"{{ env_var('DBT_X', 'false') | as_bool }}\"\n",
                     None, id="bool"),
    ],
)  # fmt: skip
def test_settings_of_a_folder_are_those_of_dbt(library: Path, before: str, after: str, expected: str | None) -> None:
    """The deepest level of dbt_project.yml wins, down to the model's own name; a disabled model is no fact."""
    edit(library, "dbt_project.yml", before, after)
    schemas = {name: fact.relation.partition(".")[0] for name, fact in load_project(library).facts.items()}
    assert schemas.get("fact_title") == expected


def test_settings_in_the_model_win_over_those_in_yaml(library: Path) -> None:
    """config() in the file wins over the YAML's config, and that over the folder's; meta is merged key by key."""
    edit(library, "dbt_project.yml", "+schema: facts", "+schema: facts\n      +meta: {owner: desk}")
    edit(
        library,
        "models/marts/_facts.yml",
        "- name: fact_title",
        "- name: fact_title\n    config: {schema: one, alias: t}",
    )
    assert load_project(library).facts["fact_title"].relation == "dev_library_one.t"
    edit(
        library,
        "models/marts/fact_title.sql",
        "unique_key='isbn'",
        "unique_key=['isbn'], schema='two', meta={'cdc': {}}",
    )
    assert load_project(library).facts["fact_title"].relation == "dev_library_two.t"


def test_macros_of_the_project_name_its_relations(library: Path) -> None:
    """generate_schema_name and generate_alias_name decide on names, as in dbt, and see the settings of the model."""
    (library / "macros" / "aliases.sql").write_text(
        "{% macro generate_alias_name(custom_alias_name=none, node=none) %}"
        "{{ node.config.materialized }}_{{ custom_alias_name or node.name }} {% endmacro %}"
    )
    edit(library, "macros/schemas.sql", "{%- elif target.name == 'prod' -%}", "{%- elif node.name == 'fact_title' -%}")
    relations = {fact.name: fact.relation for fact in load_project(library).facts.values()}
    assert relations == {
        "fact_loan": "dev_library_facts.table_fact_loan",
        "fact_reader": "dev_library_facts.table_fact_reader",
        "fact_title": "library_facts.incremental_fact_title",
    }


@pytest.mark.parametrize(
    ("file", "before", "after", "problem"),
    [
        pytest.param("models/marts/fact_title.sql", "source('stock', 'books')", "ref('titles')",
                     r"fact_title\.sql, line 10: ref\('titles'\) is a seed", id="seed"),
        pytest.param("models/staging/stg_loans.sql", "source('desk', 'loans')", "ref('fact_loan')",
                     "in a circle: (fact_loan|stg_loans) reads (fact_loan reads|stg_loans reads)", id="circle"),
        pytest.param("models/marts/fact_title.sql", "source('stock', 'books')", "ref('fact_title')",
                     "in a circle: fact_title reads fact_title", id="model that reads itself"),
        pytest.param("models/marts/fact_title.sql", "unique_key='isbn'", "unique_key=['isbn', 'title']",
                     "models.fact_title has a unique_key of 2 columns", id="row key of two columns"),
        pytest.param("models/marts/fact_title.sql", "unique_key='isbn'", "unique_key='isbn', materialized='view'",
                     "has a unique_key but is materialized as view", id="view with a row key"),
        pytest.param("models/marts/fact_title.sql", "unique_key='isbn'", "unique_key='isbn', post_hook='DELETE'",
                     "has a post_hook, which the engine does not run", id="hook"),
        pytest.param("models/marts/fact_title.sql", "unique_key='isbn'", "unique_key='isbn', database='other'",
                     "is in the database other", id="database"),
        pytest.param("models/staging/readers.sql", "materialized='view'", "materialized='materialized_view'",
                     "materialized is 'materialized_view'; supported: ephemeral, view", id="materialization"),
        pytest.param("models/staging/readers.sql", "materialized='view'", "enabled=false",
                     r"fact_loan\.sql: ref\('readers'\): that model is disabled", id="disabled"),
        pytest.param("models/marts/_facts.yml", "- name: fact_title", "- name: fact_title\n    versions: [{v: 1}]",
                     "models.fact_title has versions", id="versions"),
        pytest.param("models/marts/_facts.yml", "- name: fact_title", "- name: fact_loan",
                     "models.fact_loan is described in .*_facts.yml too", id="described twice"),
        pytest.param("dbt_project.yml", "model-paths: [models]", "model-paths: [\"{{ env_var('HOME') }}\"]",
                     r"dbt_project\.yml: .*env_var\('HOME'\): .* DBT_HOME", id="other program's variable"),
        pytest.param("models/marts/_facts.yml", "version: 2", 'version: "{{ gone }}"',
                     "'{{ gone }}' can not be rendered: 'gone' is undefined", id="word in YAML"),
        pytest.param("models/sources/_stock.yml", "- name: copies", "- name: loans",
                     "source table loans is defined twice: in desk .* and in stock", id="source twice"),
        pytest.param("models/sources/_stock.yml",
                     "{cdc: {staging: library_staging.copies, key: barcode, cursor: updated_at}}", "{}",
                     r"stg_loans\.sql: source\('stock', 'copies'\).*has no `config: meta: cdc:`.*fact_loan",
                     id="source without meta"),
        pytest.param("models/marts/_facts.yml", "unique_key: loan_no", "unique_key: loan_no, alias: fact_title",
                     "is both the fact fact_loan and the fact fact_title", id="one table"),
        pytest.param("profiles.yml", "{{ env_var('LIBRARY_TARGET', 'dev') }}", "gone",
                     r"expected library\.outputs\.gone\.schema.* Outputs: dev, prod", id="target"),
        pytest.param("models/sources/_stock.yml", "staging: library_staging.copies", "staging: library_staging.loans",
                     "is both the staging of source loans and the staging of source copies", id="staging"),
        pytest.param("models/sources/_stock.yml", "staging: library_staging.copies", "staging: dev_library_raw.copies",
                     "is both the staging of source copies and the source copies", id="staged in place"),
    ],
)  # fmt: skip
def test_project_that_can_not_be_kept_is_refused(
    library: Path, file: str, before: str, after: str, problem: str
) -> None:
    """What dbt would do and the engine can not is refused when the project is loaded, with the file."""
    edit(library, file, before, after)
    with pytest.raises(ProjectError, match=problem):
        load_project(library)


SETTINGS, FACTS, STOCK = "dbt_project.yml", "models/marts/_facts.yml", "models/sources/_stock.yml"
COPIES = "{cdc: {staging: library_staging.copies, key: barcode, cursor: updated_at}}"


@pytest.mark.parametrize(
    ("file", "before", "after", "problem"),
    [
        pytest.param(FACTS, "models:\n", "models:\n  - fact\n", r"models\.0: .*found str", id="model"),
        pytest.param(FACTS, "models:\n", "models:\n  - {columns: []}\n", "models.0.name: is missing", id="no name"),
        pytest.param(FACTS, "{unique_key: loan_no,", "[a] #", r"models\.0\.config: .* found list", id="config"),
        pytest.param(FACTS, "{name: isbn, data_type: varchar(13)}", "isbn", r"columns\.0: .*found str", id="column"),
        pytest.param(FACTS, "sort: member_no", "sort: 5", r"fact_reader\.sql: config: sort\..*found int", id="sort"),
        pytest.param(FACTS, "sort: member_no", "meta: 5", r"config: meta: .*found int", id="meta"),
        pytest.param(FACTS, "sort: member_no", "meta: {cdc: [x]}", r"config: meta\.cdc: .*found list", id="cdc"),
        pytest.param(FACTS, "sort: member_no", "meta: {cdc: {anker: a}}",
                     r"config: meta\.cdc: no such setting: anker\. Known: anchor, main", id="unknown key"),
        pytest.param(FACTS, "version: 2", "a: 2026-13-45", "is no valid YAML: month must be in", id="date"),
        pytest.param(FACTS, "  - name: fact_reader", " - name: fact_reader",
                     r"no valid YAML: line 17: did not find expected key, while .* that begins in line 1\.$",
                     id="indentation"),
        pytest.param(FACTS, "- {name: genre, data", "- {name: title, data",
                     r"models\.fact_loan\.columns\.title is listed twice", id="column of a fact twice"),
        pytest.param(STOCK, "- {name: shelf, data_type", "- {name: isbn, data_type",
                     r"_stock.yml: sources\.stock\.copies\.columns\.isbn is listed twice", id="column twice"),
        pytest.param(STOCK, "{name: shelf, data_type: varchar(16)}", "{name: shelf}",
                     r"sources\.stock\.copies\.columns\.shelf: data_type: is missing", id="no type"),
        pytest.param(STOCK, "name: shelf, data_type: varchar(16)", "name: shelf, data_type: string",
                     r"copies\.columns\.shelf: data_type: 'string' is no data type", id="unknown type"),
        pytest.param(STOCK, "key: barcode,", "",
                     r"sources\.stock\.copies: key: is missing", id="no key"),
        pytest.param(STOCK, "key: barcode,", "key: barcode, lod: snapshot,",
                     r"no such setting: lod \(load\?\)\. Known: staging, key, cursor,", id="unknown setting"),
        pytest.param(FACTS, "version: 2", "version: 2\nversion: 3", "line 2: the key version stands", id="key twice"),
        pytest.param(FACTS, "version: 2", "a: &a\n  b: [*a]", "line 1: the anchor here is read inside", id="anchor"),
        pytest.param(STOCK, "- name: stock", "- name: 5", r"sources\.0\.name: .*string, found int", id="source"),
        pytest.param(STOCK, "- name: books", "- books\n      - name: books", r"tables\.0: .*found str", id="table"),
        pytest.param(STOCK, COPIES, "5", r"sources\.stock\.copies: config: meta: .*found int", id="meta of a table"),
        pytest.param(SETTINGS, "[models]", "models", "model-paths: expected a valid list, found str", id="folders"),
        pytest.param(SETTINGS, "vars:", "vars: 5\nx:", "vars: expected a mapping, found int", id="vars"),
        pytest.param(SETTINGS, "vars:", "vars:\n  cdc_documents: a", "cdc_documents: .*found str", id="paths"),
        pytest.param(SETTINGS, "+schema: facts", "+meta: 5", r"config: meta: .*found int", id="meta by folder"),
        pytest.param("profiles.yml", "dev: &dev", "dev: secret\n    y: &dev",
                     r"profiles\.yml: library: outputs\.dev: expected a mapping, found str\.$", id="profile"),
    ],
)  # fmt: skip
def test_malformed_yaml_is_named_with_file_and_key(
    library: Path, file: str, before: str, after: str, problem: str
) -> None:
    """A key that holds something else than it must ends in one message, which shows no value."""
    edit(library, file, before, after)
    with pytest.raises(ProjectError, match=problem):
        load_project(library)


@pytest.mark.parametrize(
    ("predicate", "problem"),
    [
        pytest.param("lost AND (", r"^Project library \(.*sql\): sources: copies: .* can not be read: ", id="no SQL"),
        pytest.param(
            "gone", r"can not be read: Column 'gone' could not be .* Its columns: barcode", id="unknown column"
        ),
        pytest.param("lost IS NULL OR (" + "(" * 5000, "can not be read|nested too deeply", id="parentheses"),
        pytest.param("updated_at < GETDATE()", r"GETDATE\(\) gives another value at each run", id="clock"),
        pytest.param("updated_at < ''today''", "today.* gives another value at each run", id="a text that is a date"),
        pytest.param("title_id = 1 -- OR title_id = 2", "it has a comment", id="comment"),
        pytest.param("title_id = 1 /* lost */", "it has a comment", id="comment inside"),
        pytest.param("title_id = 1; DELETE FROM copies", r"no single expression \(2 statements\)", id="two statements"),
        pytest.param("DELETE FROM copies", "it is no single expression", id="statement"),
        pytest.param("MAX(title_id) = 1", r"MAX\(title_id\) reads more than the row", id="aggregate"),
        pytest.param("title_id IN (SELECT 1)", r"\(SELECT 1\) reads more than the row", id="subquery"),
        pytest.param("ROW_NUMBER() OVER (ORDER BY title_id) = 1", "reads more than the row", id="window"),
        pytest.param("LENGTH(shelf)", "it is INTEGER, not true or false", id="number"),
        pytest.param("LENGTH(shelf) + 1", "it is INTEGER, not true or false", id="sum"),
        pytest.param("my_function(shelf)", "calls no function of Redshift", id="foreign function"),
        pytest.param("titles.title_id = 1", "titles.title_id is of another table", id="another table"),
        pytest.param("title_id = %s", "can not be read|has no value|no single", id="placeholder"),
    ],
)
def test_delete_when_is_a_predicate_on_the_source(library: Path, predicate: str, problem: str) -> None:
    """What no detection could run is found when the project is compiled."""
    edit(library, STOCK, COPIES, COPIES.replace("}}", f", delete_when: '{predicate}'}}}}"))
    with pytest.raises(ProjectError, match=problem):
        checks.models(load_project(library))


@pytest.mark.parametrize(
    ("folders", "problem"),
    [
        pytest.param("[modells]", "model-paths names folders that do not exist: .*/modells", id="no folder"),
        pytest.param("[models/sources]", "no model in .*/models/sources has a unique_key", id="no fact in it"),
    ],
)
def test_project_without_a_fact_is_refused(library: Path, folders: str, problem: str) -> None:
    """A misspelled folder would otherwise be a project that has nothing to do."""
    edit(library, SETTINGS, "[models]", folders)
    with pytest.raises(ProjectError, match=rf"dbt_project\.yml: {problem}"):
        load_project(library)


def test_source_without_meta_may_be_read_by_what_is_no_fact(library: Path) -> None:
    """A dbt project has tables and models that are none of the engine's business."""
    edit(library, "models/sources/_stock.yml", "    tables:\n", "    tables:\n      - name: visitors\n")
    (library / "models" / "visits.sql").write_text("SELECT COUNT(*) AS visits FROM {{ source('stock', 'visitors') }}")
    project = load_project(library)
    assert "visitors" not in project.sources
    assert project.models["visits"].sql.endswith("FROM dev_library_raw.visitors")
