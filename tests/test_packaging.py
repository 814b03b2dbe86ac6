"""What the project installs and how it is started: pins, make targets, containers."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest
import yaml
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).resolve().parents[1]
PINS = {
    "requirements.txt": "constraints.txt",
    "requirements-demo.txt": "constraints.txt",
    "requirements-dev.txt": "constraints.txt",
    "docker/requirements.txt": "constraints.txt",
    "requirements-airflow-3.2.txt": "constraints-airflow-3.2.txt",
    "requirements-dbt.txt": "constraints-dbt.txt",
}
# The code that runs outside the tests, the packages in it, and packages that are imported under another name.
CODE = ["benchmarks", "config", "dags", "demo", "local_stack", "packages/local_redshift/src", "plugins"]
ENGINE = {"config", "dags", "plugins"}
OWN = {"benchmarks", "demo", "local_redshift", "local_stack", "surgical_cdc"}
IMPORTED_AS = {
    "airflow": "apache-airflow",
    "openlineage": "openlineage-python",
    "psycopg2": "psycopg2-binary",
    "ruamel": "ruamel.yaml",
    "yaml": "PyYAML",
}


def read_requirements(path: str) -> dict[str, Requirement]:
    """The requirements of a file, by canonical name."""
    lines = (line.partition("#")[0].strip() for line in (ROOT / path).read_text().splitlines())
    requirements = [Requirement(line) for line in lines if line]
    return {canonicalize_name(requirement.name): requirement for requirement in requirements}


@pytest.mark.parametrize("path", PINS)
def test_direct_requirement_is_pinned_exactly(path: str) -> None:
    """Each requirement names one version."""
    loose = [str(r) for r in read_requirements(path).values() if not re.fullmatch(r"==[^*,]+", str(r.specifier))]
    assert loose == []


@pytest.mark.parametrize(("path", "constraints"), PINS.items(), ids=PINS)
def test_constraints_agree_with_the_pins(path: str, constraints: str) -> None:
    """The constraints file holds each pin with the same version: `make constraints` was run after the last edit."""
    fixed = {name: str(r.specifier) for name, r in read_requirements(constraints).items()}
    pinned = {name: str(r.specifier) for name, r in read_requirements(path).items()}
    assert {name: fixed.get(name) for name in pinned} == pinned


def imported_packages(source: str) -> set[str]:
    """The canonical names of the packages that a module imports, less the standard library and the project."""
    modules: set[str] = set()
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            modules.update(alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.level == 0 and node.module:
            modules.add(node.module)

    packages = set()
    for module in modules:
        provider = re.match(r"airflow\.providers\.((?:common\.)?\w+)", module)
        top = module.partition(".")[0]
        if provider:
            packages.add(f"apache-airflow-providers-{provider[1].replace('.', '-')}")
        elif top not in sys.stdlib_module_names | OWN:
            packages.add(canonicalize_name(IMPORTED_AS.get(top, top)))
    return packages


def test_every_imported_package_is_a_direct_requirement() -> None:
    """What the code imports is pinned by name, not there by the grace of another package; the engine's apart."""
    engine = set(read_requirements("requirements.txt"))
    demo = set(read_requirements("requirements-demo.txt"))
    missing = {}
    for folder in CODE:
        required = engine if folder in ENGINE else engine | demo
        for file in (ROOT / folder).rglob("*.py"):
            missing[str(file.relative_to(ROOT))] = imported_packages(file.read_text()) - required
    assert {file: packages for file, packages in missing.items() if packages} == {}


@pytest.mark.parametrize(
    ("project", "files"),
    [
        pytest.param("pyproject.toml", ["requirements.txt"], id="surgical-cdc"),
        pytest.param(
            "packages/local_redshift/pyproject.toml", ["requirements.txt", "requirements-demo.txt"], id="local-redshift"
        ),
    ],
)
def test_distributions_require_what_is_pinned(project: str, files: list[str]) -> None:
    """Each requirement of a distribution is pinned here, within its range; the engine all that it is tried with.

    The oldest that a range allows is what the oldest Airflow is tried with.
    """
    pins = {name: pin for file in files for name, pin in read_requirements(file).items()}
    settings = tomllib.loads((ROOT / project).read_text())["project"]
    lines = [*settings["dependencies"], *settings.get("optional-dependencies", {}).get("testing", [])]
    required = {canonicalize_name(Requirement(line).name): Requirement(line) for line in lines}
    outside = {
        name: str(pins[name].specifier)
        for name, requirement in required.items()
        if not requirement.specifier.contains(str(pins[name].specifier).removeprefix("=="))
    }
    assert outside == {}
    if len(files) == 1:
        assert required.keys() == pins.keys()
        oldest = read_requirements("requirements-airflow-3.2.txt")
        assert oldest.keys() <= required.keys()
        lower = {name: {s.version for s in required[name].specifier if s.operator == ">="} for name in oldest}
        assert {
            name: str(pin.specifier)
            for name, pin in oldest.items()
            if not any(str(pin.specifier).removeprefix("==").startswith(version) for version in lower[name])
        } == {}


@pytest.mark.parametrize("path", sorted(set(PINS.values())))
def test_constraints_name_no_place(path: str) -> None:
    """A constraints file holds names and versions alone: no index, no folder of somebody's machine."""
    lines = [line for line in (ROOT / path).read_text().splitlines() if not line.startswith("#")]
    pin = r"[A-Za-z0-9._-]+==[A-Za-z0-9.+!]+( ; [a-z_]+ [=!<>]+ '[^']*'( (and|or) [a-z_]+ [=!<>]+ '[^']*')*)?"
    assert [line for line in lines if not re.fullmatch(pin, line)] == []


def test_compose_file_follows_the_compose_specification() -> None:
    """docker-compose.yaml is valid by the schema of the Compose specification."""
    check = [sys.executable, "-m", "check_jsonschema", "--builtin-schema", "vendor.compose-spec", "docker-compose.yaml"]
    answer = subprocess.run(check, cwd=ROOT, capture_output=True, text=True, check=False)
    assert answer.returncode == 0, answer.stdout


@pytest.fixture(scope="module")
def compose() -> dict[str, dict[str, dict[str, object]]]:
    """docker-compose.yaml with its anchors resolved."""
    loaded: dict[str, dict[str, dict[str, object]]] = yaml.safe_load((ROOT / "docker-compose.yaml").read_text())
    return loaded


def test_every_service_that_stays_has_a_health_check(compose: dict[str, dict[str, dict[str, object]]]) -> None:
    """A service without a health check is one that others wait for until it has ended."""
    unchecked = {name for name, service in compose["services"].items() if "healthcheck" not in service}
    awaited = {
        name
        for service in compose["services"].values()
        for name, wait in dict(service.get("depends_on", {})).items()  # type: ignore[call-overload]
        if wait["condition"] == "service_completed_successfully"
    }
    assert unchecked == awaited


def test_compose_file_takes_each_secret_from_the_environment() -> None:
    """Every value that a password, key or connection belongs in is a variable that must be set."""
    text = (ROOT / "docker-compose.yaml").read_text()
    secret = re.compile(
        r"(?i)(?:password|secret|fernet|_auth\b|_conn|broker_url|result_backend|requirepass)[\w_]*[\"]?[:,]\s*(.+)"
    )
    values = [
        match[1] for line in text.splitlines() if not line.lstrip().startswith("#") and (match := secret.search(line))
    ]
    assert len(values) >= 10
    assert [value for value in values if "${" not in value and "$$" not in value] == []
    defaults = dict(re.findall(r"\$\{(\w+):-([^}]*)\}", text))
    assert {name: value for name, value in defaults.items() if not name.startswith("AIRFLOW_UI_")} == {
        "LOCAL_REDSHIFT_PASSWORD": "",  # the stand-in refuses to start so
    }


def test_no_secret_is_on_a_command_line(compose: dict[str, dict[str, dict[str, object]]]) -> None:
    """What a service runs takes its secrets from the environment: all users of a machine may list command lines."""
    for name, service in compose["services"].items():
        check = service.get("healthcheck", {})
        commands = [
            service.get("entrypoint"),
            service.get("command"),
            check["test"] if isinstance(check, dict) and check else None,
        ]
        words = [str(word) for command in commands if isinstance(command, list) for word in command]
        shown = [word for word in words if re.search(r"(?<!\$)\$\{|-password|requirepass(?! \$\$)", word)]
        assert shown == [], name


def test_example_environment_names_each_variable_and_holds_no_value() -> None:
    """.env.example has the variables of docker-compose.yaml, the required ones empty."""
    example = dict(re.findall(r"^(\w+)=(.*)$", (ROOT / ".env.example").read_text(), re.MULTILINE))
    required = set(re.findall(r"\$\{(\w+):\?", (ROOT / "docker-compose.yaml").read_text()))
    assert example == dict.fromkeys(required, "")


def test_image_holds_what_the_services_import() -> None:
    """The Dockerfile copies only what .dockerignore lets through, and all code that runs in a container."""
    dockerfile = (ROOT / "docker/Dockerfile").read_text()
    production, stage, demo = dockerfile.partition("FROM production AS local-redshift\n")
    assert stage
    copy = re.compile(r"^COPY --chown=airflow:root (\w+) /opt/airflow/\1$", re.MULTILINE)
    assert set(copy.findall(production)) == {"config", "dags", "include", "plugins"}
    assert set(copy.findall(demo)) == {"demo", "packages"}
    admitted = set(re.findall(r"^!(.+)$", (ROOT / ".dockerignore").read_text(), re.MULTILINE))
    assert set(copy.findall(dockerfile)) <= admitted
    assert "requirements-demo" not in production


def test_help_lists_every_command() -> None:
    """`make help` shows each target that is a command, with a description."""
    makefile = (ROOT / "Makefile").read_text()
    phony = re.search(r"^\.PHONY: (.+)$", makefile, re.MULTILINE)
    assert phony
    answer = subprocess.run(["make", "help"], cwd=ROOT, capture_output=True, text=True, check=True)
    assert re.findall(r"^  ([a-z-]+) +[A-Z]", answer.stdout, re.MULTILINE) == phony[1].split()


def test_one_version_of_python_and_airflow_everywhere() -> None:
    """Linter, type checker and image agree on the oldest Python, image and requirements on Airflow."""
    pyproject = tomllib.loads((ROOT / "pyproject.toml").read_text())
    image = re.search(
        r"^FROM apache/airflow:slim-([\d.]+)-python([\d.]+) AS production$",
        (ROOT / "docker/Dockerfile").read_text(),
        re.MULTILINE,
    )
    assert image
    assert image[1] == str(read_requirements("requirements.txt")["apache-airflow"].specifier).removeprefix("==")
    assert image[2] == pyproject["tool"]["mypy"]["python_version"]
    assert f"py{image[2].replace('.', '')}" == pyproject["tool"]["ruff"]["target-version"]
    assert pyproject["project"]["requires-python"].startswith(f">={image[2]},")
    assert f"--python-version {image[2]} " in (ROOT / "Makefile").read_text()


def test_plugin_loader_leaves_the_engine_alone() -> None:
    """Airflow would run each module of the package as a plugin of its own."""
    assert "surgical_cdc/" in (ROOT / "plugins/.airflowignore").read_text().splitlines()
