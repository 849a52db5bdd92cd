"""Commands for partitions that another node leads, and what comes of them."""

import asyncio
from collections.abc import Callable
from functools import partial
from typing import Final, final

from bpmnd.actors.errors import NoLeader, OutcomeUnknown, Refused
from bpmnd.actors.network import Network
from bpmnd.actors.partition import PartitionActor
from bpmnd.actors.peer_messages import (
    CommandFailed,
    CommandGivenUp,
    CommandReply,
    CommandRequest,
    Failure,
    encode_peer_message,
)
from bpmnd.bpmn.commands import (
    ActivateJobs,
    AssignUserTask,
    ClientCommand,
    CompleteUserTask,
    CreateProcessInstance,
    UpdateUserTask,
    YieldJobs,
    asked_for,
)
from bpmnd.bpmn.outcomes import JobsActivated, Outcome

_FOR_LISTENERS: Final = (AssignUserTask, UpdateUserTask, CompleteUserTask)
"""They may wait for workers, and whoever has sent them may be gone before."""
_FAILURES: Final = {
    Failure.NO_LEADER: NoLeader,
    Failure.REFUSED: Refused,
    Failure.OUTCOME_UNKNOWN: OutcomeUnknown,
}


@final
class Requests:
    """What this node has asked of others. All of it is answered, by a loss of the connection if need be."""

    def __init__(self, network: Network, new_future: Callable[[], asyncio.Future[Outcome]]) -> None:
        self._network = network
        self._new_future = new_future
        self._open: dict[int, dict[int, asyncio.Future[Outcome]]] = {}
        """Node -> number -> who waits."""
        self._last = 0

    def submit(self, node: int, partition: int, command: ClientCommand) -> asyncio.Future[Outcome]:
        """Raises NoLeader when the node cannot be reached or takes no more."""
        self._last = number = self._last + 1
        if not self._network.send(node, encode_peer_message(CommandRequest(number, partition, command))):
            raise NoLeader(f"partition {partition} is led by node {node}, which cannot be reached")
        future = self._new_future()
        self._open.setdefault(node, {})[number] = future
        asked = asked_for(command)
        if isinstance(asked, _FOR_LISTENERS) or (type(asked) is CreateProcessInstance and asked.await_result):
            future.add_done_callback(partial(self._ended, node, number))
        return future

    def replied(self, node: int, reply: CommandReply) -> None:
        future = self._open.get(node, {}).pop(reply.number, None)
        if future is not None and not future.done():
            future.set_result(reply.outcome)

    def failed(self, node: int, failed: CommandFailed) -> None:
        future = self._open.get(node, {}).pop(failed.number, None)
        if future is not None and not future.done():
            future.set_exception(_FAILURES[failed.failure](failed.reason))

    def disconnected(self, node: int) -> None:
        """Whether what was asked has been done, nobody can say now."""
        for future in self._open.pop(node, {}).values():
            if not future.done():
                future.set_exception(
                    OutcomeUnknown(f"the connection to node {node} broke before it answered; it is unknown")
                )

    def _ended(self, node: int, number: int, future: asyncio.Future[Outcome]) -> None:
        """A client that waited for the end of an instance has given up."""
        if self._open.get(node, {}).pop(number, None) is not None:
            self._network.send(node, encode_peer_message(CommandGivenUp(number)))


@final
class _RemoteReply:
    """Somebody on another node waits for the outcome."""

    __slots__ = ("_actor", "_lends", "_node", "_number", "_owner", "given_up")

    def __init__(
        self, owner: "Requested", node: int, number: int, actor: PartitionActor, *, lends: bool
    ) -> None:
        self._owner = owner
        self._node = node
        self._number = number
        self._actor = actor
        self._lends = lends
        self.given_up = False

    def done(self) -> bool:
        # Jobs that are lent to nobody have to be given back: their outcome is heard in any case.
        return self.given_up and not self._lends

    def set_result(self, outcome: Outcome, /) -> None:
        reply = CommandReply(self._number, outcome)
        arrived = not self.given_up and self._owner.answer(self._node, self._number, reply)
        if not arrived and self._lends and isinstance(outcome, JobsActivated) and outcome.jobs:
            lent = tuple((job.key, job.deadline) for job in outcome.jobs)
            self._actor.submit_internal(YieldJobs(lent))  # Nobody will work on them.

    def set_exception(self, error: Exception, /) -> None:
        if self.given_up:
            return
        self._owner.answer(self._node, self._number, CommandFailed(self._number, _failure(error), str(error)))


@final
class Requested:
    """What other nodes have asked of this one."""

    def __init__(self, network: Network) -> None:
        self._network = network
        self._open: dict[int, dict[int, _RemoteReply]] = {}

    def take(self, node: int, request: CommandRequest, actor: PartitionActor | None) -> None:
        """Hand the command in, or say why not."""
        if actor is None:
            reason = f"partition {request.partition} does not run on this node"
            self._network.send(
                node, encode_peer_message(CommandFailed(request.number, Failure.NO_LEADER, reason))
            )
            return
        # Who repeats an activation by its key gets the same jobs, so those are not given back.
        lends = isinstance(request.command, ActivateJobs)
        reply = _RemoteReply(self, node, request.number, actor, lends=lends)
        self._open.setdefault(node, {})[request.number] = reply
        try:
            actor.hand_in(request.command, reply)
        except (NoLeader, Refused) as error:
            reply.set_exception(error)

    def given_up(self, node: int, number: int) -> None:
        reply = self._open.get(node, {}).pop(number, None)
        if reply is not None:
            reply.given_up = True

    def disconnected(self, node: int) -> None:
        for reply in self._open.pop(node, {}).values():
            reply.given_up = True

    def answer(self, node: int, number: int, answer: CommandReply | CommandFailed) -> bool:
        """Whether it is on its way."""
        self._open.get(node, {}).pop(number, None)
        return self._network.send(node, encode_peer_message(answer))


def _failure(error: Exception) -> Failure:
    match error:
        case Refused():
            return Failure.REFUSED
        case NoLeader():
            return Failure.NO_LEADER
        case _:
            return Failure.OUTCOME_UNKNOWN
