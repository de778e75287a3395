"""An inventory as YAML: a list of components, alone or under `components`.

Every value is taken as it is written, so that the owner `no` stays “no” and the account 012345678901 keeps its zero.
"""

from collections.abc import Iterator

import yaml

from bot.adapters.inventory.rows import FIELDS, Problem, Row, unknown_field


class _Wrong(Exception):
    """`node` is where."""

    def __init__(self, node: yaml.Node, says: str) -> None:
        super().__init__(says)
        self.node = node


def read_yaml(file: str, content: bytes) -> tuple[list[Row], int, list[Problem]]:
    """(rows, 0, problems)."""
    try:
        root = yaml.compose(content, Loader=yaml.SafeLoader)
    except yaml.MarkedYAMLError as error:
        line = error.problem_mark.line + 1 if error.problem_mark else 1
        return [], 0, [Problem(f"{file}:{line}", f"it is not YAML: {error.problem}. Correct that line.")]
    except (yaml.YAMLError, RecursionError) as error:
        why = str(error).partition("\n")[0] or type(error).__name__
        return [], 0, [Problem(file, f"it is not YAML: {why}. Save it as UTF-8 text.")]
    rows: list[Row] = []
    problems: list[Problem] = []
    try:
        items = _items(root)
    except _Wrong as wrong:
        return [], 0, [Problem(_where(file, wrong.node), str(wrong))]
    for item in items:
        try:
            rows.append(_row(file, item))
        except _Wrong as wrong:
            problems.append(Problem(_where(file, wrong.node), str(wrong)))
    return rows, 0, problems


def _items(root: yaml.Node | None) -> list[yaml.Node]:
    if root is None:
        return []
    if isinstance(root, yaml.MappingNode):
        found = dict(_pairs(root))
        for name, (key, _) in found.items():
            if name != "components":
                raise _Wrong(
                    key, f"“{name}” is not known here. Put the list of components under “components”."
                )
        if "components" in found:
            root = found["components"][1]
    if not isinstance(root, yaml.SequenceNode):
        raise _Wrong(root, "a list of components was expected here. Begin each with a dash.")
    return list(root.value)


def _row(file: str, node: yaml.Node) -> Row:
    if not isinstance(node, yaml.MappingNode):
        raise _Wrong(node, "a component with its name and kind was expected here. Write `- name: …`.")
    fields: dict[str, str] = {}
    identities: tuple[str, ...] = ()
    tags: dict[str, str] = {}
    for name, (key, value) in _pairs(node):
        if name not in FIELDS:
            raise _Wrong(key, unknown_field(name))
        if name == "identities":
            listed = value.value if isinstance(value, yaml.SequenceNode) else [value]
            identities = tuple(_text(each) for each in listed)
        elif name == "tags":
            if not isinstance(value, yaml.MappingNode):
                raise _Wrong(value, "tags are names with values. Write `tags: {env: prod}`.")
            tags = {tag: _text(each) for tag, (_, each) in _pairs(value)}
        else:
            fields[name] = _text(value)
    return Row(where=_where(file, node), fields=fields, identities=identities, tags=tags)


def _pairs(node: yaml.MappingNode) -> Iterator[tuple[str, tuple[yaml.Node, yaml.Node]]]:
    met: set[str] = set()
    for key, value in node.value:
        name = _text(key)
        if name in met:
            raise _Wrong(key, f"{name} stands there twice. Remove one of the two.")
        met.add(name)
        yield name, (key, value)


def _text(node: yaml.Node) -> str:
    if not isinstance(node, yaml.ScalarNode):
        raise _Wrong(node, "one value was expected here, and not a list or a table.")
    text = str(node.value).strip()
    return "" if node.style is None and text in {"~", "null"} else text


def _where(file: str, node: yaml.Node) -> str:
    return f"{file}:{node.start_mark.line + 1}"
