"""Finds phone numbers of many countries in a text.

Three rules say what a phone number is: a country code after `+` or `00`; a form that little else
has, such as `(415) 555-0199` or `0171 2345678`; or a word such as "tel" or "电话" shortly before
the digits. Dates, versions, decimals, addresses of networks and order numbers have other forms.
"""

import re
from collections.abc import Iterator

# Country codes of one, two and three digits; those of two and three digits by their first digits.
_CODE = (
    r"(?:1|7|2(?:0|7|[1-689][0-9])|3(?:[0-469]|[578][0-9])|4(?:[013-9]|2[0-9])|5(?:[1-8]|[09][0-9])"
    r"|6(?:[0-6]|[789][0-9])|8(?:[1246]|[0578][0-9])|9(?:[0-58]|[679][0-9]))"
)
_GAP = r"(?:[ ./-]|[ -]?\([0-9]{1,5}\)[ -]?)"
_START = r"(?<![A-Za-z0-9_#$€£¥.,])(?<![0-9][:/-])"
_STOP = r"(?![A-Za-z0-9_])(?![.,:][0-9])(?!-[0-9])"

_INTERNATIONAL = re.compile(
    rf"(?<![A-Za-z0-9_])(?:\+\(?|(?<![0-9][ ./-])00[ -]?){_CODE}\)?(?:{_GAP}{{0,2}}[0-9]){{5,13}}(?![0-9A-Za-z_])"
)
_NATIONAL = (
    # 0171 2345678, 06-12345678, 0470 12 34 56, 090-1234-5678, (030) 123456, 01 42 68 53 00
    rf"{_START}0[1-9][0-9]{{0,4}}[/-][0-9]{{5,9}}{_STOP}",
    rf"{_START}\(0[1-9][0-9]{{0,4}}\) ?[0-9]{{3,9}}(?:[ -][0-9]{{2,6}}){{0,3}}{_STOP}",
    rf"{_START}0[1-9][0-9]{{0,4}} [0-9]{{2,9}}(?:[ -][0-9]{{2,6}}){{0,4}}(?! [0-9]{{2,4}} [0-9]){_STOP}",
    rf"{_START}0[1-9][0-9]{{0,3}}(?:-[0-9]{{3,4}}){{2}}{_STOP}",
    # 030 - 1234567, 070-123 45 67, 0(532) 123 45 67
    rf"{_START}0[1-9][0-9]{{1,3}} ?[/-] ?[0-9]{{3,9}}(?:[ -][0-9]{{2,4}}){{0,3}}{_STOP}",
    rf"{_START}0 ?\([1-9][0-9]{{1,4}}\) ?[0-9]{{3}}(?:[ -]?[0-9]{{2,4}}){{1,3}}{_STOP}",
    rf"{_START}0[1-9](?:[.-][0-9]{{2}}){{4}}{_STOP}",
    rf"{_START}0[1-9][0-9]{{2}}[. -][0-9]{{3}}[. -][0-9]{{3,4}}{_STOP}",
    rf"{_START}0[1-9][0-9]{{8,9}}{_STOP}",
    # (415) 555-0199, 415-555-0199, 415.555.0199, 1-800-555-0155
    rf"{_START}(?:1[ .-]?)?\([2-9][0-9]{{2}}\) ?[2-9][0-9]{{2}}[ .-][0-9]{{4}}{_STOP}",
    rf"{_START}(?:1[.-])?[2-9][0-9]{{2}}(?P<us>[.-])[2-9][0-9]{{2}}(?P=us)[0-9]{{4}}{_STOP}",
    rf"{_START}[2-9][0-9]{{2}} [2-9][0-9]{{2}}[ -][0-9]{{4}}{_STOP}(?! [0-9])",
    # (11) 98765-4321 in Brazil, 8 (912) 345-67-89 in Russia, 138 0013 8000 in China
    rf"{_START}\([1-9][0-9]\) ?9?[0-9]{{4}}[ -][0-9]{{4}}{_STOP}",
    rf"{_START}8[ -]?\(?[3489][0-9]{{2}}\)?[ -][0-9]{{3}}[ -][0-9]{{2}}[ -][0-9]{{2}}{_STOP}",
    rf"{_START}1[3-9][0-9](?P<cn>[ -])[0-9]{{4}}(?P=cn)[0-9]{{4}}{_STOP}",
)
_FORMS = tuple(re.compile(form) for form in _NATIONAL)
_DATE = re.compile(r"[0-3]?[0-9]([./ -])[01]?[0-9]\1(?:19|20)[0-9]{2}(?![0-9])|[0-9]{4}-[01][0-9]-")

_WORDS = (
    r"(?<![a-z])(?:tel|tlf|phone|mobile|mob|cell|cellphone|call(?!\()|fax|whatsapp|sms|gsm|dial|ring"
    r"|hotline|landline|handy|ruf|rufen|anrufen|rückruf|telefono|teléfono|móvil|movil|celular"
    r"|llama|llamar|llámame|cellulare|chiamare|chiamami|telefone|telemóvel|ligue|portable"
    r"|téléphone|telephone|appeler|appelez|tél|telefon[a-z]{0,4}|numer|puh|puhelin|mobil[a-z]{0,4}"
    r"|hattım|numaram|sđt|điện thoại|telepon|τηλ|τηλέφωνο|тел|телефон[а-я]{0,3}"
    r"|звоните|позвоните|моб|мой номер|(?:my|our|his|her) (?:cell |work |home )?number|meine nummer"
    r"|mon numéro|mi número|mio numero|meu número|mijn nummer|mój numer)(?![a-zа-я])"
    r"|电话|手机|我的号码|電話|携帯|拨打|手機|联系方式|전화|번호|연락처|휴대폰|핸드폰|هاتف|جوال|اتصل|رقمي|فون|फ़ोन|फोन|मोबाइल|โทร|טלפון|נייד"
)
_AFTER_A_WORD = re.compile(rf"(?:{_WORDS})[^0-9\n+]{{0,20}}$", re.IGNORECASE)
_BEFORE_A_WORD = re.compile(
    r"[ ,]{0,2}\(?(?:whatsapp|mobile|mobil|cellulare|cell|tel)\b", re.IGNORECASE
)
_BARE = re.compile(r"\(?[0-9](?:[ ./()-]{0,2}[0-9]){6,14}(?![A-Za-z0-9_%])")
_GLUED = re.compile(r"[A-Za-z0-9_#$€£]$")
# Digits with what may stand between them. Only there the other patterns look.
_DIGITS = re.compile(r"[+(0-9][0-9 ./()+-]{5,40}")
_LONGEST_WORD = 48  # characters before the digits in which a word may stand
_BEYOND = 10  # characters after the digits that a pattern may look at


def phones_in(text: str) -> Iterator[tuple[int, int]]:
    for place in _DIGITS.finditer(text):
        start, end = place.span()
        beyond = min(end + _BEYOND, len(text))
        for match in _INTERNATIONAL.finditer(text, start, beyond):
            if _is_international(match.group()):
                yield match.span()
        for form in _FORMS:
            for match in form.finditer(text, start, beyond):
                digits = sum(map(str.isdigit, match.group()))
                if 9 <= digits <= 12 and not _DATE.match(match.group()):
                    yield match.span()
        bare = _BARE.match(text, start)
        before = text[max(start - _LONGEST_WORD, 0) : start]
        if bare is None or _DATE.match(bare.group()) or _GLUED.search(before):
            continue
        after = text[bare.end() : bare.end() + _LONGEST_WORD]
        if _AFTER_A_WORD.search(before) or _BEFORE_A_WORD.match(after):
            yield bare.span()


def _is_international(written: str) -> bool:
    """Whether there are as many digits as a number with a country code has."""
    digits = "".join(filter(str.isdigit, written)).removeprefix("00")
    if digits[0] in "17":  # North America, and Russia with Kazakhstan
        return len(digits) == 11
    return 8 <= len(digits) <= 15
