"""This node, as its peers meet it: how it presents itself, and whom it lets in."""

import asyncio
import logging
import ssl
from collections import OrderedDict
from collections.abc import Mapping
from typing import Final, final

from bpmnd.cluster.errors import RefusedError
from bpmnd.cluster.handler import PeerHandler
from bpmnd.cluster.handshake import Hello, headers_of, hello_of, new_token
from bpmnd.cluster.settings import TransportSettings
from bpmnd.cluster.tls import TlsFiles, client_context, is_certified, name_of, server_context

_logger = logging.getLogger(__name__)

_REMEMBERED_MAX: Final = 256


@final
class LocalNode:
    """What the parts of the transport share."""

    def __init__(
        self, hello: Hello, handler: PeerHandler, settings: TransportSettings, tls: TlsFiles | None
    ) -> None:
        self.hello = hello
        self.handler = handler
        self.settings = settings
        self.session = new_token()
        self.client_tls: ssl.SSLContext | None = None
        self.server_tls: ssl.SSLContext | None = None
        self._tls = tls
        self._logged: OrderedDict[str, None] = OrderedDict()

    def load_certificates(self) -> None:
        """Raises TransportError."""
        if self._tls is not None:
            self.client_tls = client_context(self._tls)
            self.server_tls = server_context(self._tls)

    def headers(self) -> dict[str, str]:
        return headers_of(self.hello, self.session)

    def judge(
        self, headers: Mapping[str, str], caller: asyncio.BaseTransport | None = None
    ) -> tuple[Hello, str]:
        """Who is at the other end, and its session. Raises RefusedError if it is not welcome.

        The certificate of a caller is looked at here, that of a node dialed by the ssl module.
        """
        hello, session = hello_of(headers)
        if hello.node == self.hello.node:
            raise RefusedError(f"node id {hello.node} is taken by the node asked")
        if self._tls is not None and caller is not None and not is_certified(caller, hello.node):
            raise RefusedError(f"its certificate does not name {name_of(hello.node)}")
        try:
            reason = self.handler.admit(hello)
        except Exception as error:  # Not to carry on: who cannot be judged stays outside.
            self.report(hello.node, error)
            raise RefusedError("the node asked failed to judge") from error
        if reason is not None:
            raise RefusedError(reason)
        return hello, session

    def report(self, node: int, error: Exception) -> None:
        """A handler raised."""
        _logger.error("the handler failed over node %d", node, exc_info=error)
        self.handler.failed(node, error)

    def log_once(self, level: int, text: str) -> None:
        """Log what a peer may cause each second, or a stranger at will."""
        if text in self._logged:
            self._logged.move_to_end(text)
            return
        self._logged[text] = None
        if len(self._logged) > _REMEMBERED_MAX:
            self._logged.popitem(last=False)
        _logger.log(level, text)
