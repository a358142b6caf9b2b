"""Ids are unique, also in processes that were forked after the first id."""

import multiprocessing
import uuid

from router.domain import new_id


def _make(results) -> None:
    results.put([new_id(1.0) for _ in range(300)])


def test_ids_are_unique_across_a_fork():
    ids = [new_id(1.0)]
    context = multiprocessing.get_context("fork")
    results = context.SimpleQueue()
    children = [context.Process(target=_make, args=(results,)) for _ in range(2)]
    for child in children:
        child.start()
    for _ in children:
        ids += results.get()
    for child in children:
        child.join()
    ids += [new_id(1.0) for _ in range(300)]
    assert len(set(ids)) == 901
    assert {(uuid.UUID(each).version, uuid.UUID(each).variant) for each in ids} == {
        (7, uuid.RFC_4122)
    }


def test_ids_sort_by_their_time():
    ids = [new_id(at / 1000) for at in range(1, 600)]
    assert ids == sorted(ids)
