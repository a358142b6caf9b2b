"""Animals and their breeds, so that a cat is no Beagle."""

from router.records.catalogue.tables import plain, values
from router.records.enriching.facts import Facts
from router.records.planned_field import PlannedField

_BREEDS = {
    ("dog", "en"): ("Labrador Retriever", "Beagle", "German Shepherd", "Border Collie", "Poodle"),
    ("dog", "es"): ("labrador", "beagle", "pastor alemán", "border collie", "caniche", "galgo"),
    ("cat", "en"): ("Siamese", "Maine Coon", "British Shorthair", "Persian", "Ragdoll"),
    ("cat", "es"): ("siamés", "persa", "maine coon", "europeo común", "británico de pelo corto"),
}
_DOGS_AND_CATS = {"dog": "dog", "perro": "dog", "perra": "dog", "cat": "cat", "gato": "cat"}


def species(facts: Facts, field: PlannedField, _: int) -> str:
    """A dog or a cat where the record has a breed."""
    given = plain(str(facts.values.get("breed") or ""))
    kinds = {kind for (kind, _), names in _BREEDS.items() if given in map(plain, names)}
    if "breed" not in facts.nodes and not kinds:
        return facts.random.choice(values("species", field.language))
    kind = facts.random.choice(sorted(kinds or {"cat", "dog"}))
    return kind if field.language != "es" else {"dog": "perro", "cat": "gato"}[kind]


def breed(facts: Facts, field: PlannedField, _: int) -> str:
    kind = _DOGS_AND_CATS.get(plain(str(facts.values.get("species") or "dog")), "")
    if not kind:
        return facts.random.choice(values("breed", field.language))
    return facts.random.choice(_BREEDS[kind, field.language])
