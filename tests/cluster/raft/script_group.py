"""Runs the commands of an interaction script on a group, and prints what etcd would print."""

from collections.abc import Callable, Iterable

from bpmnd.cluster.raft import (
    Configuration,
    ConfigurationChange,
    EntryKind,
    Message,
    RaftSettings,
    SnapshotOffer,
    Transition,
)
from bpmnd.cluster.raft.messages import AppendReply, HeartbeatReply, VoteReply
from tests.cluster.raft.formatting import (
    ROLES,
    V1,
    indented,
    message_text,
    operations_of,
    progress_of,
    type_of,
)
from tests.cluster.raft.script_member import Report, ScriptMember, report_text
from tests.cluster.raft.scripts import Command

_ELECTION_TICKS = 3
_UNBOUNDED = 2**31 - 1
_TRANSITIONS = {
    "auto": Transition.AUTO,
    "implicit": Transition.IMPLICIT,
    "explicit": Transition.EXPLICIT,
}


class ScriptGroup:
    def __init__(self) -> None:
        self.members: list[ScriptMember] = []
        self.queue: list[Message | Report] = []
        """What is on its way, in the order in which it left."""
        self._silent = False

    def run(self, command: Command) -> str:
        """What the script prints, without the lines of etcd's logger."""
        if command.name == "log-level":
            self._silent = command.words == ("none",)
            return "ok"
        output = self._run(command)
        silent = self._silent or command.options.get("log-level") == ("none",)
        return "ok" if silent or not output else output

    def _run(self, command: Command) -> str:
        match command.name:
            case "add-nodes":
                return self._add(command)
            case "campaign":
                self._named(command).raft.campaign()
            case "compact":
                member, index = map(int, command.words)
                self._member(member).storage.compact(index)
                return self._member(member).log_text()
            case "deliver-msgs":
                return self._deliver_as_asked(command)
            case "forget-leader":
                self._named(command).raft.forget_leader()
            case "process-ready":
                return self._each(command, self._process_ready)
            case "process-append-thread":
                return self._each(command, self._append_thread)
            case "process-apply-thread":
                return self._each(command, self._apply_thread)
            case "propose":
                return self._propose(command)
            case "propose-conf-change":
                self._propose_change(command)
            case "raft-log":
                return self._named(command).log_text()
            case "raft-state":
                return "".join(map(_state, self.members))
            case "report-unreachable":
                reporter, lost = map(int, command.words)
                self._member(reporter).raft.report_unreachable(lost)
            case "send-snapshot":
                return self._send_snapshot(*map(int, command.words))
            case "set-randomized-election-timeout":
                (self._named(command).raft.patience,) = command.numbers("timeout")
            case "stabilize":
                return self._stabilize([self._member(int(word)) for word in command.words] or self.members)
            case "status":
                progress = self._named(command).raft.progress()
                return "".join(f"{member}: {progress_of(progress[member])}\n" for member in progress)
            case "tick-election":
                for _ in range(_ELECTION_TICKS):
                    self._named(command).raft.tick()
            case "tick-heartbeat":
                self._named(command).raft.tick()
            case "transfer-leadership":
                (leader,), (to,) = command.numbers("from"), command.numbers("to")
                self._member(leader).raft.transfer_leadership(to)
            case name:
                raise AssertionError(f"{command.place}: what is {name}?")
        return ""

    def _member(self, member: int) -> ScriptMember:
        return self.members[member - 1]

    def _named(self, command: Command) -> ScriptMember:
        return self._member(int(command.words[0]))

    def _each(self, command: Command, act: Callable[[ScriptMember], str]) -> str:
        if len(command.words) == 1:
            return act(self._named(command))
        titles = {
            "process-ready": "handling Ready",
            "process-append-thread": "processing append thread",
            "process-apply-thread": "processing apply thread",
        }
        return "".join(
            f"> {word} {titles[command.name]}\n{indented(act(self._member(int(word))))}"
            for word in command.words
        )

    def _add(self, command: Command) -> str:
        settings = RaftSettings(
            election_ticks=_ELECTION_TICKS,
            pre_vote=command.flag("prevote"),
            check_quorum=command.flag("checkquorum"),
            step_down_on_removal=command.flag("step-down-on-removal"),
            heed_strangers=True,
            inflight_messages_max=(*command.numbers("inflight"), _UNBOUNDED)[0],
            inflight_bytes_max=_UNBOUNDED,
            message_bytes_max=_UNBOUNDED,
        )
        for _ in range(int(command.words[0])):
            member = ScriptMember(
                len(self.members) + 1,
                Configuration(command.numbers("voters"), (), command.numbers("learners")),
                index=(*command.numbers("index"), 0)[0],
                settings=settings,
                is_async=command.flag("async-storage-writes"),
            )
            self.members.append(member)
        return ""

    def _propose(self, command: Command) -> str:
        raft = self._named(command).raft
        if not raft.may_propose:
            return "raft proposal dropped"
        raft.propose(command.rest.partition(" ")[2].encode())
        return ""

    def _propose_change(self, command: Command) -> None:
        (transition,) = command.options.get("transition", ("auto",))
        context = V1 if command.flag("v1") else b""
        change = ConfigurationChange(_TRANSITIONS[transition], operations_of(command.lines), context)
        member = self._named(command)
        refusal = member.propose_change(change)
        if refusal is not None:
            # Where we refuse, etcd puts an empty entry into the log, and says why only to its logger.
            assert refusal.reason in command.expected, f"{command.place}: {refusal.reason}"
            member.raft.propose(b"", EntryKind.NOOP)

    def _send_snapshot(self, sender: int, receiver: int) -> str:
        snapshot = self._member(sender).storage.snapshot_position()
        assert snapshot is not None, f"member {sender} has no snapshot"
        offer = SnapshotOffer(
            self._member(sender).raft.term,
            sender,
            receiver,
            snapshot.index,
            snapshot.term,
            snapshot.configuration,
        )
        self.queue.append(offer)
        return message_text(offer)

    # Getting things done

    def _process_ready(self, member: ScriptMember) -> str:
        output, messages = member.process_ready()
        self.queue += messages
        return output

    def _append_thread(self, member: ScriptMember) -> str:
        output, responses = member.append_thread()
        self.queue += responses
        return output

    def _apply_thread(self, member: ScriptMember) -> str:
        output, responses = member.apply_thread()
        self.queue += responses
        return output

    def _deliver_as_asked(self, command: Command) -> str:
        only = command.options.get("type", ())
        output = "".join(self._deliver(int(word), only) for word in command.words)
        return output + "".join(self._drop(member) for member in command.numbers("drop"))

    def _deliver(self, receiver: int, only: Iterable[str] = ()) -> str:
        member = self._member(receiver)
        output = ""
        for message in self._take(receiver, only):
            output += f"{report_text(message)}\n"
            match message:
                case Report():
                    member.hear(message)
                case AppendReply() | HeartbeatReply() | VoteReply() if (
                    message.sender not in member.raft.configuration
                ):
                    # etcd's host refuses it before it comes to Raft; ours is not heard by Raft.
                    member.raft.step(message)
                    output += "raft: cannot step as peer not found\n"
                case _:
                    member.raft.step(message)
        return output

    def _take(self, receiver: int, only: Iterable[str]) -> list[Message | Report]:
        def meant(message: Message | Report) -> bool:
            if message.receiver != receiver:
                return False
            return not only or (not isinstance(message, Report) and type_of(message) in only)

        taken = [message for message in self.queue if meant(message)]
        self.queue = [message for message in self.queue if not meant(message)]
        return taken

    def _drop(self, receiver: int) -> str:
        lost = [m for m in self.queue if m.receiver == receiver and not isinstance(m, Report)]
        self.queue = [m for m in self.queue if m.receiver != receiver or isinstance(m, Report)]
        return "".join(f"dropped: {report_text(message)}\n" for message in lost)

    def _stabilize(self, members: list[ScriptMember]) -> str:
        output = ""
        while True:
            before = output
            for member in members:
                if member.has_ready:
                    output += _titled(member, "handling Ready", self._process_ready(member))
            for member in members:
                if any(message.receiver == member.raft.member for message in self.queue):
                    output += _titled(member, "receiving messages", self._deliver(member.raft.member))
            for member in members:
                if member.append_work:
                    done = ""
                    while member.append_work:
                        done += self._append_thread(member)
                    output += _titled(member, "processing append thread", done)
            for member in members:
                if member.apply_work:
                    done = ""
                    while member.apply_work:
                        done += self._apply_thread(member)
                    output += _titled(member, "processing apply thread", done)
            if output == before:
                return output


def _titled(member: ScriptMember, title: str, output: str) -> str:
    return f"> {member.raft.member} {title}\n{indented(output)}"


def _state(member: ScriptMember) -> str:
    raft = member.raft
    votes = "Voter" if raft.configuration.may_lead(raft.member) else "Non-Voter"
    return f"{raft.member}: {ROLES[raft.role]} ({votes}) Term:{raft.term} Lead:{raft.leader}\n"
