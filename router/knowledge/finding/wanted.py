"""What kind of thing a question wants to know, and whether a text holds one. Pure.

"How much" wants a number, "when" a date or an hour: a passage without any is not the answer,
however near it is.
"""

import re
from functools import lru_cache

from router.documents.spanish import folded

_NUMBER_WORDS = (
    r"two|three|four|five|six|seven|eight|nine|ten|eleven|twelve|thirteen|fourteen|fifteen|sixteen|"
    r"seventeen|eighteen|nineteen|twenty|thirty|forty|fifty|sixty|seventy|eighty|ninety|hundred|"
    r"thousand|million|billion|half|once|twice|dozen|"
    r"dos|tres|cuatro|cinco|seis|siete|ocho|nueve|diez|once|doce|trece|catorce|quince|veinte|treinta|"
    r"cuarenta|cincuenta|sesenta|setenta|ochenta|noventa|cien|ciento|mil|mitad|medio|media|doble"
)
_MONTHS = (
    r"january|february|march|april|may|june|july|august|september|october|november|december|"
    r"enero|febrero|marzo|abril|mayo|junio|julio|agosto|septiembre|octubre|noviembre|diciembre"
)
_DAYS = (
    r"mondays?|tuesdays?|wednesdays?|thursdays?|fridays?|saturdays?|sundays?|weekends?|"
    r"lunes|martes|miercoles|jueves|viernes|sabados?|domingos?|festivos?|laborables"
)
NUMBER = re.compile(rf"\d|\b(?:{_NUMBER_WORDS}|one|una?|gratis|gratuit[oa]s?|free|nothing|nada)\b")
MONEY = re.compile(
    r"[€$£]|\b(?:euros?|dollars?|pounds?|cents?|centimos|ether|eth|gwei|wei|gas|million|free|gratis"
    r"|gratuit[oa]s?|exent[oa]s?|per cent|por ciento)\b|%"
)
MOMENT = re.compile(
    rf"\d{{1,2}}[:.]\d\d|\b(?:1[0-9]|20)\d\d\b|\b(?:{_MONTHS}|{_DAYS}|hours?|days?|weeks?|months?"
    r"|years?|minutes?|seconds?|epochs?|horas?|dias?|semanas?|mes|meses|anos?|minutos?|noon|midnight"
    r"|mediodia|medianoche|madrugada|tardes?|noches?|mananas?|daily|diari[oa]s?|antes|despues|before"
    r"|after|until|since|first|last|primer[oa]?|ultim[oa])\b"
)
AGE = re.compile(rf"\d|\b(?:{_NUMBER_WORDS}|ages?|aged|old|years?|edad|anos?|mayores|menores)\b")

_ASKS = (
    (AGE, re.compile(r"\b(?:how old|what age|which age|que edad|cuantos anos)\b")),
    (
        MONEY,
        re.compile(
            r"\b(?:price|prices|cost|costs|fee|fees|how much (?:does|do|is|are|must|will|would)"
            r" (?:\w+ ){1,6}(?:cost|pay|charge)|precios?|cuesta|cuestan|vale|valen|cobran|tarifas?"
            r"|cuanto (?:se )?(?:paga|pago|cuesta|vale|cobra))\b"
        ),
    ),
    (
        MOMENT,
        re.compile(
            r"^(?:\W*(?:and|y)\W+)?(?:when|cuando)\b"
            r"|\b(?:what|which) (?:time|day|date|year|month|hour)s?\b"
            r"|\bhow (?:long|soon|many (?:minutes|hours|days|weeks|months|years))\b"
            r"|\b(?:deadline|date)\b"
            r"|\b(?:que|cual) (?:hora|dia|fecha|mes|ano)s?\b|\b(?:horarios?|plazos?)\b"
            r"|\bcuant[oa]s? (?:tiempo|dias|horas|minutos|semanas|meses)\b|\bhasta cuando\b"
        ),
    ),
    (
        NUMBER,
        re.compile(
            r"\bhow (?:many|much|far|big|large|tall|fast|often)\b|\bcuant[oa]s?\b|\bwhat (?:share|"
            r"percentage|number)\b|\b(?:limite|maximo|minimo|minimum|maximum|dimensions|size)\b"
        ),
    ),
)


@lru_cache(maxsize=1024)
def wanted(question: str) -> re.Pattern[str] | None:
    """The pattern of what a question wants; None where anything may be the answer."""
    plain = folded(question)
    return next((pattern for pattern, asks in _ASKS if asks.search(plain)), None)


def holds(pattern: re.Pattern[str] | None, text: str) -> float:
    """1 if a text holds what is wanted, 0 if not, and between where nothing special is wanted."""
    if pattern is None:
        return 0.5
    return 1.0 if pattern.search(folded(text)) else 0.0
