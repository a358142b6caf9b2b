"""A record's status and its closing dates: what is closed has a day of closing."""

from collections.abc import Mapping, Sequence
from typing import Any

from router.records.catalogue.naming import words_of
from router.records.catalogue.tables import plain, values
from router.records.enriching.forms import shown_options
from router.records.nodes import Node, OneOf, ShapeLeaf
from router.records.planned_field import PlannedField
from router.records.planning import PlannedObject

STATES = frozenset({"status", "order_status", "ticket_status", "payment_status"})
# For each closing date, the states of a record that has it; the date that says most comes first.
_AFTER: Mapping[str, frozenset[str]] = {
    name: frozenset(words.split("; "))
    for name, words in {
        "cancelled": "cancelled; canceled; cancelado; cancelada; inactive; inactivo; baja; churned",
        "terminated": "terminated; inactive; inactivo; baja; former; left",
        "end": "closed; resolved; completed; complete; done; finished; returned; cerrado; cerrada; "
        "resuelto; resuelta; completado; completada; terminado; finalizado; finalizada; devuelto; "
        "archived; archivado; sold; vendido; vendida",
        "delivered": "delivered; entregado; entregada",
        "shipped": "shipped; enviado; enviada; out for delivery; en reparto; in transit",
        "paid": "paid; pagado; pagada; settled; cobrado",
    }.items()
}
_ENDS = frozenset(
    (
        *("closed", "close", "resolved", "completed", "completion", "finished", "returned"),
        *("resolution", "cierre", "cerrado", "cerrada", "resuelto", "resuelta", "resolucion"),
        *("finalizacion", "devolucion", "devuelto", "sold", "vendido", "completado", "terminado"),
    )
)


def closing(field: PlannedField) -> str:
    """The kind of closing date that a field is; empty for others, such as the end of a stay."""
    if field.concept == "end" and not _ENDS & set(words_of(field.key)):
        return ""
    return field.concept if field.concept in _AFTER else ""


def states_of(
    field: PlannedField, node: Node, planned: PlannedObject, record: Mapping[str, Any]
) -> Sequence[Any]:
    """The states that go with the record's closing dates; empty if all states do."""
    kinds = {
        closing(planned.fields[key]) for key in record if key in planned.fields and record[key]
    }
    kind = next((name for name in _AFTER if name in kinds), "")
    options = _options(field, node)
    if kind:
        return [option for option in options if plain(str(option)) in _AFTER[kind]]
    absent = {closing(f) for key, f in planned.fields.items() if key in record} - {"", *kinds}
    closed = {word for name in absent for word in _AFTER[name]}
    return [option for option in options if plain(str(option)) not in closed] if absent else []


def stays_open(
    field: PlannedField, planned: PlannedObject, record: Mapping[str, Any]
) -> bool | None:
    """Whether a closing date is empty by the record's status; None where no status says it."""
    kind = closing(field)
    state = next(
        (
            record[key]
            for key, f in planned.fields.items()
            if f.concept in STATES and record.get(key)
        ),
        None,
    )
    if not kind or not isinstance(state, str):
        return None
    return plain(state) not in _AFTER[kind]


def may_be_null(node: Node) -> bool:
    return isinstance(node, OneOf) and any(
        isinstance(inner, ShapeLeaf) and inner.kind == "null" for inner in node.nodes
    )


def _options(field: PlannedField, node: Node) -> Sequence[Any]:
    if isinstance(node, OneOf) and node.values:
        return node.values
    return shown_options(field) or values(field.concept, field.language)
