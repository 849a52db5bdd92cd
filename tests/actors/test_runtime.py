"""The actor runtime: one owner, one tick at a time, everything bounded."""

from bpmnd.actors.clock import LogClock
from bpmnd.actors.runtime import Actor, LaneLimits
from bpmnd.actors.supervisor import RestartPolicy, Supervisor
from tests.actors.stage import StageScheduler


class Recorder(Actor[str]):
    """Writes down what it receives, and when it settles."""

    def __init__(self, scheduler: StageScheduler, *lanes: LaneLimits) -> None:
        lanes = lanes or (LaneLimits(100, 1000), LaneLimits(100, 1000))
        super().__init__("recorder", scheduler, scheduler, lanes)
        self.seen: list[str] = []
        self.lost: list[str] = []
        self.closed_lanes: set[int] = set()

    def receive(self, message: str) -> None:
        if message == "boom":
            raise ValueError(message)
        self.seen.append(message)

    def settle(self) -> None:
        self.seen.append("|")

    def accepts(self, lane: int) -> bool:
        return lane not in self.closed_lanes

    def is_urgent(self, message: str) -> bool:
        return message != "can wait"

    def dropped(self, message: str) -> None:
        self.lost.append(message)


def test_a_tick_receives_all_that_waits_and_settles_once() -> None:
    scheduler = StageScheduler()
    actor = Recorder(scheduler)
    for message in "abc":
        actor.tell(message)
    scheduler.run()
    assert actor.seen == ["a", "b", "c", "|"]


def test_the_first_lane_goes_first() -> None:
    scheduler = StageScheduler()
    actor = Recorder(scheduler)
    actor.tell("later", lane=1)
    actor.tell("first", lane=0)
    scheduler.run()
    assert actor.seen == ["first", "later", "|"]


def test_a_tick_ends_at_its_bound_and_the_rest_comes_with_the_next() -> None:
    scheduler = StageScheduler()
    actor = Recorder(scheduler)
    actor.messages_per_tick_max = 2
    for message in "abc":
        actor.tell(message)
    scheduler.run()
    assert actor.seen == ["a", "b", "|", "c", "|"]


def test_a_full_lane_takes_no_more_messages() -> None:
    actor = Recorder(StageScheduler(), LaneLimits(1, 1000))
    assert actor.tell("a")
    assert not actor.tell("b")


def test_a_full_lane_takes_no_more_bytes() -> None:
    actor = Recorder(StageScheduler(), LaneLimits(100, 10))
    assert actor.tell("a", size=6)
    assert not actor.tell("b", size=5)


def test_a_lane_that_is_not_accepted_keeps_its_messages() -> None:
    scheduler = StageScheduler()
    actor = Recorder(scheduler)
    actor.closed_lanes.add(1)
    actor.tell("kept", lane=1)
    scheduler.run()
    assert actor.queued() == [0, 1]

    actor.closed_lanes.clear()
    actor.wake()
    scheduler.run()
    assert actor.seen == ["kept", "|"]


def test_what_is_not_urgent_waits_for_the_next_tick() -> None:
    scheduler = StageScheduler()
    actor = Recorder(scheduler)
    actor.tell("can wait")
    scheduler.run()
    assert actor.queued() == [1, 0]

    actor.tell("now")
    scheduler.run()
    assert actor.seen == ["can wait", "now", "|"]


def test_an_actor_that_raises_is_dead_and_its_supervisor_hears_of_it() -> None:
    scheduler = StageScheduler()
    actor = Recorder(scheduler)
    failures: list[Exception] = []
    actor.supervise(failures.append)
    for message in ("boom", "a"):
        actor.tell(message)

    scheduler.run()

    assert [str(failure) for failure in failures] == ["boom"]
    assert actor.lost == ["a"]
    assert not actor.tell("b")


def test_messages_and_ticks_are_counted() -> None:
    scheduler = StageScheduler()
    actor = Recorder(scheduler)
    actor.tell("a")
    scheduler.run()
    actor.tell("b")
    scheduler.run()
    assert (actor.metrics.messages, actor.metrics.ticks) == (2, 2)


def supervised(scheduler: StageScheduler, policy: RestartPolicy) -> tuple[Supervisor, list[float], list[str]]:
    restarts: list[float] = []
    given_up: list[str] = []
    supervisor = Supervisor(
        "it",
        lambda: restarts.append(scheduler.seconds),
        lambda error: given_up.append(str(error)),
        scheduler,
        scheduler,
        policy,
    )
    return supervisor, restarts, given_up


def test_restarts_come_after_growing_pauses() -> None:
    scheduler = StageScheduler()
    supervisor, restarts, _ = supervised(scheduler, RestartPolicy(failures_max=5, window=60, pause=1))
    began = scheduler.seconds
    for _ in range(3):
        supervisor.failed(ValueError("x"))
        scheduler.pass_time(4)
    assert [moment - began for moment in restarts] == [1, 6, 12]


def test_too_many_failures_in_a_row_are_the_end() -> None:
    scheduler = StageScheduler()
    supervisor, restarts, given_up = supervised(scheduler, RestartPolicy(2, window=60, pause=0.1))
    for _ in range(3):
        supervisor.failed(ValueError("x"))
        scheduler.pass_time(1)
    assert len(restarts) == 2
    assert given_up == ["x"]


def test_failures_of_long_ago_do_not_count() -> None:
    scheduler = StageScheduler()
    supervisor, _, given_up = supervised(scheduler, RestartPolicy(2, window=60, pause=0.1))
    for _ in range(5):
        supervisor.failed(ValueError("x"))
        scheduler.pass_time(100)
    assert given_up == []


def test_what_no_restart_can_help_is_the_end_at_once() -> None:
    supervisor, _, given_up = supervised(StageScheduler(), RestartPolicy())
    supervisor.failed(ValueError("damaged"), final=True)
    assert given_up == ["damaged"]


class JumpingClock:
    def __init__(self) -> None:
        self.wall = 1_000_000.0
        self.seconds = 0.0

    def wall_ms(self) -> int:
        return int(self.wall)

    def monotonic(self) -> float:
        return self.seconds

    def pass_time(self, seconds: float) -> None:
        self.seconds += seconds
        self.wall += seconds * 1000


def test_log_time_goes_on_from_the_log() -> None:
    clock = JumpingClock()
    assert LogClock(clock, last_time_ms=5_000_000).now_ms() == 5_000_000


def test_log_time_never_goes_back() -> None:
    clock = JumpingClock()
    log_clock = LogClock(clock, 0)
    before = log_clock.now_ms()
    clock.wall -= 3_600_000
    clock.pass_time(1)
    assert log_clock.now_ms() > before


def test_a_jump_of_the_wall_clock_is_followed_slowly() -> None:
    clock = JumpingClock()
    log_clock = LogClock(clock, 0)
    before = log_clock.now_ms()
    clock.wall += 3_600_000
    clock.pass_time(10)
    assert 10_000 < log_clock.now_ms() - before <= 11_000
