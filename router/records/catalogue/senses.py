"""What a name means among other names: the `title` of an employee is a job. Pure."""

from collections.abc import Collection, Mapping, Sequence

from router.records.catalogue.naming import named, words_of

# The concepts that speak for each kind of thing.
_SPEAK_FOR: Mapping[str, frozenset[str]] = {
    "person": frozenset(
        {
            *("first_name", "last_name", "birth_date", "age", "gender", "department", "salary"),
            *("hired", "job", "marital_status", "nationality", "national_id", "birth_year"),
        }
    ),
    "product": frozenset(
        {"sku", "stock", "brand", "category", "color", "size", "ean", "msrp", "material"}
        | {"availability", "price"}
    ),
    "order": frozenset(
        {"order_id", "quantity", "payment_method", "shipped", "delivered", "total", "carrier"}
        | {"ordered", "order_status", "tracking", "shipping_cost", "shipping_method", "coupon"}
    ),
    "ticket": frozenset(
        {"ticket_id", "priority", "ticket_body", "ticket_title", "resolution", "channel"}
        | {"ticket_status", "ticket_category"}
    ),
    "company": frozenset({"employees", "industry", "revenue", "founded", "company_tax_id"}),
    "book": frozenset({"isbn", "pages", "publisher", "book"}),
    "film": frozenset({"film", "genre"}),
    "car": frozenset({"license_plate", "mileage", "fuel", "car_make", "vin"}),
    "payment": frozenset({"payment_method", "payment_status", "invoice_number", "card_brand"}),
    "event": frozenset({"venue", "event"}),
    "animal": frozenset({"species", "breed", "pet_name"}),
    "property": frozenset({"rooms", "area", "property_type", "rent", "mortgage"}),
    "flight": frozenset({"flight", "airport", "airline", "gate", "seat"}),
    "dish": frozenset({"ingredient", "servings", "dish", "cuisine"}),
    "course": frozenset({"course", "school_year", "grade"}),
    "project": frozenset({"milestone", "project"}),
}  # fmt: skip
_NOUNS: Mapping[str, str] = {
    **dict.fromkeys(
        "person people customer customers user users employee employees client clients patient "
        "patients student students member members persona personas cliente clientes usuario "
        "usuarios empleado empleados paciente pacientes alumno alumnos contact contacts contacto "
        "contactos worker staff socio socios".split(),
        "person",
    ),
    **dict.fromkeys(
        "product products item items article producto productos articulo articulos catalog "
        "catalogue inventory inventario lines line".split(),
        "product",
    ),
    **dict.fromkeys("order orders purchase purchases pedido pedidos compra".split(), "order"),
    **dict.fromkeys(
        "ticket tickets incident incidents issue issues incidencia incidencias bug bugs".split(),
        "ticket",
    ),
    **dict.fromkeys(
        "company companies supplier suppliers vendor vendors empresa empresas proveedor "
        "proveedores organization organizations".split(),
        "company",
    ),
    **dict.fromkeys("book books libro libros".split(), "book"),
    **dict.fromkeys("movie movies film films pelicula peliculas".split(), "film"),
    **dict.fromkeys("car cars vehicle vehicles coche coches vehiculo vehiculos".split(), "car"),
    **dict.fromkeys("payment payments invoice invoices pago factura facturas".split(), "payment"),
    **dict.fromkeys("event events concert evento eventos".split(), "event"),
    **dict.fromkeys("pet pets dog dogs cat cats animal animals mascota mascotas".split(), "animal"),
    **dict.fromkeys("course courses curso cursos".split(), "course"),
    **dict.fromkeys("project projects proyecto proyectos".split(), "project"),
}  # fmt: skip
# What a concept that many things have is in each of them.
_MEANS: Mapping[str, Mapping[str, str]] = {
    "headline": {
        "person": "job", "ticket": "ticket_title", "book": "book", "film": "film",
        "product": "product", "event": "event", "project": "project",
    },
    "name": {
        "product": "product", "company": "company", "event": "event", "animal": "pet_name",
        "film": "film", "book": "book", "course": "course", "project": "project",
    },
    "first_name": {
        "product": "product", "company": "company", "event": "event", "animal": "pet_name",
        "film": "film", "book": "book", "course": "course", "project": "project",
    },
    "status": {"order": "order_status", "ticket": "ticket_status", "payment": "payment_status"},
    "region": {"order": "order_status", "ticket": "ticket_status", "payment": "payment_status"},
    "description": {"ticket": "ticket_body"},
    "category": {"ticket": "ticket_category"},
    "ticket_body": {"product": "description"},
    "medication": {"dish": "dish"},
    "weight": {"person": "body_weight"},
}  # fmt: skip
_PLACES = frozenset({"city", "country", "postcode", "address", "street"})


def entity_of(fields: Sequence[str], words: str) -> str:
    """The kind of thing that an object with these concepts is; empty if they do not say."""
    votes = {name: float(len(own & set(fields))) for name, own in _SPEAK_FOR.items()}
    for word in words_of(words):
        if word in _NOUNS:
            votes[_NOUNS[word]] += 1.5
    best = max(votes, key=lambda name: votes[name])
    return best if votes[best] >= 1 else ""


def in_entity(concept: str, entity: str, key: str, keys: Collection[str]) -> str:
    """The concept of a field in a thing of this kind."""
    words = words_of(key)
    if concept == "region" and "state" in words and _has_place(keys):
        return concept
    if concept == "first_name" and words == ["nombre"] and not _has_surname(keys):
        return _MEANS["first_name"].get(entity, "name")
    if concept == "weight" and _has_height(keys):
        return "body_weight"
    if concept in ("name", "first_name") and words not in (["name"], ["nombre"], ["nombres"]):
        return concept
    if concept == "region" and words != ["state"]:
        return concept
    if entity == "flight" and {"departure", "salida"} & set(words) and concept == "end":
        return "start"
    if (
        entity == "flight"
        and {"arrival", "llegada"} & set(words)
        and concept in ("start", "delivered")
    ):
        return "end"
    if concept == "region" and not entity:
        return "region"
    return _MEANS.get(concept, {}).get(entity, concept)


def _has_place(keys: Collection[str]) -> bool:
    return any(named(key).concept in _PLACES for key in keys)


def _has_surname(keys: Collection[str]) -> bool:
    return any(named(key).concept == "last_name" for key in keys)


def _has_height(keys: Collection[str]) -> bool:
    return any(named(key).concept == "height" for key in keys)
