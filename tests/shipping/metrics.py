"""The metrics and labels that a query of Prometheus names, and those that `/metrics` shows."""

import re

_NAME = re.compile(r"\b(?:waggle|gen_ai_client|gen_ai_server)_[a-z_]+")
_GROUPED = re.compile(r"\b(?:by|without|ignoring|on)\s?\(([a-z_, ]*)\)")
_MATCHED = re.compile(r"[{,]\s?([a-z_]+)\s?(?:=~|!~|!=|=)")
_SAMPLE = re.compile(r"^([a-z_]+)\{([^\n]*)\} ", re.M)
_LABEL = re.compile(r'([a-z_]+)="')


def metrics_of(query):
    inside = _GROUPED.sub(" ", query)
    return set(_NAME.findall(re.sub(r"\{[^}]*\}", "", inside)))


def labels_of(query):
    grouped = {name.strip() for group in _GROUPED.findall(query) for name in group.split(",")}
    return {name for name in grouped | set(_MATCHED.findall(query)) if name}


def queried(exposition):
    """The names and the labels of all samples in Prometheus' text format."""
    samples = _SAMPLE.findall(exposition)
    labels = {name for _, inside in samples for name in _LABEL.findall(inside)}
    return {name for name, _ in samples}, labels
