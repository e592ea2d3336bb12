"""The ways to break a line: in each mutant of a module one small thing is different."""

from __future__ import annotations

import ast
import re
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Final

COMPARISONS: Final[dict[type[ast.cmpop], tuple[type[ast.cmpop], ...]]] = {
    ast.Lt: (ast.LtE, ast.GtE),
    ast.LtE: (ast.Lt, ast.Gt),
    ast.Gt: (ast.GtE, ast.LtE),
    ast.GtE: (ast.Gt, ast.Lt),
    ast.Eq: (ast.NotEq,),
    ast.NotEq: (ast.Eq,),
    ast.Is: (ast.IsNot,),
    ast.IsNot: (ast.Is,),
    ast.In: (ast.NotIn,),
    ast.NotIn: (ast.In,),
}
ARITHMETIC: Final[dict[type[ast.operator], type[ast.operator]]] = {
    ast.Add: ast.Sub,
    ast.Sub: ast.Add,
    ast.Mult: ast.FloorDiv,
    ast.Div: ast.Mult,
    ast.FloorDiv: ast.Mult,
    ast.Mod: ast.FloorDiv,
    ast.Pow: ast.Mult,
    ast.BitOr: ast.BitAnd,
    ast.BitAnd: ast.BitOr,
}
FUNCTIONS: Final = {"min": "max", "max": "min", "any": "all", "all": "any", "sorted": "list"}
# Without such a call the same things come: more of them, in another order, or not locked.
CHAINED: Final = {"copy", "distinct", "exclude", "filter", "order_by", "select_for_update", "strip"}
# Without one of these nothing works at all, and any test says so.
CLASSES: Final = re.compile(r"[A-Z][a-z]\w+( \| [A-Z][a-z]\w+)+")
NEEDED: Final = {"cached_property", "classmethod", "contextmanager", "dataclass", "property", "staticmethod"}


@dataclass(frozen=True, kw_only=True)
class Mutant:
    """One way to break a module; `name` stays the same when lines move, `line` helps to find it."""

    name: str
    line: int
    number: int


@dataclass(frozen=True, kw_only=True)
class Change:
    """A node of the tree, what stands in its place, and in words how they differ."""

    node: ast.AST
    instead: ast.AST
    words: str


def mutants(source: str) -> list[Mutant]:
    """Return every mutant of the module, in the order of its lines."""
    seen: Counter[str] = Counter()
    found = []
    for number, (where, change) in enumerate(_changes(ast.parse(source), where="module")):
        name = f"{where}: {change.words}"
        seen[name] += 1
        again = f" ({seen[name]})" if seen[name] > 1 else ""
        found.append(Mutant(name=name + again, line=change.node.lineno, number=number))
    return sorted(found, key=lambda mutant: (mutant.line, mutant.number))


def mutated(source: str, mutant: Mutant) -> ast.Module:
    """Return the tree of the module with that one thing changed."""
    tree = ast.parse(source)
    _, change = list(_changes(tree, where="module"))[mutant.number]

    class Exchange(ast.NodeTransformer):
        def visit(self, node: ast.AST) -> ast.AST:
            return change.instead if node is change.node else self.generic_visit(node)

    ast.copy_location(change.instead, change.node)
    return ast.fix_missing_locations(Exchange().visit(tree))


# --- where -------------------------------------------------------------------------------------------


def _changes(parent: ast.AST, *, where: str) -> Iterator[tuple[str, Change]]:
    for node in _run(parent):
        inside = where
        if isinstance(node, ast.FunctionDef | ast.ClassDef):
            inside = node.name if where == "module" else f"{where}.{node.name}"
        for way in WAYS.get(type(node), ()):
            yield from ((inside, change) for change in way(node))
        yield from _changes(node, where=inside)


def _run(parent: ast.AST) -> Iterator[ast.AST]:
    """Yield the children that decide what happens: of annotations, those that state limits."""
    for field, value in ast.iter_fields(parent):
        for node in value if isinstance(value, list) else [value]:
            is_type = field in {"annotation", "returns"} and not _calls(node)
            if isinstance(node, ast.AST) and not is_type and not _is_needed(node) and not _is_typing(node):
                yield node


def _calls(node: ast.AST | None) -> bool:
    return node is not None and any(isinstance(each, ast.Call) for each in ast.walk(node))


def _is_needed(node: ast.AST) -> bool:
    """Say whether it is a decorator without which nothing works."""
    return isinstance(node, ast.expr) and _text(node).partition("(")[0] in NEEDED


def _is_typing(node: ast.AST) -> bool:
    """Say whether it serves readers and the type checker alone."""
    if isinstance(node, ast.Expr):
        return isinstance(node.value, ast.Constant)
    if isinstance(node, ast.Assign):
        return _text(node.targets[0]) == "__all__" or _text(node.value).startswith("TypeVar(")
    return isinstance(node, ast.BinOp) and CLASSES.fullmatch(_text(node)) is not None


# --- how ---------------------------------------------------------------------------------------------


def _to(node: ast.AST, instead: ast.AST) -> Change:
    return Change(node=node, instead=instead, words=f"{_text(node)} -> {_text(instead)}")


def _compared(node: ast.Compare) -> Iterator[Change]:
    for place, operator in enumerate(node.ops):
        for other in COMPARISONS[type(operator)]:
            ops = [*node.ops[:place], other(), *node.ops[place + 1 :]]
            yield _to(node, _like(node, ops=ops))


def _joined(node: ast.BoolOp) -> Iterator[Change]:
    yield _to(node, _like(node, op=ast.Or() if isinstance(node.op, ast.And) else ast.And()))
    for place in range(len(node.values)):
        kept = _without(node.values, place)
        yield _to(node, kept[0] if len(kept) == 1 else _like(node, values=kept))


def _signed(node: ast.UnaryOp) -> Iterator[Change]:
    if not isinstance(node.op, ast.UAdd):
        yield _to(node, node.operand)


def _calculated(node: ast.BinOp | ast.AugAssign) -> Iterator[Change]:
    if type(node.op) in ARITHMETIC:
        yield _to(node, _like(node, op=ARITHMETIC[type(node.op)]()))


def _constant(node: ast.Constant) -> Iterator[Change]:
    if isinstance(node.value, bool):
        yield _to(node, ast.Constant(value=not node.value))
    elif isinstance(node.value, int | float):
        yield _to(node, ast.Constant(value=node.value + 1))


def _other_function(node: ast.Call) -> Iterator[Change]:
    if isinstance(node.func, ast.Name) and node.func.id in FUNCTIONS:
        other = ast.Name(id=FUNCTIONS[node.func.id], ctx=ast.Load())
        yield _to(node, _like(node, func=other, keywords=[] if other.id == "list" else node.keywords))


def _not_called(node: ast.Call) -> Iterator[Change]:
    if isinstance(node.func, ast.Attribute) and node.func.attr in CHAINED:
        yield _to(node, node.func.value)


def _without_a_keyword(node: ast.Call) -> Iterator[Change]:
    for place, keyword in enumerate(node.keywords):
        instead = _like(node, keywords=_without(node.keywords, place))
        yield Change(node=node, instead=instead, words=f"{_text(node.func)}(...) without {_text(keyword)}")


def _without_conditions(node: ast.AST) -> Iterator[Change]:
    for place, loop in enumerate(node.generators):
        if loop.ifs:
            loops = [*node.generators[:place], _like(loop, ifs=[]), *node.generators[place + 1 :]]
            yield _to(node, _like(node, generators=loops))


def _negated(node: ast.If | ast.While | ast.IfExp) -> Iterator[Change]:
    # A comparison has its opposite, and of a negation the `not` is taken away: that is the same.
    if not isinstance(node.test, ast.UnaryOp | ast.Compare):
        yield _to(node, _like(node, test=ast.UnaryOp(op=ast.Not(), operand=node.test)))


def _nothing_returned(node: ast.Return) -> Iterator[Change]:
    if node.value is not None and _text(node.value) != "None":
        yield _to(node, _like(node, value=ast.Constant(value=None)))


def _left_out(node: ast.stmt) -> Iterator[Change]:
    yield _to(node, ast.Pass())


def _without_a_decorator(node: ast.FunctionDef | ast.ClassDef) -> Iterator[Change]:
    for place, decorator in enumerate(node.decorator_list):
        if not _is_needed(decorator):
            instead = _like(node, decorator_list=_without(node.decorator_list, place))
            yield Change(node=node, instead=instead, words=f"without @{_text(decorator)}")


WAYS: Final[Mapping[type[ast.AST], tuple[Callable[..., Iterator[Change]], ...]]] = {
    ast.Compare: (_compared,),
    ast.BoolOp: (_joined,),
    ast.UnaryOp: (_signed,),
    ast.BinOp: (_calculated,),
    ast.AugAssign: (_calculated, _left_out),
    ast.Constant: (_constant,),
    ast.Call: (_other_function, _not_called, _without_a_keyword),
    **dict.fromkeys((ast.ListComp, ast.SetComp, ast.DictComp, ast.GeneratorExp), (_without_conditions,)),
    **dict.fromkeys((ast.If, ast.While, ast.IfExp), (_negated,)),
    ast.Return: (_nothing_returned,),
    **dict.fromkeys((ast.Expr, ast.Raise, ast.Continue, ast.Break, ast.Delete), (_left_out,)),
    **dict.fromkeys((ast.FunctionDef, ast.ClassDef), (_without_a_decorator,)),
}


def _like(node: ast.AST, **changes: object) -> ast.AST:
    """Return the node with some of its fields changed."""
    fields = {name: getattr(node, name) for name in node._fields if hasattr(node, name)}
    return type(node)(**fields | changes)


def _without(nodes: list[ast.AST], place: int) -> list[ast.AST]:
    return [*nodes[:place], *nodes[place + 1 :]]


def _text(node: ast.AST) -> str:
    """Return the node on one line: of an `if`, its condition."""
    if isinstance(node, ast.If | ast.While):
        return f"{type(node).__name__.lower()} {ast.unparse(node.test)}"
    return " ".join(ast.unparse(ast.fix_missing_locations(node)).split())
