"""What OpenLineage is told of a fact that was written: which columns of which sources its own come from."""

from __future__ import annotations

from typing import TYPE_CHECKING

from openlineage.client.event_v2 import InputDataset, OutputDataset
from openlineage.client.facet_v2 import DatasetFacet, column_lineage_dataset, schema_dataset

from surgical_cdc.compiler.compiled_fact import compile_fact
from surgical_cdc.dictionary import EVERY_COLUMN

if TYPE_CHECKING:
    from surgical_cdc.contract.project import Project
    from surgical_cdc.contract.tables import Table
    from surgical_cdc.dictionary import Dictionary

DIRECT, INDIRECT = (column_lineage_dataset.Transformation(type=how) for how in ("DIRECT", "INDIRECT"))


def fact_datasets(
    project: Project, dictionary: Dictionary, fact_name: str, *, namespace: str, database: str
) -> tuple[list[InputDataset], OutputDataset]:
    """Return the sources of a fact and the fact itself, named as OpenLineage names tables of Redshift.

    The column lineage has under `fields` what each column of the fact is computed from, and under `dataset` what
    decides which rows there are: the entries "*" of the dictionary.

    Args:
        project: the project of the fact.
        dictionary: its dictionary.
        fact_name: name of the fact.
        namespace: the warehouse, as in redshift://cluster.region:5439.
        database: the database in it.
    """

    def name(relation: str) -> str:
        return f"{database}.{relation}"

    def given(
        relation: str, column: str, how: column_lineage_dataset.Transformation
    ) -> column_lineage_dataset.InputField:
        return column_lineage_dataset.InputField(namespace, name(relation), column, [how])

    fact = project.fact(fact_name)
    fields = {
        column: column_lineage_dataset.Fields([given(*origin, DIRECT) for origin in origins])
        for column, origins in compile_fact(project, fact_name).lineage.origins.items()
        if origins
    }
    sources = [project.source(source) for source in dictionary.feeding(fact_name)]
    deciding = [
        given(source.relation, column, INDIRECT)
        for source in sources
        for column, facts in dictionary.feeds[source.name].items()
        if facts.get(fact_name) == EVERY_COLUMN
    ]
    facets: dict[str, DatasetFacet] = {
        "schema": _schema(fact),
        "columnLineage": column_lineage_dataset.ColumnLineageDatasetFacet(fields, deciding),
    }
    inputs = [InputDataset(namespace, name(source.relation), facets={"schema": _schema(source)}) for source in sources]
    return inputs, OutputDataset(namespace, name(fact.relation), facets=facets)


def _schema(table: Table) -> schema_dataset.SchemaDatasetFacet:
    columns = [schema_dataset.SchemaDatasetFacetFields(column.name, column.data_type) for column in table.columns]
    return schema_dataset.SchemaDatasetFacet(columns)
