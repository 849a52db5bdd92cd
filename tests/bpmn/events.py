"""Messages and signals in models, for tests."""


def message(message_id: str, name: str, key: str = "") -> str:
    """A message; without a key it is one for start events."""
    subscription = f'<zeebe:subscription correlationKey="{key}"/>' if key else ""
    extensions = f"<extensionElements>{subscription}</extensionElements>" if key else ""
    return f'<message id="{message_id}" name="{name}">{extensions}</message>'


def signal(signal_id: str, name: str) -> str:
    return f'<signal id="{signal_id}" name="{name}"/>'


def on_message(message_id: str) -> str:
    return f'<messageEventDefinition messageRef="{message_id}"/>'


def on_signal(signal_id: str) -> str:
    return f'<signalEventDefinition signalRef="{signal_id}"/>'


def event(kind: str, element_id: str, definition: str, extensions: str = "") -> str:
    """`kind` is `intermediateCatchEvent`, `startEvent` …"""
    inner = f"<extensionElements>{extensions}</extensionElements>" if extensions else ""
    return f'<{kind} id="{element_id}">{inner}{definition}</{kind}>'


def catch(element_id: str, definition: str, extensions: str = "") -> str:
    return event("intermediateCatchEvent", element_id, definition, extensions)


def boundary(
    element_id: str, attached_to: str, definition: str, *, interrupting: bool = True, extensions: str = ""
) -> str:
    inner = f"<extensionElements>{extensions}</extensionElements>" if extensions else ""
    return (
        f'<boundaryEvent id="{element_id}" attachedToRef="{attached_to}"'
        f' cancelActivity="{str(interrupting).lower()}">{inner}{definition}</boundaryEvent>'
    )


def event_sub_process(
    element_id: str, definition: str, inside: str, *, interrupting: bool = True, extensions: str = ""
) -> str:
    """An event sub-process whose start event is `<id>_start`."""
    inner = f"<extensionElements>{extensions}</extensionElements>" if extensions else ""
    return (
        f'<subProcess id="{element_id}" triggeredByEvent="true"><startEvent id="{element_id}_start"'
        f' isInterrupting="{str(interrupting).lower()}">{inner}{definition}</startEvent>{inside}</subProcess>'
    )


def compensable(activity_id: str, handler: str, handler_id: str) -> str:
    """A compensation boundary event on an activity, and its handler."""
    event_id = f"undo_{activity_id}_event"
    definition = f'<compensateEventDefinition id="{event_id}_definition"/>'
    return (
        f'<boundaryEvent id="{event_id}" attachedToRef="{activity_id}">{definition}</boundaryEvent>{handler}'
        f'<association id="{event_id}_to" sourceRef="{event_id}" targetRef="{handler_id}"/>'
    )


def on_compensation(element_id: str, activity_id: str = "") -> str:
    reference = f' activityRef="{activity_id}"' if activity_id else ""
    return f'<compensateEventDefinition id="{element_id}_definition"{reference}/>'


def together(model: str, *event_ids: str) -> str:
    """The events take all of their definitions."""
    for event_id in event_ids:
        model = model.replace(f' id="{event_id}"', f' id="{event_id}" parallelMultiple="true"')
    return model
