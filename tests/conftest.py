import gc
import os
from collections import Counter
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings
from xdist.scheduler import LoadScopeScheduling

from router.encoding.encoder import Encoder, packaged_model, prepared
from router.engine import form_programs
from router.request import statistical

# A worker's readline writes the size of no terminal there, and a console that finds it keeps it.
for _size in ("COLUMNS", "LINES"):
    os.environ.pop(_size, None)

_RAY_TESTS = "waggle/ray_tests"
# Few tests that take long: if a worker began one of these files last, the others would wait for it.
_LONG_FILES = (
    "tests/batches/test_kills.py",
    "tests/compute/test_authors.py",
    "tests/contracts/test_backend.py",
    "tests/dashboard/test_board.py",
    "tests/dashboard/test_browser.py",
    "tests/dashboard/test_command.py",
    "tests/dashboard/test_playground_browser.py",
    "tests/growth/test_finding.py",
    "tests/growth/test_made_plans.py",
    "tests/learner/test_insight.py",
    "tests/learning/test_fold.py",
    "tests/records/test_big_work.py",
    "tests/reuse/test_form_answers.py",
    "tests/router/test_batch.py",
    "tests/router/test_evaluate.py",
    "tests/router/test_local.py",
    "tests/router/test_mcp.py",
    "tests/sandbox/test_pool.py",
    "tests/sandbox/test_request.py",
    "tests/telemetry/test_analyst.py",
    "tests/telemetry/test_clock_steps.py",
    "tests/telemetry/test_commands.py",
    "tests/telemetry/test_damage.py",
    "tests/telemetry/test_soak.py",
    "tests/telemetry/test_store.py",
    "tests/telemetry/test_views.py",
    "tests/test_readme.py",
    "tests/test_slow_text.py",
    "tests/training/test_adapting.py",
    "tests/training/test_data_sets.py",
    "tests/training/test_lessons.py",
    "tests/trials/test_director.py",
    "tests/trials/test_shadow.py",
    "tests/trials/test_weeks.py",
)


@pytest.fixture(scope="session", autouse=True)
def patience():
    """Time enough, on any machine, for what a service on a busy one gives up: to read a short
    request on the event loop, and to call a program of a form."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(statistical, "_CPU_SECONDS", 2.0)
        patch.setattr(form_programs, "_SECONDS", 2.0)
        patch.setattr(form_programs, "_PATIENCE_SECONDS", 20.0)
        yield


class OneService(LoadScopeScheduling):
    """Give all tests marked `ray` to one worker, and the tests of each other file to one worker.

    So one service runs at a time, and what the tests of a file share is made once. The files go
    to the workers in the order in which the workers collected them (`_turn`).

    `--dist loadgroup` does not find its marks under pytest 9.2, and the scheduler cannot read other
    marks. So each worker writes the names of these tests to pytest's cache for the scheduler.
    """

    def schedule(self) -> None:
        self.config.option.loadscopereorder = False
        self._ray_tests = frozenset(self.config.cache.get(_RAY_TESTS, []))
        super().schedule()

    def _split_scope(self, nodeid: str) -> str:
        return "service" if nodeid in self._ray_tests else nodeid.partition("::")[0]


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config, log):
    return OneService(config, log) if config.getvalue("dist") == "load" else None


def pytest_configure(config):
    """Let each worker collect the folders from another one on: what a worker compiles, and whose
    asserts it rewrites, the others read. (`_turn` gives all workers the same order of tests.)"""
    if hasattr(config, "workerinput") and config.args == ["tests"]:
        folder = Path(__file__).parent
        places = sorted(str(place) for place in folder.iterdir() if place.is_dir())
        places += sorted(map(str, folder.glob("test_*.py")))
        worker, workers = int(config.workerinput["workerid"][2:]), config.workerinput["workercount"]
        first = worker * len(places) // workers
        config.args = [*places[first:], *places[:first]]


@pytest.hookimpl(wrapper=True)
def pytest_collection():
    """The garbage collector need not look at modules and tests, which stay to the end."""
    gc.disable()
    try:
        return (yield)
    finally:
        gc.freeze()
        gc.enable()


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(config, items):
    if hasattr(config, "workerinput"):
        ray_tests = [item.nodeid for item in items if item.get_closest_marker("ray")]
        config.cache.set(_RAY_TESTS, ray_tests)
        sizes = Counter(item.path for item in items)
        items.sort(key=lambda item: _turn(item, sizes[item.path]))


def _turn(item, size):
    """The service comes first, then what takes long, then the files with the most tests."""
    file = item.nodeid.partition("::")[0]
    first = 0 if item.get_closest_marker("ray") else 1 if file in _LONG_FILES else 2
    return first, -size, file


# No deadline: the time that an example takes on a shared machine means nothing. `make slow` names
# the profile `many`, which draws as many examples as Hypothesis does by default.
_DRAWN = settings(
    deadline=None, suppress_health_check=[HealthCheck.too_slow], derandomize=True, max_examples=25
)
settings.register_profile("waggle", _DRAWN)
settings.register_profile("many", _DRAWN, max_examples=100)
settings.load_profile("waggle")


@pytest.fixture(scope="session")
def encoders():
    """The folder of the exported encoder, kept from one test run to the next.

    The folder's name is the model's fingerprint; a lock and a rename keep parallel and killed runs
    from leaving half of an export.
    """
    cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    home = cache / "waggle-tests" / "encoders"
    prepared(packaged_model(), home)
    return home


@pytest.fixture(scope="session")
def encoder(encoders):
    return Encoder(prepared(packaged_model(), encoders))
