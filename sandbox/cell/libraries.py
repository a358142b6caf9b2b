"""Loads the libraries of a tier before the zygote locks itself.

A program can import these modules and no others.
"""

import importlib
import sys
import zoneinfo
from collections.abc import Callable, Sequence
from importlib.machinery import ModuleSpec
from typing import Any

_STDLIB = (
    *("abc", "array", "ast", "asyncio", "atexit", "base64", "binascii", "bisect", "builtins"),
    *("calendar", "cmath", "collections", "collections.abc", "colorsys", "concurrent.futures"),
    *("concurrent.futures.thread", "contextlib", "contextvars", "copy", "csv", "ctypes"),
    *("ctypes.util", "dataclasses", "datetime", "decimal", "difflib", "doctest", "email.utils"),
    *("encodings.ascii", "encodings.idna", "encodings.latin_1", "encodings.utf_16", "enum"),
    *("encodings.utf_8_sig", "encodings.cp1252", "errno", "faulthandler", "fcntl", "fractions"),
    *("functools", "gc", "getpass", "glob", "graphlib", "gzip", "hashlib", "heapq", "hmac"),
    *("html", "inspect", "io", "ipaddress", "itertools", "json", "keyword", "linecache"),
    *("locale", "logging", "lzma", "bz2", "math", "mmap", "multiprocessing"),
    *("multiprocessing.pool", "numbers", "operator", "os", "os.path", "pathlib", "pickle"),
    *("platform", "pprint", "queue", "random", "re", "reprlib", "resource", "sched", "secrets"),
    *("select", "shutil", "signal", "socket", "sqlite3", "statistics", "string", "struct"),
    *("stringprep", "subprocess", "sys", "tempfile", "textwrap", "threading", "time", "timeit"),
    *("tokenize", "traceback", "types", "typing", "unicodedata", "unittest", "urllib.parse"),
    *("uuid", "warnings", "weakref", "xml.etree.ElementTree", "zipfile", "zlib", "zoneinfo"),
    *("argparse", "cProfile", "dis", "tracemalloc", "numbers", "copyreg", "_strptime"),
)
_NUMPY = (
    *("numpy", "numpy.random", "numpy.linalg", "numpy.fft", "numpy.polynomial", "numpy.ma"),
    *("numpy.lib.stride_tricks", "numpy.lib.scimath", "numpy.lib.recfunctions", "numpy.char"),
    *("numpy.rec", "numpy.strings", "numpy.dtypes", "numpy.exceptions", "numpy.ctypeslib"),
    *("numpy.typing", "numpy.testing", "numpy.matlib"),
)
_SCIPY = (
    *("scipy", "scipy.stats", "scipy.stats.qmc", "scipy.stats.mstats", "scipy.stats.contingency"),
    *("scipy.optimize", "scipy.linalg", "scipy.special", "scipy.interpolate", "scipy.integrate"),
    *("scipy.signal", "scipy.signal.windows", "scipy.sparse", "scipy.sparse.linalg"),
    *("scipy.sparse.csgraph", "scipy.spatial", "scipy.spatial.distance", "scipy.cluster"),
    *("scipy.cluster.hierarchy", "scipy.cluster.vq", "scipy.ndimage", "scipy.fft"),
    *("scipy.constants", "scipy.fftpack", "scipy.io"),
)
TIERS: dict[str, Sequence[str]] = {"stdlib": _STDLIB, "numpy": _NUMPY, "scipy": _SCIPY}

_ZONES = (
    *("UTC", "Europe/London", "Europe/Berlin", "Europe/Paris", "Europe/Madrid", "Europe/Rome"),
    *("Europe/Moscow", "Europe/Istanbul", "America/New_York", "America/Chicago"),
    *("America/Denver", "America/Los_Angeles", "America/Toronto", "America/Sao_Paulo"),
    *("America/Mexico_City", "Asia/Tokyo", "Asia/Shanghai", "Asia/Hong_Kong", "Asia/Singapore"),
    *("Asia/Kolkata", "Asia/Dubai", "Asia/Seoul", "Australia/Sydney", "Africa/Cairo"),
    *("Africa/Johannesburg", "Pacific/Auckland"),
)
_kept: list[Any] = []  # zoneinfo's cache drops a time zone that no code refers to
_loaded: list[str] = []  # tiers

_ALTERNATIVES = {
    "pandas": "use numpy arrays, dicts of columns and the csv module",
    "polars": "use numpy arrays, dicts of columns and the csv module",
    "sklearn": "numpy.linalg and scipy.stats fit linear models",
    "statsmodels": "numpy.linalg.lstsq and scipy.stats fit and test linear models",
    "matplotlib": "return the numbers; nothing can be drawn here",
    "seaborn": "return the numbers; nothing can be drawn here",
    "plotly": "return the numbers; nothing can be drawn here",
    "faker": "return the computed columns; names and text are added to them afterwards",
    "requests": "there is no network here",
    "dateutil": "use datetime",
}


def load(tier: str) -> bool:
    """Load a tier, and first the smaller ones. Returns whether anything was not loaded before."""
    order = list(TIERS)
    missing = [name for name in order[: order.index(tier) + 1] if name not in _loaded]
    for each in missing:
        for name in TIERS[each]:
            importlib.import_module(name)
        _USE_ONCE[each]()
        _loaded.append(each)
    return bool(missing)


# Each library is used once, because libraries load some parts only when these are first used.


def _use_stdlib() -> None:
    import datetime
    import json
    import traceback
    import unicodedata

    for zone in _ZONES:
        try:
            _kept.append(zoneinfo.ZoneInfo(zone))
        except zoneinfo.ZoneInfoNotFoundError:
            break  # this machine has no time zones installed
    json.dumps({"x": 1.5})
    json.loads("[1]")
    datetime.datetime.strptime("2024-01-02", "%Y-%m-%d")  # noqa: DTZ007
    unicodedata.normalize("NFKD", "é")
    "x".encode("idna")
    traceback.format_exc()


def _use_numpy() -> None:
    import numpy as np

    rng = np.random.default_rng(1)
    np.random.seed(1)
    sample = rng.normal(size=(8, 2))
    np.linalg.svd(sample)
    np.linalg.lstsq(sample, sample[:, 0])
    np.corrcoef(sample.T)
    np.percentile(sample, 50)
    np.unique(sample)
    np.histogram(sample)
    np.datetime64("2024-01-01") + np.timedelta64(1, "D")
    repr(sample)


def _use_scipy() -> None:
    import numpy as np
    from scipy import integrate, optimize, stats

    sample = np.linspace(-1.0, 1.0, 30)
    stats.kstest(sample, "norm")
    stats.shapiro(sample)
    stats.linregress(sample, sample**2)
    stats.pearsonr(sample, sample**3)
    stats.spearmanr(sample, sample**3)
    stats.ttest_ind(sample, sample + 1)
    stats.f_oneway(sample, sample + 1)
    stats.chisquare([5, 5, 6])
    stats.chi2_contingency([[5, 6], [7, 8]])
    stats.mannwhitneyu(sample, sample + 1)
    stats.gaussian_kde(sample)(0.0)
    stats.truncnorm(-1, 1).rvs(2, random_state=1)
    stats.norm.fit(sample)
    optimize.minimize(lambda x: (x**2).sum(), [1.0])
    optimize.curve_fit(lambda x, a: a * x, sample, sample)
    integrate.quad(lambda x: x, 0, 1)


_USE_ONCE: dict[str, Callable[[], None]] = {
    "stdlib": _use_stdlib,
    "numpy": _use_numpy,
    "scipy": _use_scipy,
}


class MissingModules:
    """The last import finder: its error says what the program can use instead of the module."""

    @staticmethod
    def find_spec(name: str, path: object = None, target: object = None) -> ModuleSpec | None:
        del path, target
        top = name.partition(".")[0]
        why = _ALTERNATIVES.get(top, "use the standard library, numpy or scipy")
        raise ModuleNotFoundError(f"{name} is not available in this sandbox: {why}", name=name)


def close_imports() -> None:
    sys.path[:] = []
    sys.argv[:] = [""]
    sys.path_hooks.clear()
    sys.path_importer_cache.clear()
    without_files = ("BuiltinImporter", "FrozenImporter")
    builtin = [f for f in sys.meta_path if getattr(f, "__name__", "") in without_files]
    sys.meta_path[:] = [*builtin, MissingModules]
