"""What can be chosen for a group."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class RaftSettings:
    election_ticks: int = 10
    """Without a leader for this long, up to twice that, a member campaigns."""
    heartbeat_ticks: int = 1
    priority_ticks: int = 0
    """Added to this member's patience, so that those with fewer lead."""
    pre_vote: bool = True
    """Ask first whether an election could be won: who comes back from an isolation disturbs nobody."""
    check_quorum: bool = True
    """A leader that does not hear from a majority for an election timeout steps down, and a member that hears
    from its leader votes for nobody else."""
    step_down_on_removal: bool = True
    """A leader that removes itself stops leading when that is applied."""
    heed_strangers: bool = False
    """Vote for candidates, and heed the terms of members, that the configuration does not know."""
    announce_commits: bool = True
    """Tell the followers at once what is committed. Otherwise the next append or heartbeat does, which saves
    half of the messages of a steady flow and delays hot standbys by up to a heartbeat."""
    appends_are_heartbeats: bool = False
    """A follower that was sent entries since the last tick is sent no heartbeat: they tell it the same."""
    message_bytes_max: int = 1 << 20
    """Of the payloads in one append. A single larger entry still goes."""
    inflight_messages_max: int = 256
    inflight_bytes_max: int = 8 << 20
    """Per follower. The last append may go beyond it."""
    uncommitted_bytes_max: int = 64 << 20
    """Of payloads that a leader has proposed; beyond, `may_propose` is false."""
    reads_max: int = 10_000
    """That wait for a confirmation of leadership; beyond, `read_index` refuses."""

    def __post_init__(self) -> None:
        assert 0 < self.heartbeat_ticks < self.election_ticks, f"{self}: heartbeats must be the faster ones"
        assert self.inflight_messages_max > 0, f"{self}: nothing could ever be sent"
        assert self.inflight_bytes_max > 0, f"{self}: nothing could ever be sent"
