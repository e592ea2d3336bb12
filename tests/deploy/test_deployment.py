"""The files of docs/deploy: they name settings that there are, and the tools made for them find nothing."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

ROOT = Path(__file__).parents[2]
DEPLOY = ROOT / "docs/deploy"
SETTINGS = (ROOT / "docs/reference/settings.md").read_text("utf-8")
OWN = {"PODIUM_QUEUE"}
"""Read by the command line of the containers and units, not by Podium."""
OF_OTHERS = {"AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"}
GIVEN = ("SECRET_KEY", "POSTGRES_PASSWORD", "S3_PASSWORD")
FILES = sorted(path for path in DEPLOY.rglob("*") if path.is_file())
COMMANDS = ("gunicorn", "celery", "podium")


def tool(name: str) -> str:
    """Return the program, from the environment of these tests or from the system."""
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}{os.pathsep}/usr/sbin"
    found = shutil.which(name, path=path)
    if found is None:
        pytest.skip(f"{name} is not installed: make deploy-lint brings what the package index has")
    return found


def run(*command: object, **environment: str) -> str:
    ended = subprocess.run(
        [str(word) for word in command],
        env=os.environ | environment,
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert ended.returncode == 0, ended.stdout + ended.stderr
    return ended.stdout + ended.stderr


def chart(*options: object) -> list[dict]:
    rendered = run(tool("helm"), "template", "podium", DEPLOY / "chart", *options)
    return [document for document in yaml.safe_load_all(rendered) if document]


def compose() -> dict:
    return yaml.safe_load((DEPLOY / "compose.yaml").read_text("utf-8"))


# --- what can be seen without tools ------------------------------------------------------------


@pytest.mark.parametrize("file", FILES, ids=lambda path: str(path.relative_to(DEPLOY)))
def test_only_settings_that_exist_are_named(file):
    named = set(re.findall(r"\bPODIUM_[A-Z0-9_]+\b", file.read_text("utf-8"))) - OWN

    assert [name for name in sorted(named) if f"`{name}`" not in SETTINGS] == []


def test_every_variable_of_the_compose_file_is_a_setting():
    environment = compose()["x-podium"]["environment"]

    assert [name for name in environment if f"`{name}`" not in SETTINGS and name not in OF_OTHERS] == []


def test_a_compose_file_without_secrets_does_not_start():
    text = (DEPLOY / "compose.yaml").read_text("utf-8")

    assert [name for name in (*GIVEN, "HOST") if f"${{{name}:?" not in text] == []
    assert all(f"\n{name}=\n" in (DEPLOY / "example.env").read_text("utf-8") for name in GIVEN)


def test_images_are_named_with_a_release():
    images = {service["image"] for service in compose()["services"].values()} - {
        "podium-site",
        "podium-worker",
    }

    assert images
    assert [image for image in images if not re.search(r":[A-Z]*\.?\d", image)] == []


def test_nothing_of_podium_has_rights_of_the_machine():
    services = [s for s in compose()["services"].values() if s["image"].startswith("podium-")]

    assert {(s["read_only"], tuple(s["cap_drop"]), s.get("privileged", False)) for s in services} == {
        (True, ("ALL",), False)
    }


def test_units_start_what_containers_start():
    dockerfile = (DEPLOY / "Dockerfile").read_text("utf-8")
    for name, program in (("podium-site", "competition.wsgi"), ("podium-worker@", "--without-gossip")):
        unit = (DEPLOY / f"systemd/{name}.service").read_text("utf-8")
        assert program in unit
        assert program in dockerfile


@pytest.mark.parametrize("target", ["site", "worker"])
def test_every_stage_that_is_built_is_in_the_dockerfile(target):
    built = {s["build"]["target"] for s in compose()["services"].values() if "build" in s}

    assert target in built
    assert f"\nFROM base AS {target}\n" in (DEPLOY / "Dockerfile").read_text("utf-8")


# --- what their own tools say ---------------------------------------------------------------------


def test_hadolint_finds_nothing_in_the_dockerfile():
    run(tool("hadolint"), DEPLOY / "Dockerfile")


def test_compose_reads_its_file():
    given = dict.fromkeys(GIVEN, "a")
    told = run(
        tool("docker-compose"),
        "-f",
        DEPLOY / "compose.yaml",
        "config",
        "--format",
        "json",
        HOST="a.org",
        **given,
    )

    services = json.loads(told)["services"]
    assert set(services) == set(compose()["services"])
    assert services["worker"]["environment"]["SITE_URL"] == "https://a.org"


def test_compose_asks_for_what_is_missing():
    ended = subprocess.run(
        [tool("docker-compose"), "-f", str(DEPLOY / "compose.yaml"), "--env-file", os.devnull, "config"],
        env={"PATH": os.environ["PATH"]},
        capture_output=True,
        text=True,
        timeout=60,
    )

    assert ended.returncode != 0
    assert "in docs/deploy/.env" in ended.stderr


def test_yaml_is_in_order():
    rules = "{extends: relaxed, rules: {line-length: {max: 150}}}"
    run(tool("yamllint"), "--strict", "-d", rules, DEPLOY / "compose.yaml", DEPLOY / "chart/values.yaml")


def changed(values: dict) -> None:
    values["workers"][0]["runtimeClassName"] = "gvisor"
    values["workers"].append(values["workers"][0] | {"queue": "gpu", "nodeSelector": {"gpu": "yes"}})


CHANGES = {
    "as it comes": lambda values: None,
    "with KEDA": lambda values: values["autoscaling"].update(enabled=True),
    "privileged": lambda values: values.update(sandbox="privileged"),
    "two classes in gVisor": changed,
    "without an ingress": lambda values: values["ingress"].update(enabled=False),
}


@pytest.mark.parametrize("change", CHANGES.values(), ids=CHANGES)
def test_the_chart_makes_what_kubernetes_takes(change, tmp_path):
    validate, helm = tool("kubernetes-validate"), tool("helm")
    values = yaml.safe_load((DEPLOY / "chart/values.yaml").read_text("utf-8"))
    change(values)
    given, made = tmp_path / "values.yaml", tmp_path / "made.yaml"
    given.write_text(yaml.safe_dump(values))

    run(helm, "lint", "--strict", DEPLOY / "chart", "--values", given)
    documents = chart("--values", given)

    scaled = [document for document in documents if document["kind"] == "ScaledObject"]
    made.write_text(yaml.safe_dump_all(d for d in documents if d not in scaled))
    run(validate, "--strict", "--kubernetes-version", "1.33", made)
    assert len(scaled) == values["autoscaling"]["enabled"] * len(values["workers"])


def test_a_worker_in_the_chart_has_no_rights_of_the_node():
    worker = next(d for d in chart() if d["metadata"]["name"].startswith("podium-worker"))

    pod = worker["spec"]["template"]["spec"]
    assert pod["hostUsers"] is False
    assert pod["containers"][0]["securityContext"]["capabilities"] == {"drop": ["ALL"]}
    assert "privileged" not in pod["containers"][0]["securityContext"]


def test_caddy_reads_its_file():
    told = run(
        tool("caddy"), "validate", "--adapter", "caddyfile", "--config", DEPLOY / "Caddyfile", HOST="a.org"
    )

    assert "Valid configuration" in told


@pytest.mark.parametrize("unit", sorted((DEPLOY / "systemd").iterdir()), ids=lambda path: path.name)
def test_systemd_reads_its_units(unit):
    ended = subprocess.run(
        [tool("systemd-analyze"), "verify", str(unit)], capture_output=True, text=True, timeout=60
    )

    # The only thing that it may miss is Podium, which is not installed in /opt here.
    found = [
        line for line in ended.stderr.splitlines() if unit.stem in line and "is not executable" not in line
    ]
    assert found == []
