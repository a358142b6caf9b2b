"""Data sets from a folder of telemetry, made and changed by the commands that people use."""

import json
import stat

import pytest
from typer.testing import CliRunner

from router.cli.main import app
from router.training.data_sets import DataSets
from tests.telemetry.stored import MINUTE, NOON, Stored, request, signal

YAML = """
server: {{data: {data}, encoders: {data}/none}}
backends: {{a: {{kind: openai, base_url: "http://127.0.0.1:1/v1"}}}}
plans: {{cheap: {{ask: a}}}}
telemetry: {{prompts: true, answers: true}}
reuse: {{encoder: {data}/no-model}}
"""
TOPICS = ["invoice", "refund", "parcel", "password", "outage", "contract", "shower", "bicycle"]
THINGS = ["blue", "broken", "late", "missing", "double", "empty", "rusty", "foreign", "secret"]


def words_for(n):
    """A request in words of its own."""
    topic, thing = TOPICS[n % len(TOPICS)], THINGS[n % len(THINGS)]
    return f"{topic} {thing} {'abcdefghijklmnopqrstuvwxyz'[n % 26] * 9} since monday {n}"


@pytest.fixture
def data(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "300")
    (tmp_path / "waggle.yaml").write_text(YAML.format(data=tmp_path / "var"))
    return tmp_path / "var"


@pytest.fixture
def stored(data):
    stored = Stored(data / "telemetry")
    yield stored
    stored.close()


def waggle(*words, status=0):
    result = CliRunner().invoke(app, words)
    assert result.exit_code == status, result.output + result.stderr
    return result.stderr if status else result.stdout


def made(*options, name="triage"):
    return json.loads(waggle("data", "make", name, *options, "--json"))


def write(stored, rows, scores=None):
    stored.write("requests", rows)
    scores = scores or [1.0] * len(rows)
    stored.write("signals", [signal(row, s) for row, s in zip(rows, scores, strict=True)])


def answered(n, **given):
    fields = {
        "prompt": words_for(n),
        "answer": TOPICS[n % 8],
        "key_id": f"k{n % 3}",
        "kind": "triage",
    }
    return request(NOON + n * MINUTE, **(fields | given))


def everything(card, name="triage", data=None):
    folder = data / "training" / "data" / name / f"v{card['version']}"
    return {
        split: [json.loads(line) for line in (folder / f"{split}.jsonl").read_text().splitlines()]
        for split in ("train", "validation", "test")
    }


def ids(splits):
    return {row["id"] for rows in splits.values() for row in rows}


def test_a_version_holds_what_was_judged_well_and_says_what_it_left_out(stored, data):
    likely = {TOPICS[7]: 0.7, f"{TOPICS[6][:3]}…": 0.2, "?…": 0.1}
    good = [*(answered(n) for n in range(39)), answered(39, chances=likely)]
    others = [
        answered(50, kind="poems"),
        answered(51, status=500),
        answered(52, prompt=None),
        answered(53, answer=None),
    ]
    write(stored, [*good, *others, answered(54)], [1.0] * 44 + [0.5])
    stored.write("requests", [answered(55)])
    card = made("--task", "triage")
    assert sum(card["rows"].values()) + card["split"]["left_out"] == 40
    assert card["left_out"] == {
        "judged lower": 1,
        "not answered whole": 1,
        "not judged": 1,
        "without the words of the answer": 1,
        "without the words of the request": 1,
    }
    assert set(card["labels"]) == set(TOPICS)
    rows = everything(card, data=data)
    soft = [row["soft"] for split in rows.values() for row in split if "soft" in row]
    assert soft == [{TOPICS[7]: 0.7, TOPICS[6]: 0.2}]
    assert max(r["ts"] for r in rows["train"]) < min(r["ts"] for r in rows["validation"])
    assert max(r["ts"] for r in rows["validation"]) < min(r["ts"] for r in rows["test"])
    folder = data / "training" / "data" / "triage" / "v1"
    modes = {stat.S_IMODE(path.stat().st_mode) for path in folder.iterdir()}
    assert modes == {0o600}
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700


def test_a_version_is_frozen_and_the_next_keeps_the_query(stored, data):
    write(stored, [answered(n) for n in range(30)])
    first = made("--least-quality", "0.9")
    assert "no version was made" in waggle("data", "make", "triage")
    write(stored, [answered(n) for n in range(30, 40)])
    second = made()
    assert (second["version"], second["parent"], second["query"]["least_quality"]) == (2, 1, 0.9)
    change = json.loads(waggle("data", "diff", "triage", "--json"))
    assert change["came"] > 0
    assert change["went"] == 0
    assert json.loads(waggle("data", "show", "triage@v1", "--json"))["hash"] == first["hash"]
    assert set(change["query"]) == {"until"}


def test_what_a_caller_marked_is_never_taken_nor_repeated(stored, data):
    """A later request of a conversation repeats the words of the marked one."""
    marked = answered(3, no_store=True, session="s1", prompt="my secret illness")
    later = answered(4, session="s1", prompt="my secret illness\nhm\nand now?", key_id="k0")
    write(stored, [answered(n) for n in range(10, 30)] + [marked, later])
    card = made()
    assert card["left_out"]["marked by the caller as not to be stored"] == 1
    assert card["left_out"]["of a conversation with a request that is not to be stored"] == 1
    folder = data / "training"
    assert not [p for p in folder.rglob("*") if p.is_file() and b"illness" in p.read_bytes()]


def test_without_kept_words_nothing_is_made(stored, data):
    write(stored, [answered(n) for n in range(10)])
    path = data.parent / "waggle.yaml"
    path.write_text(path.read_text().replace("answers: true", "answers: false"))
    assert "telemetry.answers = false" in waggle("data", "make", "triage", status=2)
    assert not (data / "training").exists()


def test_messages_keep_their_roles(stored, data):
    parts = [{"role": "system", "characters": 9}, {"role": "user", "characters": 12}]
    logged = [answered(n) for n in range(10, 30)]
    logged.append(answered(30, prompt="Be\nbrief.\nmy lost bike", prompt_parts=parts))
    write(stored, logged)
    splits = everything(made(), data=data)
    (row,) = [r for rows in splits.values() for r in rows if r["id"] == logged[-1]["request_id"]]
    assert row["messages"] == [
        {"role": "system", "content": "Be\nbrief."},
        {"role": "user", "content": "my lost bike"},
    ]


def test_a_demonstration_is_the_answer_to_learn(stored, data):
    rows = [answered(n) for n in range(20)]
    write(stored, rows, [0.0] * 20)
    shown = [
        signal(r, None, demonstration="other", key_id="k9", metric="demonstration") for r in rows
    ]
    stored.write("signals", shown)
    card = made()
    assert card["sources"] == {"demonstration": sum(card["rows"].values())}
    assert card["labels"] == {"other": sum(card["rows"].values())}
    pairs = made("--pairs", name="pairs")
    rows = everything(pairs, "pairs", data)["train"]
    assert {(row["answer"], row["source"]) for row in rows} == {("other", "pair")}
    assert {row["rejected"] for row in rows} <= set(TOPICS)
    lines = waggle("data", "export", "pairs", "--format", "dpo").splitlines()
    assert json.loads(lines[0])["chosen"] == [{"role": "assistant", "content": "other"}]
    assert "no pairs" in waggle("data", "export", "triage", "--format", "dpo", status=2)


def test_two_sides_of_a_trial_make_a_pair(stored, data):
    rows = [answered(n // 2, answer=f"answer {n}", plan="ab"[n % 2]) for n in range(40)]
    write(stored, rows, [float(n % 2) for n in range(40)])
    card = made("--pairs")
    for row in everything(card, data=data)["train"]:
        better, worse = (int(row[name].split()[1]) for name in ("answer", "rejected"))
        assert (better, row["plan"]) == (worse + 1, "b")


def test_a_judge_that_compares_with_a_rival_makes_a_pair(stored, data):
    """The better answer may be the rival's; of two that are near each other, neither is better."""
    rows = [answered(n, answer=f"ours {n}") for n in range(30)]
    scores = [(1.0, 0.0, 0.45)[n % 3] for n in range(30)]
    stored.write("requests", rows)
    given = {"source": "judge", "metric": "judge", "rival": "theirs"}
    stored.write("signals", [signal(r, s, **given) for r, s in zip(rows, scores, strict=True)])
    pairs = everything(made("--pairs"), data=data)["train"]
    ours = {row["request_id"]: s for row, s in zip(rows, scores, strict=True)}
    assert {ours[pair["id"]] for pair in pairs} == {0.0, 1.0}
    for pair in pairs:
        better, worse = ("answer", "rejected") if ours[pair["id"]] else ("rejected", "answer")
        assert pair[better].startswith("ours")
        assert pair[worse] == "theirs"


def test_a_forgotten_caller_is_in_no_version(stored, data):
    rows = [answered(n, prompt=f"{words_for(n)} of {'XYZ'[n % 3] * 7}") for n in range(36)]
    write(stored, rows)
    first = made()
    write(stored, [answered(n) for n in range(40, 50)])
    made()
    unfinished = data / "training" / "data" / "triage" / "v9.new"
    unfinished.mkdir()
    (unfinished / "train.jsonl").write_text("XXXXXXX")
    stored.close()
    shown = waggle("telemetry", "forget", "--key", "k0", "--yes")
    assert "from the data set triage@v1; its card says so" in shown
    assert "from the data set triage@v2; its card says so" in shown
    files = [path for path in (data / "training").rglob("*") if path.is_file()]
    theirs = {row["request_id"].encode() for row in rows if row["key_id"] == "k0"} | {b"XXXXXXX"}
    assert not [path for path in files if any(t in path.read_bytes() for t in theirs)]
    card = json.loads(waggle("data", "show", "triage@v1", "--json"))
    assert card["forgotten"][0]["hash_before"] == first["hash"] != card["hash"]
    assert card["rows"] != first["rows"]


def test_rows_are_forgotten_though_telemetry_has_pruned_them(stored, data):
    """And so are demonstrations that the forgotten caller gave for requests of others."""
    rows = [answered(n, session=f"s{n % 2}") for n in range(30)]
    write(stored, rows)
    stored.write("signals", [signal(rows[3], None, demonstration="from k7", key_id="k7")])
    made()
    (data / "telemetry" / "telemetry.duckdb").rename(data / "old")
    for path in (data / "telemetry").rglob("*.jsonl"):
        path.unlink()
    Stored(data / "telemetry").close()
    assert "Removed 1 rows from the data set" in waggle(
        "telemetry", "forget", "--key", "k7", "--yes"
    )
    shown = waggle("telemetry", "forget", "--session", "s1", "--yes")
    assert "from the data set triage@v1" in shown


@pytest.mark.slow
def test_a_damaged_version_is_refused_and_then_forgotten_whole(stored, data):
    write(stored, [answered(n) for n in range(30)])
    made()
    path = data / "training" / "data" / "triage" / "v1" / "train.jsonl"
    path.write_bytes(path.read_bytes().replace(b"parcel", b"Parcel"))
    assert "is not what was written" in waggle("data", "show", "triage", status=2)
    stored.close()
    assert "it was damaged" in waggle("telemetry", "forget", "--key", "k0", "--yes")
    assert not path.exists()


def test_personal_data_is_replaced_and_counted(stored, data):
    rows = [answered(n) for n in range(20)]
    rows[0]["prompt"] = "my parcel, write to ann@example.org"
    rows[0]["answer"] = "I wrote to ann@example.org."
    write(stored, rows)
    card = made()
    assert card["personal"] == {"email": 2}
    everywhere = str(everything(card, data=data))
    assert "ann@" not in everywhere
    assert "I wrote to [EMAIL_1]." in everywhere


@pytest.mark.parametrize(
    ("options", "why"),
    [
        (["make", "Triage"], "small letters"),
        (["make", "triage", "--least-quality", "2"], "goes from 0 to 1"),
        (["make", "triage", "--test-share", "0.9"], "leave less than a fifth"),
        (["make", "triage", "--since", "soon"], "this is no time"),
        (["make", "triage", "--key", "nobody"], "there is no such key"),
        (["make", "triage", "--against", "nowhere.jsonl"], "neither a file"),
        (["make", "triage", "--task", "poems"], "no request fits the query"),
        (["show", "triage"], "there is no data set triage"),
        (["show", "../keys"], "small letters"),
    ],
)
def test_what_cannot_be_done_is_refused_with_the_mend(stored, data, options, why):
    write(stored, [answered(1)])
    assert why in waggle("data", *options, status=2)


def test_exports_are_what_trainers_read(stored, data, tmp_path):
    write(stored, [answered(n) for n in range(20)])
    made()
    lines = waggle("data", "export", "triage", "--split", "all").splitlines()
    turns = json.loads(lines[0])["messages"]
    assert [turn["role"] for turn in turns] == ["user", "assistant"]
    target = tmp_path / "out.jsonl"
    waggle("data", "export", "triage", "--format", "sharegpt", "-o", str(target))
    first = json.loads(target.read_text().splitlines()[0])["conversations"]
    assert [turn["from"] for turn in first] == ["human", "gpt"]
    assert stat.S_IMODE(target.stat().st_mode) == 0o600


def test_a_trainer_names_a_version_and_its_hash_as_the_card_does(stored, data):
    write(stored, [answered(n) for n in range(30)])
    card = made()
    chosen = DataSets(data / "training" / "data").named("triage")
    assert chosen.reference == "triage@v1"
    assert chosen.hash == card["hash"]
