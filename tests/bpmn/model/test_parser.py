import pytest

from bpmnd.bpmn.elements.exclusive_gateway import ExclusiveGateway
from bpmnd.bpmn.elements.parallel_gateway import ParallelGateway
from bpmnd.bpmn.model.graph import BoundaryEvent, BrokenExpression, SequenceFlow, ServiceTask
from bpmnd.bpmn.model.parser import Invalid, Parsed, parse_resource, rebuild
from tests.bpmn.model.models import (
    END,
    START,
    WORK,
    boundary,
    definitions,
    element,
    flow,
    model,
    parsed,
    process,
    reasons,
    sub_process,
    task,
    timer,
)

CHOICE = model(
    START
    + '<exclusiveGateway id="xor" default="b"/>'
    + END
    + flow("in", "start", "xor")
    + flow("a", "xor", "end", "=true")
    + flow("b", "xor", "end")
)


def test_indexes_follow_the_document() -> None:
    inner = sub_process('<startEvent id="inner"/><task id="t"/>' + flow("i", "inner", "t"))
    content = model(flow("f", "start", "sub") + inner + START)
    assert parsed(content).element_ids() == ("process", "f", "sub", "inner", "t", "i", "start")


def test_every_element_stands_at_its_index() -> None:
    assert [found.index for found in parsed(CHOICE).elements] == list(range(7))


def test_flows_and_elements_know_each_other() -> None:
    ids = parsed(CHOICE).element_ids()
    flow_, gateway = element(CHOICE, "a"), element(CHOICE, "xor")
    assert isinstance(flow_, SequenceFlow)
    assert isinstance(gateway, ExclusiveGateway)
    assert (ids[flow_.source], ids[flow_.target]) == ("xor", "end")
    assert gateway.incoming == (ids.index("in"),)


def test_outgoing_flows_go_from_the_last_to_the_first_as_in_zeebe() -> None:
    ids = parsed(CHOICE).element_ids()
    gateway = element(CHOICE, "xor")
    assert isinstance(gateway, ExclusiveGateway)
    assert [ids[index] for index in gateway.outgoing] == ["b", "a"]


def test_a_gateway_knows_its_default_flow() -> None:
    gateway = element(CHOICE, "xor")
    assert isinstance(gateway, ExclusiveGateway)
    assert gateway.default == parsed(CHOICE).element_ids().index("b")


def test_an_activity_knows_its_boundary_events() -> None:
    hour = timer("timeDuration", "PT1H")
    content = model(START + WORK + END + boundary(hour, id_="one") + boundary(hour, id_="two"))
    ids, work, one = parsed(content).element_ids(), element(content, "work"), element(content, "one")
    assert isinstance(work, ServiceTask)
    assert isinstance(one, BoundaryEvent)
    assert [ids[index] for index in work.boundary_events] == ["two", "one"]
    assert one.attached_to == work.index


def test_the_root_knows_its_start_event() -> None:
    assert parsed(CHOICE).root.start_event == 1


def test_a_flow_belongs_where_its_ends_are() -> None:
    content = model(START + END + sub_process('<startEvent id="inner"/>' + flow("flow", "start", "end")))
    assert element(content, "flow").scope == 0


def test_names_are_kept() -> None:
    content = definitions(process(START, attributes='isExecutable="true" name="Order"'))
    assert parsed(content).root.name == "Order"


def test_a_version_tag_is_kept() -> None:
    tag = '<extensionElements><zeebe:versionTag value="v7"/></extensionElements>'
    assert parsed(model(tag + START)).version_tag == "v7"


def test_a_process_has_one_version_tag_at_most() -> None:
    tags = '<zeebe:versionTag value="v7"/>' * 2
    assert reasons(model(f"<extensionElements>{tags}</extensionElements>" + START)) == [
        ("process", "must have at most one zeebe:versionTag")
    ]


def test_all_executable_processes_are_read() -> None:
    content = definitions(process(START, id_="one") + process('<startEvent id="s"/>', id_="two"))
    result = parse_resource(content, name="test.bpmn")
    assert isinstance(result, Parsed)
    assert [found.id for found in result.processes] == ["one", "two"]


@pytest.mark.parametrize("attributes", ["", 'isExecutable="false"'])
def test_a_process_that_is_not_executable_is_passed_over(attributes: str) -> None:
    other = process('<callChoreography id="user"/>', id_="other", attributes=attributes)
    assert parsed(model(START, beside=other)).id == "process"


def test_a_file_without_an_executable_process_is_refused() -> None:
    assert reasons(definitions(process(START, attributes=""))) == [
        (None, "'test.bpmn' must contain an executable process")
    ]


def test_all_problems_are_told_at_once_in_the_order_of_their_lines() -> None:
    content = model(
        '\n<callChoreography id="user"/>\n<serviceTask id="work"/>'
        '\n<sequenceFlow id="flow" sourceRef="work"/>'
    )
    result = parse_resource(content, name="test.bpmn")
    assert isinstance(result, Invalid)
    assert [str(problem) for problem in result.problems] == [
        "element 'process' (line 1): a process must have a start event",
        "element 'user' (line 2): call choreographies are not supported yet",
        "element 'work' (line 3): must have exactly one zeebe:taskDefinition extension element",
        "element 'flow' (line 4): a sequence flow must have a targetRef",
    ]


def test_a_stored_process_is_rebuilt_as_it_was() -> None:
    deployed = parsed(CHOICE)
    rebuilt = rebuild(CHOICE, "process", deployed.element_ids())
    assert rebuilt.element_ids() == deployed.element_ids()
    assert rebuilt.root == deployed.root


def test_a_stored_process_keeps_the_indexes_of_its_table() -> None:
    table = ("process", "b", "a", "in", "end", "xor", "start")
    rebuilt = rebuild(CHOICE, "process", table)

    gateway, flow_ = rebuilt.elements[5], rebuilt.elements[2]
    assert rebuilt.element_ids() == table
    assert [found.index for found in rebuilt.elements] == list(range(7))
    assert isinstance(gateway, ExclusiveGateway)
    assert isinstance(flow_, SequenceFlow)
    assert (gateway.outgoing, gateway.incoming, gateway.default) == ((1, 2), (3,), 1)
    assert (flow_.source, flow_.target) == (5, 4)
    assert rebuilt.root.start_event == 6


def test_elements_that_the_table_lacks_come_behind_it() -> None:
    rebuilt = rebuild(CHOICE, "process", ("process", "start", "end"))
    assert rebuilt.element_ids() == ("process", "start", "end", "xor", "in", "a", "b")


def test_a_rebuilt_fork_keeps_its_ways() -> None:
    flows = flow("a", "fork", "end") + flow("b", "fork", "end")
    content = model(START + '<parallelGateway id="fork"/>' + END + flows)
    fork = rebuild(content, "process", ("process", "a", "b", "fork", "start", "end")).elements[3]
    assert isinstance(fork, ParallelGateway)
    assert fork.outgoing == (2, 1)


def test_a_stored_expression_that_no_longer_compiles_is_broken() -> None:
    content = model(START + task('<zeebe:taskDefinition type="= 1 +"/>'))
    work = rebuild(content, "process", ("process", "start", "task")).elements[2]
    assert isinstance(work, ServiceTask)
    assert isinstance(work.job.type, BrokenExpression)
    assert work.job.type.text == " 1 +"


def test_of_several_stored_processes_the_named_one_is_rebuilt() -> None:
    content = definitions(process(START, id_="one") + process('<startEvent id="s"/>', id_="two"))
    assert rebuild(content, "two", ("two", "s")).id == "two"


def test_a_table_of_another_process_is_our_own_fault() -> None:
    with pytest.raises(AssertionError, match="the process lacks"):
        rebuild(CHOICE, "process", ("process", "elsewhere"))
