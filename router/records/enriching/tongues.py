"""The language and the nationality that go with the place of a record."""

from router.records.catalogue.tables import values
from router.records.enriching.facts import Facts
from router.records.enriching.places import place_of
from router.records.planned_field import PlannedField


def language_here(facts: Facts, field: PlannedField, _: int) -> str:
    """The language of the record's place, where the record has a place."""
    here = _LANGUAGES.get(place_of(facts).language) if _has_place(facts) else None
    if here is None:
        return facts.random.choice(values("language", field.language))
    return here[field.language == "es"]


def nationality_here(facts: Facts, field: PlannedField, _: int) -> str:
    here = _NATIONALITIES.get(place_of(facts).country_code) if _has_place(facts) else None
    if here is None:
        return facts.random.choice(values("nationality", field.language))
    return here[field.language == "es"]


def _has_place(facts: Facts) -> bool:
    return bool(_PLACED & {*facts.values, *facts.nodes})


_PLACED = frozenset(("country", "country_code", "city", "locale", "timezone", "region"))
_LANGUAGES = {
    "en": ("English", "inglés"), "es": ("Spanish", "español"), "fr": ("French", "francés"),
    "de": ("German", "alemán"), "it": ("Italian", "italiano"), "pt": ("Portuguese", "portugués"),
    "nl": ("Dutch", "neerlandés"), "pl": ("Polish", "polaco"), "sv": ("Swedish", "sueco"),
    "el": ("Greek", "griego"), "tr": ("Turkish", "turco"), "ar": ("Arabic", "árabe"),
    "hi": ("Hindi", "hindi"), "ja": ("Japanese", "japonés"), "ko": ("Korean", "coreano"),
    "zh": ("Mandarin Chinese", "chino mandarín"), "da": ("Danish", "danés"),
    "no": ("Norwegian", "noruego"), "nb": ("Norwegian", "noruego"), "fi": ("Finnish", "finés"),
    "uk": ("Ukrainian", "ucraniano"), "cs": ("Czech", "checo"), "hu": ("Hungarian", "húngaro"),
    "ro": ("Romanian", "rumano"), "th": ("Thai", "tailandés"), "vi": ("Vietnamese", "vietnamita"),
    "id": ("Indonesian", "indonesio"), "he": ("Hebrew", "hebreo"), "sw": ("Swahili", "suajili"),
}  # fmt: skip
_NATIONALITIES = {
    "US": ("American", "estadounidense"), "GB": ("British", "británica"),
    "IE": ("Irish", "irlandesa"), "CA": ("Canadian", "canadiense"),
    "AU": ("Australian", "australiana"), "NZ": ("New Zealander", "neozelandesa"),
    "ES": ("Spanish", "española"), "MX": ("Mexican", "mexicana"),
    "AR": ("Argentinian", "argentina"), "CL": ("Chilean", "chilena"),
    "CO": ("Colombian", "colombiana"), "PE": ("Peruvian", "peruana"),
    "EC": ("Ecuadorian", "ecuatoriana"), "BR": ("Brazilian", "brasileña"),
    "PT": ("Portuguese", "portuguesa"), "FR": ("French", "francesa"), "DE": ("German", "alemana"),
    "IT": ("Italian", "italiana"), "NL": ("Dutch", "neerlandesa"), "BE": ("Belgian", "belga"),
    "CH": ("Swiss", "suiza"), "AT": ("Austrian", "austriaca"), "SE": ("Swedish", "sueca"),
    "NO": ("Norwegian", "noruega"), "DK": ("Danish", "danesa"), "FI": ("Finnish", "finlandesa"),
    "PL": ("Polish", "polaca"), "GR": ("Greek", "griega"), "TR": ("Turkish", "turca"),
    "UA": ("Ukrainian", "ucraniana"), "EG": ("Egyptian", "egipcia"), "KE": ("Kenyan", "keniana"),
    "NG": ("Nigerian", "nigeriana"), "ZA": ("South African", "sudafricana"),
    "IN": ("Indian", "india"), "JP": ("Japanese", "japonesa"), "CN": ("Chinese", "china"),
    "KR": ("South Korean", "surcoreana"), "MA": ("Moroccan", "marroquí"),
}  # fmt: skip
