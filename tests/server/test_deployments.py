"""The deployments of prefect.yaml: deployed to a real server, each run once by a real worker."""

import json
import subprocess
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from http import HTTPStatus
from pathlib import Path
from typing import Any

import duckdb
import pytest

pytestmark = [pytest.mark.server, pytest.mark.timeout(900)]

ROOT = Path(__file__).parents[2]
BEFORE_OUTCOMES = ("recruitment", "allocation", "sessions")
AFTER_OUTCOMES = ("outcomes", "inference", "reporting", "wave")
DEPLOYMENTS = (*BEFORE_OUTCOMES, *AFTER_OUTCOMES)
ENDED = {"COMPLETED", "FAILED", "CRASHED", "CANCELLED"}


class Api:
    """Prefect's REST interface, as far as these tests ask. A busy server says 503 and is asked again."""

    def __init__(self, address: str) -> None:
        self.address = address

    def __call__(self, path: str, body: dict[str, Any] | None = None) -> Any:
        request = urllib.request.Request(  # noqa: S310 -- our own server
            f"{self.address}/{path}",
            data=None if body is None else json.dumps(body).encode(),
            headers={"Content-Type": "application/json"},
        )
        deadline = time.monotonic() + 60
        while True:
            try:
                with urllib.request.urlopen(request, timeout=30) as answer:  # noqa: S310
                    return json.load(answer)
            except urllib.error.HTTPError as error:
                if error.code != HTTPStatus.SERVICE_UNAVAILABLE or time.monotonic() > deadline:
                    raise
                time.sleep(1)


@pytest.fixture(scope="module")
def api(server: Any) -> Api:
    return Api(server.api)


@pytest.fixture(scope="module")
def deployed(server: Any) -> subprocess.CompletedProcess[str]:
    """What `prefect deploy --all` said, run in the repository's root."""
    made = server.run("prefect", "work-pool", "create", "forethought", "--type", "process", cwd=ROOT)
    assert made.returncode == 0, made.stderr
    return server.run("prefect", "--no-prompt", "deploy", "--all", cwd=ROOT)


@pytest.fixture(scope="module")
def worker(server: Any, deployed: Any, tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """A worker of the pool, in a folder that is no checkout."""
    elsewhere = tmp_path_factory.mktemp("worker")
    with (elsewhere / "worker.log").open("wb") as log:
        process = server.start(
            "prefect", "worker", "start", "--pool", "forethought", "--type", "process",
            cwd=elsewhere, stdout=log, stderr=subprocess.STDOUT,
        )  # fmt: skip
        yield
        server.stop(process)


@pytest.fixture(scope="module")
def runs(
    server: Any, api: Api, worker: None, practice: Callable[[str], Any]
) -> tuple[Any, dict[str, dict[str, Any]]]:
    """A small study and, by deployment, the flow run in its last state; run in the order of a wave."""
    study = practice("deployed")
    ended: dict[str, dict[str, Any]] = {}
    for name in DEPLOYMENTS:
        if name == AFTER_OUTCOMES[0]:
            told = server.run("forethought", "simulate", study.study, "--seed", 11, cwd=study.study.parent)
            assert told.returncode == 0, told.stderr
        deployment = api(f"deployments/name/{name}/{name}")
        run = api(
            f"deployments/{deployment['id']}/create_flow_run",
            {
                "parameters": {"study": str(study.study)},
                "state": {"type": "SCHEDULED"},
                "idempotency_key": f"{study.study}/{name}",
            },
        )
        deadline = time.monotonic() + 300
        while run["state_type"] not in ENDED and time.monotonic() < deadline:
            time.sleep(0.5)
            run = api(f"flow_runs/{run['id']}")
        ended[name] = run
    return study, ended


def test_deploy_takes_prefect_yaml_as_it_is(deployed: subprocess.CompletedProcess[str]) -> None:
    assert deployed.returncode == 0, deployed.stdout + deployed.stderr


def test_every_flow_has_its_deployment(deployed: Any, api: Api) -> None:
    assert {one["name"] for one in api("deployments/filter", {})} == set(DEPLOYMENTS)


def test_a_deployment_loads_the_installed_package_and_not_a_file(deployed: Any, api: Api) -> None:
    entrypoints = [one["entrypoint"] for one in api("deployments/filter", {})]
    assert [one for one in entrypoints if ":" in one or not one.startswith("forethought.flows.")] == []


def test_a_deployment_asks_for_the_study_alone(deployed: Any, api: Api) -> None:
    required = {
        one["name"]: one["parameter_openapi_schema"]["required"] for one in api("deployments/filter", {})
    }
    assert required == {name: ["study"] for name in DEPLOYMENTS}


@pytest.mark.parametrize("name", DEPLOYMENTS)
def test_the_flow_run_completes(runs: tuple[Any, dict[str, dict[str, Any]]], name: str) -> None:
    state = runs[1][name]["state"]
    assert (state["type"], state["message"]) == ("COMPLETED", None)


def test_every_task_of_every_flow_completes(runs: Any, api: Api) -> None:
    """Flows that a flow runs are listed among its tasks."""
    flow_runs = [run["id"] for run in runs[1].values()]
    tasks = api("task_runs/filter", {"flow_runs": {"id": {"any_": flow_runs}}})
    assert {task["state_type"] for task in tasks} == {"COMPLETED"}
    assert {task["name"].rsplit("-", 1)[0] for task in tasks} - set(DEPLOYMENTS) == {
        "import_recruits", "allocate", "plan_sessions", "import_outcomes", "score_outcomes", "analyse", "write_report",
    }  # fmt: skip


def test_the_study_has_a_blinded_report_of_its_outcomes(runs: Any) -> None:
    reports = runs[0].study / "reports"
    assert json.loads((reports / "results.json").read_text("utf-8"))["blinded"] is True
    assert "SIMULATED DATA" in (reports / "report.html").read_text("utf-8")


def test_everyone_was_allocated_once(runs: Any) -> None:
    with duckdb.connect(runs[0].study / "study.duckdb", read_only=True) as con:
        counted = con.execute("SELECT count(*), count(DISTINCT participant_id) FROM allocations").fetchone()
    assert counted == (40, 40)


@pytest.mark.parametrize("kind", ["arms", "seed", "ids", "pseudonyms"])
def test_the_server_never_hears_of(runs: Any, server: Any, kind: str) -> None:
    """Neither in parameters, states and logs nor in stored results; a worker sends its logs."""
    known = server.knows()
    assert str(runs[0].study).encode() in known
    assert [word for word in runs[0].telling()[kind] if word.encode() in known] == []
