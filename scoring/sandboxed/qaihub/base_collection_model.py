"""Bases of models of several parts, which do not run here; their names can be imported."""

from __future__ import annotations

from scoring.sandboxed.qaihub.named_only import named_only

__all__ = ["PrecompiledWorkbenchModelCollection", "WorkbenchModelCollection"]

PrecompiledWorkbenchModelCollection = named_only("PrecompiledWorkbenchModelCollection")
WorkbenchModelCollection = named_only("WorkbenchModelCollection")
