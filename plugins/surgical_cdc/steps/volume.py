"""Volume: whether a run changes far more rows of a source than runs usually do."""

from __future__ import annotations

import logging
import statistics
from typing import TYPE_CHECKING

from surgical_cdc.errors import DataError
from surgical_cdc.warehouse.templates import render

if TYPE_CHECKING:
    from surgical_cdc.contract.project import Project
    from surgical_cdc.contract.tables import Source
    from surgical_cdc.values import Run
    from surgical_cdc.warehouse.session import Warehouse

log = logging.getLogger(__name__)

# Of fewer runs nobody can say what is usual.
FEWEST_RUNS = 5


def unusual(project: Project, source: Source, warehouse: Warehouse, run: Run, changes: int) -> int:
    """Return how many rows runs usually change where this one changes far more, 0 where not; read in the transaction.

    Usual is the median of the last runs that have changed any.

    Raises:
        DataError: the project says that such a run stops, and this one was not asked to go on.
    """
    volume = project.volume
    if volume.factor is None or run.undoes or changes < volume.min_rows:
        return 0
    read = render("read_changes", control=project.control_schema, runs=volume.runs)
    before = [int(count) for (count,) in warehouse.rows(read, (source.name,))]
    usual = statistics.median_low(before) if len(before) >= FEWEST_RUNS else changes
    if changes <= volume.factor * usual:
        return 0
    said = (
        f"{source.name}: {changes} rows change, more than {volume.factor:g} times the {usual} that runs usually change"
        f" (the median of the last {len(before)} that have changed any)."
    )
    if volume.stop and not run.dry_run and not run.ignore_volume:
        raise DataError(
            f"{said} Nothing of it was written: cdc_volume says that such a run stops. Look at {source.staging}, with a"
            " dry run if need be. If the load is right, let it through: trigger the DAG with Ignore volume, or"
            f" `{project.command('run --ignore-volume')}`. If it is not, load the right rows with a newer cursor."
        )
    log.warning("%s", said)
    return usual
