"""Prices, windows and abilities of models by their names."""

from router.catalog.lookup import ModelFacts, look_up
from router.catalog.price import FREE, Dollars, Price, PriceAbove, Unit, dearest

__all__ = ["FREE", "Dollars", "ModelFacts", "Price", "PriceAbove", "Unit", "dearest", "look_up"]
