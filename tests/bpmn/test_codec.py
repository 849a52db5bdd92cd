"""The codec is part of the log's format: what was written once must be read for ever."""

import msgspec
import pytest

from bpmnd.bpmn import events
from bpmnd.bpmn.codec import (
    COMMAND_CODES,
    EVENT_CODES,
    CodecError,
    CommandNote,
    decode_frame,
    decode_head,
    encode_frame,
)
from bpmnd.bpmn.commands import (
    CompleteJob,
    CreateProcessInstance,
    EvaluateDecision,
    Origin,
    PublishMessage,
    UpdateJob,
)
from bpmnd.bpmn.dmn.results import EvaluatedDecision, EvaluatedInput, EvaluatedOutput, MatchedRule
from bpmnd.bpmn.events import JobCompleted, ProcessInstanceCreated, VariablesCreated

GOLDEN_FRAME = (
    "9502cd03e8cc89949107909090c42f92960200020709019399090705a93c64656661756c743e91a174c0900091a178951208"
    "070781a161c4013193160907"
)

FIELDS = {
    1: "key tenant_id definition_keys",
    2: "key deployment_key process_id version version_tag resource_name checksum tenant_id element_ids"
    " content",
    3: "key request tenant_id definition_keys waiting_for",
    4: "key partition_id",
    5: "key",
    6: "receiver number payload",
    7: "sender number",
    8: "receiver number",
    9: "key definition_key tenant_id tags business_id terminate_after request fetch_variables",
    10: "key instance_key scope_key element flows",
    11: "key instance_key scope_key element flows",
    12: "key instance_key element",
    13: "key instance_key element",
    14: "key instance_key element",
    15: "key instance_key element",
    16: "instance_key scope_key flow",
    17: "element_instance_key instance_key boundary_event variables",
    18: "first_key instance_key scope_key variables",
    19: "instance_key scope_key variables",
    20: "key instance_key element_instance_key element type retries",
    21: "keys tenant_id type worker deadline instance_keys",
    22: "key instance_key",
    23: "key instance_key retries recur_at message",
    24: "key instance_key",
    25: "key instance_key",
    26: "key instance_key",
    27: "key instance_key code message",
    28: "key instance_key retries",
    29: "key instance_key deadline",
    30: "key instance_key",
    31: "key instance_key element_instance_key element due repetitions cycle",
    32: "key instance_key",
    33: "key instance_key",
    34: "key instance_key element_instance_key element job_key timer_key type message steps",
    35: "key instance_key",
    36: "key instance_key steps passes",
    37: "key",
    38: "key tenant_id name correlation_key message_id deadline variables",
    39: "key tenant_id name correlation_key",
    40: "key instance_key element_instance_key process_id tenant_id name correlation_key interrupting"
    " arrival",
    41: "key instance_key element_instance_key process_id tenant_id name correlation_key message_key passed",
    42: "key instance_key element_instance_key process_id tenant_id name correlation_key message_key",
    43: "key instance_key element_instance_key process_id tenant_id name correlation_key message_key",
    44: "key instance_key element_instance_key process_id tenant_id name correlation_key",
    45: "key definition_key element tenant_id process_id name",
    46: "key",
    47: "key instance_key message_key correlation_key passed",
    48: "key request tenant_id name correlation_key waiting",
    49: "key instance_key",
    50: "key",
    51: "key instance_key element_instance_key element name correlation_key interrupting",
    52: "key instance_key message_key",
    53: "key instance_key",
    54: "key tenant_id name variables",
    55: "key instance_key element_instance_key element name",
    56: "key instance_key",
    57: "key definition_key element tenant_id process_id name",
    58: "key",
    59: "key scope id hash request deadline outcome",
    60: "key outcome",
    61: "key",
    80: "scope_key instance_key element variables",
    142: "key definition_key element tenant_id process_id name",
    143: "key",
    144: "key definition_key tenant_id variables",
    89: "key instance_key element_instance_key element",
    140: "key instance_key",
    141: "key instance_key",
    85: "key instance_key activity activity_key scope_key boundary_event",
    86: "key instance_key throw_key handler_key",
    87: "key instance_key",
    88: "key instance_key",
    82: "key definition_key element due repetitions cycle",
    83: "key definition_key element",
    84: "key definition_key element",
    81: "element_instance_key instance_key element code catch_event",
    90: "key instance_key element_instance_key definition_key tenant_id root_key depth",
    100: "key instance_key element_instance_key element type retries listens_to then",
    70: "key deployment_key requirements_id name version namespace resource_name checksum tenant_id imports"
    " content",
    71: "key deployment_key requirements_key requirements_id decision_id name version version_tag tenant_id",
    72: "key decision_key tenant_id instance_key element_instance_key element output decisions",
    73: "key decision_key tenant_id instance_key element_instance_key element failed_decision_id message"
    " decisions",
    160: "instance_key activated terminated",
    161: "instance_key definition_key elements steps interrupting",
    162: "key instance_key element_instance_key process_id new_process_id tenant_id name correlation_key"
    " interrupting",
    163: "scope_key instance_key",
    170: "key instance_key part",
    171: "element_instance_key instance_key element part variables",
    172: "element_instance_key instance_key element",
    173: "key instance_key variables",
    174: "key definition_key element part variables",
    175: "definition_key element",
    176: "key message_key correlation_key passed",
    91: "key instance_key element output_collection items",
    92: "key instance_key index value",
    93: "key instance_key",
    101: "key instance_key element_instance_key element type retries headers",
    102: "key instance_key element_instance_key element attributes form_key external_form_reference",
    103: "key instance_key element_instance_key attributes",
    104: "key instance_key element_instance_key before assignee action user request",
    105: "key instance_key element_instance_key before attributes changed action user",
    106: "key instance_key element_instance_key before attributes changed action user request",
    107: "key instance_key element_instance_key before attributes changed action user",
    108: "key instance_key element_instance_key variables action user request",
    109: "key instance_key element_instance_key before attributes changed variables action user",
    110: "key instance_key element_instance_key",
    111: "key instance_key element_instance_key attributes",
    112: "key instance_key element_instance_key before attributes changed",
    113: "key instance_key element_instance_key denied reason",
    114: "key deployment_key form_id version version_tag resource_name checksum tenant_id content",
    115: "key deployment_key resource_id version version_tag resource_name checksum tenant_id content",
    116: "key user",
    117: "key listener user",
    118: "key listener user",
    119: "key id user",
    210: "rows",
    216: "number to slots",
    217: "number phase keys then cursor",
    218: "number records",
    219: "number sender slots time",
    220: "number payload",
    221: "number last",
    222: "number",
    223: "tenant_id process_id correlation_key instance_key",
    224: "tenant_id process_id correlation_key instance_key",
    225: "key instance_key partition",
    226: "number paused",
    200: "key exporter position mark",
    201: "key exporter after to",
    181: "key instance_key element flows",
    182: "key instance_key scope_key element flows",
}


def test_the_fields_of_a_code_never_change() -> None:
    assert {code: " ".join(struct.__struct_fields__) for code, struct in EVENT_CODES.items()} == FIELDS


def test_a_command_keeps_its_code() -> None:
    assert [COMMAND_CODES[code].__name__ for code in range(1, 19)] == [
        "Deploy",
        "CreateProcessInstance",
        "CancelProcessInstance",
        "SetVariables",
        "ActivateJobs",
        "YieldJobs",
        "CompleteJob",
        "FailJob",
        "ThrowJobError",
        "UpdateJob",
        "ResolveIncident",
        "FireDue",
        "Continue",
        "ReceiveChannelMessage",
        "AcknowledgeChannel",
        "PublishMessage",
        "CorrelateMessage",
        "BroadcastSignal",
    ]
    assert COMMAND_CODES[110].__name__ == "ActivateAdHocActivities"
    assert [COMMAND_CODES[code].__name__ for code in (140, 141)] == [
        "ModifyProcessInstance",
        "MigrateProcessInstance",
    ]


def frame() -> bytes:
    return encode_frame(
        1000,
        137,
        [(CreateProcessInstance, 0, 2), (CompleteJob, 9, 1)],
        [
            ProcessInstanceCreated(7, 5, "<default>", ("t",), None, (), 0, ("x",)),
            VariablesCreated(8, 7, 7, {"a": b"1"}),
            JobCompleted(9, 7),
        ],
    )


def test_a_frame_has_the_bytes_that_it_always_had() -> None:
    assert frame().hex() == GOLDEN_FRAME


MESSAGES = (
    events.MessagePublished(7, "<default>", "paid", "1", "id", 2000, {"a": b"1"}),
    events.MessageSubscriptionCreated(8, 5, 6, "p", "<default>", "paid", "1", True, 0),
    events.MessageSubscriptionCorrelating(8, 5, 6, "p", "<default>", "paid", "1", 7, 8),
    events.ProcessMessageSubscriptionCorrelated(8, 5, 7),
    events.SignalBroadcasted(9, "<default>", "bell", {}),
)
GOLDEN_MESSAGES = (
    "9502cd03e80994909090920005c472929310000595982607a93c64656661756c743ea470616964a131a26964cd07d081a161"
    "c401319a28080506a170a93c64656661756c743ea470616964a131c3009a29080506a170a93c64656661756c743ea4706169"
    "64a13107089434080507953609a93c64656661756c743ea462656c6c80"
)


def test_messages_have_the_bytes_that_they_always_had() -> None:
    frame = encode_frame(1000, 9, [(PublishMessage, 0, 5)], MESSAGES)
    assert frame.hex() == GOLDEN_MESSAGES
    assert decode_frame(frame).events == MESSAGES


DECISIONS = (
    events.DecisionRequirementsCreated(7, 6, "drg", "D", 1, "n", "a.dmn", b"c", "<default>", (3,), b"<a/>"),
    events.DecisionCreated(8, 6, 7, "drg", "d", "The D", 1, "tag", "<default>"),
    events.DecisionEvaluated(
        9,
        8,
        "<default>",
        5,
        6,
        2,
        b"1",
        (
            EvaluatedDecision(
                8,
                "d",
                "The D",
                1,
                "DECISION_TABLE",
                b"1",
                (EvaluatedInput("i", "In", b"2"),),
                (MatchedRule("r", 1, (EvaluatedOutput("o", "Out", b"1"),)),),
            ),
        ),
    ),
    events.DecisionEvaluationFailed(10, 8, "<default>", 0, 0, 0, "d", "no", ()),
)
GOLDEN_DECISIONS = (
    "9502cd03e80a94909090920005c4b19293640004949c460706a3647267a14401a16ea5612e646d6ec40163a93c6465666175"
    "6c743e9103c4043c612f3e9a47080607a3647267a164a5546865204401a3746167a93c64656661756c743e99480908a93c64"
    "656661756c743e050602c40131919808a164a5546865204401ae4445434953494f4e5f5441424c45c401319193a169a2496e"
    "c401329193a172019193a16fa34f7574c401319a490a08a93c64656661756c743e000000a164a26e6f90"
)


def test_decisions_have_the_bytes_that_they_always_had() -> None:
    frame = encode_frame(1000, 10, [(EvaluateDecision, 0, 4)], DECISIONS)
    assert frame.hex() == GOLDEN_DECISIONS
    assert decode_frame(frame).events == DECISIONS


def test_origins_stand_behind_the_events_and_only_where_there_are_some() -> None:
    notes: list[CommandNote] = [(CompleteJob, 9, 1), (UpdateJob, 5, 1)]
    happened: list[events.Event] = [JobCompleted(9, 7), events.JobRetriesUpdated(5, 7, 3)]

    with_one, without = (
        encode_frame(1000, 9, notes, happened, origins) for origins in ([(1, Origin(77, "ann"))], [])
    )

    body, body_without = (decode_head(frame).body.hex() for frame in (with_one, without))
    assert body == "93" + body_without[2:] + "919201924da3616e6e"
    assert decode_frame(with_one).origins == {1: Origin(77, "ann")}
    assert decode_frame(without).origins == {}


def test_a_frame_is_read_as_it_was_written() -> None:
    decoded = decode_frame(frame())
    assert decoded.time == 1000
    assert decoded.last_key == 137
    assert decoded.commands == ((CreateProcessInstance, 0, 2), (CompleteJob, 9, 1))
    assert decoded.events == (
        ProcessInstanceCreated(7, 5, "<default>", ("t",), None, (), 0, ("x",)),
        VariablesCreated(8, 7, 7, {"a": b"1"}),
        JobCompleted(9, 7),
    )


packed = msgspec.msgpack.encode

NOTHING: list[int] = []
NO_LIVES: list[list[int]] = [[], [], [], []]


def around(*body: object) -> bytes:
    """A frame with this body."""
    return packed([2, 0, 0, NO_LIVES, packed(body)])


NO_FRAMES: list[bytes] = [
    b"",
    b"\xff",
    packed(1),
    packed([1, 0, 0, NOTHING, NOTHING]),
    packed([1, 0, 0, NO_LIVES, packed([NOTHING, NOTHING])]),
    packed([2, 0, 0, [["x"], [], [], []], packed([NOTHING, NOTHING])]),
    packed([2, 0, 0, [*NO_LIVES, []], packed([NOTHING, NOTHING])]),
    packed([2, 0, 0, NO_LIVES, packed([NOTHING, NOTHING]), NOTHING]),
    packed([2, 0, 0, NO_LIVES, b"\xff"]),
    around(NOTHING, [[99, 5]]),
    around(NOTHING, [[22, 5, 6, 7]]),
    around(NOTHING, [[22, 5]]),
    around(NOTHING, [["x", 1, 2]]),
    around([99, 0, 0], NOTHING),
    around([7, 0], NOTHING),
    around(NOTHING, NOTHING, [["x", [1]]]),
    around(NOTHING, NOTHING, NOTHING, NOTHING),
]


def test_a_frame_of_nothing_is_one() -> None:
    assert decode_frame(around(NOTHING, NOTHING)).events == ()


@pytest.mark.parametrize("payload", NO_FRAMES, ids=bytes.hex)
def test_what_is_unknown_is_not_guessed(payload: bytes) -> None:
    with pytest.raises(CodecError):
        decode_frame(payload)


def test_every_event_is_a_struct_of_this_package() -> None:
    assert all(struct.__module__.rpartition(".")[0] == events.__name__ for struct in EVENT_CODES.values())
