"""What a member does and knows while it stands for election."""

from typing import final

from bpmnd.cluster.raft.configuration import Configuration
from bpmnd.cluster.raft.log import Log
from bpmnd.cluster.raft.messages import Message, VoteRequest
from bpmnd.cluster.raft.quorum import Election, joint_election


@final
class Candidacy:
    """One election, or the question whether one could be won; it ends with this object."""

    def __init__(self, member: int, term: int, *, is_pre_vote: bool) -> None:
        self._member = member
        self._term = term
        self._is_pre_vote = is_pre_vote
        self._votes: dict[int, bool] = {}

    def ask(
        self, configuration: Configuration, log: Log, messages: list[Message], *, by_transfer: bool = False
    ) -> None:
        """Ask all voters but the candidate itself."""
        for voter in sorted({*configuration.voters, *configuration.outgoing} - {self._member}):
            messages.append(
                VoteRequest(
                    self._term,
                    self._member,
                    voter,
                    log.last_index,
                    log.last_term,
                    self._is_pre_vote,
                    by_transfer,
                )
            )

    def count(self, configuration: Configuration, voter: int, *, granted: bool) -> Election:
        """Where the election stands with this vote. A voter's first word counts."""
        self._votes.setdefault(voter, granted)
        return joint_election(configuration.voters, configuration.outgoing, self._votes)
