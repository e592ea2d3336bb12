"""A hard bound on a process's memory, for tests of what must not grow."""

import resource
from pathlib import Path


def allow_no_more_than(more_bytes: int) -> None:
    """Let this process map so many bytes beyond what it has now; files that it maps count too."""
    pages = int(Path("/proc/self/statm").read_text().split()[0])
    limit = pages * resource.getpagesize() + more_bytes
    resource.setrlimit(resource.RLIMIT_AS, (limit, limit))
