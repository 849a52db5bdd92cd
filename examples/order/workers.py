"""Workers of the order process, on the official SDK: `python -m examples.order.workers [ADDRESS]`.

What a card or an item is named decides what happens, so that it can be watched:

card   "declined"     the bank says no: a BPMN error
       "flaky"        the bank does not answer the first time: the job fails and is tried again
item   "unobtainium"  is out of stock: a BPMN error
"""

import asyncio
import sys
from typing import Any, Final

from camunda_orchestration_sdk import CamundaAsyncClient, ConnectedJobContext, WorkerConfig
from camunda_orchestration_sdk.runtime.job_worker import JobError, JobFailure

_RETRIES: Final = 3
_BACK_OFF_MS: Final = 500
_LENT_MS: Final = 5_000
"""Short: when the node or a worker dies, its jobs are soon done by somebody else."""


async def charge_card(job: ConnectedJobContext) -> dict[str, Any]:
    variables = job.variables.to_dict()
    if variables["card"] == "declined":
        raise JobError("PAYMENT_DECLINED", "the bank says no")
    if variables["card"] == "flaky" and job.retries == _RETRIES:
        raise JobFailure("the bank does not answer", job.retries - 1, _BACK_OFF_MS)
    return {"payment": {"id": f"pay-{job.job_key}", "amount": variables["amount"]}}


async def reserve_stock(job: ConnectedJobContext) -> dict[str, Any]:
    order = job.variables.to_dict()["order"]
    if order["item"] == "unobtainium":
        raise JobError("OUT_OF_STOCK", f"no {order['item']} left")
    return {"reservation": f"res-{job.job_key}"}


async def refund_card(job: ConnectedJobContext) -> dict[str, Any]:
    payment = job.variables.to_dict()["payment"]
    return {"refund": {"of": payment["id"], "amount": payment["amount"]}}


async def tell_customer(job: ConnectedJobContext) -> dict[str, Any]:
    return {"told": True}


_HANDLERS: Final = {
    "charge-card": charge_card,
    "reserve-stock": reserve_stock,
    "refund-card": refund_card,
    "tell-customer": tell_customer,
}


async def work(address: str) -> None:
    """Work all job types until canceled."""
    async with CamundaAsyncClient(configuration={"CAMUNDA_REST_ADDRESS": address}) as client:
        for job_type, handler in _HANDLERS.items():
            config = WorkerConfig(
                job_type=job_type,
                job_timeout_milliseconds=_LENT_MS,
                max_concurrent_jobs=32,
                worker_name=handler.__name__.replace("_", "-"),
            )
            client.create_job_worker(config, handler)
        await client.run_workers()  # type: ignore[no-untyped-call]  # of the SDK


if __name__ == "__main__":
    asyncio.run(work(sys.argv[1] if len(sys.argv) > 1 else "http://127.0.0.1:8080"))
