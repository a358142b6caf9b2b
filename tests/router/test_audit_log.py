"""The audit log: what it holds, and that a change or a cut of it is seen."""

import json
import multiprocessing
import stat

import pytest
from typer.testing import CliRunner

from router.audit_log import Act, AuditLog, Head
from router.cli.main import app
from router.config.environment import TOKEN_VARIABLE
from router.keys import new_key
from tests.rig import rig

AT = "2026-11-27T12:00:00+00:00"


def act(n=0, **more):
    return Act("key made", f"k{n}", {"user": "root"}, **more)


@pytest.fixture
def log(tmp_path):
    log = AuditLog(tmp_path)
    for n in range(5):
        log.record(act(n), AT)
    return log


def rewrite(log, change):
    lines = log.path.read_bytes().splitlines(keepends=True)
    log.path.write_bytes(b"".join(change(lines)))


def test_a_whole_log_has_no_problems_and_only_its_owner_can_read_it(log):
    assert log.problems() == []
    assert [line["subject"] for line in log.lines()] == ["k0", "k1", "k2", "k3", "k4"]
    assert stat.S_IMODE(log.path.stat().st_mode) == 0o600
    assert stat.S_IMODE(log.path.with_name("audit.head").stat().st_mode) == 0o600


@pytest.mark.parametrize(
    ("change", "problem"),
    [
        (lambda lines: lines[:-1], "the log ends at 4, and does not hold audit.head, 5"),
        (lambda lines: lines[1:], "line 1 has the number 2 after 0: cut"),
        (lambda lines: lines[:2] + lines[3:], "line 3 has the number 4 after 2: cut"),
        (
            lambda lines: [*lines[:2], lines[2].replace(b"k2", b"kX"), *lines[3:]],
            "line 3 does not continue the line before: changed or cut",
        ),
        (lambda lines: [lines[1], lines[0], *lines[2:]], "line 1 has the number 2"),
        (lambda lines: [*lines[:4], b"{\n"], "line 5 is damaged"),
        (lambda lines: [], "the log ends at 0, and does not hold audit.head, 5"),
    ],
    ids=["tail cut", "head cut", "middle cut", "changed", "swapped", "damaged", "emptied"],
)
def test_a_change_is_seen(log, change, problem):
    rewrite(log, change)
    assert problem in "; ".join(log.problems())


def test_a_cut_stays_visible_after_later_acts(log):
    rewrite(log, lambda lines: lines[:3])
    log.record(act(9), AT)
    assert "line 4 has the number 6 after 3: cut" in log.problems()


def test_a_log_that_was_written_anew_does_not_continue_the_head_that_was_kept_elsewhere(log):
    kept = Head.read(str(log.head))
    log.record(act(5), AT)
    assert log.problems(kept) == []
    log.path.unlink()
    log.path.with_name("audit.head").unlink()
    for n in range(8):
        log.record(act(n, after={"forged": True}), AT)
    assert log.problems() == []
    assert "does not hold the head given, 5" in log.problems(kept)[0]


def test_a_writer_that_was_killed_in_the_middle_of_a_line_leaves_the_log_whole(log):
    with log.path.open("ab") as file:
        file.write(b'{"n": 6, "at": "2026-')
    assert log.problems() == []
    log.record(act(6), AT)
    assert log.problems() == []
    assert [line["n"] for line in log.lines()] == [1, 2, 3, 4, 5, 6]


def test_a_writer_that_was_killed_before_the_head_was_written_leaves_the_log_whole(log):
    head = log.path.with_name("audit.head")
    before = head.read_bytes()
    log.record(act(6), AT)
    head.write_bytes(before)
    assert log.problems() == []


def write_many(folder):
    for n in range(20):
        AuditLog(folder).record(act(n), AT)


def test_several_processes_write_one_chain(tmp_path):
    context = multiprocessing.get_context("fork")
    writers = [context.Process(target=write_many, args=(tmp_path,)) for _ in range(3)]
    for writer in writers:
        writer.start()
    for writer in writers:
        writer.join()
    log = AuditLog(tmp_path)
    assert log.problems() == []
    assert len(list(log.lines())) == 60


def test_too_much_to_store_is_left_out_by_name(log):
    log.record(act(after={"source": "x" * 10_000}), AT)
    *_, line = log.lines()
    assert line["after"] == {"left out": "more than 4000 characters", "names": ["source"]}


# -- what is written down --------------------------------------------------------------------------

CONFIGURATION = """
server: {data: DATA}
backends: {small: {kind: openai, base_url: "http://127.0.0.1:1/v1"}}
plans: {fast: {ask: small}}
keys: {teams: {search: {dollars_per_month: 5}}}
"""


@pytest.fixture
def waggle(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv(TOKEN_VARIABLE, "t")
    monkeypatch.setenv("SUDO_USER", "bob")
    text = CONFIGURATION.replace("DATA", str(tmp_path / "var"))
    (tmp_path / "waggle.yaml").write_text(text)
    return lambda *args: CliRunner(env={"COLUMNS": "250"}).invoke(app, [*args])


def acts(tmp_path):
    return list(AuditLog(tmp_path / "var").lines())


def test_keys_that_are_made_changed_and_revoked_are_written_down_without_secrets(waggle, tmp_path):
    secret = waggle("keys", "new", "alice", "--rpm", "5").output.splitlines()[0]
    waggle("keys", "change", "alice", "--team", "search")
    waggle("keys", "revoke", "alice")
    made, changed, revoked = acts(tmp_path)
    assert [line["what"] for line in (made, changed, revoked)] == [
        "key made",
        "key changed",
        "key revoked",
    ]
    assert made["who"]["sudo"] == "bob"
    assert made["after"]["limits"] == {"requests_per_minute": 5, "unpriced": "refuse"}
    assert "team" not in changed["before"]
    assert changed["after"]["team"] == "search"
    assert revoked["after"]["revoked"]
    stored = json.loads((tmp_path / "var" / "keys.json").read_text())[0]
    log = (tmp_path / "var" / "audit.jsonl").read_text()
    for hidden in (secret, secret.rpartition("-")[2], stored["salt"], stored["digest"]):
        assert hidden not in log


def test_an_act_that_was_refused_as_a_mistake_is_no_act(waggle, tmp_path):
    waggle("keys", "new", "alice")
    assert waggle("keys", "new", "alice").exit_code == 2
    assert waggle("keys", "revoke", "nobody").exit_code == 2
    assert len(acts(tmp_path)) == 1


def test_nothing_is_done_if_the_log_cannot_be_written(waggle, tmp_path):
    (tmp_path / "var" / "audit.jsonl").mkdir(parents=True)
    refused = waggle("keys", "new", "alice")
    assert refused.exit_code == 1
    assert "nothing was done" in refused.output
    assert not (tmp_path / "var" / "keys.json").exists()


def test_the_command_shows_the_acts_and_says_whether_the_log_is_whole(waggle, tmp_path):
    waggle("keys", "new", "alice")
    waggle("policy", "live")
    shown = waggle("audit")
    assert shown.exit_code == 0
    assert "key made" in shown.output
    assert "auto switched" in shown.output
    head = shown.output.split()[-1]
    assert waggle("audit", "--expect", head).exit_code == 0
    log = AuditLog(tmp_path / "var")
    rewrite(log, lambda lines: lines[:1])
    broken = waggle("audit")
    assert broken.exit_code == 1
    assert "is not whole" in broken.output
    assert waggle("audit", "--expect", "nonsense").exit_code == 2


class Learner:
    """A learner that knows one trial."""

    async def trials(self, command):
        return {} if command["name"] == "t1" else {"rejected": "there is no such trial"}


async def test_a_command_about_trials_is_written_down_with_the_key_that_sent_it(tmp_path):
    text, key = new_key("olga", "", scopes=("admin",))
    headers = {"authorization": f"Bearer {text}"}
    configuration = CONFIGURATION.replace("DATA", str(tmp_path))
    async with rig(configuration, keys=[key], learner=Learner(), audit=AuditLog(tmp_path)) as r:
        done = await r.post("/v1/trials", {"do": "adopt", "name": "t1"}, **headers)
        refused = await r.post("/v1/trials", {"do": "stop", "name": "t2"}, **headers)
    assert (done.status, refused.status) == (200, 400)
    adopted, stopped, failed = AuditLog(tmp_path).lines()
    assert adopted["who"] == {"key": key.id, "name": "olga"}
    assert (adopted["what"], adopted["subject"]) == ("trials adopt", "t1")
    assert stopped["what"] == "trials stop"
    assert failed["what"] == "trials stop failed"
    assert failed["after"] == {"why": "there is no such trial"}
