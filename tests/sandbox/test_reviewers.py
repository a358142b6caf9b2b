"""Reviewers read programs: each says no where it should, with its reason, and yes elsewhere."""

import pytest

from sandbox.review.reviewers import REVIEWERS, review
from tests.sandbox.benign import PROGRAMS
from tests.sandbox.hostile import ATTACKS

READS = "import re\nn = [float(x) for x in re.findall(r'\\d+', PARAMS['request'])]\n"


def verdict(reviewer: str, source: str, request: str = "the figure of 40 and 12", **more):
    verdicts = {v.reviewer: v for v in review(source, request, **more)}
    assert tuple(verdicts) == REVIEWERS
    return verdicts[reviewer].verdict, "; ".join(verdicts[reviewer].reasons)


@pytest.mark.parametrize(
    ("source", "verdict_", "reason"),
    [
        ("import os\nx = os.environ['A']", "reject", "environment"),
        ("from os import getenv", "reject", "environment"),
        ("import random\nx = random._os.environ", "reject", "`_os` is what a module keeps"),
        ("import glob as g\nx = g.os.environ", "reject", "`os` is what a module keeps"),
        ("import math\nx = math.__name__", "accept", ""),
        ("import socket", "reject", "network"),
        ("import urllib.request", "reject", "network"),
        ("import pickle", "reject", "beyond the program"),
        ("open('/etc/passwd')", "reject", "no scratch file"),
        ("open('../x')", "reject", "no scratch file"),
        ("open('notes.txt', 'w')\nopen('notes.txt')", "accept", ""),
        ("open('/tmp/notes', 'a')", "revise", "it writes for a later run"),
        ("run = exec\nrun('1')", "reject", "`exec` is called under another name"),
        ("import ast\nx = ast.literal_eval(text)", "accept", ""),
        ("import ast\nx = ast.parse(text)", "revise", "no computation needs"),
        ("for x in y:\n    y.append(x)", "reject", "nothing ends this loop"),
        ("x = 0\nwhile x != 1:\n    x += 0.1", "reject", "nothing ends this loop"),
        ("while debt > 0:\n    debt += debt * rate\n    debt -= paid", "revise", "never ends"),
        (
            "assert paid > debt * rate\nwhile debt > 0:\n    debt += debt * rate\n    debt -= paid",
            "accept",
            "",
        ),
        ("x = ().__class__", "reject", "`__class__` reaches"),
        ("x = getattr(int, 'a' + 'b')", "reject", "hides which attribute"),
        ("x = eval('1')", "reject", "`eval`"),
        ("x = __import__('math').pi", "accept", ""),
        ("while True:\n    pass", "reject", "nothing ends this loop"),
        ("while True:\n    for x in y:\n        break", "reject", "nothing ends this loop"),
        ("while True:\n    if a():\n        break", "accept", ""),
        ("x = 1\nwhile x < 9:\n    y = 2", "reject", "nothing ends this loop"),
        ("x = [1]\nwhile x:\n    x.pop()", "accept", ""),
        ("import itertools\nfor n in itertools.count():\n    pass", "reject", "nothing ends"),
        ("def f(n):\n    return f(n - 1)", "reject", "calls of `f` to itself"),
        ("import threading", "revise", "no computation needs"),
    ],
)
def test_security_refuses_what_no_computation_needs(source, verdict_, reason):
    given, reasons = verdict("security", source)
    assert given == verdict_
    assert reason in reasons


def test_security_refuses_most_attacks_before_they_run_and_hardly_a_model_s_program():
    places = {"secret": "/x/secret", "outside": "/x/out", "port": 9, "victim": 1}
    texts = [attack.at(**places) for attack in ATTACKS]
    refused = [any(v.verdict == "reject" for v in review(text, "")) for text in texts]
    assert sum(refused) > 0.8 * len(refused)
    rejected = [p for p in PROGRAMS if any(v.verdict == "reject" for v in review(p, ""))]
    assert len(rejected) <= 0.03 * len(PROGRAMS)


SAMPLE = "standard deviation of the sample 40, 12"


@pytest.mark.parametrize(
    ("request_", "source", "reason"),
    [
        (SAMPLE, "import numpy as np\ns = np.std(n)", "a population's spread"),
        (SAMPLE, "import numpy as np\ns = np.std(n, ddof=1)", ""),
        (SAMPLE, "s = sum((x - m) ** 2 for x in n) / len(n)", "divided by n"),
        ("sd of the whole population 40, 12", "import statistics\ns = statistics.pstdev(n)", ""),
        ("population variance of 40, 12", "import statistics as s\nv = s.variance(n)", "by n"),
        (
            "95% confidence interval of the mean of 4, 8, 9",
            "import numpy as np\nhalf = 1.96 * np.std(n, ddof=1)",
            "Student's t",
        ),
        (
            "95% interval of the mean, sigma known, of 4, 8, 9",
            "import numpy as np\nhalf = 1.96 * np.std(n, ddof=1)",
            "",
        ),
        ("p-value of z 1.7", "from scipy.stats import norm\np = norm.sf(abs(n[0]))", "direction"),
        ("p-value of z 1.7", "from scipy.stats import norm\np = 2 * norm.sf(abs(n[0]))", ""),
        ("is z 1.7 greater? p-value", "from scipy.stats import norm\np = norm.sf(n[0])", ""),
        (
            "mean of the column, some are missing",
            "x = PARAMS['columns']['a']\nm = sum(float(v or 0) for v in x) / len(x)",
            "filled with 0",
        ),
        (
            "mean of the column, some are missing",
            "x = PARAMS['columns']['a']\nm = sum(map(float, x)) / len(x)",
            "does nothing about them",
        ),
    ],
)
def test_statistics_knows_the_mistakes_that_give_a_plausible_figure(request_, source, reason):
    given, reasons = verdict("statistics", READS + source, request_)
    assert given == ("revise" if reason else "accept")
    assert reason in reasons


@pytest.mark.parametrize(
    ("source", "reason"),
    [
        ("def f(n):\n    return n if n < 2 else f(n - 1) + f(n - 2)", "the same values again"),
        (
            "import functools\n@functools.cache\n"
            "def f(n):\n    return n if n < 2 else f(n - 1) + f(n - 2)",
            "",
        ),
        ("for a in range(n):\n for b in range(n):\n  for c in range(n):\n   x = 1", "power 3"),
        ("for a in range(6):\n for b in range(6):\n  for c in range(6):\n   x = 1", ""),
        ("for _ in range(5_000_000):\n    x = 1", "steps in Python"),
        ("n = n + 1\nfor _ in range(n):\n    x = 1", ""),
        ("d = [k for k in range(1, n + 1) if n % k == 0]", "square root"),
        ("d = [k for k in range(1, int(n**0.5) + 1) if n % k == 0]", ""),
    ],
)
def test_performance_sees_what_grows(source, reason):
    given, reasons = verdict("performance", source)
    assert given == ("revise" if reason else "accept")
    assert reason in reasons


def test_performance_takes_what_the_runs_measured():
    assert "2.5 s of CPU" in verdict("performance", "x = 1", seconds=(2.5,))[1]
    assert "10 times as long" in verdict("performance", "x = 1", seconds=(0.1, 1.0))[1]
    assert verdict("performance", "x = 1", seconds=(0.001, 0.05))[0] == "accept"


RESULT = "result = {'answer': {'a': %s}, 'parameters': {'of': [40, 12]}}"


@pytest.mark.parametrize(
    ("source", "verdict_", "reason"),
    [
        (READS + RESULT % "n[0] * n[1]", "accept", ""),
        (RESULT % "52", "reject", "typed"),
        ("x = -52.5\n" + RESULT % "round(x, 1)", "reject", "typed"),
        ("def f(t):\n    return '52'\n" + RESULT % "f(PARAMS['request'])", "reject", "typed"),
        ("def solve(text):\n    return '52'", "reject", "typed"),
        ("t = {'the figure of 40 and 12': 52}\n" + RESULT % "t[PARAMS['request']]", "reject", "up"),
        (RESULT % "40 + 12", "revise", "it types 12, 40"),
        ("def f(t):\n    return 40 * 1.12\n" + RESULT % "f(PARAMS['request'])", "revise", "40"),
        ("x = 0\nfor _ in range(3):\n    x += 1\n" + RESULT % "x", "accept", ""),
        (READS + "import a, b, c\n" + RESULT % "n[0]", "revise", "dead code"),
        ("result = (", "reject", "no Python"),
    ],
)
def test_quality_tells_computing_from_typing(source, verdict_, reason):
    verdicts = {v.reviewer: v for v in review(source, "the figure of 40 and 12")}
    assert verdicts["quality"].verdict == verdict_
    assert reason in "; ".join(verdicts["quality"].reasons)


@pytest.mark.parametrize("reviewer", REVIEWERS)
def test_a_program_that_computes_what_it_reads_is_accepted_by_all(reviewer):
    source = READS + "total = sum(n)\n" + RESULT % "total"
    assert verdict(reviewer, source) == ("accept", "")


@pytest.mark.parametrize(
    "source",
    ["for x in range(): pass", "x = x + 1\nfor n in range(x): pass", "x = y\ny = x\nresult = x",
     "result = {'answer': result}", "def solve(): return solve()", "x = " + "-" * 3_000 + "1",
     "x = 10**10**10\nfor n in range(x): pass", "\x00", "open(); getattr(); __import__()"],
)  # fmt: skip
def test_an_odd_program_gets_verdicts_and_no_error(source):
    assert review(source, "the figure of 40 and 12")


@pytest.mark.parametrize(
    ("reviewer", "request_", "source", "reason"),
    [
        ("statistics", "5 users before, 7 new ones after",
         "from scipy import stats\np = stats.ttest_ind(a, b)", ""),
        ("statistics", "the same 5 users, before and after",
         "from scipy import stats\np = stats.ttest_ind(a, b)", "the values are pairs"),
        ("statistics", "two independent groups",
         "from scipy import stats\np = stats.ttest_ind(a, b)", ""),
        ("statistics", "at least 3 of 9", "from scipy.stats import binom\np = binom.sf(k, 9, q)",
         "more than k"),
        ("statistics", "at least 3 of 9",
         "from scipy.stats import binom\np = binom.sf(k - 1, 9, q)", ""),
        ("statistics", "by how many percent did it rise?", "x = (new - old) / new", "began from"),
        ("statistics", "by how many percent did it rise?", "x = (new - old) / old", ""),
        ("statistics", "by how many percent did it fall?", "x = (old - new) / old", ""),
        ("statistics", "the average growth factor", "x = sum(f) / len(f)", "geometric mean"),
        ("statistics", "the mean of values that may be nan, and how many there are",
         "ok = [v for v in x if v == v and not isnan(v)]\nm = sum(ok) / len(ok)\nn = len(x)",
         "left out"),
        ("performance", "", "x = [v - sum(values) for v in values]", "anew at every turn"),
        ("performance", "", "total = sum(values)\nx = [v - total for v in values]", ""),
        ("performance", "", "x = [sum(values[:i]) for i in range(len(values))]", "beginning again"),
        ("performance", "", "for v in values:\n    if values.count(v) > 1:\n        n = v",
         "goes over all for every element"),
        ("performance", "", "for row in rows:\n    for cell in row:\n        n = cell", ""),
        ("performance", "", "for a in v:\n    for b in v:\n        n = a + b", "square of"),
        ("performance", "", "for a in v:\n    for b in w:\n        n = a + b", ""),
        ("performance", "all pairs", "for a in v:\n    for b in v:\n        n = a + b", ""),
        ("performance", "", "for a in v:\n    for b in range(a, w):\n        n = a + b", ""),
        ("performance", "", "import re\nm = re.match('(a+)+b', text)", "endlessly many ways"),
        ("performance", "", "for mask in range(2 ** len(items)):\n    n = mask", "every subset"),
        ("performance", "all subsets", "for mask in range(2 ** len(items)):\n    n = mask", ""),
        ("performance", "those of the list `a` in the list `b`", "x = [v for v in a if v in b]",
         "make a set"),
        ("performance", "", "x = [v for v in a if v in b]", ""),  # it may be a set
        ("statistics", "the mean", "x = sum(v) // len(v)", "whole number"),
        ("statistics", "the mean", "x = [v for v in values if abs(v - m) < 3 * sd]", "unasked"),
        ("statistics", "without outliers", "x = [v for v in values if abs(v - m) < 3 * sd]", ""),
        ("quality", "the names, sorted by age", "print(names)", "nothing is sorted"),
        ("quality", "the mean of `v` to two decimals", "print(sum(v) / len(v))", "is rounded"),
        ("quality", "the mean of `v` to two decimals", "print(f'{sum(v) / len(v):.2f}')", ""),
        ("quality", "the maximum, without using `max`", "print(max(v))", "wants no `max`"),
        ("quality", "those above `least` in `values`", "print(len(values))", "never reads least"),
        ("quality", "those above `least` in `values`",
         "print(len([v for v in values if v > least]))", ""),
        ("quality", 'the second, or say "none" if there is none', "print(sorted(v)[1])", "'none'"),
        ("quality", "", "if v > 5:\n    g = 1\nelif v > 9:\n    g = 2\nprint(g)", "no value"),
        ("quality", "", "if v > 9:\n    g = 1\nelif v > 5:\n    g = 2\nprint(g)", ""),
        ("quality", "", "try:\n    x = f(v)\nexcept Exception:\n    x = 0\nprint(x)", "every"),
    ],
)  # fmt: skip
def test_a_general_rule_speaks_where_it_should_and_is_silent_beside(
    reviewer, request_, source, reason
):
    given, reasons = verdict(reviewer, source, request_)
    assert (given == "accept") == (not reason), reasons
    assert reason in reasons


def test_a_printed_answer_must_be_computed_or_chosen():
    chosen = "try:\n    f(v)\n    print('valid')\nexcept ValueError:\n    print('invalid')"
    assert verdict("quality", chosen)[0] == "accept"
    assert verdict("quality", "print('the answer is', 42)")[0] == "reject"
    assert verdict("quality", "print('the answer is', len(values))")[0] == "accept"
