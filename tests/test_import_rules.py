"""Who may import whom, read from the source: the layers that keep trust and speed where they belong."""

import ast
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
STAGES = ("intake", "packages", "budget", "readers", "sandbox", "metrics")
CONTRACTS = {"scoring.contracts", "scoring.codes", "scoring.errors"}
CACHE = {"scoring.cache"}
DATASET = {"scoring.dataset", "scoring.labels"}
HEAVY = {"torch", "torchvision", "timm", "onnx", "onnxruntime", "onnx2torch", "fvcore", "ptflops", "sklearn"}
TRAINING = {"competition/demo/train.py"}


def imports_of(file: Path) -> set[str]:
    """Return every module that the file imports anywhere, functions included."""
    found = set()
    package = file.relative_to(ROOT).parent.parts
    for node in ast.walk(ast.parse(file.read_text("utf-8"))):
        if isinstance(node, ast.Import):
            found.update(alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            base = ".".join(package[: len(package) - node.level + 1]) if node.level else ""
            module = ".".join(filter(None, (base, node.module)))
            found.update({module}, (f"{module}.{alias.name}" for alias in node.names))
    return found


def files_below(folder: str) -> list[Path]:
    return sorted(path for path in (ROOT / folder).rglob("*.py") if "migrations" not in path.parts)


def within(module: str, allowed: set[str]) -> bool:
    return any(module == name or module.startswith(f"{name}.") for name in allowed)


def ours(file: Path) -> set[str]:
    return {name for name in imports_of(file) if name.split(".")[0] in {"scoring", "competition"}} - {
        "scoring"
    }


def offences(files: list[Path], *, allowed: set[str]) -> list[str]:
    return [
        f"{file.relative_to(ROOT)} imports {name}"
        for file in files
        for name in sorted(ours(file))
        if not within(name, allowed)
    ]


@pytest.mark.parametrize(
    ("module", "allowed"),
    [
        ("codes", set()),
        ("errors", {"scoring.codes", "scoring.contracts"}),
        ("coco", set()),
        ("dataset_files", set()),
        ("labels", {"scoring.coco", "scoring.contracts", "scoring.dataset_files"}),
        ("dataset", {"scoring.coco", "scoring.contracts", "scoring.labels"}),
        ("provenance", set()),
        ("plan", {"scoring.contracts", "scoring.labels", "scoring.provenance"}),
        ("report", CONTRACTS),
        ("figures", set()),
        ("pack", CONTRACTS),
    ],
)
def test_a_shared_module_imports_only_what_stands_below_it(module: str, allowed: set[str]) -> None:
    assert offences([ROOT / "scoring" / f"{module}.py"], allowed=allowed) == []


@pytest.mark.parametrize(
    ("package", "allowed"),
    [("cache", set()), ("contracts", set()), ("tracks", CONTRACTS | {"scoring.presets"})],
)
def test_a_shared_package_imports_only_what_stands_below_it(package: str, allowed: set[str]) -> None:
    assert offences(files_below(f"scoring/{package}"), allowed=allowed | {f"scoring.{package}"}) == []


def test_contracts_and_errors_need_only_the_standard_library() -> None:
    names = ("codes", "errors", "coco", "dataset_files", "labels", "dataset", "report", "figures")
    files = [ROOT / "scoring" / f"{name}.py" for name in names]
    files += files_below("scoring/contracts") + files_below("scoring/cache")

    foreign = {name.split(".")[0] for file in files for name in imports_of(file)} - {"scoring"}

    assert foreign <= set(sys.stdlib_module_names)


@pytest.mark.parametrize("stage", STAGES)
def test_a_stage_imports_neither_another_stage_nor_the_site(stage: str) -> None:
    allowed = CONTRACTS | {f"scoring.{stage}"} | (CACHE | DATASET if stage == "readers" else set())

    assert offences(files_below(f"scoring/{stage}"), allowed=allowed) == []


def test_the_sandboxed_child_imports_only_contracts() -> None:
    assert (
        offences(files_below("scoring/sandboxed"), allowed={"scoring.contracts", "scoring.sandboxed"}) == []
    )


def test_nobody_imports_the_sandboxed_child() -> None:
    others = [
        file for file in files_below("scoring") + files_below("competition") if "sandboxed" not in file.parts
    ]

    found = [str(file) for file in others if any(within(name, {"scoring.sandboxed"}) for name in ours(file))]

    assert found == []


@pytest.mark.parametrize("module", ["agreement", "flow", "latency", "pipeline", "quantised", "stages"])
def test_the_flow_knows_neither_django_nor_the_site(module: str) -> None:
    names = imports_of(ROOT / "scoring" / f"{module}.py")

    assert not {name for name in names if within(name, {"django", "celery", "competition", "scoring.worker"})}


def test_only_the_worker_reaches_into_the_site() -> None:
    files = [file for file in files_below("scoring") if "worker" not in file.parts]

    found = [
        str(file)
        for file in files
        if any(within(name, {"competition", "django"}) for name in imports_of(file))
    ]

    assert found == []


def test_the_site_imports_only_the_shared_modules_of_scoring() -> None:
    allowed = (
        {"competition", "scoring.tracks", "scoring.report", "scoring.figures", "scoring.pack"}
        | CONTRACTS
        | CACHE
        | DATASET
    )
    files = [file for file in files_below("competition") if "demo" not in file.parts]

    assert offences(files, allowed=allowed) == []


def test_the_site_names_no_heavy_library() -> None:
    files = [file for file in files_below("competition") if str(file.relative_to(ROOT)) not in TRAINING]
    files = [file for file in files if "demo" not in file.parts]

    found = [str(file) for file in files if any(within(name, HEAVY) for name in imports_of(file))]

    assert found == []


def test_the_running_site_has_not_loaded_torch_numpy_or_the_pipeline() -> None:
    program = (
        "import sys, competition.wsgi, competition.urls\n"
        "from django.urls import get_resolver; get_resolver().url_patterns\n"
        "print([name for name in ('torch', 'onnx', 'numpy', 'scoring.pipeline', 'scoring.worker')"
        " if name in sys.modules])"
    )

    answer = subprocess.run(
        [sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, check=True
    )

    assert answer.stdout.strip() == "[]"


@pytest.mark.parametrize("stage", STAGES)
def test_no_stage_imports_django_or_celery(stage: str) -> None:
    found = [
        str(file)
        for file in files_below(f"scoring/{stage}")
        if any(within(name, {"django", "celery"}) for name in imports_of(file))
    ]

    assert found == []
