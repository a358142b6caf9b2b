"""The simulation of many routers runs the real classes, in a time of its own."""

import asyncio

from experiments.scale.hive_messages import Size, hive_of
from experiments.scale.virtual_time import simulate


def test_an_hour_passes_without_waiting():
    async def hour():
        await asyncio.gather(*(asyncio.sleep(3600) for _ in range(3)))
        return asyncio.get_running_loop().time()

    assert simulate(hour()) >= 3600


def test_a_router_sends_the_hive_fewer_messages_than_it_reports_on_budgets():
    figures = hive_of(Size(2, 300), "dollars a day", delivery_seconds=0.0, seconds=1.0)
    assert figures["served_per_second"] > 200
    assert figures["reports_per_second"] > 200
    assert figures["leases_per_second"] <= figures["reports_per_second"] / 2


def test_many_routers_send_the_hive_few_messages_each():
    few, many = (
        hive_of(Size(routers, 400), "dollars a day", delivery_seconds=0.0, seconds=1.0)
        for routers in (4, 40)
    )
    assert many["leases_per_second"] < 2 * few["leases_per_second"]


def test_a_hive_with_too_much_to_do_is_given_up_and_not_waited_for():
    figures = hive_of(Size(2, 300), "dollars a day", delivery_seconds=0.2, seconds=2.0)
    assert figures["given_up_per_second"] > 0
    assert figures["cores"] > 0.9
    assert figures["served_per_second"] > 200
