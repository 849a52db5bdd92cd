"""What goes wrong in a simulated cluster, when, and for how long: all of it chosen by the seed."""

from collections.abc import Callable
from typing import Final, Protocol, final

from tests.simulation.host import Host
from tests.simulation.network import Hub
from tests.simulation.process import Process
from tests.simulation.sabotage import Sabotage
from tests.simulation.world import World

CRASHES: Final = ("kill", "power", "all-power", "stop")
LINKS: Final = ("cut", "one-way", "isolate", "split", "flap", "slow-net")
DISKS: Final = ("eio", "full", "slow-disk", "tear", "flip", "wipe")
OTHERS: Final = ("pause", "freeze", "clock", "applier", "decision", "trim")
KINDS: Final = (*CRASHES, *LINKS, *DISKS, *OTHERS)
SETTINGS: Final = ("trim", "tear", "grow")
"""No events, but properties of a whole run: logs are short and trimmed; torn writes may look like damage;
partitions are added, and slots move to them."""
ON_REQUEST: Final = ("wipe-again", "grow")
"""What the cluster does not survive yet by itself; and what would change all other runs."""


class Nodes(Protocol):
    """The nodes, as faults come over them."""

    @property
    def hosts(self) -> dict[int, Host]: ...

    @property
    def running(self) -> dict[int, Process]: ...

    def kill(self, process: Process, *, power: bool) -> None: ...

    def stop(self, process: Process) -> None: ...

    def flip(self) -> bool:
        """Damage the disk of a minority."""
        ...

    def wipe(self, *, again: bool) -> bool:
        """Give a minority an empty disk; `again` also before it was taken in after the last time."""
        ...


@final
class Faults:
    """Causes one fault after the other until it is told to stop."""

    def __init__(
        self, world: World, hub: Hub, nodes: Nodes, sabotage: Sabotage, kinds: tuple[str, ...], pause: float
    ) -> None:
        self._world = world
        self._hub = hub
        self._nodes = nodes
        self._sabotage = sabotage
        self._kinds = tuple(kind for kind in kinds if kind not in SETTINGS)
        self._pause = pause
        self._stopped = False
        self._causes: dict[str, Callable[[Process], bool]] = {
            "kill": self._kill,
            "power": self._lose_power,
            "all-power": self._lose_all_power,
            "stop": self._stop,
            "cut": self._cut,
            "one-way": self._one_way,
            "isolate": self._isolate,
            "split": self._split,
            "flap": self._flap,
            "slow-net": self._slow_net,
            "eio": self._fail_disk,
            "full": self._fill_disk,
            "slow-disk": self._slow_disk,
            "pause": self._pause_process,
            "freeze": self._freeze,
            "clock": self._jump,
            "applier": self._fail_applier,
            "decision": self._fail_decision,
            "flip": lambda process: self._nodes.flip(),
            "wipe": lambda process: self._nodes.wipe(again=False),
            "wipe-again": lambda process: self._nodes.wipe(again=True),
        }

    def start(self) -> None:
        if self._kinds:
            self._world.after(self._world.between(0, 2 * self._pause), None, self._next)

    def stop(self) -> None:
        """From now on everything works."""
        self._stopped = True
        self._sabotage.disarm()
        for source, target in sorted(self._hub.blocked):
            self._hub.unblock(source, target)
        self._hub.slow.clear()
        for host in self._nodes.hosts.values():
            host.slow_disk = 1.0
            host.disk.failing = False
            host.disk.room = None

    def _next(self) -> None:
        if self._stopped:
            return
        world = self._world
        running = self._nodes.running
        if running:
            kind = world.chance.choice(self._kinds)
            process = self._victim(running)
            if self._causes[kind](process):
                world.fault(kind, process.name)
        world.after(world.between(0, 2 * self._pause), None, self._next)

    def _victim(self, running: dict[int, Process]) -> Process:
        """Leaders more often than others: with them most is at stake."""
        chance = self._world.chance
        leaders = [
            process
            for process in running.values()
            if any(hosted.leads for hosted in process.node.hosted.values())
        ]
        if leaders and self._world.happens(0.5):
            return chance.choice(leaders)
        return running[chance.choice(sorted(running))]

    def _later(self, seconds: float, undo: Callable[[], None]) -> None:
        self._world.after(self._world.between(0, 2 * seconds), None, undo)

    # Crashes

    def _soon(self, process: Process, cause: Callable[[], None]) -> None:
        """At one of the next steps of the process, or between them."""
        delay = self._world.chance.choice((0.0, 0.0001, 0.001, 0.01, 0.1))
        self._world.after(self._world.between(0, 2 * delay), None, self._if_alive, process, cause)

    def _if_alive(self, process: Process, cause: Callable[[], None]) -> None:
        if process.alive and not self._stopped:
            cause()

    def _kill(self, process: Process) -> bool:
        self._soon(process, lambda: self._nodes.kill(process, power=False))
        return True

    def _lose_power(self, process: Process) -> bool:
        self._soon(process, lambda: self._nodes.kill(process, power=True))
        return True

    def _lose_all_power(self, process: Process) -> bool:
        for one in list(self._nodes.running.values()):
            self._nodes.kill(one, power=True)
        return True

    def _stop(self, process: Process) -> bool:
        self._nodes.stop(process)
        return True

    # The network

    def _others(self, process: Process) -> list[int]:
        return [number for number in self._nodes.hosts if number != process.number]

    def _cut(self, process: Process) -> bool:
        if not self._hub.connections:
            return False
        self._hub.cut(self._world.chance.choice(self._hub.connections))
        return True

    def _block(self, directions: list[tuple[int, int]], seconds: float) -> None:
        for source, target in directions:
            self._hub.block(source, target)
        self._later(seconds, lambda: self._unblock(directions))

    def _unblock(self, directions: list[tuple[int, int]]) -> None:
        for source, target in directions:
            self._hub.unblock(source, target)

    def _one_way(self, process: Process) -> bool:
        others = self._others(process)
        if not others:
            return False
        other = self._world.chance.choice(others)
        direction = (process.number, other) if self._world.happens(0.5) else (other, process.number)
        self._block([direction], 3.0)
        return True

    def _isolate(self, process: Process) -> bool:
        others = self._others(process)
        directions = [(process.number, other) for other in others]
        if self._world.happens(0.7):
            directions += [(other, process.number) for other in others]
        self._block(directions, 3.0)
        return bool(others)

    def _split(self, process: Process) -> bool:
        """Two sides, each whole in itself."""
        side = {number for number in self._nodes.hosts if self._world.happens(0.5)}
        rest = [number for number in self._nodes.hosts if number not in side]
        if not side or not rest:
            return False
        directions = [(one, other) for one in sorted(side) for other in rest]
        self._block(directions + [(other, one) for one, other in directions], 3.0)
        return True

    def _flap(self, process: Process) -> bool:
        others = self._others(process)
        if not others:
            return False
        other = self._world.chance.choice(others)
        for _ in range(4):
            self._later(2.0, lambda: self._flap_once(process.number, other))
        return True

    def _flap_once(self, one: int, other: int) -> None:
        if not self._stopped:
            self._block([(one, other), (other, one)], 0.5)

    def _slow_net(self, process: Process) -> bool:
        directions = [(process.number, other) for other in self._others(process)]
        factor = self._world.chance.choice((10.0, 100.0, 400.0))
        self._hub.slow.update(dict.fromkeys(directions, factor))
        self._later(2.0, lambda: self._speed_up(directions))
        return bool(directions)

    def _speed_up(self, directions: list[tuple[int, int]]) -> None:
        for direction in directions:
            self._hub.slow.pop(direction, None)

    # Disks

    def _fail_disk(self, process: Process) -> bool:
        disk = process.host.disk
        disk.failing = True
        self._later(0.01, lambda: setattr(disk, "failing", False))
        return True

    def _fill_disk(self, process: Process) -> bool:
        host = process.host
        host.disk.room = 0
        self._later(2.0, lambda: self._make_room(host))
        return True

    def _make_room(self, host: Host) -> None:
        host.disk.room = None

    def _slow_disk(self, process: Process) -> bool:
        host = process.host
        host.slow_disk = self._world.chance.choice((10.0, 100.0, 1000.0))
        self._later(2.0, lambda: setattr(host, "slow_disk", 1.0))
        return True

    # The process and the machine

    def _pause_process(self, process: Process) -> bool:
        """As by SIGSTOP: time goes on without it."""
        seconds = self._world.chance.choice((0.2, 2.0, 4.0))
        process.pause(self._world.between(0.5 * seconds, 2 * seconds))
        self._hub.watch_silent(process.number)
        return True

    def _freeze(self, process: Process) -> bool:
        """A machine that is moved: it stands still, and when it goes on nobody can be reached for a while."""
        others = self._others(process)
        directions = [(process.number, other) for other in others]
        directions += [(other, process.number) for other in others]
        for source, target in directions:
            self._hub.block(source, target)
        seconds = self._world.between(1.0, 4.0)
        process.pause(seconds)
        self._world.after(seconds + self._world.between(0, 2), None, self._unblock, directions)
        return True

    def _jump(self, process: Process) -> bool:
        by = self._world.chance.choice((300, 5000, 3_600_000))
        process.host.wall_offset_ms += by if self._world.happens(0.5) else -by
        return True

    def _fail_applier(self, process: Process) -> bool:
        self._sabotage.events_left = 1 + self._world.below(200)
        return True

    def _fail_decision(self, process: Process) -> bool:
        self._sabotage.keys_left = 1 + self._world.below(100)
        return True
