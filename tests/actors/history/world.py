"""Lives on three partitions, at random: instances that are worked on, fail, throw, wait and are cancelled."""

import random

from bpmnd.bpmn.commands import (
    ActivateJobs,
    AssignUserTask,
    CancelProcessInstance,
    CompleteJob,
    CompleteUserTask,
    CreateProcessInstance,
    EvaluateDecision,
    FailJob,
    Origin,
    PublishMessage,
    ResolveIncident,
    SetVariables,
    ThrowJobError,
    UpdateJob,
    UpdateUserTask,
    YieldJobs,
)
from bpmnd.bpmn.events import IncidentCreated, UserTaskCreated
from bpmnd.bpmn.outcomes import JobsActivated, ProcessInstanceCreated
from bpmnd.bpmn.user_tasks import TaskChanges
from tests.bpmn.dmn.decisions import decision, dmn, needs, table
from tests.bpmn.events import catch, event, message, on_message
from tests.bpmn.people import assigned, prioritized, scheduled, user_task
from tests.bpmn.playground import END, START, flow, io_mapping, path, process, task
from tests.bpmn.test_partitions import Cluster, Partition

ORDER = process(
    START
    + '<subProcess id="box"><startEvent id="inner_start"/>'
    + task("work", inputs={"local": "=amount + 1"}, outputs={"done": "=local"})
    + path("inner_start", "work")
    + "</subProcess>"
    + '<boundaryEvent id="oops" attachedToRef="box"><errorEventDefinition/></boundaryEvent>'
    + task("check", "check", retries="2")
    + END
    + path("start", "box", "check", "end")
    + flow("oops", "check"),
    process_id="order",
)
PAYMENT = process(
    START
    + event("startEvent", "begun", on_message("m1"))
    + catch("paid", on_message("m2"))
    + task("work", "work")
    + END
    + path("start", "paid", "work", "end")
    + flow("begun", "paid"),
    process_id="payment",
    definitions=message("m1", "begin") + message("m2", "pay", "=order"),
)
_LATER = '"2026-02-01T00:00:00Z"'
REVIEW = process(
    START + '<businessRuleTask id="rated"><extensionElements>'
    '<zeebe:calledDecision decisionId="rating" resultVariable="rating"/></extensionElements>'
    "</businessRuleTask>"
    + user_task(
        "seen",
        assigned(assignee='=if amount = 1 then "ann" else ""', candidateGroups='=["sales", rating]'),
        scheduled(
            dueDate="2026-01-31T12:00:00Z",
            followUpDate='=if amount = 2 then "2026-02-01T00:00:00Z" else null',
        ),
        prioritized("=if amount = null then 50 else 10 * amount"),
    )
    + END
    + path("start", "rated", "seen", "end"),
    process_id="review",
)
_LEVELS = (["< 2", '"low"'], ["< 4", '"high"'], ["-", "null"])
RATING = dmn(
    decision(
        "level", table("FIRST", ["amount"], ["level"], ["< 2", '"low"'], ["< 4", '"high"'], ["-", "1/0"])
    )
    + decision("rating", "assert(level, level != null)", requires=needs("level"), name="Rating")
)
MODELS = (ORDER, PAYMENT, REVIEW, RATING)
CHANGED = (
    ORDER.replace(b'retries="2"', b'retries="1"'),
    RATING.replace(b"&lt; 2", b"&lt; 1").replace(b'name="Rating"', b'name="Rated"'),
)
"""Second versions of some."""
ASSIGNEES = ("ann", "bob")
JOB_TYPES = ("work", "check")
MESSAGES = ("not now", "50% of [it]\\ is_gone", "naïve ✓", "")
USERS = (Origin(), Origin(user="ann"), Origin(5, "bob"))
TAGS = ("red", "green", "blue")
assert io_mapping() == "", "the models above have mappings of their own"


def live(cluster: Cluster, chance: random.Random, steps: int) -> None:
    """So many commands, anywhere; of what began last some is cancelled."""
    who = random.Random(steps)
    jobs: list[tuple[int, int, int]] = []
    created: list[tuple[int, int]] = []
    for _ in range(steps):
        number = chance.randint(1, len(cluster.all))
        partition = cluster[number]
        match chance.randrange(16):
            case 0 | 1 | 2 | 15:
                some = {
                    "amount": b"%d" % chance.randrange(5),
                    "order": b'"%d"' % chance.randrange(4),
                    "note": chance.choice((b'"a b"', b'{ "x" : [1, null] }', b"true")),
                }
                command = CreateProcessInstance(
                    chance.choice(("order", "payment", "review")),
                    variables={
                        name: some[name] for name in chance.sample(list(some), chance.choice((0, 1, 2, 3, 3)))
                    },
                    tags=tuple(chance.sample(TAGS, chance.randrange(3))),
                    business_id=chance.choice((None, "b1", "b2")),
                    origin=who.choice(USERS),
                )
                outcome = partition.do(command)
                if isinstance(outcome, ProcessInstanceCreated):
                    created.append((number, outcome.key))
            case 3 | 4:
                worker = chance.choice(("w1", "w2"))
                lent = partition.do(
                    ActivateJobs(chance.choice(JOB_TYPES), worker, 5000, chance.randint(1, 4))
                )
                if isinstance(lent, JobsActivated):
                    jobs += [(number, job.key, job.deadline) for job in lent.jobs]
            case 5 | 6 | 7 if jobs:
                _work_on(cluster, chance, *jobs.pop(chance.randrange(len(jobs))))
            case 8 if created and chance.random() < 0.3:
                at, key = created.pop(chance.randrange(len(created)))
                cluster[at].do(CancelProcessInstance(key, origin=who.choice(USERS)))
            case 9 if created:
                at, key = chance.choice(created)
                amount = {"amount": b"%d" % chance.randrange(5)}
                cluster[at].do(SetVariables(key, amount, origin=who.choice(USERS)))
            case 10:
                name, key_text = chance.choice(("begin", "pay")), str(chance.randrange(4))
                message_ = PublishMessage(name, key_text, 1000, "", {"order": b'"%s"' % key_text.encode()})
                cluster.for_key(key_text).do(message_)
            case 11:
                amount = {"amount": b"%d" % chance.randrange(5)} if chance.random() < 0.8 else {}
                partition.do(EvaluateDecision(chance.choice(("rating", "level")), variables=amount))
            case 12 | 13:
                _see_to_tasks(partition, chance, who.choice(USERS))
            case _:
                for one in cluster.all.values():
                    one.pass_time(chance.randrange(1500))
        if chance.random() < 0.1:
            for at, one in cluster.all.items():
                for incident in one.happened(IncidentCreated)[-3:]:
                    if incident.job_key:
                        cluster[at].do(UpdateJob(incident.job_key, retries=1, origin=who.choice(USERS)))
                    cluster[at].do(ResolveIncident(incident.key, origin=who.choice(USERS)))
        cluster.settle()
    for at, key in created[-10::2]:
        cluster[at].do(CancelProcessInstance(key))
    cluster.settle()


def _work_on(cluster: Cluster, chance: random.Random, number: int, key: int, deadline: int) -> None:
    partition = cluster[number]
    match chance.randrange(6):
        case 0 | 1 | 2:
            partition.do(CompleteJob(key, {"order": b'"%d"' % chance.randrange(4)}))
        case 3:
            retries = chance.randrange(3)
            partition.do(FailJob(key, retries, chance.choice((0, 500)), chance.choice(MESSAGES), {}))
        case 4:
            partition.do(ThrowJobError(key, chance.choice(("E1", "E2")), chance.choice(MESSAGES), {}))
        case _:
            partition.do(YieldJobs(((key, deadline),)))


def _see_to_tasks(partition: Partition, chance: random.Random, origin: Origin) -> None:
    """Something with one of the last tasks; if it is over by now, it is refused."""
    tasks = partition.happened(UserTaskCreated)[-6:]
    if not tasks:
        return
    key = chance.choice(tasks).key
    match chance.randrange(4):
        case 0:
            partition.do(AssignUserTask(key, chance.choice((*ASSIGNEES, "")), origin=origin))
        case 1 | 2:
            partition.do(CompleteUserTask(key, {"seen": b"true"}, origin=origin))
        case _:
            groups = tuple(chance.sample(("sales", "law"), chance.randrange(3)))
            due = chance.choice(("", "2026-03-01T08:00:00Z", None))
            changes = TaskChanges(
                candidate_groups=groups, candidate_users=ASSIGNEES[: chance.randrange(3)], due_date=due
            )
            partition.do(UpdateUserTask(key, changes, origin=origin))
