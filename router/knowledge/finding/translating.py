"""Spanish and English by Apertium, a rule-based translator that installs as a Debian package.

One pipeline for each direction stays open, in processes of its own. Its English is rough, and
serves the sentence encoder, not a reader. Not covered: other languages.
"""

import contextlib
import os
import re
import select
import shutil
import signal
import subprocess
import time
from collections.abc import Sequence
from functools import lru_cache
from pathlib import Path
from threading import Lock
from typing import TYPE_CHECKING, Protocol

from router.config.knowledge import MULTILINGUAL
from router.documents.languages import ENGLISH, SPANISH, language_of
from router.encoding.encoder import CannotEncode
from router.encoding.encodes import Encodes
from router.encoding.home import encoder_of

if TYPE_CHECKING:
    from router.encoding.encodes import Vectors

_FIRST_PROGRAM = "lt-proc"
_MODES = "share/apertium/modes"  # beside the folder of the programs
_DIRECTIONS = {(SPANISH, ENGLISH): "spa-eng", (ENGLISH, SPANISH): "eng-spa"}
_MOST_CHARACTERS = 8_000  # of one text
_MOST_SECONDS = 20.0  # for one text
_END = b"\0"
# Characters with a meaning in Apertium's stream, and what no text needs.
_STREAM_MARKS = re.compile(r"[\x00-\x1f\[\]{}^$/\\<>@*#]+")


class NoTranslator(CannotEncode):
    """The translator is missing or broke; the message names the mend."""


# Spanish is often typed without accents, and Apertium reads it by its accents.
_UNACCENTED = {
    word.translate(str.maketrans("áéíóúñ", "aeioun")): word
    for word in [
        "sábado",
        "sábados",
        "miércoles",
        "día",
        "días",
        "límite",
        "límites",
        "número",
        "números",
        "teléfono",
        "película",
        "películas",
        "música",
        "médico",
        "médica",
        "público",
        "pública",
        "vehículo",
        "vehículos",
        "matrícula",
        "autobús",
        "bibliobús",
        "carné",
        "niño",
        "niños",
        "niña",
        "niñas",
        "año",
        "años",
        "baño",
        "baños",
        "mañana",
        "pequeño",
        "español",
        "está",
        "están",
        "también",
        "además",
        "después",
        "así",
        "aquí",
        "allí",
        "más",
        "según",
        "código",
        "página",
        "préstamo",
        "avería",
        "averías",
        "categoría",
        "energía",
        "policía",
        "fotografía",
        "máximo",
        "mínimo",
        "último",
        "última",
        "próximo",
        "próxima",
        "jardín",
        "padrón",
        "buzón",
        "peatón",
        "sofá",
        "menú",
        "wifi",
        "crédito",
        "débito",
        "época",
        "árbol",
        "árboles",
        "dónde",
        "cómo",
        "qué",
        "cuándo",
        "cuánto",
        "cuánta",
        "cuántos",
        "cuántas",
        "quién",
        "quiénes",
        "cuál",
        "cuáles",
    ]
}
_ASKS = frozenset(
    [
        "donde",
        "como",
        "que",
        "cuando",
        "cuanto",
        "cuanta",
        "cuantos",
        "cuantas",
        "quien",
        "quienes",
        "cual",
        "cuales",
    ]
)
_ENDING = re.compile(r"(?<=\w\w)[cs]ion$")
_BEFORE_QUESTION = frozenset(["a", "de", "en", "por", "con", "para", "desde", "hasta", "y", "pero"])


def accented(text: str) -> str:
    """A Spanish text that was typed without accents, with the accents that are beyond doubt.

    A question word has its accent only where a question begins.
    """
    words, beginning = [], True
    for token in text.split():
        bare = token.strip("¿?¡!.,;:()").lower()
        if (bare in _UNACCENTED and (bare not in _ASKS or beginning)) or _ENDING.search(bare):
            restored = _UNACCENTED.get(bare) or f"{bare[:-2]}ón"
            token = token.lower().replace(bare, restored)
        beginning = bare in _BEFORE_QUESTION if beginning else token.endswith((",", ".", "?", ";"))
        words.append(token)
    return " ".join(words)


class Translates(Protocol):
    def translated(self, text: str, spoken: str, wanted: str) -> str:
        """The text, from one language in another."""
        ...


class Apertium:
    """Translates one text after the other; a pipeline that broke is opened again once."""

    def __init__(self) -> None:
        program = shutil.which(_FIRST_PROGRAM)
        modes = Path(program).resolve().parents[1] / _MODES if program else Path(_MODES)
        self._modes = {name: modes / f"{name}.mode" for name in _DIRECTIONS.values()}
        if program is None or not all(mode.is_file() for mode in self._modes.values()):
            raise NoTranslator(
                "the encoder `multilingual` needs the translator Apertium, which is not installed: "
                "run `apt install apertium-eng-spa`, or set `encoder` to the folder of a "
                "multilingual sentence-transformers model"
            )
        self._lock = Lock()
        self._pipelines: dict[str, subprocess.Popen[bytes]] = {}

    def translated(self, text: str, spoken: str, wanted: str) -> str:
        plain = " ".join(_STREAM_MARKS.sub(" ", text[:_MOST_CHARACTERS]).split())
        if spoken == SPANISH and plain.isascii():
            plain = accented(plain)
        if not plain or spoken == wanted:
            return plain
        direction = _DIRECTIONS[spoken, wanted]
        with self._lock:
            for attempt in (1, 2):
                try:
                    return self._through(direction, plain)
                except (OSError, TimeoutError) as error:
                    self._end(direction)
                    if attempt == 2:
                        raise NoTranslator(
                            f"Apertium cannot translate {direction}: {error}; see what "
                            f"`echo hola | apertium {direction}` says"
                        ) from None
        raise AssertionError("unreachable")

    def close(self) -> None:
        with self._lock:
            for direction in list(self._pipelines):
                self._end(direction)

    def _through(self, direction: str, plain: str) -> str:
        pipeline = self._pipelines.get(direction)
        if pipeline is None:
            pipeline = self._pipelines[direction] = _opened(self._modes[direction])
        assert pipeline.stdin is not None
        assert pipeline.stdout is not None
        ended = plain if plain[-1] in ".!?" else f"{plain}."  # else its last word waits for more
        pipeline.stdin.write(f"{ended}[][\n]".encode() + _END)
        pipeline.stdin.flush()
        raw, deadline = b"", time.monotonic() + _MOST_SECONDS
        while not raw.endswith(_END):
            left = deadline - time.monotonic()
            if left <= 0 or not select.select([pipeline.stdout], [], [], left)[0]:
                raise TimeoutError(f"no answer in {_MOST_SECONDS:g} s")
            piece = os.read(pipeline.stdout.fileno(), 65_536)
            if not piece:
                raise OSError("the pipeline ended")
            raw += piece
        answer = " ".join(
            raw[: -len(_END)].decode("utf-8", "replace").replace("[][\n]", "").split()
        )
        return answer if ended == plain else answer.removesuffix(".")

    def _end(self, direction: str) -> None:
        pipeline = self._pipelines.pop(direction, None)
        if pipeline is None:
            return
        with contextlib.suppress(ProcessLookupError):
            os.killpg(pipeline.pid, signal.SIGTERM)
        for pipe in (pipeline.stdin, pipeline.stdout):
            if pipe is not None:
                with contextlib.suppress(OSError):
                    pipe.close()
        pipeline.wait()


def _opened(mode: Path) -> subprocess.Popen[bytes]:
    """The programs of a direction as one pipeline, which answers each text at once (`-z`)."""
    stages = mode.read_text("utf-8").replace("$1", "-n").replace("$2", "").strip().split("|")
    command = " | ".join(re.sub(r"^(\S+)", r"\1 -z", stage.strip()) for stage in stages)
    return subprocess.Popen(
        ["/usr/bin/env", "LC_ALL=C.UTF-8", "/bin/sh", "-c", command],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )


class TranslatingEncoder:
    """An English sentence encoder that reads Spanish by way of a translator.

    Its vectors do not mix with the vectors of the encoder alone, so it has a name of its own.
    """

    def __init__(self, encoder: Encodes, translator: Translates) -> None:
        self._encoder, self.translator = encoder, translator
        self.name = f"{encoder.name}-spanish"
        self.dimensions = encoder.dimensions

    def encode(self, texts: Sequence[str]) -> "Vectors":
        return self._encoder.encode([self._english(text) for text in texts])

    def _english(self, text: str) -> str:
        if language_of(text) != SPANISH:
            return text
        return self.translator.translated(text, SPANISH, ENGLISH)


@lru_cache(maxsize=4)
def encoder_named(name: str | None, home: str | None) -> Encodes:
    """The encoder of a store: `multilingual`, a model's folder, or the packaged one."""
    if name == MULTILINGUAL:
        return TranslatingEncoder(encoder_of(None, home), Apertium())
    return encoder_of(name, home)
