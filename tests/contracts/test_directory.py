"""The promises of every directory of replicas: those in this process, and those of Ray Serve.

Real replicas of Ray Serve are tested in `tests/serve`; this suite uses handles without a cluster.
"""

import asyncio
import warnings
from contextlib import asynccontextmanager
from types import SimpleNamespace

import pytest

from router.api.assemble import hosted_backends
from router.config.config import Config
from router.deployment.applications import deployment_of

HERE = "n1"  # the node of the router and of the replicas
CONFIG = Config.model_validate(
    {
        "backends": {
            "a": {"kind": "generator", "process": "own"},
            "b": {"kind": "validator", "process": "own"},
        },
        "plans": {"p": {"ask": "a"}},
    }
)


def handle_of(addresses):
    """A fake Serve handle: a replica at each address, and a last replica that has none yet."""
    metadata = [{"socket": address, "tcp": "10.0.0.2:9", "node": HERE} for address in addresses]
    metadata.append({})
    replicas = {n: SimpleNamespace(replica_metadata=m) for n, m in enumerate(metadata)}
    chooser = SimpleNamespace(request_router=SimpleNamespace(curr_replicas=replicas))
    return SimpleNamespace(_router=SimpleNamespace(_asyncio_router=chooser))


@asynccontextmanager
async def hosted():
    async with hosted_backends(CONFIG, token="t", read_secret=str) as backends:
        yield backends


@pytest.fixture(params=["in_process", "serve"])
async def directory(request):
    async with hosted() as backends:
        if request.param == "in_process":
            yield backends
            return
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # Ray warns when it is imported
            from router.deployment.replicas.addresses import ReplicaAddresses
        replicas = ReplicaAddresses(
            lambda application: handle_of(backends.addresses(deployment_of(application))),
            node=HERE,
        )
        replicas.follow(CONFIG.backends)
        yield replicas


async def test_an_address_is_where_a_replica_listens(directory):
    for backend in ("a", "b"):
        (address,) = directory.addresses(backend)
        _, writer = await asyncio.open_unix_connection(address.removeprefix("unix:"))
        writer.close()
        await writer.wait_closed()


async def test_no_two_replicas_have_one_address(directory):
    assert set(directory.addresses("a")).isdisjoint(directory.addresses("b"))


async def test_a_backend_without_replicas_has_no_address(directory):
    assert list(directory.addresses("nobody")) == []


async def test_a_second_look_sees_the_same_replicas(directory):
    assert list(directory.addresses("a")) == list(directory.addresses("a"))


async def test_a_replica_on_another_node_has_its_port_for_an_address():
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        from router.deployment.replicas.addresses import ReplicaAddresses
    replicas = ReplicaAddresses(lambda _: handle_of(["unix:/t/s"]), node="n2")
    replicas.follow(CONFIG.backends)
    assert list(replicas.addresses("a")) == ["10.0.0.2:9"]
