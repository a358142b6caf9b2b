"""The index: what it finds, how it grows, and how it checks its files before use."""

import random
import threading

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from router.reuse.index import space
from router.reuse.index.graph import Graph
from router.reuse.index.solution_index import SolutionIndex
from router.reuse.solution import Solution
from router.reuse.solution_store import SolutionStore
from tests.sparing import draws

SPACE = b"s" * 16


def vectors(count: int, dimensions: int = 16, seed: int = 0) -> np.ndarray:
    made = np.random.default_rng(seed).standard_normal((count, dimensions)).astype(np.float32)
    return made / np.linalg.norm(made, axis=1, keepdims=True)


def stored(folder, made: np.ndarray, *, first: int = 0) -> SolutionStore:
    store = SolutionStore(folder)
    store.add(
        [
            Solution("k", SPACE, bytes([n % 256, n // 256]) * 8, "text", f"request {n}", "answer",
                     vector=v.tobytes(), encoder="e", state="proven", expires=1e12)
            for n, v in enumerate(made, first)
        ]
    )  # fmt: skip
    return store


def opened(folder, store, dimensions=16, encoder="e"):
    return SolutionIndex.open(folder / "graphs", store, dimensions=dimensions, encoder=encoder)


@pytest.fixture(autouse=True)
def _small(monkeypatch):
    """Let the index build graphs from a few dozen solutions on, so that a test sees many graphs."""
    monkeypatch.setattr(space, "LARGEST_MATRIX", 40)
    monkeypatch.setattr(space, "LEAST_ROOM", 50)


@draws(40)
@given(st.lists(st.sampled_from(["add", "remove", "tend"]), max_size=120), st.randoms())
def test_the_index_holds_what_was_added_and_not_removed(steps, chance):
    made, held, index = vectors(200), {}, SolutionIndex(16, "e")
    for step in steps:
        if step == "add":
            id_ = len(held) + 1
            held[id_] = True
            index.add(SPACE, id_, made[id_])
        elif step == "remove" and any(held.values()):
            id_ = chance.choice([i for i, living in held.items() if living])
            held[id_] = False
            index.remove(SPACE, id_)
        else:
            index.tend()
    living = [id_ for id_, there in held.items() if there]
    assert len(index) == len(living)
    for id_ in living[:20]:
        assert index.nearest(SPACE, made[id_], 1)[0].solution == id_
    gone = {id_ for id_, there in held.items() if not there}
    assert not gone & {near.solution for near in index.nearest(SPACE, made[0], 200)}


def test_readers_never_wait_for_a_graph_nor_see_half_of_one():
    made, index = vectors(1500), SolutionIndex(16, "e")
    index.add(SPACE, 1, made[1])
    wrong: list[Exception] = []
    done = threading.Event()

    def read() -> None:
        while not done.is_set():
            try:
                assert index.nearest(SPACE, made[1], 8)[0].solution == 1
            except Exception as error:
                wrong.append(error)

    readers = [threading.Thread(target=read) for _ in range(2)]
    for reader in readers:
        reader.start()
    for id_ in range(2, 1500):
        index.add(SPACE, id_, made[id_])
        if id_ % 50 == 0:
            index.tend()
    done.set()
    for reader in readers:
        reader.join()
    assert wrong == []
    assert index.graphs == 1


def test_dead_entries_are_reclaimed():
    made, index = vectors(400), SolutionIndex(16, "e")
    for id_ in range(1, 201):
        index.add(SPACE, id_, made[id_])
    index.tend()
    for id_ in range(1, 101):
        index.remove(SPACE, id_)
    (shelf,) = index.spaces.values()
    assert shelf.graph.removed == 100
    index.tend()
    assert (shelf.graph.removed, shelf.graph.count) == (0, 100)


@pytest.mark.parametrize(
    "bad",
    [np.full(16, np.nan), np.zeros(16), np.ones(16), np.ones(8) / 8**0.5, np.full(16, np.inf)],
)
def test_only_vectors_of_length_one_come_in(bad):
    index = SolutionIndex(16, "e")
    with pytest.raises(ValueError, match="a vector must be 16 numbers of length 1"):
        index.add(SPACE, 1, bad.astype(np.float32))
    assert index.nearest(SPACE, vectors(1)[0]) == []


def test_spaces_never_meet():
    made, index = vectors(3), SolutionIndex(16, "e")
    index.add(b"a" * 16, 1, made[0])
    index.add(b"b" * 16, 2, made[0])
    assert [near.solution for near in index.nearest(b"a" * 16, made[0])] == [1]


def test_an_index_is_loaded_from_its_files_and_later_changes(tmp_path):
    made = vectors(160)
    store = stored(tmp_path, made[:100])
    index, _ = opened(tmp_path, store)
    index.tend()
    index.save(tmp_path / "graphs")
    more = stored(tmp_path, made[100:], first=100)
    store.quarantine(5)
    again, wrong = opened(tmp_path, more)
    assert wrong == []
    assert again.graphs == 1
    assert len(again) == 159
    assert again.differs(more) == []
    assert again.nearest(SPACE, made[150], 1)[0].solution == 151
    assert 5 not in {near.solution for near in again.nearest(SPACE, made[4], 159)}


@pytest.mark.parametrize(
    ("damage", "reason"),
    [
        (lambda content: content[:-100], "bytes, not"),
        (lambda content: content[:900] + bytes([content[900] ^ 4]) + content[901:], "checksum"),
    ],
)
def test_a_damaged_graph_is_noticed_and_made_anew(tmp_path, damage, reason):
    made = vectors(100)
    store = stored(tmp_path, made)
    first, _ = opened(tmp_path, store)
    first.tend()
    first.save(tmp_path / "graphs")
    (path,) = (tmp_path / "graphs").glob("*.hnsw")
    path.write_bytes(damage(path.read_bytes()))
    again, (problem,) = opened(tmp_path, store)
    assert reason in problem
    assert len(again) == 100
    assert again.differs(store) == []


@pytest.mark.parametrize("seed", range(30))
def test_whatever_is_damaged_in_a_snapshot_the_index_agrees_with_the_store(tmp_path, seed):
    store = stored(tmp_path, vectors(100))
    first, _ = opened(tmp_path, store)
    first.tend()
    first.save(tmp_path / "graphs")
    chance = random.Random(seed)
    path = chance.choice(sorted((tmp_path / "graphs").iterdir()))
    content = bytearray(path.read_bytes())
    match seed % 3:
        case 0:
            for _ in range(chance.choice((1, 3, 50))):
                content[chance.randrange(len(content))] ^= 1 << chance.randrange(8)
        case 1:
            content = bytearray(chance.choice((b"[]", b"{}", b"7", b'{"encoder": "e"}')))
        case _:
            del content[chance.randrange(len(content)) :]
    path.write_bytes(content)
    again, _ = opened(tmp_path, store)
    assert len(again) == 100
    assert again.differs(store) == []


def test_a_graph_whose_ids_point_at_the_vectors_of_others_is_not_believed(tmp_path):
    made = vectors(100)
    store = stored(tmp_path, made)
    wrong_one, _ = opened(tmp_path, store)
    wrong_one.tend()
    (shelf,) = wrong_one.spaces.values()
    shelf.graph = Graph(16, 200)
    shelf.graph.add(range(1, 101), made[::-1])
    wrong_one.save(tmp_path / "graphs")
    again, (problem,) = opened(tmp_path, store)
    assert "another vector for solution" in problem
    assert again.differs(store) == []


def test_vectors_of_another_encoder_are_not_mixed_in(tmp_path):
    store = stored(tmp_path, vectors(10))
    index, _ = opened(tmp_path, store, encoder="another")
    assert len(index) == 0


def test_an_index_is_due_only_while_a_graph_needs_to_be_built_or_rebuilt():
    made, index = vectors(100), SolutionIndex(16, "e")
    due = []
    for id_ in range(1, 61):
        index.add(SPACE, id_, made[id_])
        due.append(index.due)
    assert due == [False] * 40 + [True] * 20
    assert index.tend()
    assert not index.due
    for id_ in range(1, 31):
        index.remove(SPACE, id_)
    assert index.due
    assert index.tend()
    assert not index.due
