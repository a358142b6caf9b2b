"""Finding in a source: by words and meaning, in a conversation, in a filter, cut to a budget."""

import json

import pytest
from typer.testing import CliRunner

from router.cli.main import app
from router.config.load import at_home
from router.config.load import load as load_config
from router.documents.formats import Section
from router.knowledge.finding.compression import extracts
from router.knowledge.finding.evaluating import WAYS, UnclearQuestions, questions_of, scores
from router.knowledge.finding.expansion import respelled
from router.knowledge.finding.finder import Finder
from router.knowledge.finding.memory_source import PassagesInMemory
from router.knowledge.finding.reranking import CannotRerank, Reranker, reranker_in
from router.knowledge.finding.rewriting import Turn, replaced, rewritten
from router.knowledge.finding.source import StoredPassage
from router.knowledge.finding.store_source import StoreSource
from router.knowledge.finding.where import where_of
from router.knowledge.following import FollowingIndex
from router.knowledge.store import KnowledgeStore
from router.knowledge.stored import NewDocument
from router.knowledge.vectors import StoreVectors
from router.request.text import tokens_in
from tests.knowledge.word_encoder import WordEncoder

TEXTS = {
    "pool": ("sports", "A day ticket for the pool costs four euros. The pool closes in winter."),
    "court": ("sports", "An hour on a tennis court costs seven euros. Bring your own racket."),
    "books": ("culture", "You may borrow six books for three weeks. Films go back after a week."),
    "bus": ("travel", "A monthly pass for the bus costs thirty euros. Dogs travel free."),
}


def in_memory():
    encoder = WordEncoder()
    passages = []
    for number, (name, (team, text)) in enumerate(TEXTS.items(), 1):
        sentences = encoder.encode(["Rules", *text.split(". ")])
        vector = encoder.encode([text])[0]
        passages.append(
            StoredPassage(
                number, name, 1, name, "Rules", text, name, vector, sentences, {"team": team}
            )
        )
    return PassagesInMemory(passages)


def in_a_store(folder):
    store = KnowledgeStore(folder)
    vectors = StoreVectors(store)
    vectors.use(WordEncoder())
    for name, (team, text) in TEXTS.items():
        document = NewDocument(name, name, name, [Section("Rules", text)], {"team": team})
        store.put(document, by="t")
    while vectors.fill(WordEncoder()):
        pass
    return StoreSource(store, FollowingIndex(store), WordEncoder())


@pytest.fixture(params=["memory", "store"])
def finder(request, tmp_path):
    source = in_memory() if request.param == "memory" else in_a_store(tmp_path / "store")
    return Finder(source, WordEncoder())


def first(findings):
    return findings.hits[0].passage.document


def test_a_question_finds_its_passage(finder):
    assert first(finder.find("What does a monthly bus pass cost?")) == "bus"
    assert first(finder.find("How many books may I borrow?")) == "books"


def test_a_filter_comes_before_the_search(finder):
    findings = finder.find("How much does a bus pass cost?", where=where_of({"team": "sports"}))
    assert {hit.passage.document for hit in findings.hits} == {"pool", "court"}
    assert finder.find("bus", where=where_of({"team": "law"})).hits == ()


def test_a_follow_up_gets_its_subject_from_the_conversation(finder):
    earlier = [Turn("user", "What does an hour of tennis cost?"), Turn("assistant", "Seven.")]
    assert first(finder.find("And when does it close?", [Turn("user", "the pool?")])) == "pool"
    assert first(finder.find("And is there a racket for it?", earlier)) == "court"


def test_a_misspelled_word_finds_the_word_that_was_meant(finder):
    assert first(finder.find("tennsi")) == "court"


def test_a_passage_without_vectors_yet_is_found_by_its_words(tmp_path):
    source = in_a_store(tmp_path / "store")
    store = KnowledgeStore(tmp_path / "store")
    section = Section("Rules", "The sauna opens at noon on every day.")
    store.put(NewDocument("sauna", "sauna", "sauna", [section], {}), by="t")
    findings = Finder(source, WordEncoder()).find("When does the sauna open?")
    assert first(findings) == "sauna"
    assert len(findings.hits[0].passage.vector)


def test_a_question_about_other_things_has_less_confidence(finder):
    own = finder.find("How many books may I borrow?").confidence
    assert finder.find("Who painted the ceiling of the chapel?").confidence < own


def test_what_is_cut_keeps_the_telling_sentence_the_number_and_the_budget(finder):
    findings = finder.find("How many books may I borrow?")
    all_of_them = extracts(findings, "en", tokens=600)
    assert [each.text for each in all_of_them] == [hit.passage.text for hit in findings.hits]
    cut = extracts(findings, "en", tokens=600, share=0.4)
    assert cut[0].number == 1
    assert "You may borrow six books for three weeks." in cut[0].text
    whole = sum(tokens_in(hit.passage.text) for hit in findings.hits)
    assert sum(tokens_in(extract.text) for extract in cut) <= 0.45 * whole
    tiny = extracts(findings, "en", tokens=1)
    assert [(each.number, "six books" in each.text) for each in tiny] == [(1, True)]


@pytest.mark.parametrize(
    ("earlier", "question", "subject"),
    [
        ("What happens to a validator?", "And for two blocks?", "What happens to a validator?"),
        ("¿Cuándo abre la piscina?", "¿y en invierno?", "¿Cuándo abre la piscina?"),
        ("What is a false nine?", "How large is the goal in metres?", ""),
        ("¿Cuánto cuesta el abono?", "¿Dónde se recoge la tarjeta nueva del niño?", ""),
    ],
)
def test_only_a_follow_up_is_made_whole(earlier, question, subject):
    assert rewritten(question, [Turn("user", earlier)], "en").subject == subject


@pytest.mark.parametrize(
    ("subject", "own", "whole"),
    [
        ("¿Cuándo se paga el IBI?", "¿y el del coche?", "Cuándo se paga el del coche"),
        ("What stands behind USDC?", "And DAI?", "What stands behind DAI"),
        ("How many go down?", "Who scored the winning goal in the last final?", ""),
    ],
)
def test_a_short_follow_up_replaces_what_it_contrasts_with(subject, own, whole):
    assert replaced(subject, own) == whole


def test_words_that_sound_alike_are_one_slip_apart():
    assert respelled("livr", "es", lambda _: ["libr"]) == ()  # too short to be sure
    assert respelled("lisenci", "es", lambda _: ["licenci", "listado"]) == ("licenci",)


QUESTIONS = b"""
{"question": "How many books may I borrow?", "document": "books", "contains": "six books"}
{"question": "And films?", "document": "books", "contains": "Films go back",
 "conversation": [{"role": "user", "content": "How many books may I borrow?"}]}
{"question": "Who painted the chapel?", "answerable": false}
""".replace(b",\n ", b", ")


def test_an_evaluation_scores_each_way_on_the_same_questions():
    finder = Finder(in_memory(), WordEncoder())
    rows = {
        row.way: row for row in scores(finder, questions_of(QUESTIONS), enough=0.0, perhaps=0.0)
    }
    assert list(rows) == [*WAYS, "+ compress"]
    assert rows["+ expansion"].ndcg == rows["+ expansion"].answered == 1.0
    assert rows["+ expansion"].misled == pytest.approx(1 / 3)  # nothing is refused at 0.0
    assert rows["+ compress"].tokens < 0.5 * rows["+ expansion"].tokens
    unsure = scores_at_one(finder)["+ expansion"]
    assert (unsure.answered, unsure.given, unsure.misled) == (0.0, 1.0, 0.0)
    assert unsure.strayed == pytest.approx(1 / 3)


def scores_at_one(finder):
    return {
        row.way: row for row in scores(finder, questions_of(QUESTIONS), enough=1.0, perhaps=0.0)
    }


@pytest.mark.parametrize(
    ("raw", "problem"),
    [
        (b"no JSON", "line 1 is no question: write"),
        (b'{"question": "x", "document": "a.md"}', "line 1 is no question"),
        (b'\n{"question": "x", "where": {"after": "soon"}}', "line 2: where.after is 'soon'"),
        (b'{"question": "x"}', "no line has a `document`"),
    ],
)
def test_questions_that_cannot_be_read_are_refused_by_line(raw, problem):
    with pytest.raises(UnclearQuestions, match=problem):
        questions_of(raw)


def test_ranking_again_is_one_row_and_its_failure_is_no_figure(finder):
    questions, model = questions_of(QUESTIONS), Reranker(lambda: lambda _, texts: range(len(texts)))
    rows = {
        row.way: row for row in scores(finder, questions, enough=0.0, perhaps=0.0, reranker=model)
    }
    assert rows["+ rerank"].ndcg < rows["+ expansion"].ndcg  # it turns the order round
    with pytest.raises(CannotRerank, match="holds no model"):
        list(scores(finder, questions, enough=0.0, perhaps=0.0, reranker=reranker_in("/nowhere")))


def test_a_store_is_evaluated_from_the_command_line(tmp_path, encoders):
    (tmp_path / "questions.jsonl").write_bytes(QUESTIONS)
    config = tmp_path / "waggle.yaml"
    config.write_text(
        f"server: {{encoders: {encoders}}}\nbackends: {{g: {{kind: generator}}}}\n"
        "plans: {ask: {ask: g}}\nknowledge: {rules: {}}\n"
    )
    in_a_store(tmp_path / "knowledge" / "stores" / "rules")
    options = [str(tmp_path / "questions.jsonl"), "--data", str(tmp_path), "--config", str(config)]
    command = ["knowledge", "evaluate"]
    done = CliRunner().invoke(app, [*command, "rules", *options, "--json"])
    assert done.exit_code == 0, done.output
    rows = json.loads(done.output)
    assert {row["encoder"] for row in rows} == {"packaged"}
    assert rows[-1]["recall"] == 1.0
    shown = CliRunner().invoke(app, [*command, "rules", *options], env={"COLUMNS": "80"}).output
    assert "encoder: packaged" in shown
    assert "vectors only" in shown
    assert "…" not in shown  # all of it fits
    refused = CliRunner().invoke(app, [*command, "other", *options])
    assert refused.exit_code != 0
    assert "there is no store" in " ".join(refused.output.split())


def test_a_spanish_store_is_evaluated_with_the_encoder_that_it_has(tmp_path):
    text = "La piscina abre a las siete de la mañana. Los niños no pagan."
    store = KnowledgeStore(tmp_path / "knowledge" / "stores" / "pueblo")
    store.put(NewDocument("a", "a", "a", [Section("Piscina", text)], {}), by="t")
    store.close()
    line = '{"question": "When does the pool open?", "document": "a", "contains": "a las siete"}'
    (tmp_path / "q.jsonl").write_text(line)
    config = tmp_path / "waggle.yaml"
    config.write_text(
        "backends: {g: {kind: generator}}\nplans: {ask: {ask: g}}\nknowledge: {pueblo: {}}\n"
    )
    options = [str(tmp_path / "q.jsonl"), "--data", str(tmp_path), "--config", str(config)]
    shown = CliRunner().invoke(app, ["knowledge", "evaluate", "pueblo", *options]).output
    assert "encoder: multilingual" in shown


def test_a_name_of_an_encoder_is_no_folder(tmp_path):
    (tmp_path / "waggle.yaml").write_text(
        "backends: {desk: {kind: knowledge, stores: [town]}}\nplans: {ask-desk: {ask: desk}}\n"
        "knowledge: {town: {encoder: multilingual}, other: {encoder: ./model}}\n"
    )
    config = at_home(load_config(tmp_path / "waggle.yaml"))
    assert config.knowledge["town"].encoder == config.backends["desk"].encoder == "multilingual"
    assert config.knowledge["other"].encoder.startswith("/")
