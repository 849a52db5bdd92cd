"""A leader whose node has not heard of the newest partition: the state knows of it, and it misses nothing."""

from bpmnd.bpmn.channel import ChannelMessage, DistributeDeployment, SpreadSignal, decode_message
from bpmnd.bpmn.commands import BroadcastSignal, Deploy, ReceiveChannelMessage, Resource, Supply
from bpmnd.bpmn.events import DeploymentDistributing
from tests.bpmn.playground import ONE_TASK, Playground


def sent(play: Playground, partition: int) -> list[ChannelMessage]:
    return [decode_message(payload) for _, payload in play.state.outbox.items[partition].messages]


def supplied() -> Playground:
    """Partition 1 has sent partition 2 all that there is, nothing; its leader has not heard of any other."""
    play = Playground(1, (1,))
    play.do(Supply(2))
    return play


def test_a_deployment_waits_for_it_too() -> None:
    play = supplied()
    assert play.do(Deploy((Resource("a.bpmn", ONE_TASK),))) is None
    (waiting,) = play.happened(DeploymentDistributing)
    assert waiting.waiting_for == (2,)
    (*_, last) = sent(play, 2)
    assert isinstance(last, DistributeDeployment)
    assert last.definitions


def test_a_signal_reaches_it_too() -> None:
    play = supplied()
    play.do(BroadcastSignal("bell"))
    assert [type(message) for message in sent(play, 2)] == [DistributeDeployment, SpreadSignal]


def test_what_is_sent_when_nothing_was_deployed_changes_nothing_there() -> None:
    first, second = supplied(), Playground(2, (1, 2))
    for number, payload in first.state.outbox.items[2].messages:
        second.do(ReceiveChannelMessage(1, number, payload))
    assert [type(event).__name__ for event in second.events] == ["ChannelMessageReceived"]
