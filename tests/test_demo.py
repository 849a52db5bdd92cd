import os
import subprocess
import sys
from pathlib import Path
from typing import Final

import pytest
from lxml import etree

from bpmnd.bpmn.model.graph import SequenceFlow
from bpmnd.bpmn.model.parser import Parsed, parse_resource
from tests.judged import JUDGE

ROOT: Final = Path(__file__).parents[1]
ORDER: Final = ROOT / "examples/order/order.bpmn"
_DI: Final = {
    "bpmndi": "http://www.omg.org/spec/BPMN/20100524/DI",
    "dc": "http://www.omg.org/spec/DD/20100524/DC",
    "di": "http://www.omg.org/spec/DD/20100524/DI",
}


@pytest.mark.end_to_end
def test_every_order_of_the_demo_ends_as_it_should() -> None:
    demo = subprocess.run(
        (sys.executable, "-m", "examples.demo"),
        cwd=ROOT,
        env={**os.environ, "DEMO_ORDERS": "8"},
        stdout=subprocess.PIPE,
        text=True,
        timeout=90,
        check=False,
    )

    assert demo.returncode == 0, demo.stdout
    for line in ("SIGKILL", "orders started           8   of 8", "lost, stuck or wrong     0", ": good: "):
        assert line in demo.stdout
    assert "INCIDENT RESOLVED" in demo.stdout


@pytest.mark.end_to_end
@pytest.mark.skipif(not JUDGE, reason="long form, for `make judge` (BPMND_JUDGE=1)")
def test_every_order_ends_as_it_should_while_a_node_of_the_cluster_is_killed() -> None:
    demo = subprocess.run(
        (sys.executable, "-m", "examples.cluster"),
        cwd=ROOT,
        env={**os.environ, "CLUSTER_ORDERS": "16"},
        stdout=subprocess.PIPE,
        text=True,
        timeout=90,
        check=False,
    )

    assert demo.returncode == 0, demo.stdout
    for line in (
        "SIGKILL to node",
        "orders started           16   of 16",
        "stuck or wrong      0",
        "doubled                   0",
    ):
        assert line in demo.stdout
    assert demo.stdout.count(": good: ") == 9, "three nodes have three partitions each"


@pytest.fixture(scope="module")
def shapes() -> dict[str, tuple[float, float, float, float]]:
    """Element id -> left, top, right, bottom."""
    found: dict[str, tuple[float, float, float, float]] = {}
    for shape in etree.parse(ORDER).iterfind(".//bpmndi:BPMNShape", _DI):
        bounds = shape.find("dc:Bounds", _DI)
        assert bounds is not None
        x, y, width, height = (float(bounds.attrib[name]) for name in ("x", "y", "width", "height"))
        found[str(shape.attrib["bpmnElement"])] = (x, y, x + width, y + height)
    return found


def test_the_order_process_is_drawn_whole(shapes: dict[str, tuple[float, float, float, float]]) -> None:
    resource = parse_resource(ORDER.read_bytes(), name=ORDER.name)
    assert isinstance(resource, Parsed)
    (process,) = resource.processes
    edges = {
        str(edge.attrib["bpmnElement"]): [
            (float(point.attrib["x"]), float(point.attrib["y"]))
            for point in edge.iterfind("di:waypoint", _DI)
        ]
        for edge in etree.parse(ORDER).iterfind(".//bpmndi:BPMNEdge", _DI)
    }

    flows = {element.id: element for element in process.elements if isinstance(element, SequenceFlow)}
    nodes = {element.id for element in process.elements[1:]} - set(flows)
    assert nodes == set(shapes)
    assert set(flows) == set(edges)
    for flow_id, points in edges.items():
        flow = flows[flow_id]
        for point, element in ((points[0], flow.source), (points[-1], flow.target)):
            assert is_on_edge(point, shapes[process.elements[element].id]), f"{flow_id} at {point}"


def is_on_edge(point: tuple[float, float], shape: tuple[float, float, float, float]) -> bool:
    (x, y), (left, top, right, bottom) = point, shape
    inside = left <= x <= right and top <= y <= bottom
    return inside and (x in (left, right) or y in (top, bottom))


def test_nothing_is_drawn_over_anything_else(shapes: dict[str, tuple[float, float, float, float]]) -> None:
    """But what stands in a sub-process, and events on the edge of what they are attached to."""
    overlaps = {
        frozenset((one, other))
        for one, (left, top, right, bottom) in shapes.items()
        for other, (left_2, top_2, right_2, bottom_2) in shapes.items()
        if one < other and left < right_2 and left_2 < right and top < bottom_2 and top_2 < bottom
    }
    inner = ("paid", "reserve-stock", "express", "parcel-round", "ship-parcel", "handed-over")
    assert overlaps == {
        *(frozenset((element, "fulfilment")) for element in (*inner, "out-of-stock", "late")),
        frozenset(("charge-card", "payment-declined")),
    }
