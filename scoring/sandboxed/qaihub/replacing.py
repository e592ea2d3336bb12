"""Replaces layers of a network by others that do the same work in a form that devices prefer."""

from __future__ import annotations

from collections.abc import Callable

from torch import nn

__all__ = ["apply_module_function_recursively", "replace_module_recursively"]

Apply = Callable[[nn.Module, nn.Module, str], None]


def apply_module_function_recursively(
    module: nn.Module, tgt_cls: type[nn.Module], apply_fn: Apply, parent_module: type[nn.Module] | None = None
) -> int:
    """Call `apply_fn(layer, parent, name)` for each layer of a class, not for those inside one; return how many."""
    count = 0
    for name, child in module.named_children():
        if not isinstance(child, tgt_cls):
            count += apply_module_function_recursively(child, tgt_cls, apply_fn, parent_module)
        elif parent_module is None or isinstance(module, parent_module):
            apply_fn(child, module, name)
            count += 1
    return count


def replace_module_recursively(
    module: nn.Module,
    tgt_cls: type[nn.Module],
    new_cls: Callable[[nn.Module], nn.Module],
    parent_module: type[nn.Module] | None = None,
) -> None:
    """Put `new_cls(layer)` in the place of each layer of a class, of those with such a parent if one is given."""

    def replace(child: nn.Module, parent: nn.Module, name: str) -> None:
        setattr(parent, name, new_cls(child))

    apply_module_function_recursively(module, tgt_cls, replace, parent_module)
