"""Who may import whom, read from the source: the layers that keep trust and speed where they belong."""

import ast
import subprocess
import sys
from graphlib import TopologicalSorter
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
WORDS = {"scoring.contracts", "scoring.codes", "scoring.environment", "scoring.errors"}
STAGES = {f"scoring.{name}" for name in ("intake", "packages", "budget", "readers", "sandbox", "metrics")}
FLOW = WORDS | STAGES | {"scoring.flow", "scoring.reports"}
SHARED = {f"scoring.{name}" for name in ("cache", "data", "files", "reports", "tracks")}
TOOLS = {
    "celery",
    "client_wheel",
    "clock",
    "csv_cells",
    "database",
    "freshness",
    "logs",
    "markdown",
    "metrics",
    "migrating",
    "moments",
    "pictures",
    "references",
    "s3",
    "security",
    "storage",
    "telemetry",
    "uploads",
    "wellformed",
}
APPS = {"audit", "tracks", "submissions", "leaderboard"}
MAY_IMPORT: dict[str, set[str]] = {
    "contracts": set(),
    "cache": set(),
    "environments": set(),
    "presets": set(),
    "files": WORDS,
    "data": WORDS,
    "reports": WORDS,
    "tracks": WORDS | {"scoring.presets"},
    **{stage.removeprefix("scoring."): WORDS for stage in STAGES},
    "readers": WORDS | {"scoring.cache", "scoring.data"},
    "sandboxed": {"scoring.contracts"},
    "flow": FLOW,
    "conversion": FLOW | {"scoring.files"},
    "benchmark": FLOW | {"scoring.cache", "scoring.data"},
    "cli": FLOW | SHARED | {"scoring.benchmark", "scoring.conversion"},
    "worker": FLOW
    | SHARED
    | {
        f"competition.{name}"
        for name in ("upkeep", "clock", "metrics", "references", "storage", "telemetry", *APPS)
    },
}
"""Whom each folder of scoring/ may import beside itself; no stage is in another's row."""
SITE_MAY_IMPORT: dict[str, set[str]] = {
    **{name: set() for name in TOOLS},
    "accounts": TOOLS,
    "audit": TOOLS,
    "tracks": TOOLS | {"audit"},
    "submissions": TOOLS | {"audit", "tracks"},
    "leaderboard": TOOLS | {"audit", "tracks", "submissions"},
    "publishing": TOOLS | {"audit", "tracks", "submissions"},
    "pages": TOOLS | APPS | {"accounts"},
    "api": TOOLS | APPS | {"accounts"},
    "admin": TOOLS | APPS | {"accounts", "publishing"},
    "upkeep": TOOLS | APPS,
    "operations": TOOLS | APPS | {"accounts"},
    "failures": TOOLS | {"api", "pages"},
    "beat": {"celery"},
    "wsgi": {"telemetry", "wellformed"},
    "settings": {"database"},
    **{name: set() for name in ("demo", "urls")},
}
"""Whom each part of competition/ may import beside itself: the apps in their order, what shows them above."""
STANDARD_LIBRARY_ALONE = ("contracts", "cache", "data", "files", "reports")
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
    """Return what the file imports of us; the package around it all is no part of either half."""
    halves = {"scoring", "competition"}
    return {name for name in imports_of(file) if name.split(".")[0] in halves} - halves


def offences(files: list[Path], *, allowed: set[str]) -> list[str]:
    return [
        f"{file.relative_to(ROOT)} imports {name}"
        for file in files
        for name in sorted(ours(file))
        if not within(name, allowed)
    ]


def test_every_folder_has_its_row() -> None:
    folders = {path.parent.name for path in (ROOT / "scoring").glob("*/__init__.py")}

    assert folders == set(MAY_IMPORT)


@pytest.mark.parametrize("folder", sorted(MAY_IMPORT))
def test_a_folder_imports_only_what_its_row_names(folder: str) -> None:
    allowed = MAY_IMPORT[folder] | {f"scoring.{folder}"}

    assert offences(files_below(f"scoring/{folder}"), allowed=allowed) == []


def test_codes_errors_and_the_environment_stand_at_the_bottom() -> None:
    assert offences([ROOT / "scoring/codes.py"], allowed=set()) == []
    assert offences([ROOT / "scoring/environment.py"], allowed={"scoring.contracts"}) == []
    assert offences([ROOT / "scoring/errors.py"], allowed={"scoring.codes", "scoring.contracts"}) == []


def test_what_the_site_shares_needs_only_the_standard_library() -> None:
    files = [ROOT / f"scoring/{name}.py" for name in ("codes", "environment", "errors")]
    files += [file for folder in STANDARD_LIBRARY_ALONE for file in files_below(f"scoring/{folder}")]

    foreign = {name.split(".")[0] for file in files for name in imports_of(file)} - {"scoring"}

    assert foreign <= set(sys.stdlib_module_names)


def test_nobody_imports_the_sandboxed_child() -> None:
    others = [
        file for file in files_below("scoring") + files_below("competition") if "sandboxed" not in file.parts
    ]

    found = [str(file) for file in others if any(within(name, {"scoring.sandboxed"}) for name in ours(file))]

    assert found == []


def test_only_the_worker_reaches_into_the_site() -> None:
    files = [file for file in files_below("scoring") if "worker" not in file.parts]

    found = [
        str(file)
        for file in files
        if any(within(name, {"competition", "django", "celery"}) for name in imports_of(file))
    ]

    assert found == []


def test_the_site_imports_only_the_shared_modules_of_scoring() -> None:
    files = [file for file in files_below("competition") if "demo" not in file.relative_to(ROOT).parts]

    assert offences(files, allowed=WORDS | SHARED | {"competition"}) == []


def test_the_site_names_no_heavy_library() -> None:
    files = [file for file in files_below("competition") if str(file.relative_to(ROOT)) not in TRAINING]
    files = [file for file in files if "demo" not in file.relative_to(ROOT).parts]

    found = [str(file) for file in files if any(within(name, HEAVY) for name in imports_of(file))]

    assert found == []


def test_the_running_site_has_not_loaded_torch_numpy_or_the_pipeline() -> None:
    program = (
        "import sys, competition.wsgi, competition.urls\n"
        "from django.urls import get_resolver; get_resolver().url_patterns\n"
        "print([name for name in ('torch', 'onnx', 'numpy', 'scoring.flow.pipeline', 'scoring.worker')"
        " if name in sys.modules])"
    )

    answer = subprocess.run(
        [sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, check=True
    )

    assert answer.stdout.strip() == "[]"


# --- the site ------------------------------------------------------------------------------------


def part_of(file: Path) -> str:
    """Return the part of the site that the file belongs to: a folder or a module of competition/."""
    return file.relative_to(ROOT / "competition").parts[0].removesuffix(".py")


def test_every_part_of_the_site_has_its_row() -> None:
    parts = {part_of(file) for file in files_below("competition")} - {"__init__"}

    assert parts == set(SITE_MAY_IMPORT)


def test_the_rows_of_the_site_are_an_order() -> None:
    TopologicalSorter(SITE_MAY_IMPORT).prepare()  # raises CycleError, which names the cycle


@pytest.mark.parametrize("part", sorted(SITE_MAY_IMPORT))
def test_a_part_of_the_site_imports_only_what_its_row_names(part: str) -> None:
    files = [file for file in files_below("competition") if part_of(file) == part]
    allowed = {f"competition.{name}" for name in {part} | SITE_MAY_IMPORT[part]}

    assert offences(files, allowed=allowed | {"scoring"}) == []


def test_no_module_of_the_site_comes_back_to_itself() -> None:
    modules = {
        ".".join(file.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__"): file
        for file in files_below("competition")
    }
    imported = {name: imports_of(file) & modules.keys() - {name} for name, file in modules.items()}

    TopologicalSorter(imported).prepare()  # raises CycleError, which names the cycle


def test_the_site_imports_at_the_top_of_its_files() -> None:
    """An import within a function is how a cycle hides from Python."""
    nested = [
        f"{file.relative_to(ROOT)}:{node.lineno}"
        for file in files_below("competition")
        if part_of(file) != "demo"
        for function in ast.walk(ast.parse(file.read_text("utf-8")))
        if isinstance(function, ast.FunctionDef | ast.AsyncFunctionDef | ast.If | ast.Try)
        for node in ast.walk(function)
        if isinstance(node, ast.Import | ast.ImportFrom)
    ]

    assert nested == []


def test_only_the_lifecycle_writes_a_status() -> None:
    lifecycle = ROOT / "competition/submissions/lifecycle"
    files = [
        file
        for file in files_below("competition") + files_below("scoring/worker")
        if "demo" not in file.relative_to(ROOT).parts
    ]

    writers = [f"{file.relative_to(ROOT)}:{line}" for file in files for line in writes_of_status(file)]

    assert writers != []
    assert [where for where in writers if not (ROOT / where).is_relative_to(lifecycle)] == []


def writes_of_status(file: Path) -> list[int]:
    """Return the lines that give a row a status: by update(status=…), or by assignment."""
    found = []
    for node in ast.walk(ast.parse(file.read_text("utf-8"))):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and "update" in node.func.attr:
            found += [node.lineno for keyword in node.keywords if keyword.arg == "status"]
        if isinstance(node, ast.Assign):
            found += [target.lineno for target in node.targets if is_status_of_a_row(target)]
    return found


def is_status_of_a_row(target: ast.expr) -> bool:
    """Say whether something's status is assigned to; `self` is a refusal of the API here, and no row."""
    if not isinstance(target, ast.Attribute) or target.attr != "status":
        return False
    return not (isinstance(target.value, ast.Name) and target.value.id == "self")
