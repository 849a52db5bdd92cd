"""XML from strangers: read into plain frozen tags, within limits, or refused with a line and a reason."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Final, cast, final

from lxml import etree
from lxml.etree import _Element as LxmlElement  # pyright: ignore[reportPrivateUsage]  # lxml has no public name for it

from bpmnd.bpmn.model.graph import Problem

BPMN: Final = "http://www.omg.org/spec/BPMN/20100524/MODEL"
ZEEBE: Final = "http://camunda.org/schema/zeebe/1.0"
_PREFIXES: Final[Mapping[str, str]] = {BPMN: "bpmn", ZEEBE: "zeebe"}

SIZE_MAX: Final = 4 * 1024 * 1024
DEPTH_MAX: Final = 100
ELEMENTS_MAX: Final = 50_000
MODEL_ELEMENTS_MAX: Final = 30_000
"""Elements without the diagram and what other vendors have added."""
ATTRIBUTES_MAX: Final = 100_000

_CHUNK_SIZE: Final = 64 * 1024


@dataclass(frozen=True, slots=True)
class Tag:
    """An element of one of the namespaces asked for, without what other vendors have put into it."""

    name: str
    """Qualified by one of our own prefixes, whatever those of the file are: `bpmn:task`, `zeebe:input`."""
    line: int
    attributes: Mapping[str, str]
    """The attributes without a namespace."""
    text: str
    """Without the white space around it."""
    children: "tuple[Tag, ...]"
    id: str | None

    @property
    def bare_name(self) -> str:
        """The name without its prefix."""
        return self.name.rpartition(":")[2]

    def all(self, name: str) -> "tuple[Tag, ...]":
        """The children of that name."""
        return tuple([child for child in self.children if child.name == name])

    def extensions(self, name: str) -> "tuple[Tag, ...]":
        """The extension elements of that name."""
        return tuple(
            extension for container in self.all("bpmn:extensionElements") for extension in container.all(name)
        )

    def descendants(self) -> "Iterator[Tag]":
        """Itself and all below it, in document order."""
        waiting: list[Tag] = [self]
        while waiting:
            tag = waiting.pop()
            yield tag
            if tag.children:
                waiting.extend(reversed(tag.children))


class _RefusedError(Exception):
    def __init__(self, line: int | None, reason: str) -> None:
        self.problem = Problem(None, line, reason)


def read(content: bytes, prefixes: Mapping[str, str] = _PREFIXES) -> Tag | Problem:
    """The root tag of a document, or the first thing that is wrong with its XML. `prefixes` are the
    namespaces to be kept, with what their elements' names begin with."""
    if len(content) > SIZE_MAX:
        return Problem(None, None, f"must not be larger than {SIZE_MAX} bytes but has {len(content)}")
    try:
        return _Conversion(prefixes).convert(_parse(content, prefixes))
    except _RefusedError as refused:
        return refused.problem
    except etree.XMLSyntaxError as error:
        return Problem(None, error.lineno or None, f"is not well-formed XML: {error.msg}")


def _parse(content: bytes, namespaces: Iterable[str]) -> LxmlElement:
    """Feed lxml piece by piece, so that a limit stops a hostile document and not its end.

    Beware of `collect_ids=False`: with it lxml 6.1 opens the file a DOCTYPE names, whatever `load_dtd` says.
    """
    parser = etree.XMLPullParser(
        events=("start", "end"),
        resolve_entities=False,
        no_network=True,
        load_dtd=False,
        dtd_validation=False,
        huge_tree=False,
        remove_comments=True,
        remove_pis=True,
    )
    depth = elements = attributes = 0
    for start in range(0, max(len(content), 1), _CHUNK_SIZE):
        parser.feed(content[start : start + _CHUNK_SIZE])
        for event, element in parser.read_events():
            assert isinstance(element, LxmlElement), f"{event} of {element}"
            if event == "end":
                depth -= 1
                continue
            if not elements:
                _refuse_doctype(element)
            depth += 1
            elements += 1
            attributes += len(element.attrib)
            _hold_limit("levels of elements", depth, DEPTH_MAX, element)
            _hold_limit("elements", elements, ELEMENTS_MAX, element)
            _hold_limit("attributes", attributes, ATTRIBUTES_MAX, element)
    root = parser.close()
    ours = sum(1 for _ in root.iter(*(f"{{{namespace}}}*" for namespace in namespaces)))
    _hold_limit("elements of the model and its extensions", ours, MODEL_ELEMENTS_MAX, root)
    return root


def _refuse_doctype(root: LxmlElement) -> None:
    if cast("object | None", root.getroottree().docinfo.internalDTD) is not None:
        raise _RefusedError(None, "must not have a DOCTYPE")


def _hold_limit(what: str, count: int, count_max: int, element: LxmlElement) -> None:
    if count > count_max:
        raise _RefusedError(_line(element), f"must not have more than {count_max} {what}")


@final
class _Conversion:
    """From lxml's elements to tags."""

    def __init__(self, prefixes: Mapping[str, str]) -> None:
        self._prefixes = prefixes
        self._ours = tuple(f"{{{namespace}}}" for namespace in prefixes)
        self._names: dict[str, str] = {}

    def convert(self, element: LxmlElement) -> Tag:
        return Tag(
            name=self._qualified(element.tag),
            line=_line(element),
            attributes={str(key): str(value) for key, value in element.attrib.items() if str(key)[0] != "{"},
            text=(element.text or "").strip(" \t\r\n"),
            children=tuple(self.convert(child) for child in element if child.tag.startswith(self._ours)),
            id=element.get("id"),
        )

    def _qualified(self, tag: str) -> str:
        known = self._names.get(tag)
        if known is None:
            namespace, _, name = tag.removeprefix("{").rpartition("}")
            known = self._names[tag] = f"{self._prefixes.get(namespace, namespace)}:{name}"
        return known


def _line(element: LxmlElement) -> int:
    return cast("int | None", element.sourceline) or 0
