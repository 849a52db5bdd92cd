"""How a deployment gets to the other partitions, on the pure engine."""

from bpmnd.bpmn.commands import AcknowledgeChannel, Deploy, ReceiveChannelMessage, Resource
from bpmnd.bpmn.events import ProcessCreated
from bpmnd.bpmn.outcomes import Accepted, DeploymentCreated
from tests.bpmn.playground import ONE_TASK, Playground

DEPLOY = Deploy((Resource("process.bpmn", ONE_TASK),))


def deliver(sender: Playground, receiver: Playground) -> None:
    """Carry what is in the outbox, and the acknowledgement back."""
    channel = sender.state.outbox.items[receiver.state.partition_id]
    for number, payload in list(channel.messages):
        assert receiver.do(ReceiveChannelMessage(1, number, payload)) == Accepted()
        sender.do(AcknowledgeChannel(receiver.state.partition_id, number))


def test_a_repeated_deployment_waits_while_the_first_is_still_on_its_way() -> None:
    first, second = Playground(1, (1, 2)), Playground(2, (1, 2))
    assert first.do(DEPLOY) is None

    assert first.do(DEPLOY) is None
    assert first.answers == {}
    deliver(first, second)

    answers = list(first.answers.values())
    assert len(answers) == 2
    original, repeated = answers
    assert isinstance(original, DeploymentCreated)
    assert isinstance(repeated, DeploymentCreated)
    assert repeated.processes[0].key == original.processes[0].key
    assert repeated.processes[0].is_duplicate
    assert len(second.happened(ProcessCreated)) == 1


def test_a_repeated_deployment_is_answered_at_once_when_everybody_has_it() -> None:
    first, second = Playground(1, (1, 2)), Playground(2, (1, 2))
    first.do(DEPLOY)
    deliver(first, second)

    assert isinstance(first.do(DEPLOY), DeploymentCreated)
