"""The deployment files name services, commands, options and variables that exist; no container is started here."""

import itertools
import re
import shlex
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

import dagster as dg
import pytest
import yaml
from dagster_postgres.utils import pg_url_from_config
from typer.main import get_command

from flywheel_assets.cli.app import app

REPOSITORY = Path(__file__).resolve().parents[1]
COMPOSE = yaml.safe_load((REPOSITORY / "compose.yaml").read_text())
VALUES = yaml.safe_load((REPOSITORY / "deploy" / "values.yaml").read_text())
WORKSPACE = yaml.safe_load((REPOSITORY / "deploy" / "workspace.yaml").read_text())
DOCKERFILE = (REPOSITORY / "deploy" / "Dockerfile").read_text()
OURS = {name: one for name, one in COMPOSE["services"].items() if "command" in one}
# What Dagster and the tests' own variables are read by; the rest is found in the sources.
FOREIGN = {"DAGSTER_HOME", "DAGSTER_DISABLE_TELEMETRY", "PATH", "POSTGRES_PASSWORD"}
SERVICE_KEYS = {"image", "build", "restart", "volumes", "environment", "command", "ports", "depends_on", "healthcheck"}


def test_services_hold_what_compose_knows_and_lead_to_each_other() -> None:
    volumes = set(COMPOSE["volumes"])
    for name, service in COMPOSE["services"].items():
        assert set(service) <= SERVICE_KEYS, name
        assert set(service.get("depends_on", ())) <= set(COMPOSE["services"]), name
        assert {one.partition(":")[0] for one in service["volumes"]} <= volumes, name
        assert (REPOSITORY / service["build"]["dockerfile"]).exists() if "build" in service else True
    (code,) = WORKSPACE["load_from"]
    assert code["grpc_server"]["host"] in OURS
    assert str(code["grpc_server"]["port"]) in OURS["code"]["command"]


def test_nothing_but_the_receiver_is_reachable_from_other_machines_and_it_asks_for_a_token() -> None:
    for name, service in COMPOSE["services"].items():
        beyond = [port for port in service.get("ports", ()) if not port.startswith("127.0.0.1:")]
        assert bool(beyond) is (name == "receiver"), name
    assert OURS["receiver"]["environment"]["FLYWHEEL_TOKEN"].startswith("${FLYWHEEL_TOKEN:?")


@pytest.mark.parametrize("service", sorted(OURS))
def test_a_service_s_command_and_options_exist(service: str) -> None:
    words = OURS[service]["command"]
    if words[0] == "flywheel":
        command = get_command(app).commands[words[1]]  # pyright: ignore[reportAttributeAccessIssue]
        known = {name for parameter in command.params for name in parameter.opts}
    else:
        subcommands = list(itertools.takewhile(lambda word: not word.startswith("-"), words[1:]))
        program = str(Path(sys.executable).parent / words[0])
        told = subprocess.run([program, *subcommands, "--help"], capture_output=True, text=True, check=True).stdout
        known = set(re.findall(r"(?<![\w-])--?[a-z][\w-]*", told))
    assert {word for word in words if word.startswith("-")} <= known


VARIABLES = {
    *(name for one in OURS.values() for name in one["environment"]),
    *(one["name"] for one in VALUES["dagster-user-deployments"]["deployments"][0]["env"]),
    *re.findall(r"([A-Z_]+)=", DOCKERFILE),
}


@pytest.mark.parametrize("variable", sorted(VARIABLES))
def test_a_variable_is_one_that_something_reads(variable: str) -> None:
    read = "".join(path.read_text() for path in (REPOSITORY / "flywheel_assets").rglob("*.py"))
    assert variable in FOREIGN or f'"{variable}"' in read


def test_what_the_image_is_made_of_exists() -> None:
    for line in re.findall(r"^COPY (.+)$", DOCKERFILE, re.MULTILINE):
        *sources, _ = shlex.split(line)
        assert all((REPOSITORY / source).exists() for source in sources), line
    assert (REPOSITORY / "flywheel_assets" / "defs" / "dagster-postgres.yaml").exists()
    extras = re.findall(r"--extra (\w+)", DOCKERFILE)
    assert all(f"\n{extra} = [" in (REPOSITORY / "pyproject.toml").read_text() for extra in extras)


def test_the_chart_is_told_the_version_that_is_locked_and_the_module_that_is_loaded() -> None:
    told = (REPOSITORY / "deploy" / "values.yaml").read_text()
    assert f"--version {dg.__version__} " in told
    (deployment,) = VALUES["dagster-user-deployments"]["deployments"]
    assert deployment["codeServerArgs"] == ["-m", "flywheel_assets.definitions"]
    assert deployment["port"] == WORKSPACE["load_from"][0]["grpc_server"]["port"]


def test_the_database_address_is_one_that_dagster_takes() -> None:
    url = OURS["code"]["environment"]["FLYWHEEL_POSTGRES_URL"]
    address = re.sub(r"\$\{[^}]+\}", "secret", url)
    assert pg_url_from_config({"postgres_url": address}) == address
    assert address.rpartition("/")[2] == COMPOSE["services"]["postgres"]["environment"]["POSTGRES_DB"]


def test_the_client_s_own_package_holds_all_that_the_client_imports(tmp_path: Path) -> None:
    about = tomllib.loads((REPOSITORY / "deploy" / "client" / "pyproject.toml").read_text())
    ours = tomllib.loads((REPOSITORY / "pyproject.toml").read_text())
    assert (about["project"]["version"], about["project"]["dependencies"]) == (ours["project"]["version"], [])
    for source, target in about["tool"]["hatch"]["build"]["targets"]["wheel"]["force-include"].items():
        found = (REPOSITORY / "deploy" / "client" / source).resolve()
        (tmp_path / target).parent.mkdir(parents=True, exist_ok=True)
        (shutil.copytree if found.is_dir() else shutil.copy)(found, tmp_path / target)
    code = "import sys; sys.path[:0] = [sys.argv[1]]; from flywheel_assets.client.client import Client; print(Client)"
    # Isolated and without site packages: the standard library is all there is.
    done = subprocess.run([sys.executable, "-I", "-S", "-c", code, str(tmp_path)], capture_output=True, text=True)  # noqa: PLW1510
    assert (done.returncode, "Client" in done.stdout) == (0, True), done.stderr
