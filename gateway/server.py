"""The HTTP server: finds the operation, runs it, answers, and counts.

A bare `aiohttp.web.Server`; an `Application` would add routing, middlewares and signals that cost more per
request than everything in here.
"""

import asyncio
import logging
from functools import lru_cache
from typing import Any, Final, cast, final

from aiohttp import hdrs, web
from prometheus_client.registry import CollectorRegistry

from bpmnd.actors.errors import Unavailable
from bpmnd.gateway.activation import JobActivation
from bpmnd.gateway.ad_hoc_sub_processes import AdHocSubProcessOperations
from bpmnd.gateway.answers import answer
from bpmnd.gateway.authentication import AuthenticationOperations
from bpmnd.gateway.cluster import ClusterOperations
from bpmnd.gateway.conditionals import ConditionalOperations
from bpmnd.gateway.decisions import DecisionOperations
from bpmnd.gateway.deployments import DeploymentOperations
from bpmnd.gateway.element_instances import ElementInstanceOperations
from bpmnd.gateway.errors import Problem, internal_error, timed_out, unavailable
from bpmnd.gateway.expressions import ExpressionOperations
from bpmnd.gateway.global_listeners import GlobalListenerOperations
from bpmnd.gateway.incidents import IncidentOperations
from bpmnd.gateway.jobs import JobOperations
from bpmnd.gateway.license import LicenseOperations
from bpmnd.gateway.linked_forms import LinkedFormOperations
from bpmnd.gateway.listening import stop_listening
from bpmnd.gateway.messages import MessageOperations
from bpmnd.gateway.metrics import GatewayMetrics
from bpmnd.gateway.origins import note_user
from bpmnd.gateway.ports import Cluster
from bpmnd.gateway.process_instance_changes import ProcessInstanceChanges
from bpmnd.gateway.process_instances import ProcessInstanceOperations
from bpmnd.gateway.resources import ResourceOperations
from bpmnd.gateway.routes import Operations, Route, RouteTable, allowed
from bpmnd.gateway.search.audit_logs import AuditLogReads
from bpmnd.gateway.search.decisions import DecisionReads
from bpmnd.gateway.search.element_instances import ElementInstanceReads
from bpmnd.gateway.search.global_listeners import GlobalListenerReads
from bpmnd.gateway.search.incidents import IncidentReads
from bpmnd.gateway.search.job_statistics import JobStatistics
from bpmnd.gateway.search.jobs import JobReads
from bpmnd.gateway.search.message_subscriptions import MessageSubscriptionReads
from bpmnd.gateway.search.process_definitions import ProcessDefinitionReads
from bpmnd.gateway.search.process_instances import ProcessInstanceReads
from bpmnd.gateway.search.searching import History, Searches
from bpmnd.gateway.search.trails import TrailReads
from bpmnd.gateway.search.usage import UsageReads
from bpmnd.gateway.search.user_tasks import UserTaskReads
from bpmnd.gateway.search.variables import VariableReads
from bpmnd.gateway.search.visibility import VisibilityReads
from bpmnd.gateway.signals import SignalOperations
from bpmnd.gateway.submission import NoAnswerInTime, Submissions
from bpmnd.gateway.user_tasks import UserTaskOperations

DRAIN_S: Final = 10.0
_LEAVE_S: Final = 0.5
_LEAVE_S_MAX: Final = 3.0
_LEAVE_POLL_S: Final = 0.01
_BACKLOG: Final = 1024
_NO_OPERATION: Final = "none"
_GONE: Final = 499
"""The status that metrics know a request by whose client did not wait for the answer."""

_log = logging.getLogger(__name__)


@final
class Gateway:
    """Serves the REST API v2 for a cluster."""

    def __init__(
        self,
        cluster: Cluster,
        registry: CollectorRegistry,
        history: History | None = None,
        *,
        user_header: str = "",
    ) -> None:
        """Without a history nothing can be searched. `user_header` is where a proxy says who asks."""
        self._user_header = user_header
        searches = Searches(cluster, history)
        self._activation = JobActivation(cluster)
        self._submissions = Submissions()
        self._metrics = GatewayMetrics(registry, lambda: self._activation.polls_count)
        operations: tuple[Operations, ...] = (
            ProcessInstanceOperations(cluster, self._submissions),
            ProcessInstanceChanges(cluster, self._submissions),
            JobOperations(cluster, self._submissions, self._activation),
            DeploymentOperations(cluster, self._submissions),
            DecisionOperations(cluster, self._submissions),
            ExpressionOperations(cluster, self._submissions),
            ElementInstanceOperations(cluster, self._submissions),
            AdHocSubProcessOperations(cluster, self._submissions),
            IncidentOperations(cluster, self._submissions),
            UserTaskOperations(cluster, self._submissions),
            LinkedFormOperations(cluster, self._submissions),
            GlobalListenerOperations(cluster, self._submissions),
            ResourceOperations(cluster, self._submissions),
            MessageOperations(cluster, self._submissions),
            SignalOperations(cluster, self._submissions),
            ConditionalOperations(cluster, self._submissions),
            ClusterOperations(cluster),
            AuthenticationOperations(),
            LicenseOperations(),
            ProcessInstanceReads(searches),
            IncidentReads(searches),
            ElementInstanceReads(searches),
            JobReads(searches),
            JobStatistics(searches),
            UsageReads(searches),
            VisibilityReads(searches),
            TrailReads(searches),
            VariableReads(searches),
            ProcessDefinitionReads(searches),
            MessageSubscriptionReads(searches),
            UserTaskReads(searches),
            DecisionReads(searches),
            AuditLogReads(searches),
            GlobalListenerReads(cluster, self._submissions),
        )
        self._table = RouteTable([route for tag in operations for route in tag.routes()])
        self._server: _Server | None = None
        self._listener: asyncio.Server | None = None
        self._leaving = False
        self._answered_at = 0.0

    async def start(self, host: str, port: int, *, reuse_port: bool = False) -> int:
        """Listen; the port is the one asked for, or with 0 the one that was free."""
        assert self._listener is None, "the gateway listens already"
        # A handler is cancelled when its client hangs up: that is how a poll learns that it is abandoned.
        self._server = _Server(self._serve, handler_cancellation=True)
        self._listener = await asyncio.get_running_loop().create_server(
            self._server, host, port, reuse_port=reuse_port, backlog=_BACKLOG
        )
        return cast(int, self._listener.sockets[0].getsockname()[1])

    async def stop(self, drain_s: float = DRAIN_S) -> None:
        """Take no more connections, answer what is under way, and close.

        Clients that keep their connections are sent away with their next answer: a connection that is just
        closed may have their next request on its way, and nobody would answer that.
        """
        if self._listener is None or self._server is None:
            return
        await stop_listening(self._listener)
        self._leaving = True
        self._activation.close()
        await self._until_left(self._server)
        self._server.pre_shutdown()
        await self._server.shutdown(drain_s)
        await self._listener.wait_closed()
        self._submissions.close()
        self._listener = None

    async def _until_left(self, server: "_Server") -> None:
        """Wait until no client is left, or those who are have not asked anything for a while.

        A client may keep many connections, and need one for each of the answers that it just got.
        """
        clock = asyncio.get_running_loop().time
        began = self._answered_at = clock()
        while server.connections:
            now = clock()
            if now > began + _LEAVE_S_MAX or now > self._answered_at + _LEAVE_S:
                return
            await asyncio.sleep(_LEAVE_POLL_S)

    async def _serve(self, request: web.BaseRequest) -> web.StreamResponse:
        """Answer one request, whatever happens."""
        clock = asyncio.get_running_loop().time
        started = clock()
        path = _path_of(request)
        operation, status = _NO_OPERATION, _GONE
        try:
            found = self._table.find(path)
            if found is None:
                raise Problem(404, "Not Found", f"There is nothing at {path}.")
            routes, arguments = found
            route = routes.get(request.method) or _other_method(request, routes)
            if route is None:
                made = answer(200, b"", "text/plain", ("Allow", allowed(routes)))
            else:
                operation = route.operation
                _check_accept(request)
                if self._user_header:
                    note_user(request, self._user_header)
                made = await route.handler(request, arguments)
            status = made.status
        except Problem as problem:
            made, status = problem.answer(path), problem.status
        except Unavailable as error:
            made, status = unavailable(error).answer(path), 503
        except NoAnswerInTime:
            detail = "The partition did not answer in time. What was asked for may still be done."
            made, status = timed_out(detail).answer(path), 504
        except (ConnectionError, asyncio.CancelledError):
            raise
        except Exception:
            _log.exception("%s %s failed", request.method, path)
            made, status = internal_error().answer(path), 500
        finally:
            ended = clock()
            self._metrics.observe(operation, status, ended - started)
        if self._leaving:
            self._answered_at = ended
            return made.closing()
        return made


@final
class _Server(web.Server):
    def __call__(self) -> web.RequestHandler:
        loop = asyncio.get_running_loop()
        return _Connection(self, loop=loop, access_log=None)  # type: ignore[arg-type]  # None is "no log"


@final
class _Connection(web.RequestHandler):
    """A connection that answers with a problem also what is no HTTP."""

    __slots__ = ()

    def handle_error(
        self,
        request: web.BaseRequest,
        status: int = 500,
        exc: BaseException | None = None,
        message: str | None = None,
    ) -> web.StreamResponse:
        if status >= 500:
            _log.error("A request failed outside of its handler", exc_info=exc)
            return internal_error().answer(_path_of(request)).closing()
        what = (message or "").partition("\n")[0].rstrip(" :.")
        detail = f"The request is no valid HTTP: {what or 'it cannot be read'}."
        return Problem(status, "Bad Request", detail, closes=True).answer(_path_of(request))

    def log_exception(self, *args: Any, **details: Any) -> None:
        """Log what is an error of ours: not that the rest of a request, which nobody reads, is broken."""
        if not isinstance(details.get("exc_info"), web.RequestPayloadError):
            super().log_exception(*args, **details)


def _path_of(request: web.BaseRequest) -> str:
    """The path as it was sent, without the query."""
    path = request.raw_path
    if not path.startswith("/"):
        return request.rel_url.raw_path
    return path.partition("?")[0] if "?" in path else path


def _other_method(request: web.BaseRequest, routes: dict[str, Route]) -> Route | None:
    """HEAD is served as GET; OPTIONS has no operation; other methods are not allowed."""
    if request.method == "OPTIONS":
        return None
    if request.method == "HEAD" and "GET" in routes:
        return routes["GET"]
    detail = f"Method '{request.method}' is not supported."
    raise Problem(405, "Method Not Allowed", detail, ("Allow", allowed(routes)))


def _check_accept(request: web.BaseRequest) -> None:
    accept = request.headers.get(hdrs.ACCEPT)
    if accept is not None and not _accepts_json(accept):
        detail = f"The answer is 'application/json', which '{accept}' does not accept."
        raise Problem(406, "Not Acceptable", detail)


@lru_cache(maxsize=256)
def _accepts_json(accept: str) -> bool:
    ranges = {part.partition(";")[0].strip().lower() for part in accept.split(",")}
    acceptable = {"", "*/*", "*", "application/*", "application/json", "application/problem+json"}
    return not ranges.isdisjoint(acceptable) or any(text.endswith("+json") for text in ranges)
