"""bpmnd: a durable BPMN 2.0 workflow engine that speaks the Camunda 8 REST API."""

from importlib.metadata import version
from typing import Final

__version__: Final = version("bpmnd")
