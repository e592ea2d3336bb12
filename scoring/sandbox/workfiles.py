"""The files of one run below its workdir: made before, opened to exactly one user, taken back after."""

from __future__ import annotations

import os
import re
import shutil
import stat
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from scoring.contracts import Letter
from scoring.errors import Fault
from scoring.sandbox.base import ExitStatus, Job, Overflow, Run
from scoring.sandbox.cage import INPUTS, PACKAGE, REQUEST, Exhibits
from scoring.sandbox.limits import expected_output_bytes
from scoring.sandbox.sealed import unsealed
from scoring.sandbox.supervise import ProcessEnding

# Colours and the like, as libraries print them; one that was cut off counts too.
_TERMINAL_CODE = re.compile(r"\x1b(?:\[[0-9;?]*[ -/]*[@-~]?|\][^\x07\x1b]{0,200}(?:\x07|\x1b\\)?)")
# What is left of terminal escapes, and NUL, would reach the reader's terminal and the database.
_CONTROL = {
    code: "\N{REPLACEMENT CHARACTER}" for code in (*range(32), *range(127, 160)) if chr(code) not in "\n\t"
}


def prepare(job: Job, workdir: Path) -> Exhibits:
    """Write the request and make the empty file that the child writes its outputs into."""
    workdir.mkdir(parents=True, exist_ok=True)
    workdir.chmod(0o700)
    exhibits = Exhibits(
        request=workdir / "request.json",
        package=job.package,
        inputs=job.inputs,
        outputs=workdir / "outputs.bin",
    )
    exhibits.request.write_text(job.request.to_json())
    exhibits.outputs.unlink(missing_ok=True)
    exhibits.outputs.touch(mode=0o600, exist_ok=False)
    return exhibits


@dataclass(frozen=True)
class Slot:
    """The files of a run that is started before its job is known: empty folders, filled when it is its turn."""

    folder: Path

    @property
    def mounts(self) -> Mapping[str, Path]:
        """Return what stands where inside, read-only."""
        return {PACKAGE: self._package, str(Path(REQUEST).parent): self._given}

    @property
    def outputs(self) -> Path:
        """Return the file that the child writes."""
        return self.folder / "outputs.bin"

    @property
    def _package(self) -> Path:
        return self.folder / "package"

    @property
    def _given(self) -> Path:
        return self.folder / "given"

    def prepare(self) -> None:
        """Make the folders, and the empty file that the child writes its outputs into."""
        for folder in (self._package, self._given):
            folder.mkdir(mode=0o755)
        self.outputs.touch(mode=0o600, exist_ok=False)

    def fill(self, job: Job, workdir: Path) -> Exhibits:
        """Let the job's files appear; raise OSError where they lie on another file system.

        They are links: nothing is copied, and what is written to the inputs or outputs meanwhile shows.
        """
        workdir.mkdir(parents=True, exist_ok=True)
        workdir.chmod(0o700)
        exhibits = Exhibits(
            request=self._given / Path(REQUEST).name,
            package=self._package,
            inputs=self._given / Path(INPUTS).name,
            outputs=workdir / "outputs.bin",
        )
        exhibits.inputs.hardlink_to(job.inputs)
        shutil.copytree(job.package, self._package, symlinks=True, copy_function=os.link, dirs_exist_ok=True)
        exhibits.request.write_text(job.request.to_json())
        exhibits.outputs.unlink(missing_ok=True)
        # Last: whoever waits for it takes the first file of this name.
        exhibits.outputs.hardlink_to(self.outputs)
        return exhibits


def hand_over(exhibits: Exhibits, uid: int) -> None:
    """Let the run's own user write the outputs and read the rest.

    The folders above stay closed: only the mounts inside the sandbox lead to these files.
    """
    try:
        os.chown(exhibits.outputs, uid, uid)
    except OSError as exc:
        raise Fault(f"the outputs cannot be given to another user: {exc.strerror}") from exc
    _let_read(exhibits.request)
    _let_read(exhibits.inputs)
    for folder, _, names in os.walk(exhibits.package):
        _let_read(Path(folder))
        for name in names:
            _let_read(Path(folder) / name)
    if exhibits.package.is_file():
        _let_read(exhibits.package)


def _let_read(path: Path) -> None:
    mode = path.lstat().st_mode
    if stat.S_ISLNK(mode):
        return
    wanted = mode | (0o555 if stat.S_ISDIR(mode) else 0o444)
    if wanted != mode:
        path.chmod(stat.S_IMODE(wanted))


def take_back(exhibits: Exhibits) -> None:
    """Own the outputs again."""
    os.chown(exhibits.outputs, os.getuid(), os.getgid(), follow_symlinks=False)


def collect(job: Job, exhibits: Exhibits, ending: ProcessEnding, letter: Letter) -> Run:
    """Keep of the reply what is sealed; outputs past their cap become `TOO_MUCH_OUTPUT`."""
    with open_written(exhibits.outputs) as outputs_file:
        output_bytes = os.fstat(outputs_file.fileno()).st_size
    said = unsealed(ending.reply, letter)
    status, overflow = ending.status, ending.overflow
    if status in {ExitStatus.EXITED, ExitStatus.CRASHED} and output_bytes > expected_output_bytes(job):
        status, overflow = ExitStatus.TOO_MUCH_OUTPUT, Overflow.OUTPUTS
    return Run(
        status=status,
        exit_code=ending.exit_code,
        reply=said.reply,
        outputs=exhibits.outputs,
        log=clean(ending.log),
        wall_s=ending.wall_s,
        cpu_s=ending.cpu_s,
        peak_memory_bytes=ending.peak_memory_bytes,
        overflow=overflow,
        entry_began=said.entry_began,
    )


def clean(log: bytes) -> str:
    """Return printed bytes as harmless text."""
    return harmless(log.decode("utf-8", errors="replace"))


def harmless(text: str) -> str:
    """Return text without terminal codes, and without control characters but line feed and tab."""
    return _TERMINAL_CODE.sub("", text.replace("\r\n", "\n")).translate(_CONTROL)


def open_written(path: Path) -> BinaryIO:
    """Open a file that hostile code wrote: never through a link, never a pipe that would block."""
    try:
        # Run as our own user, the entry can close its files to us, to be taken for a fault of ours.
        if not path.is_symlink():
            path.chmod(0o600)
        fd = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    except OSError as exc:
        raise Fault(f"{path.name} cannot be read: {exc.strerror}") from exc
    file = os.fdopen(fd, "rb")
    if not stat.S_ISREG(os.fstat(fd).st_mode):
        file.close()
        raise Fault(f"{path.name} is no longer a regular file")
    return file
