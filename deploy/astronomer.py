"""A project of the Astro CLI: Dockerfile, requirements.txt, packages.txt, dags/, include/, plugins/."""

from __future__ import annotations

import tomllib
from pathlib import Path

from deploy.project import ROOT, write_dags, write_project, write_wheel, written

# An image of Astro Runtime with Airflow 3.3; a later one of 3.3 can take its place.
IMAGE = "astrocrpublic.azurecr.io/runtime:3.3-2"
# The image has Airflow, in a build of Astronomer's own.
AIRFLOW = "apache-airflow>="
DOCKERFILE = """\
FROM {image}

# The engine; what it requires is in requirements.txt, which the image installs by itself.
COPY include/{wheel} /tmp/{wheel}
RUN pip install --no-cache-dir --no-deps /tmp/{wheel}
"""


def bundle(project: Path, *, dag_id: str, out: Path) -> list[Path]:
    """Write an Astro project of a compiled one into a folder, and return its files; what it held goes.

    requirements.txt has what the engine requires, in ranges: the image brings much of it in versions of its own.

    Raises:
        DictionaryError: the project is not compiled.
    """
    include = out / "include"
    write_project(project, include / dag_id, out=out)
    write_dags(dag_id, out / "dags", project=f'parents[1] / "include" / "{dag_id}"')
    wheel = write_wheel(include)
    (out / "Dockerfile").write_text(DOCKERFILE.format(image=IMAGE, wheel=wheel.name))
    required = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["dependencies"]
    (out / "requirements.txt").write_text("\n".join(one for one in required if not one.startswith(AIRFLOW)) + "\n")
    # The Astro CLI looks for both: packages of Debian's, of which none is needed, and plugins.
    (out / "packages.txt").touch()
    (out / "plugins").mkdir()
    (out / "plugins" / ".gitkeep").touch()
    return written(out)
